// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe_case.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "accel/dummy.h"
#include "debug/probe.h"
#include "log.h"

void expect_everywhere(const char *what, const uint8_t *answers, uint8_t wanted)
{
	for (int mode = 0; mode < CAP_MODE_COUNT; mode++)
		if (answers[mode] != wanted)
			fail_msg("%s in %s: %u, not %u", what, capability_mode_name(mode),
				 answers[mode], wanted);
}
