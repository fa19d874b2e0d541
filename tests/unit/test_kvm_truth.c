// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The debugger's count against the guest's own. Four vCPUs go through one function for ever, and every passage
 * is counted, in silence, whatever else is done to the machine meanwhile. STRESS=full makes it a million.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPUS 4

static struct rig rig;
static unsigned rounds; /* of each vCPU */

static void start(void **state)
{
	(void)state;
	rig_needs_kvm();
	rounds = rig_rounds(250000, 1500);
	rig = (struct rig){.patience = rounds > 10000 ? 600 : 10};
	guest_start_counted(&rig, VCPUS, rounds);
}

static struct point_action *go_on(void)
{
	struct point_action *action = calloc(1, sizeof(*action));

	assert_non_null(action);
	action->go_on = true;
	return action;
}

static int count_passages(void)
{
	int number = rig_break(&rig, guest_symbol(&rig, "add_one"));

	assert_int_equal(debug_point_action(rig.debug, number, go_on(), NULL), 0);
	return number;
}

/* The guest adds up by itself, and says with its exit status whether the sum is right. */
static void check_end(int number)
{
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(rig_point(&rig, number)->hits, (uint64_t)VCPUS * rounds);
	assert_int_equal(rig_point(&rig, number)->evaluations, (uint64_t)VCPUS * rounds);
	rig_stop(&rig);
}

static void test_counting(void **state)
{
	int number;

	start(state);
	number = count_passages();
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	check_end(number);
}

static bool runs_on(int timeout_ms)
{
	struct pollfd fd = {.fd = debug_event_fd(rig.debug), .events = POLLIN};

	if (poll(&fd, 1, timeout_ms) == 1)
		debug_dispatch(rig.debug);
	return rig.count[DEBUG_EXITED] == 0;
}

/* Points come and go on the busiest instructions, by the hundred; pauses too. */
static void test_counting_while_points_come_and_go(void **state)
{
	uint64_t busy[2];
	unsigned changes = 0;
	int number;

	start(state);
	number = count_passages();
	busy[0] = guest_symbol(&rig, "lock_take");
	busy[1] = guest_symbol(&rig, "lock_release");
	rig_continue(&rig);
	for (; runs_on(1); changes++) {
		int passing = rig_break(&rig, busy[changes % 2]);

		assert_int_equal(debug_point_action(rig.debug, passing, go_on(), NULL), 0);
		/* It may stop before it has its action. */
		if (!debug_running(rig.debug) && rig.count[DEBUG_EXITED] == 0)
			rig_continue(&rig);
		runs_on((int)(changes % 3));
		assert_int_equal(debug_point_remove(rig.debug, passing, NULL), 0);
		if (!debug_running(rig.debug) && rig.count[DEBUG_EXITED] == 0)
			rig_continue(&rig);
	}
	assert_true(changes > 5);
	check_end(number);
}

/* cpus[rdi].rounds % every == every - 1 */
static struct program *once_in(unsigned every)
{
	struct program_builder builder = {0};
	struct program *program;
	struct error err = {0};

	program_append(&builder, PROGRAM_REGISTER, (uint64_t)register_find("rdi"));
	program_append(&builder, PROGRAM_CONST, 0xffffffff);
	program_append(&builder, PROGRAM_BIT_AND, 0);
	program_append(&builder, PROGRAM_CONST, 16);
	program_append(&builder, PROGRAM_MUL, 0);
	program_append(&builder, PROGRAM_CONST, guest_symbol(&rig, "cpus"));
	program_append(&builder, PROGRAM_ADD, 0);
	program_append(&builder, PROGRAM_READ64, 0);
	program_append(&builder, PROGRAM_CONST, every);
	program_append(&builder, PROGRAM_REM_UNSIGNED, 0);
	program_append(&builder, PROGRAM_CONST, every - 1);
	program_append(&builder, PROGRAM_EQUAL, 0);
	program_append(&builder, PROGRAM_END, 0);
	if (program_finish(&builder, NULL, &program, &err) < 0)
		fail_msg("%s", err.text);
	return program;
}

static void test_condition_that_is_seldom_true(void **state)
{
	unsigned every, told = 0;
	uint64_t passages;
	int number;

	start(state);
	every = rounds >= 10000 ? 10000 : 500;
	number = rig_break(&rig, guest_symbol(&rig, "add_one"));
	assert_int_equal(debug_point_condition(rig.debug, number, once_in(every), NULL), 0);
	rig_continue(&rig);
	while (guest_stops(&rig)) {
		assert_int_equal(debug_last_stop(rig.debug)->point, number);
		told++;
		rig_continue(&rig);
	}
	passages = (uint64_t)VCPUS * rounds;
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(told, passages / every);
	assert_int_equal(rig_point(&rig, number)->hits, told);
	assert_int_equal(rig_point(&rig, number)->evaluations, passages);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_counting_while_points_come_and_go),
		cmocka_unit_test(test_condition_that_is_seldom_true),
	};

	return cmocka_run_group_tests_name("hits of four vCPUs", tests, NULL, NULL);
}
