/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig whose watches are compared after each step. */
#ifndef TESTS_COMPARE_RIG_H
#define TESTS_COMPARE_RIG_H

#include "rig.h"

#define DATA 0x8000u

void compare_start(struct rig *rig, const char *strategy, unsigned vcpus);
const struct stop *compare_go(struct rig *rig);
/* As often as a test needs no stop. */
void ignore(struct rig *rig, int number);
void pause_it(struct rig *rig);

/* mov %eax,DATA; mov %eax,DATA+8; mov %al,DATA+1; mov (%rdi),%al; mov %eax,DATA+2; inc %eax; loop */
static const uint8_t accesses[] = {0xa3, 0x00, 0x80, 0,	   0,	 0xa3, 0x08, 0x80, 0,
				   0,	 0xa2, 0x01, 0x80, 0,	 0,    0x8a, 0x07, 0xa3,
				   0x02, 0x80, 0,    0,	   0x40, 0xeb, 0xe7};

/* nop; inc %eax; mov %eax,DATA; loop */
static const uint8_t counting[] = {0x90, 0x40, 0xa3, 0x00, 0x80, 0, 0, 0xeb, 0xf7};

#endif
