// SPDX-License-Identifier: GPL-3.0-or-later
/* Plans that run to a place. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "points_rig.h"

static void run_until(uint64_t address)
{
	const struct plan plans[2] = {{.action = PLAN_UNTIL, .address = address},
				      {.action = PLAN_RUN}};

	assert_int_equal(debug_resume(points_rig.debug, plans, OWNER_CONSOLE, NULL), 0);
}

static void test_until_an_address(void **state)
{
	(void)state;
	run_until(RIG_CODE + 2);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_STEP);
	assert_int_equal(debug_last_stop(points_rig.debug)->vcpu, 0);
	assert_int_equal(debug_pc(points_rig.debug, 0), RIG_CODE + 2);
	assert_null(debug_point_next(points_rig.debug, NULL));
}

/* To where one stands is once around. */
static void test_until_the_same_address(void **state)
{
	(void)state;
	run_until(RIG_CODE);
	rig_wait_stop(&points_rig);
	assert_int_equal(debug_pc(points_rig.debug, 0), RIG_CODE);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 1);
}

static void test_until_is_forgotten_at_another_stop(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	run_until(RIG_CODE + 2);
	assert_int_equal(rig_wait_stop(&points_rig)->point, number);
	debug_point_remove(points_rig.debug, number, NULL);
	rig_continue(&points_rig);
	debug_pause(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_PAUSE);
}

static void test_until_waits_for_the_stack(void **state)
{
	const struct plan plans[2] = {{.action = PLAN_UNTIL, .address = AT_NOP, .above_sp = 0x8000},
				      {.action = PLAN_HOLD}};

	(void)state;
	rig_set_reg(&points_rig, 0, "rsp", 0x8000);
	assert_int_equal(debug_resume(points_rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	debug_pause(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_PAUSE);
	rig_set_reg(&points_rig, 0, "rsp", 0x8008);
	assert_int_equal(debug_resume(points_rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_STEP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, points_start, points_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_until_an_address),
		TEST(test_until_the_same_address),
		TEST(test_until_is_forgotten_at_another_stop),
		TEST(test_until_waits_for_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
