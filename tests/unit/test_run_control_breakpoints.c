// SPDX-License-Identifier: GPL-3.0-or-later
/* Breakpoints and run control: each rung, and several vCPUs. */
#include "run_control_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

/* ---- breakpoints, rung by rung ----------------------------------------------------------- */

/* A breakpoint in a loop is hit each time round, once, and never shows in memory. */
static void hit_a_loop(struct rig *rig, const char *rung)
{
	const uint64_t at = RIG_CODE + 1;

	rig_start(rig, 1, IRQCHIP_KERNEL);
	rig_code(rig, 0, counting_loop, sizeof(counting_loop));
	rig_break(rig, at);
	for (unsigned i = 1; i <= 300; i++) {
		const struct stop *stop;

		rig_continue(rig);
		stop = rig_wait_stop(rig);
		assert_int_equal(stop->reason, STOP_BREAKPOINT);
		assert_int_equal(stop->pc, at);
		assert_int_equal(debug_pc(rig->debug, 0), at);
		assert_int_equal(rig_reg(rig, 0, "rax"), i);
		assert_int_equal(rig_byte(rig, at), NOP);
	}
	assert_int_equal(debug_point_next(rig->debug, NULL)->hits, 300);
	assert_string_equal(debug_point_next(rig->debug, NULL)->rung, rung);
	rig_stop(rig);
}

static void test_int3_traps(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TRAPS}};

	(void)state;
	hit_a_loop(&rig, "int3");
}

static void test_int3_by_emulation_failure(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_EMULATION_FAILURE}};

	(void)state;
	hit_a_loop(&rig, "int3 by emulation failure");
}

static void test_debug_register_where_int3_is_lost(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST}};

	(void)state;
	hit_a_loop(&rig, "debug register 0");
}

static void test_debug_register_that_ignores_rf(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST, .ignore_rf = true}};

	(void)state;
	hit_a_loop(&rig, "debug register 0");
}

static void test_no_rung_is_refused_with_a_sentence(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST, .no_slots = true}};
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = RIG_CODE};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(debug_point_add(rig.debug, &spec, OWNER_GDB, &err), -ENOTSUP);
	assert_true(strlen(err.text) > 20);
	assert_null(debug_point_next(rig.debug, NULL));
	rig_stop(&rig);
}

static void test_fifth_hardware_breakpoint_takes_the_next_rung(void **state)
{
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	for (uint64_t i = 0; i < 5; i++) {
		struct point_spec spec = {.kind = POINT_HARDWARE,
					  .address = RIG_CODE + 0x40 - i * 0x10 + (i == 4 ? 1 : 0)};

		if (i == 4)
			spec.address = RIG_CODE + 2;
		assert_true(debug_point_add(rig.debug, &spec, OWNER_GDB, &err) > 0);
	}
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_HW_BREAKPOINT);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	rig_stop(&rig);
}

static void test_fifth_is_refused_where_only_slots_work(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST}};
	struct point_spec spec = {.kind = POINT_SOFTWARE};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	for (uint64_t i = 0; i < 4; i++)
		rig_break(&rig, RIG_CODE + i);
	spec.address = RIG_CODE + 4;
	assert_int_equal(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "four"));
	rig_stop(&rig);
}

static void test_adding_twice_is_idempotent(void **state)
{
	struct rig rig = {0};
	struct error err;
	int number;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	number = rig_break(&rig, RIG_CODE);
	assert_int_equal(rig_break(&rig, RIG_CODE), number);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), -ENOENT);
	rig_stop(&rig);
}

static void test_points_come_and_go_while_it_runs(void **state)
{
	struct rig rig = {0};
	struct error err;
	int number;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	loops_on_all(&rig, counting_loop, sizeof(counting_loop));
	rig_continue(&rig);
	for (int i = 0; i < 200; i++) {
		number = rig_break(&rig, RIG_CODE + 0x80);
		assert_true(debug_running(rig.debug));
		assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	}
	number = rig_break(&rig, RIG_CODE + RIG_APART + 1);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_int_equal(debug_last_stop(rig.debug)->vcpu, 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 1);
	rig_stop(&rig);
}

