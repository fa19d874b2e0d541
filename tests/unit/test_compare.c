// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches by step and compare, on the dummy accelerator: a run that is made of steps is a run like any other,
 * with the same hits, the same breakpoints on its way, and an end when somebody asks for it.
 */
#include "compare_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

/* ---- the same as by other rungs ----------------------------------------------------------- */

struct hit {
	uint64_t pc, writer, old_value, new_value;
	int point;
	enum stop_reason reason;
};

#define HITS 24

static void collect(const char *strategy, enum point_kind kind, struct hit hits[HITS])
{
	struct rig rig = {.config = {0}};

	compare_start(&rig, strategy, 1);
	rig_code(&rig, 0, accesses, sizeof(accesses));
	rig_set_reg(&rig, 0, "rax", 0x41424344);
	rig_set_reg(&rig, 0, "rdi", DATA + 3);
	rig_watch(&rig, kind, DATA, 4);
	rig_watch(&rig, kind, DATA + 8, 1);
	for (unsigned i = 0; i < HITS; i++) {
		const struct stop *stop = compare_go(&rig);

		hits[i] = (struct hit){.pc = debug_pc(rig.debug, 0),
				       .writer = stop->writer,
				       .old_value = stop->old_value,
				       .new_value = stop->new_value,
				       .point = stop->point,
				       .reason = stop->reason};
	}
	rig_stop(&rig);
}

static void hits_are_those_of_page_protection(void **state)
{
	static const enum point_kind kinds[] = {POINT_WRITE, POINT_READ, POINT_ACCESS};
	struct hit page[HITS] = {{0}}, compare[HITS] = {{0}};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		collect("watch=page,access=page", kinds[i], page);
		collect("watch=compare,access=compare", kinds[i], compare);
		assert_memory_equal(page, compare, sizeof(page));
		assert_int_not_equal(compare[0].point, 0);
	}
}

/* ---- breakpoints on the way ---------------------------------------------------------------- */

static void breakpoints_are_hit_where_steps_end(void **state)
{
	struct rig rig = {.config = {0}};
	const struct stop *stop;
	int here;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	rig_watch(&rig, POINT_WRITE, DATA + 0x100, 4);
	here = rig_break(&rig, RIG_CODE + 2);
	for (unsigned i = 1; i <= 5; i++) {
		stop = compare_go(&rig);
		assert_int_equal(stop->reason, STOP_BREAKPOINT);
		assert_int_equal(stop->point, here);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
		assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0xa3);
		assert_int_equal(rig_reg(&rig, 0, "rax"), i);
		assert_int_equal(rig_point(&rig, here)->hits, i);
	}
	rig_stop(&rig);
}

/* As an int3 there would be. One behind a watch's hit has not been told either. */
static void a_breakpoint_where_it_begins_is_hit(void **state)
{
	struct rig rig = {.config = {0}};
	int here, behind, number;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	here = rig_break(&rig, RIG_CODE + 1);
	behind = rig_break(&rig, RIG_CODE + 7);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 1);
	assert_int_equal(compare_go(&rig)->point, here);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	assert_int_equal(compare_go(&rig)->point, number);
	assert_int_equal(compare_go(&rig)->point, behind);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(compare_go(&rig)->point, here);
	rig_stop(&rig);
}

/* Parked in between, by a pause or for a change of the points, a vCPU does not ask a breakpoint twice, nor
 * miss one. Where processors are few, it may be parked many times before it gets anywhere. */
static void parking_changes_no_count(void **state)
{
	struct rig rig = {.config = {0}};
	struct error err;
	int here, number, other;
	uint64_t rounds, pc;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	here = rig_break(&rig, RIG_CODE + 2);
	ignore(&rig, number);
	ignore(&rig, here);
	for (unsigned i = 0; i < 300 || rig_reg(&rig, 0, "rax") < 100; i++) {
		rig_continue(&rig);
		sched_yield();
		other = rig_break(&rig, RIG_CODE + 0x800 + i % 0x400);
		assert_int_equal(debug_point_remove(rig.debug, other, &err), 0);
		pause_it(&rig);
	}
	pc = debug_pc(rig.debug, 0);
	rounds = rig_reg(&rig, 0, "rax");
	assert_int_equal(rig_point(&rig, here)->hits, rounds);
	assert_int_equal(rig_point(&rig, number)->hits, rounds - (pc == RIG_CODE + 2));
	rig_stop(&rig);
}

/* A way to somewhere, and what is over a call, are runs. */
static void plans_that_run_to_a_place(void **state)
{
	struct rig rig = {.config = {0}};
	struct plan plan = {.action = PLAN_UNTIL, .address = RIG_CODE + 7};
	struct error err = {0};
	const struct stop *stop;
	int number;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	rig_watch(&rig, POINT_WRITE, DATA + 0x100, 4);
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_CONSOLE, &err), 0);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_STEP);
	assert_int_equal(stop->pc, RIG_CODE + 7);
	plan = (struct plan){
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(counting)};
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_CONSOLE, &err), 0);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->old_value, 1);
	assert_int_equal(stop->new_value, 2);
	rig_stop(&rig);
}

/* ---- an end ------------------------------------------------------------------------------- */

static void a_pause_ends_it(void **state)
{
	static const uint8_t loop[] = {0xeb, 0xfe};
	struct rig rig = {.config = {0}};

	(void)state;
	compare_start(&rig, "watch=compare", 2);
	rig_code(&rig, 0, loop, sizeof(loop));
	rig_code(&rig, 1, counting, sizeof(counting));
	rig_watch(&rig, POINT_WRITE, DATA + 0x100, 4);
	for (unsigned i = 0; i < 50; i++) {
		rig_continue(&rig);
		pause_it(&rig);
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
	}
	rig_stop(&rig);
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* It looks for an interrupt now and then, and sleeps in between. */
static void a_sleeper_does_not_spin(void **state)
{
	static const uint8_t sleeping[] = {0xf4, 0x90};
	struct rig rig = {.config = {0}};
	uint64_t runs, began;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, sleeping, sizeof(sleeping));
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	began = milliseconds();
	rig_continue(&rig);
	usleep(100000);
	pause_it(&rig);
	runs = dummy_counts(rig.machine->vcpus[0].accel)->runs;
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
	assert_in_range(runs, 0, 10 + 3 * (milliseconds() - began));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits_are_those_of_page_protection),
		cmocka_unit_test(breakpoints_are_hit_where_steps_end),
		cmocka_unit_test(a_breakpoint_where_it_begins_is_hit),
		cmocka_unit_test(parking_changes_no_count),
		cmocka_unit_test(plans_that_run_to_a_place),
		cmocka_unit_test(a_pause_ends_it),
		cmocka_unit_test(a_sleeper_does_not_spin),
	};

	return cmocka_run_group_tests_name("step and compare", tests, NULL, NULL);
}
