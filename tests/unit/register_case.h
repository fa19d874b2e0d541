/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers, written and read back. */
#ifndef TESTS_REGISTER_CASE_H
#define TESTS_REGISTER_CASE_H

#include <stdint.h>

void expect_refused(const char *name, uint64_t word, int rc);

typedef void mode_fn(void);

#endif