static void test_lost_owner_takes_its_points_alone(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = RIG_CODE + 1};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	rig_break(&rig, RIG_CODE + 0x80);
	assert_true(debug_point_add(rig.debug, &spec, OWNER_GDB, &err) > 0);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	rig_continue(&rig);
	debug_points_forget(rig.debug, OWNER_GDB);
	assert_non_null(debug_point_next(rig.debug, NULL));
	assert_null(debug_point_next(rig.debug, debug_point_next(rig.debug, NULL)));
	rig_pause(&rig);
	assert_int_equal(rig_byte(&rig, RIG_CODE + 1), NOP);
	rig_stop(&rig);
}

/* What the guest writes over a breakpoint is the guest's. */
static void test_guest_overwrites_a_planted_byte(void **state)
{
	/* mov %al -> CODE+8 (moffs32); jmp self */
	static const uint8_t code[] = {0xa2, 0x08, 0x10, 0x00, 0x00, 0xeb, 0xfe, NOP, NOP};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rax", 0x77);
	rig_break(&rig, RIG_CODE + 8);
	rig_break(&rig, RIG_CODE + 5);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 5);
	assert_int_equal(rig_byte(&rig, RIG_CODE + 8), 0x77);
	rig_stop(&rig);
}

/* ---- several vCPUs ----------------------------------------------------------------------- */

/* All four run into one breakpoint; each hit is told, for the right vCPU, and none twice. */
static void test_simultaneous_hits_are_all_told(void **state)
{
	unsigned told[4] = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 4, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	for (int i = 0; i < 4; i++)
		rig_set_reg(&rig, i, "rip", RIG_CODE);
	rig_break(&rig, RIG_CODE + 1);
	for (int i = 0; i < 2000; i++) {
		const struct stop *stop;

		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, stop->vcpu), RIG_CODE + 1);
		told[stop->vcpu]++;
		assert_int_equal(rig_reg(&rig, stop->vcpu, "rax"), told[stop->vcpu]);
	}
	for (int i = 0; i < 4; i++)
		assert_true(rig_reg(&rig, i, "rax") - told[i] <= 1);
	rig_stop(&rig);
}

static void test_pending_hit_of_a_removed_point_is_dropped(void **state)
{
	struct rig rig = {0};
	struct error err;
	int number;

	(void)state;
	rig_start(&rig, 4, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	for (int i = 0; i < 4; i++)
		rig_set_reg(&rig, i, "rip", RIG_CODE);
	number = rig_break(&rig, RIG_CODE + 1);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	rig_continue(&rig);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 30000), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	rig_stop(&rig);
}

static void test_held_vcpu_does_not_move(void **state)
{
	struct plan plans[2] = {{.action = PLAN_HOLD}, {.action = PLAN_RUN}};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	loops_on_all(&rig, counting_loop, sizeof(counting_loop));
	rig_break(&rig, RIG_CODE + RIG_APART + 1);
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
	rig_stop(&rig);
}

static void test_one_steps_while_another_runs(void **state)
{
	struct plan plans[2] = {{.action = PLAN_STEP}, {.action = PLAN_RUN}};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	rig_code(&rig, 1, counting_loop, sizeof(counting_loop));
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 0);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int3_traps),
		cmocka_unit_test(test_int3_by_emulation_failure),
		cmocka_unit_test(test_debug_register_where_int3_is_lost),
		cmocka_unit_test(test_debug_register_that_ignores_rf),
		cmocka_unit_test(test_no_rung_is_refused_with_a_sentence),
		cmocka_unit_test(test_fifth_hardware_breakpoint_takes_the_next_rung),
		cmocka_unit_test(test_fifth_is_refused_where_only_slots_work),
		cmocka_unit_test(test_adding_twice_is_idempotent),
		cmocka_unit_test(test_points_come_and_go_while_it_runs),
		cmocka_unit_test(test_lost_owner_takes_its_points_alone),
		cmocka_unit_test(test_guest_overwrites_a_planted_byte),
		cmocka_unit_test(test_simultaneous_hits_are_all_told),
		cmocka_unit_test(test_pending_hit_of_a_removed_point_is_dropped),
		cmocka_unit_test(test_held_vcpu_does_not_move),
		cmocka_unit_test(test_one_steps_while_another_runs),
	};

	return cmocka_run_group_tests_name("run control breakpoints", tests, NULL, NULL);
}
