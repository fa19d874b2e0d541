// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches by step and compare, on the dummy accelerator: a run that is made of steps is a run like any other,
 * with the same hits, the same breakpoints on its way, and an end when somebody asks for it.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATA 0x8000u
#define SLOW "step and compare: slow"

static void start(struct rig *rig, const char *strategy, unsigned vcpus)
{
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
}

static int add(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length,
	       struct error *err)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = length};

	return debug_point_add(rig->debug, &spec, OWNER_CONSOLE, err);
}

static int watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length)
{
	struct error err = {0};
	int number = add(rig, kind, address, length, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

static const struct point *point_of(struct rig *rig, int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig->debug, p)))
		if (p->number == number)
			return p;
	fail_msg("there is no point %d", number);
	return NULL;
}

static const struct stop *go(struct rig *rig)
{
	rig_continue(rig);
	return rig_wait_stop(rig);
}

/* As often as a test needs no stop. */
static void ignore(struct rig *rig, int number)
{
	struct error err;

	assert_int_equal(debug_point_ignore(rig->debug, number, ~0ull, &err), 0);
}

static void pause_it(struct rig *rig)
{
	assert_int_equal(debug_pause_wait(rig->debug, OWNER_CONSOLE, 10000 * rig_slower()), 0);
	rig_wait_stop(rig);
}

/* ---- the same as by other rungs ----------------------------------------------------------- */

/* mov %eax,DATA; mov %eax,DATA+8; mov %al,DATA+1; mov (%rdi),%al; mov %eax,DATA+2; inc %eax; loop */
static const uint8_t accesses[] = {0xa3, 0x00, 0x80, 0,	   0,	 0xa3, 0x08, 0x80, 0,
				   0,	 0xa2, 0x01, 0x80, 0,	 0,    0x8a, 0x07, 0xa3,
				   0x02, 0x80, 0,    0,	   0x40, 0xeb, 0xe7};

struct hit {
	uint64_t pc, writer, old_value, new_value;
	int point;
	enum stop_reason reason;
};

#define HITS 24

static void collect(const char *strategy, enum point_kind kind, struct hit hits[HITS])
{
	struct rig rig = {.config = {0}};

	start(&rig, strategy, 1);
	rig_code(&rig, 0, accesses, sizeof(accesses));
	rig_set_reg(&rig, 0, "rax", 0x41424344);
	rig_set_reg(&rig, 0, "rdi", DATA + 3);
	watch(&rig, kind, DATA, 4);
	watch(&rig, kind, DATA + 8, 1);
	for (unsigned i = 0; i < HITS; i++) {
		const struct stop *stop = go(&rig);

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

/* nop; inc %eax; mov %eax,DATA; loop */
static const uint8_t counting[] = {0x90, 0x40, 0xa3, 0x00, 0x80, 0, 0, 0xeb, 0xf7};

static void breakpoints_are_hit_where_steps_end(void **state)
{
	struct rig rig = {.config = {0}};
	const struct stop *stop;
	int here;

	(void)state;
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	watch(&rig, POINT_WRITE, DATA + 0x100, 4);
	here = rig_break(&rig, RIG_CODE + 2);
	for (unsigned i = 1; i <= 5; i++) {
		stop = go(&rig);
		assert_int_equal(stop->reason, STOP_BREAKPOINT);
		assert_int_equal(stop->point, here);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
		assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0xa3);
		assert_int_equal(rig_reg(&rig, 0, "rax"), i);
		assert_int_equal(point_of(&rig, here)->hits, i);
	}
	rig_stop(&rig);
}

/* As an int3 there would be. One behind a watch's hit has not been told either. */
static void a_breakpoint_where_it_begins_is_hit(void **state)
{
	struct rig rig = {.config = {0}};
	int here, behind, number;

	(void)state;
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	here = rig_break(&rig, RIG_CODE + 1);
	behind = rig_break(&rig, RIG_CODE + 7);
	number = watch(&rig, POINT_WRITE, DATA, 4);
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 1);
	assert_int_equal(go(&rig)->point, here);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	assert_int_equal(go(&rig)->point, number);
	assert_int_equal(go(&rig)->point, behind);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(go(&rig)->point, here);
	rig_stop(&rig);
}

/* Parked in between, by a pause or for a change of the points, a vCPU does not ask a breakpoint twice, nor
 * miss one. */
