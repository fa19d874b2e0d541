// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "corner_rig.h"

void corner_resume(struct rig *rig, const struct plan *plans)
{
	struct error err = {0};

	if (debug_resume(rig->debug, plans, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}
