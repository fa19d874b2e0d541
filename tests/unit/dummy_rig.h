/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU of the dummy accelerator. */
#ifndef TESTS_DUMMY_RIG_H
#define TESTS_DUMMY_RIG_H

#include "accel/dummy.h"
#include "bare_vm.h"

void open_dummy(struct bare_vm *bare, struct dummy_config *dummy);
uint64_t dummy_rip(struct bare_vm *bare);

#endif
