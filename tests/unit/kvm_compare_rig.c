// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"
#include "step_place.h"

#include "kvm_compare_rig.h"

#include <stdlib.h>

void count_only(struct rig *rig, int number)
{
	struct point_action *action = calloc(1, sizeof(*action));

	assert_non_null(action);
	action->go_on = true;
	assert_int_equal(debug_point_action(rig->debug, number, action, NULL), 0);
}

void start_flat(struct rig *rig, unsigned vcpus, const char *strategy)
{
	rig_needs_kvm();
	*rig = (struct rig){.accel = &accel_kvm};
	assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
}
