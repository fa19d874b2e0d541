// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MS 1000000ull

struct fixture {
	struct clock clock;
	struct device_timer timers[4];
	char calls[64];
	uint64_t called_at[4], rearm[4]; /* rearm: ns after the call, 0 for never */
};

static struct fixture the;

static void on_timer(void *arg)
{
	size_t i = (size_t)arg;

	the.calls[strlen(the.calls)] = (char)('0' + i);
	the.called_at[i] = clock_now(&the.clock);
	if (the.rearm[i])
		clock_timer_arm(&the.clock, &the.timers[i], the.called_at[i] + the.rearm[i]);
}

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	for (size_t i = 0; i < 4; i++)
		the.timers[i] = (struct device_timer){.fn = on_timer, .arg = (void *)i};
	return clock_init(&the.clock, NULL);
}

static int teardown(void **state)
{
	(void)state;
	clock_destroy(&the.clock);
	return 0;
}

static void pass(uint64_t ns)
{
	struct timespec t = {.tv_nsec = (long)ns};

	nanosleep(&t, NULL);
}

static bool due(int timeout_ms)
{
	struct pollfd fd = {.fd = the.clock.fd, .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

static void test_time_stands_still_while_stopped(void **state)
{
	uint64_t a, b;

	(void)state;
	assert_true(clock_now(&the.clock) == 0);
	pass(2 * MS);
	assert_true(clock_now(&the.clock) == 0);
	clock_start(&the.clock, false);
	pass(2 * MS);
	a = clock_now(&the.clock);
	assert_true(a >= 2 * MS);
	clock_stop(&the.clock);
	a = clock_now(&the.clock);
	pass(300 * MS);
	assert_true(clock_now(&the.clock) == a);
	clock_stop(&the.clock);
	clock_start(&the.clock, false);
	b = clock_now(&the.clock);
	assert_true(b >= a);
	assert_true(b < a + 150 * MS);
	clock_start(&the.clock, false);
	assert_true(clock_now(&the.clock) >= b);
}

/* With follow, the pause has passed for the guest as well. */
static void test_time_may_follow_the_host(void **state)
{
	uint64_t a;

	(void)state;
	clock_start(&the.clock, true);
	clock_stop(&the.clock);
	a = clock_now(&the.clock);
	pass(20 * MS);
	assert_true(clock_now(&the.clock) == a);
	clock_start(&the.clock, true);
	assert_true(clock_now(&the.clock) >= a + 20 * MS);
	clock_stop(&the.clock);
	a = clock_now(&the.clock);
	pass(300 * MS);
	clock_start(&the.clock, false);
	assert_true(clock_now(&the.clock) < a + 150 * MS);
}

static void test_timers_run_in_order_of_deadline(void **state)
{
	(void)state;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 3 * MS);
	clock_timer_arm(&the.clock, &the.timers[1], 1 * MS);
	clock_timer_arm(&the.clock, &the.timers[2], 2 * MS);
	clock_timer_arm(&the.clock, &the.timers[3], 1 * MS);
	assert_true(due(1000));
	pass(5 * MS);
	clock_run(&the.clock);
	assert_string_equal(the.calls, "1320");
	assert_false(due(0));
	assert_null(the.clock.timers);
	assert_true(the.called_at[1] >= 1 * MS);
}

static void test_not_due_is_not_run(void **state)
{
	(void)state;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 3600 * 1000 * MS);
	clock_timer_arm(&the.clock, &the.timers[1], UINT64_MAX - 1);
	assert_false(due(5));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "");
	assert_ptr_equal(the.clock.timers, &the.timers[0]);
}

static void test_later_arming_replaces_and_disarms(void **state)
{
	(void)state;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 1);
	clock_timer_arm(&the.clock, &the.timers[1], 1);
	clock_timer_arm(&the.clock, &the.timers[0], 3600 * 1000 * MS);
	clock_timer_arm(&the.clock, &the.timers[1], UINT64_MAX);
	assert_false(due(5));
	clock_timer_arm(&the.clock, &the.timers[0], 0);
	assert_true(due(1000));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "0");
}

static void test_stopped_clock_runs_nothing(void **state)
{
	(void)state;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 2 * MS);
	clock_stop(&the.clock);
	assert_false(due(10));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "");
	clock_start(&the.clock, false);
	assert_true(due(1000));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "0");
}

static void test_always_late_timer_lets_go(void **state)
{
	(void)state;
	the.rearm[0] = 1;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 0);
	clock_timer_arm(&the.clock, &the.timers[1], 0);
	clock_run(&the.clock);
	assert_string_equal(the.calls, "01");
	assert_true(due(1000));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "010");
}

static void disarm_next(void *arg)
{
	clock_timer_arm(&the.clock, &the.timers[1], UINT64_MAX);
	on_timer(arg);
}

static void test_timer_disarmed_by_another_does_not_run(void **state)
{
	(void)state;
	the.timers[0].fn = disarm_next;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 0);
	clock_timer_arm(&the.clock, &the.timers[1], 0);
	clock_timer_arm(&the.clock, &the.timers[2], 0);
	clock_run(&the.clock);
	assert_string_equal(the.calls, "02");
}

static void test_reset_and_set(void **state)
{
	(void)state;
	clock_start(&the.clock, false);
	clock_timer_arm(&the.clock, &the.timers[0], 0);
	pass(200 * MS);
	clock_reset(&the.clock);
	assert_true(clock_now(&the.clock) < 100 * MS);
	assert_false(due(0));
	assert_true(the.timers[0].deadline == UINT64_MAX);
	clock_stop(&the.clock);
	clock_set(&the.clock, 50 * 1000 * MS);
	assert_true(clock_now(&the.clock) == 50 * 1000 * MS);
	clock_timer_arm(&the.clock, &the.timers[0], 50 * 1000 * MS + 1);
	clock_start(&the.clock, false);
	assert_true(due(1000));
	clock_run(&the.clock);
	assert_string_equal(the.calls, "0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_time_stands_still_while_stopped),
		TEST(test_time_may_follow_the_host),
		TEST(test_timers_run_in_order_of_deadline),
		TEST(test_not_due_is_not_run),
		TEST(test_later_arming_replaces_and_disarms),
		TEST(test_stopped_clock_runs_nothing),
		TEST(test_always_late_timer_lets_go),
		TEST(test_timer_disarmed_by_another_does_not_run),
		TEST(test_reset_and_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
