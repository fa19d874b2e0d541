/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checklist, read. */
#ifndef TESTS_CHECKLIST_RIG_H
#define TESTS_CHECKLIST_RIG_H

#include "peer.h"
#include "rows.h"

extern struct rows list;

const char *path_of(const char *file);
int read_list(void **state);
bool is(const struct row *row, const char *answer);

#endif
