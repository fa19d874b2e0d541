// SPDX-License-Identifier: GPL-3.0-or-later
/* The rules of run control, on the dummy accelerator: what stops, when, once, and with what reason. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

#define NOP	0x90
#define HLT	0xf4
#define INT3	0xcc
#define INC_EAX 0x40
#define INC_EBX 0x43

/* loop: inc %eax; nop; jmp loop */
static const uint8_t counting_loop[] = {INC_EAX, NOP, 0xeb, 0xfc};
/* loop: jmp loop */
static const uint8_t spin[] = {0xeb, 0xfe};
static const uint8_t nops[] = {NOP, NOP, NOP, NOP, 0xeb, 0xfa};

static void loops_on_all(struct rig *rig, const void *code, size_t size)
{
	for (unsigned i = 0; i < rig->machine->vcpu_count; i++)
		rig_code(rig, i, code, size);
}

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
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 1000), 0);
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
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 5000), 0);
	assert_int_equal(debug_reg_get(rig.debug, 0, 0, &value), 0);
	rig_stop(&rig);
}

/* ---- stepping ---------------------------------------------------------------------------- */

static void test_step_moves_one_vcpu_by_one_instruction(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 3, IRQCHIP_KERNEL);
	loops_on_all(&rig, nops, sizeof(nops));
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
	rig_code(&rig, 0, nops, sizeof(nops));
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
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 5000), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	rig_stop(&rig);
}

static void test_step_that_the_host_cannot_make_is_refused(void **state)
{
	struct rig rig = {.dummy = {.no_step = true, .no_slots = true}};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, nops, sizeof(nops));
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
	rig_code(&rig, 0, nops, sizeof(nops));
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
	mem_write_phys(rig->machine->memory, HANDLER, nops, sizeof(nops));
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
	rig_code(&rig, 0, nops, sizeof(nops));
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
	rig_code(&rig, 0, nops, sizeof(nops));
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
	debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000);
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
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_GDB, 5000), 0);
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
	rig_code(&rig, 0, nops, sizeof(nops));
	rig_code(&rig, 1, counting_loop, sizeof(counting_loop));
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, &err), 0);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 0);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
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
		debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000);
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
		cmocka_unit_test(test_guest_int3_goes_to_the_guest),
		cmocka_unit_test(test_debug_exit_ends_the_run),
		cmocka_unit_test(test_guest_resets),
		cmocka_unit_test(test_user_resets_a_running_guest),
		cmocka_unit_test(test_kill_ends_with_the_given_status),
	};

	return cmocka_run_group_tests_name("run control", tests, NULL, NULL);
}
