/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs and questions of the tests of run control. */
#ifndef TESTS_RUN_CONTROL_RIG_H
#define TESTS_RUN_CONTROL_RIG_H

#include "rig.h"

#include <stddef.h>

#define NOP	0x90
#define INC_EAX 0x40

/* loop: inc %eax; nop; jmp loop */
static const uint8_t counting_loop[] = {INC_EAX, NOP, 0xeb, 0xfc};
static const uint8_t run_control_nops[] = {NOP, NOP, NOP, NOP, 0xeb, 0xfa};

void loops_on_all(struct rig *rig, const void *code, size_t size);

#endif
