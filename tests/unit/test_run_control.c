// SPDX-License-Identifier: GPL-3.0-or-later
/* The rules of run control, on the dummy accelerator: what stops, when, once, and with what reason. */
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

#define HLT	0xf4
#define INT3	0xcc
#define INC_EBX 0x43

/* loop: jmp loop */
static const uint8_t spin[] = {0xeb, 0xfe};

/* ---- pausing ----------------------------------------------------------------------------- */

static void test_starts_stopped(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_false(debug_running(rig.debug));
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
	rig_stop(&rig);
}

static void test_pause_parks_everybody(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 4, IRQCHIP_KERNEL);
	loops_on_all(&rig, counting_loop, sizeof(counting_loop));
	for (int round = 0; round < 2000; round++) {
		const struct stop *stop;

		rig_continue(&rig);
		debug_pause(rig.debug, OWNER_GDB);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, STOP_PAUSE);
		assert_int_equal(rig.machine->gate.parked_count, 4);
		assert_int_equal(rig.count[DEBUG_STOPPED], round + 1);
		assert_int_equal(rig.count[DEBUG_RESUMED], round + 1);
		assert_int_equal(rig.actor[DEBUG_STOPPED], OWNER_GDB);
	}
	rig_stop(&rig);
}

static void test_pause_of_a_stopped_machine_is_silent(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	debug_pause(rig.debug, OWNER_GDB);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 30000), 0);
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	rig_stop(&rig);
}

static void test_running_machine_refuses_questions(void **state)
{
	struct rig rig = {0};
	uint64_t value;
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, spin, sizeof(spin));
	rig_continue(&rig);
	assert_int_equal(debug_reg_get(rig.debug, 0, 0, &value), -EBUSY);
	assert_int_equal(debug_reg_set(rig.debug, 0, 0, &value), -EBUSY);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_LINEAR, RIG_CODE, &value, 1), -EBUSY);
	assert_int_equal(debug_continue(rig.debug, OWNER_GDB, &err), -EBUSY);
	assert_null(debug_state(rig.debug, 0, CPU_GENERAL));
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 30000), 0);
	assert_int_equal(debug_reg_get(rig.debug, 0, 0, &value), 0);
	rig_stop(&rig);
}

/* ---- stepping ---------------------------------------------------------------------------- */

static void test_step_moves_one_vcpu_by_one_instruction(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 3, IRQCHIP_KERNEL);
	loops_on_all(&rig, run_control_nops, sizeof(run_control_nops));
	for (unsigned i = 1; i <= 4; i++) {
		rig_step(&rig, 1);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
		assert_int_equal(debug_last_stop(rig.debug)->vcpu, 1);
		assert_int_equal(debug_pc(rig.debug, 1), RIG_CODE + RIG_APART + i);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
		assert_int_equal(debug_pc(rig.debug, 2), RIG_CODE + 2 * RIG_APART);
	}
	rig_stop(&rig);
}

/* One `out`, its I/O done, and not the instruction behind it. */
static void test_step_over_io_completes_it_once(void **state)
{
	static const uint8_t code[] = {0xe6, 0xe9, NOP, 0xe4, 0x92, NOP, HLT};
	struct rig rig = {0};
	unsigned before;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	before = dummy_counts(rig.machine->vcpus[0].accel)->completions;
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->completions, before + 1);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 5);
	rig_stop(&rig);
}

static void test_step_range_stops_behind_it(void **state)
{
	struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 3};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, &err), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 3);
	rig_stop(&rig);
}

static void test_pause_ends_an_endless_range(void **state)
{
	struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 16};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, spin, sizeof(spin));
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, &err), 0);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 30000), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	rig_stop(&rig);
}

static void test_step_that_the_host_cannot_make_is_refused(void **state)
{
	struct rig rig = {.dummy = {.no_step = true, .no_slots = true}};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	assert_int_equal(debug_step(rig.debug, 0, OWNER_CONSOLE, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "single-step"));
	assert_false(debug_running(rig.debug));
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_db, 0);
	rig_stop(&rig);
}

static void test_step_onto_a_breakpoint_says_so(void **state)
{
	struct rig rig = {0};
	int number;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	number = rig_break(&rig, RIG_CODE + 1);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_int_equal(debug_point_next(rig.debug, NULL)->hits, 1);
	rig_stop(&rig);
}

#define VECTOR	0x30
#define HANDLER (RIG_CODE + 0x80)

