// SPDX-License-Identifier: GPL-3.0-or-later
#include "compare_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

void compare_start(struct rig *rig, const char *strategy, unsigned vcpus)
{
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
}

const struct stop *compare_go(struct rig *rig)
{
	rig_continue(rig);
	return rig_wait_stop(rig);
}

void ignore(struct rig *rig, int number)
{
	struct error err;

	assert_int_equal(debug_point_ignore(rig->debug, number, ~0ull, &err), 0);
}

void pause_it(struct rig *rig)
{
	rig_pause(rig);
	rig_wait_stop(rig);
}
