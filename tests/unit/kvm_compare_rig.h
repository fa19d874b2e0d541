/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig whose watches are compared after each step, under KVM. */
#ifndef TESTS_KVM_COMPARE_RIG_H
#define TESTS_KVM_COMPARE_RIG_H

#include "rig.h"

#include <stdint.h>

#define DATA	 0x8000u
#define SOURCE	 0x9000u
#define BY_STEPS "watch=compare,access=compare"

void count_only(struct rig *rig, int number);
void start_flat(struct rig *rig, unsigned vcpus, const char *strategy);

#endif