/* The vCPU has accepted an interrupt, and was parked before it entered the handler. */
static void accept_interrupt(struct rig *rig, int vcpu)
{
	static const uint8_t gate[8] = {HANDLER & 0xff, HANDLER >> 8, 8, 0, 0, 0x8e, 0, 0};
	static const uint8_t flat_code[8] = {0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0};
	struct vcpu *v = &rig->machine->vcpus[vcpu];
	struct cpu_state *state = vcpu_state(v, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	state->system.idt = (struct cpu_table){.base = 0x4000, .limit = 0x7ff};
	state->system.gdt = (struct cpu_table){.base = 0x5000, .limit = 0x17};
	state->events.interrupt.injected = true;
	state->events.interrupt.vector = VECTOR;
	vcpu_dirty(v, CPU_SYSTEM | CPU_EVENTS);
	mem_write_phys(rig->machine->memory, 0x4000 + VECTOR * 8, gate, sizeof(gate));
	mem_write_phys(rig->machine->memory, 0x5008, flat_code, sizeof(flat_code));
	mem_write_phys(rig->machine->memory, HANDLER, run_control_nops, sizeof(run_control_nops));
}

/* With interrupts let through its delivery is the step: a trap flag would be pushed with the flags, and come
 * back with iret. */
static void test_step_of_an_accepted_interrupt_is_its_delivery(void **state)
{
	struct plan range = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 16};
	struct rig rig = {0};
	struct error err;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, run_control_nops, sizeof(run_control_nops));
	debug_set_step_interrupts(rig.debug, true);
	for (int round = 0; round < 2; round++) {
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		accept_interrupt(&rig, 0);
		if (round == 0)
			rig_step(&rig, 0);
		else
			assert_int_equal(debug_resume(rig.debug, &range, OWNER_GDB, &err), 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
		assert_int_equal(debug_pc(rig.debug, 0), HANDLER);
	}
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->delivered, 2);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->delivered_stepping, 0);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), HANDLER + 1);
	rig_stop(&rig);
}

/* ---- what belongs to the guest ----------------------------------------------------------- */

static void guest_int3(enum dummy_int3 kind)
{
	static const uint8_t code[] = {INT3, INC_EBX, HLT};
	struct rig rig = {.dummy = {.int3 = kind}};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_code(&rig, 2, spin, sizeof(spin));
	rig_break(&rig, RIG_CODE + 0x200);
	rig_break(&rig, RIG_CODE + 1);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 1);
	rig_stop(&rig);
}

static void test_guest_int3_goes_to_the_guest(void **state)
{
	(void)state;
	guest_int3(DUMMY_INT3_TRAPS);
	guest_int3(DUMMY_INT3_EMULATION_FAILURE);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void test_debug_exit_ends_the_run(void **state)
{
	static const uint8_t code[] = {0xe6, 0xf4, NOP, HLT};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_code(&rig, 1, spin, sizeof(spin));
	rig_set_reg(&rig, 0, "rax", 0x10);
	rig_continue(&rig);
	assert_int_equal(rig_wait_exit(&rig)->exit_status, 0x21);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_SHUTDOWN);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	rig_stop(&rig);
}

/* out 0x92 bit 0 resets; RAM and registers are back at the start, and the guest goes on by itself. */
static void reset_by_guest(bool no_reboot)
{
	static const uint8_t code[] = {INC_EBX, 0xe6, 0x92, HLT};
	struct rig rig = {.config = {.no_reboot = no_reboot}};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rax", 1);
	rig_continue(&rig);
	if (no_reboot) {
		assert_int_equal(rig_wait_exit(&rig)->exit_status, 0);
	} else {
		while (rig.count[DEBUG_RESET] == 0)
			assert_true(rig_wait(&rig));
		rig_pause(&rig);
		assert_int_equal(rig_reg(&rig, 0, "rbx"), 0);
		assert_int_equal(rig_byte(&rig, RIG_CODE), 0);
	}
	rig_stop(&rig);
}

static void test_guest_resets(void **state)
{
	(void)state;
	reset_by_guest(false);
	reset_by_guest(true);
}

static void test_user_resets_a_running_guest(void **state)
{
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_boot(&rig, spin, sizeof(spin));
	rig_continue(&rig);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	assert_true(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESET], 1);
	rig_stop(&rig);
}

static void test_kill_ends_with_the_given_status(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	loops_on_all(&rig, spin, sizeof(spin));
	rig_continue(&rig);
	debug_kill(rig.debug, OWNER_GDB, 7);
	assert_int_equal(rig_wait_exit(&rig)->exit_status, 7);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_stopped),
		cmocka_unit_test(test_pause_parks_everybody),
		cmocka_unit_test(test_pause_of_a_stopped_machine_is_silent),
		cmocka_unit_test(test_running_machine_refuses_questions),
		cmocka_unit_test(test_step_moves_one_vcpu_by_one_instruction),
		cmocka_unit_test(test_step_over_io_completes_it_once),
		cmocka_unit_test(test_step_range_stops_behind_it),
		cmocka_unit_test(test_pause_ends_an_endless_range),
		cmocka_unit_test(test_step_that_the_host_cannot_make_is_refused),
		cmocka_unit_test(test_step_onto_a_breakpoint_says_so),
		cmocka_unit_test(test_step_of_an_accepted_interrupt_is_its_delivery),
		cmocka_unit_test(test_guest_int3_goes_to_the_guest),
		cmocka_unit_test(test_debug_exit_ends_the_run),
		cmocka_unit_test(test_guest_resets),
		cmocka_unit_test(test_user_resets_a_running_guest),
		cmocka_unit_test(test_kill_ends_with_the_given_status),
	};

	return cmocka_run_group_tests_name("run control", tests, NULL, NULL);
}
