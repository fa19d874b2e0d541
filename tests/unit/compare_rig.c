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

int compare_add(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length,
		struct error *err)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = length};

	return debug_point_add(rig->debug, &spec, OWNER_CONSOLE, err);
}

int compare_watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length)
{
	struct error err = {0};
	int number = compare_add(rig, kind, address, length, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

const struct point *compare_point_of(struct rig *rig, int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig->debug, p)))
		if (p->number == number)
			return p;
	fail_msg("there is no point %d", number);
	return NULL;
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
	assert_int_equal(debug_pause_wait(rig->debug, OWNER_CONSOLE, 10000 * rig_slower()), 0);
	rig_wait_stop(rig);
}
