/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig for points. */
#ifndef TESTS_POINTS_RIG_H
#define TESTS_POINTS_RIG_H

#include "rig.h"

#define AT_NOP (RIG_CODE + 1)

extern struct rig points_rig;
extern char points_lines[4][128];
extern unsigned points_line_count;

int points_start(void **state);
int points_stop(void **state);
const struct point *points_find(int number);
void run_first(void);

#endif
