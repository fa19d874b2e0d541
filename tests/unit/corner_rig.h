/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs and questions of the awkward cases of run control. */
#ifndef TESTS_CORNER_RIG_H
#define TESTS_CORNER_RIG_H

#include "run_control_rig.h"

static const uint8_t corner_spin[] = {0xeb, 0xfe};
static const uint8_t corner_nops[] = {NOP, NOP, NOP, NOP, 0xeb, 0xfa};

void corner_resume(struct rig *rig, const struct plan *plans);

#endif
