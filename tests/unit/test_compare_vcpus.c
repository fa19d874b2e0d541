// SPDX-License-Identifier: GPL-3.0-or-later
/* Watches by step and compare: several vCPUs, and which watches. */
#include "compare_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SLOW "step and compare: slow"

/* ---- several vCPUs ------------------------------------------------------------------------- */

/* Who has written is who is told, with its own value. */
static void the_writer_is_told(void **state)
{
	struct rig rig = {.config = {0}};
	unsigned seen = 0;

	(void)state;
	compare_start(&rig, "watch=compare", 3);
	for (unsigned i = 0; i < 3; i++) {
		rig_code(&rig, i, counting, sizeof(counting));
		rig_set_reg(&rig, (int)i, "rax", 0x1000 * (i + 1));
	}
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 200; i++) {
		const struct stop *stop = compare_go(&rig);
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
	compare_start(&rig, "watch=compare", 4);
	for (unsigned i = 0; i < 4; i++)
		rig_code(&rig, i, counting, sizeof(counting));
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	ignore(&rig, number);
	rig_continue(&rig);
	for (unsigned i = 0; i < 100 && rig_point(&rig, number)->hits < 20000; i++)
		usleep(10000);
	pause_it(&rig);
	for (unsigned i = 0; i < 4; i++)
		written += rig_reg(&rig, (int)i, "rax") -
			   (debug_pc(rig.debug, (int)i) == RIG_CODE + i * RIG_APART + 2);
	assert_int_equal(rig_point(&rig, number)->hits, written);
	assert_in_range(written, 4, ~0u);
	rig_stop(&rig);
}

/* Told at a vCPU that was let run. */
static void writes_of_devices(void **state)
{
	static const struct plan plans[2] = {{.action = PLAN_HOLD}, {.action = PLAN_RUN}};
	static const uint8_t loop[] = {0xeb, 0xfe};
	const uint8_t data[8] = {5};
	struct rig rig = {.config = {0}};
	int number;

	(void)state;
	compare_start(&rig, "watch=compare", 2);
	rig_code(&rig, 1, loop, sizeof(loop));
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(machine_device_write(rig.machine, DATA, data, 8), 8);
	assert_string_equal(rig_wait_stop(&rig)->text,
			    "write to 0x8000 (watch 1, 4 bytes): 0 → 5 by a device");
	assert_int_equal(debug_last_stop(rig.debug)->vcpu, 1);
	assert_int_equal(rig_point(&rig, number)->hits, 1);
	rig_stop(&rig);
}

static void writes_of_the_user_are_no_hits(void **state)
{
	struct rig rig = {.config = {0}};
	uint32_t value = 5;
	int number, here;

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	number = rig_watch(&rig, POINT_WRITE, DATA + 0x10, 4);
	here = rig_break(&rig, RIG_CODE + 7);
	assert_int_equal(compare_go(&rig)->point, here);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_LINEAR, DATA + 0x10, &value, 4), 4);
	assert_int_equal(compare_go(&rig)->point, here);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
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
	compare_start(&rig, NULL, 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	rig_set_reg(&rig, 0, "rdi", RIG_CODE + 0x80);
	for (unsigned i = 0; i < 4; i++)
		number[i] = rig_watch(&rig, POINT_READ, RIG_CODE + 0x80 + 8 * i, 8);
	here = rig_break(&rig, RIG_CODE + 1);
	assert_int_equal(compare_go(&rig)->point, here);
	assert_non_null(strstr(rig_point(&rig, number[0])->rung, "debug register"));
	number[4] = rig_watch(&rig, POINT_READ, RIG_CODE + 0xa0, 8);
	assert_string_equal(rig_point(&rig, number[4])->rung, SLOW);
	assert_int_equal(compare_go(&rig)->point, here);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(rig_point(&rig, number[i])->rung, SLOW);
	assert_int_equal(debug_point_remove(rig.debug, number[4], &err), 0);
	assert_int_equal(compare_go(&rig)->point, here);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(strstr(rig_point(&rig, number[i])->rung, "debug register"));
	rig_stop(&rig);
}

/* It is no good reason to keep a debug register for a breakpoint that could have an int3. */
static void a_debug_register_is_better(void **state)
{
	struct rig rig = {.config = {0}};
	int hard[4], number;

	(void)state;
	compare_start(&rig, NULL, 1);
	rig_code(&rig, 0, counting, sizeof(counting));
	for (unsigned i = 0; i < 4; i++)
		hard[i] = rig_watch(&rig, POINT_HARDWARE, RIG_CODE + (i ? 0x40 + i : 1), 1);
	number = rig_watch(&rig, POINT_READ, RIG_CODE + 0x80, 8);
	assert_int_equal(compare_go(&rig)->point, hard[0]);
	assert_non_null(strstr(rig_point(&rig, number)->rung, "debug register"));
	assert_string_equal(rig_point(&rig, hard[3])->rung, "int3");
	rig_stop(&rig);
}

/* Forced into debug registers, the breakpoints leave none; they do not need any while everything is stepped. */
static void breakpoints_that_take_all_registers(void **state)
{
	struct rig rig = {.config = {0}};
	int hard[4], number;

	(void)state;
	compare_start(&rig, "hbreak=slot", 1);
	rig_code(&rig, 0, accesses, sizeof(accesses));
	rig_set_reg(&rig, 0, "rdi", RIG_CODE + 0x80);
	for (unsigned i = 0; i < 4; i++)
		hard[i] = rig_watch(&rig, POINT_HARDWARE, RIG_CODE + (i ? 0x40 + i : 5), 1);
	number = rig_watch(&rig, POINT_READ, RIG_CODE + 0x80, 8);
	assert_string_equal(rig_point(&rig, number)->rung, SLOW);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(compare_go(&rig)->point, hard[0]);
		assert_int_equal(compare_go(&rig)->point, number);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 17);
	}
	rig_stop(&rig);
}

static void expect_refusal(struct rig *rig, uint64_t address, uint64_t length, int code,
			   const char *because)
{
	const struct point_spec spec = {.kind = POINT_WRITE, .address = address, .length = length};
	struct error err = {0};

	assert_int_equal(debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err), code);
	if (!strstr(err.text, because))
		fail_msg("'%s' says nothing of '%s'", err.text, because);
}

static void what_cannot_be_compared_is_said(void **state)
{
	struct rig rig = {.config = {0}};

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	expect_refusal(&rig, DATA, 0, -ENOTSUP, "at least one byte");
	expect_refusal(&rig, DATA, ~0ull, -ENOTSUP, "an end");
	expect_refusal(&rig, RIG_RAM - 2, 4, -ENOTSUP, "no RAM");
	expect_refusal(&rig, 0x100, RIG_RAM + 1, -ENOTSUP, "watch less");
	rig_watch(&rig, POINT_WRITE, DATA, 0x80000);
	expect_refusal(&rig, DATA + 4, 0x80001, -ENOTSUP, "watch less");
	rig_watch(&rig, POINT_WRITE, DATA + 4, 0x80000);
	rig_stop(&rig);
}

static void a_host_that_cannot_step(void **state)
{
	struct rig rig = {.dummy = {.no_step = true, .no_slots = true}};

	(void)state;
	compare_start(&rig, "watch=compare", 1);
	expect_refusal(&rig, DATA, 4, -ENOTSUP, "watch=compare");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests_name("compare vcpus", tests, NULL, NULL);
}