static void parking_changes_no_count(void **state)
{
	struct rig rig = {.config = {0}};
	struct error err;
	int here, number, other;
	uint64_t rounds, pc;

	(void)state;
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	number = watch(&rig, POINT_WRITE, DATA, 4);
	here = rig_break(&rig, RIG_CODE + 2);
	ignore(&rig, number);
	ignore(&rig, here);
	for (unsigned i = 0; i < 300; i++) {
		rig_continue(&rig);
		other = rig_break(&rig, RIG_CODE + 0x800 + i);
		assert_int_equal(debug_point_remove(rig.debug, other, &err), 0);
		pause_it(&rig);
	}
	pc = debug_pc(rig.debug, 0);
	rounds = rig_reg(&rig, 0, "rax");
	assert_in_range(rounds, 1, ~0u);
	assert_int_equal(point_of(&rig, here)->hits, rounds);
	assert_int_equal(point_of(&rig, number)->hits, rounds - (pc == RIG_CODE + 2));
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
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	watch(&rig, POINT_WRITE, DATA + 0x100, 4);
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_CONSOLE, &err), 0);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_STEP);
	assert_int_equal(stop->pc, RIG_CODE + 7);
	plan = (struct plan){
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(counting)};
	number = watch(&rig, POINT_WRITE, DATA, 4);
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
	start(&rig, "watch=compare", 2);
	rig_code(&rig, 0, loop, sizeof(loop));
	rig_code(&rig, 1, counting, sizeof(counting));
	watch(&rig, POINT_WRITE, DATA + 0x100, 4);
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
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, sleeping, sizeof(sleeping));
	watch(&rig, POINT_WRITE, DATA, 4);
	began = milliseconds();
	rig_continue(&rig);
	usleep(100000);
	pause_it(&rig);
	runs = dummy_counts(rig.machine->vcpus[0].accel)->runs;
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
	assert_in_range(runs, 0, 10 + 3 * (milliseconds() - began));
	rig_stop(&rig);
}

/* ---- several vCPUs ------------------------------------------------------------------------- */

/* Who has written is who is told, with its own value. */
static void the_writer_is_told(void **state)
{
	struct rig rig = {.config = {0}};
	unsigned seen = 0;

	(void)state;
	start(&rig, "watch=compare", 3);
	for (unsigned i = 0; i < 3; i++) {
		rig_code(&rig, i, counting, sizeof(counting));
		rig_set_reg(&rig, (int)i, "rax", 0x1000 * (i + 1));
	}
	watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 200; i++) {
		const struct stop *stop = go(&rig);
		uint64_t its = RIG_CODE + (unsigned)stop->vcpu * RIG_APART;

		assert_int_equal(stop->reason, STOP_WATCH_WRITE);
		assert_int_equal(stop->writer, its + 2);
		assert_int_equal(debug_pc(rig.debug, stop->vcpu), its + 7);
		assert_int_equal(stop->new_value, rig_reg(&rig, stop->vcpu, "rax"));
		seen |= 1u << stop->vcpu;
	}
	assert_int_equal(seen, 7);
	rig_stop(&rig);
}

/* All of them, however they came to lie. */
static void all_writes_are_counted(void **state)
{
	struct rig rig = {.config = {0}};
	uint64_t written = 0;
	int number;

	(void)state;
	start(&rig, "watch=compare", 4);
	for (unsigned i = 0; i < 4; i++)
		rig_code(&rig, i, counting, sizeof(counting));
	number = watch(&rig, POINT_WRITE, DATA, 4);
	ignore(&rig, number);
	rig_continue(&rig);
	for (unsigned i = 0; i < 100 && point_of(&rig, number)->hits < 20000; i++)
		usleep(10000);
	pause_it(&rig);
	for (unsigned i = 0; i < 4; i++)
		written += rig_reg(&rig, (int)i, "rax") -
			   (debug_pc(rig.debug, (int)i) == RIG_CODE + i * RIG_APART + 2);
	assert_int_equal(point_of(&rig, number)->hits, written);
	assert_in_range(written, 4, ~0u);
	rig_stop(&rig);
}

static void writes_of_devices(void **state)
{
	static const uint8_t loop[] = {0xeb, 0xfe};
	const uint8_t data[8] = {5};
	struct rig rig = {.config = {0}};
	int number;

	(void)state;
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, loop, sizeof(loop));
	number = watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	assert_int_equal(machine_device_write(rig.machine, DATA, data, 8), 8);
	assert_string_equal(rig_wait_stop(&rig)->text,
			    "write to 0x8000 (watch 1, 4 bytes): 0 → 5 by a device");
	assert_int_equal(point_of(&rig, number)->hits, 1);
	rig_stop(&rig);
}

