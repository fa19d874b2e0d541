// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots and the debugger. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "snapshot_rig.h"

#include <errno.h>
#include <string.h>

static const uint8_t nops[] = {0x90, 0x90, 0x90, 0xeb, 0xfb};

static void test_listeners_are_told_once(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	rig_code(&rig, 1, snapshot_spin, sizeof(snapshot_spin));
	snapshot_save(&rig, "a");
	snapshot_restore(&rig, "a");
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.actor[DEBUG_RESTORED], OWNER_CONSOLE);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	assert_non_null(strstr(debug_last_stop(rig.debug)->text, "\"a\""));
	assert_int_equal(debug_last_stop(rig.debug)->pc, RIG_CODE);
	rig_stop(&rig);
}

/* Saved and restored in mid-run, it runs on. */
static void test_a_running_machine_runs_on(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	rig_code(&rig, 1, snapshot_writer, sizeof(snapshot_writer));
	rig_continue(&rig);
	snapshot_save(&rig, "a");
	assert_true(debug_running(rig.debug));
	while (rig_byte(&rig, 0x20002) == 0)
		;
	snapshot_restore(&rig, "a");
	assert_true(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	while (rig_byte(&rig, 0x20002) == 0)
		;
	rig_pause(&rig);
	rig_stop(&rig);
}

/* A step was of a time that is no more. */
static void test_a_stepping_machine_stops(void **state)
{
	struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 0x10};
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_spin, sizeof(snapshot_spin));
	snapshot_save(&rig, "a");
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, &err), 0);
	snapshot_restore(&rig, "a");
	assert_false(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 1);
	rig_stop(&rig);
}

/* Points are the debugger's: they stay, and one under the restored pc was not hit yet. */
static void test_points_stay_and_are_met_again(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, nops, sizeof(nops));
	rig_break(&rig, RIG_CODE + 2);
	snapshot_save(&rig, "start");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	snapshot_save(&rig, "point");
	for (unsigned i = 0; i < 3; i++) {
		snapshot_restore(&rig, "start");
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	}
	/* memory is the guest's own in every snapshot */
	assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0x90);
	snapshot_restore(&rig, "point");
	assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0x90);
	snapshot_steps(&rig, 1);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 3);
	rig_stop(&rig);
}

/* A breakpoint that had stopped the guest when it was saved has had its say; one that had not is hit. */
static void test_what_was_told_is_not_told_again(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, nops, sizeof(nops));
	rig_code(&rig, 1, snapshot_spin, sizeof(snapshot_spin));
	rig_break(&rig, RIG_CODE + 1);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	snapshot_save(&rig, "told");
	rig_break(&rig, RIG_CODE + 2);
	for (unsigned i = 0; i < 3; i++) {
		snapshot_restore(&rig, "told");
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	}
	rig_stop(&rig);
}

static void test_what_was_not_told_is_hit(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, nops, sizeof(nops));
	rig_break(&rig, RIG_CODE + 1);
	snapshot_save(&rig, "start");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	vcpu_state(&rig.machine->vcpus[0], CPU_GENERAL)->general.rip = RIG_CODE + 2;
	vcpu_dirty(&rig.machine->vcpus[0], CPU_GENERAL);
	snapshot_save(&rig, "moved");
	rig_break(&rig, RIG_CODE + 2);
	snapshot_restore(&rig, "moved");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 2);
	rig_stop(&rig);
}

/* Back to life from a triple fault. */
static void test_a_dead_guest_lives_again(void **state)
{
	static const struct vm_exit script[] = {{.reason = EXIT_SHUTDOWN}};
	struct rig rig = {.dummy = {.script = script, .script_length = 1}};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "alive");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_TRIPLE_FAULT);
	assert_int_equal(debug_continue(rig.debug, OWNER_CONSOLE, &err), -ENOTSUP);
	snapshot_restore(&rig, "alive");
	run_a_little(&rig);
	rig_stop(&rig);
}

static void test_an_ended_run_stays_ended(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	snapshot_save(&rig, "a");
	debug_kill(rig.debug, OWNER_CONSOLE, 3);
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &err), -ESHUTDOWN);
	assert_int_equal(debug_snapshot_save(rig.debug, "b", &err), -ESHUTDOWN);
	rig_stop(&rig);
}

/* A reset that a device asked for belongs to the time that is left behind. */
static void test_a_waiting_reset_is_forgotten(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "a");
	port_out(rig.machine, 0x64, 0xfe);
	snapshot_restore(&rig, "a");
	run_a_little(&rig);
	assert_int_equal(rig.count[DEBUG_RESET], 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listeners_are_told_once),
		cmocka_unit_test(test_a_running_machine_runs_on),
		cmocka_unit_test(test_a_stepping_machine_stops),
		cmocka_unit_test(test_points_stay_and_are_met_again),
		cmocka_unit_test(test_what_was_told_is_not_told_again),
		cmocka_unit_test(test_what_was_not_told_is_hit),
		cmocka_unit_test(test_a_dead_guest_lives_again),
		cmocka_unit_test(test_an_ended_run_stays_ended),
		cmocka_unit_test(test_a_waiting_reset_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
