// SPDX-License-Identifier: GPL-3.0-or-later
#include "run_control_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

void loops_on_all(struct rig *rig, const void *code, size_t size)
{
	for (unsigned i = 0; i < rig->machine->vcpu_count; i++)
		rig_code(rig, i, code, size);
}