static void writes_of_the_user_are_no_hits(void **state)
{
	struct rig rig = {.config = {0}};
	uint32_t value = 5;
	int number, here;

	(void)state;
	start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	number = watch(&rig, POINT_WRITE, DATA + 0x10, 4);
	here = rig_break(&rig, RIG_CODE + 7);
	assert_int_equal(go(&rig)->point, here);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_LINEAR, DATA + 0x10, &value, 4), 4);
	assert_int_equal(go(&rig)->point, here);
	assert_int_equal(point_of(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* ---- which watches -------------------------------------------------------------------------- */

/* Pages with code cannot be withdrawn, and a fifth watch has no debug register: then all are compared, since
 * steps need the registers. */
static void what_nothing_else_carries(void **state)
{
	struct rig rig = {.config = {0}};
	int number[5], here;
	struct error err;

	(void)state;
	start(&rig, NULL, 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	rig_set_reg(&rig, 0, "rdi", RIG_CODE + 0x80);
	for (unsigned i = 0; i < 4; i++)
		number[i] = watch(&rig, POINT_READ, RIG_CODE + 0x80 + 8 * i, 8);
	here = rig_break(&rig, RIG_CODE + 1);
	assert_int_equal(go(&rig)->point, here);
	assert_non_null(strstr(point_of(&rig, number[0])->rung, "debug register"));
	number[4] = watch(&rig, POINT_READ, RIG_CODE + 0xa0, 8);
	assert_string_equal(point_of(&rig, number[4])->rung, SLOW);
	assert_int_equal(go(&rig)->point, here);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(point_of(&rig, number[i])->rung, SLOW);
	assert_int_equal(debug_point_remove(rig.debug, number[4], &err), 0);
	assert_int_equal(go(&rig)->point, here);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(strstr(point_of(&rig, number[i])->rung, "debug register"));
	rig_stop(&rig);
}

/* It is no good reason to keep a debug register for a breakpoint that could have an int3. */
static void a_debug_register_is_better(void **state)
{
	struct rig rig = {.config = {0}};
	int hard[4], number;

	(void)state;
	start(&rig, NULL, 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	for (unsigned i = 0; i < 4; i++)
		hard[i] = watch(&rig, POINT_HARDWARE, RIG_CODE + (i ? 0x40 + i : 1), 1);
	number = watch(&rig, POINT_READ, RIG_CODE + 0x80, 8);
	assert_int_equal(go(&rig)->point, hard[0]);
	assert_non_null(strstr(point_of(&rig, number)->rung, "debug register"));
	assert_string_equal(point_of(&rig, hard[3])->rung, "int3");
	rig_stop(&rig);
}

/* Forced into debug registers, the breakpoints leave none; they do not need any while everything is stepped. */
static void breakpoints_that_take_all_registers(void **state)
{
	struct rig rig = {.config = {0}};
	int hard[4], number;

	(void)state;
	start(&rig, "hbreak=slot", 1);
	rig_code(&rig, 0, accesses, sizeof(accesses));
	rig_set_reg(&rig, 0, "rdi", RIG_CODE + 0x80);
	for (unsigned i = 0; i < 4; i++)
		hard[i] = watch(&rig, POINT_HARDWARE, RIG_CODE + (i ? 0x40 + i : 5), 1);
	number = watch(&rig, POINT_READ, RIG_CODE + 0x80, 8);
	assert_string_equal(point_of(&rig, number)->rung, SLOW);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(go(&rig)->point, hard[0]);
		assert_int_equal(go(&rig)->point, number);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 17);
	}
	rig_stop(&rig);
}

static void expect_refusal(struct rig *rig, uint64_t address, uint64_t length, int code,
			   const char *because)
{
	struct error err = {0};

	assert_int_equal(add(rig, POINT_WRITE, address, length, &err), code);
	if (!strstr(err.text, because))
		fail_msg("'%s' says nothing of '%s'", err.text, because);
}

static void what_cannot_be_compared_is_said(void **state)
{
	struct rig rig = {.config = {0}};

	(void)state;
	start(&rig, "watch=compare", 1);
	expect_refusal(&rig, DATA, 0, -ENOTSUP, "at least one byte");
	expect_refusal(&rig, DATA, ~0ull, -ENOTSUP, "an end");
	expect_refusal(&rig, RIG_RAM - 2, 4, -ENOTSUP, "no RAM");
	expect_refusal(&rig, 0x100, RIG_RAM + 1, -ENOTSUP, "watch less");
	watch(&rig, POINT_WRITE, DATA, 0x80000);
	expect_refusal(&rig, DATA + 4, 0x80001, -ENOTSUP, "watch less");
	watch(&rig, POINT_WRITE, DATA + 4, 0x80000);
	rig_stop(&rig);
}

static void a_host_that_cannot_step(void **state)
{
	struct rig rig = {.dummy = {.no_step = true, .no_slots = true}};

	(void)state;
	start(&rig, "watch=compare", 1);
	expect_refusal(&rig, DATA, 4, -ENOTSUP, "watch=compare");
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
		cmocka_unit_test(the_writer_is_told),
		cmocka_unit_test(all_writes_are_counted),
		cmocka_unit_test(writes_of_devices),
		cmocka_unit_test(writes_of_the_user_are_no_hits),
		cmocka_unit_test(what_nothing_else_carries),
		cmocka_unit_test(a_debug_register_is_better),
		cmocka_unit_test(breakpoints_that_take_all_registers),
		cmocka_unit_test(what_cannot_be_compared_is_said),
		cmocka_unit_test(a_host_that_cannot_step),
	};

	return cmocka_run_group_tests_name("step and compare", tests, NULL, NULL);
}
