/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines that play exits. */
#ifndef TESTS_VCPU_RIG_H
#define TESTS_VCPU_RIG_H

#include "rig.h"

#include <stdint.h>

static const uint8_t vcpu_spin[] = {0xeb, 0xfe};

void scripted_io(const struct vm_exit *exit);
/* A sanitizer starts a thread of its own together with the first one: not while a test counts. */
int first_thread(void **state);

#endif
