// SPDX-License-Identifier: GPL-3.0-or-later
/* Resets and ends at awkward moments, and vCPUs that do not run. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "corner_rig.h"
#include "x86/exceptions.h"

#include <errno.h>

#define HLT 0xf4

/* ---- vCPUs that do not run --------------------------------------------------------------- */

/* A vCPU that sleeps on a breakpoint holds up nobody: its waker may be among the others. */
static void test_sleeper_on_a_breakpoint_holds_up_nobody(void **state)
{
	const uint8_t code[] = {HLT, NOP, 0xeb, 0xfd};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_code(&rig, 1, counting_loop, sizeof(counting_loop));
	rig_break(&rig, RIG_CODE + 1);
	rig_break(&rig, RIG_CODE + RIG_APART + 1);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 1);
	for (unsigned i = 0; i < 20; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
	}
	rig_stop(&rig);
}

/* An INIT that the first vCPU sends changes the second's registers, held or not. */
static void test_registers_of_a_held_vcpu_are_read_anew(void **state)
{
	const struct plan plans[2] = {{.action = PLAN_STEP}, {.action = PLAN_HOLD}};
	struct cpu_state other = {0};
	struct accel_vcpu *accel;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	assert_int_equal(rig_reg(&rig, 1, "rbx"), 0);
	corner_resume(&rig, plans);
	accel = rig.machine->vcpus[1].accel;
	other.general.gpr[GPR_RBX] = 77;
	accel->ops->state_put(accel, CPU_GENERAL, &other);
	rig_wait_stop(&rig);
	assert_int_equal(rig_reg(&rig, 1, "rbx"), 77);
	rig_stop(&rig);
}

/* ---- resets, the end, and the news of them ----------------------------------------------- */

static void test_no_stop_is_lost_behind_resets(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_boot(&rig, corner_spin, sizeof(corner_spin));
	rig_continue(&rig);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 30000), 0);
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_STOPPED], 1);
	assert_true(rig.count[DEBUG_RESET] >= 1);
	rig_stop(&rig);
}

/* The range was of code that the reset has put away. */
static void test_reset_ends_a_range(void **state)
{
	const struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 2};
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, corner_spin, sizeof(corner_spin));
	corner_resume(&rig, &plan);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	assert_false(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESET], 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 1);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_RESET);
	rig_stop(&rig);
}

/* What is no vCPU's own is told at one that was let run: gdb asks for nothing else of a thread that it holds. */
static void test_a_held_vcpu_has_no_news(void **state)
{
	struct plan plans[3] = {{.action = PLAN_HOLD}, {.action = PLAN_RUN}, {.action = PLAN_HOLD}};
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 3, IRQCHIP_KERNEL);
	loops_on_all(&rig, counting_loop, sizeof(counting_loop));
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	debug_pause(rig.debug, OWNER_GDB);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
	plans[2].action = PLAN_RUN;
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	debug_pause(rig.debug, OWNER_GDB);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
	plans[1] = plans[0];
	plans[2] = (struct plan){PLAN_STEP_RANGE, .low = 0, .high = RIG_CODE + 3 * RIG_APART};
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_RESET);
	assert_int_equal(debug_last_stop(rig.debug)->vcpu, 2);
	/* Nothing ran any more: this is about the whole machine. */
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	assert_int_equal(debug_last_stop(rig.debug)->vcpu, 0);
	rig_stop(&rig);
}

static void test_reset_after_the_end_keeps_the_end(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	debug_kill(rig.debug, OWNER_CONSOLE, 9);
	assert_int_equal(debug_reset(rig.debug, OWNER_GDB, &err), -ESHUTDOWN);
	assert_int_equal(rig_wait_exit(&rig)->exit_status, 9);
	rig_stop(&rig);
}

/* A breakpoint at the start is met after a reset like any other. */
static void test_breakpoint_at_the_start_is_hit_after_reset(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, counting_loop, sizeof(counting_loop));
	rig_break(&rig, RIG_CODE);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	rig_stop(&rig);
}

/* An int3 of the guest's that was to be given back belongs to the guest before the reset. */
static void test_reset_forgets_what_was_to_be_given_back(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, corner_nops, sizeof(corner_nops));
	rig.machine->vcpus[0].debug.inject = VECTOR_BP;
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_bp, 0);
	rig_stop(&rig);
}

/* ---- the end while everything runs ------------------------------------------------------- */

/* Nobody debugs; each vCPU comes upon an instruction that it cannot execute, whenever. */
static void test_machine_ends_while_its_vcpus_stop(void **state)
{
	static const uint8_t bad = 0x0f;
	struct machine_config config = {.accel = &accel_dummy, .ram_size = RIG_RAM, .vcpus = 4};

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct machine *machine = NULL;
		struct error err;

		assert_int_equal(machine_create(&config, &machine, &err), 0);
		mem_write_phys(machine->memory, 0xffff0, &bad, 1);
		pthread_mutex_lock(&machine->gate.lock);
		for (unsigned i = 0; i < 4; i++) {
			machine->vcpus[i].state.events.run_state = CPU_RUNNABLE;
			vcpu_dirty(&machine->vcpus[i], CPU_EVENTS);
			gate_set_plan(&machine->vcpus[i], VCPU_RUN);
		}
		gate_open(machine);
		pthread_mutex_unlock(&machine->gate.lock);
		machine_destroy(machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleeper_on_a_breakpoint_holds_up_nobody),
		cmocka_unit_test(test_registers_of_a_held_vcpu_are_read_anew),
		cmocka_unit_test(test_no_stop_is_lost_behind_resets),
		cmocka_unit_test(test_reset_ends_a_range),
		cmocka_unit_test(test_a_held_vcpu_has_no_news),
		cmocka_unit_test(test_reset_after_the_end_keeps_the_end),
		cmocka_unit_test(test_breakpoint_at_the_start_is_hit_after_reset),
		cmocka_unit_test(test_reset_forgets_what_was_to_be_given_back),
		cmocka_unit_test(test_machine_ends_while_its_vcpus_stop),
	};

	return cmocka_run_group_tests_name("run control resets", tests, NULL, NULL);
}
