/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host to ask. */
#ifndef TESTS_PROBE_CASE_H
#define TESTS_PROBE_CASE_H

#include "debug/probe.h"

void expect_everywhere(const char *what, const uint8_t *answers, uint8_t wanted);

#define EXPECT(found, field, wanted) expect_everywhere(#field, (found).field, wanted)

#endif
