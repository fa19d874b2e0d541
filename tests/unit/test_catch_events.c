// SPDX-License-Identifier: GPL-3.0-or-later
/* Catches of what a processor does: mode switches, halts, startups. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "catch_rig.h"

#include <errno.h>
#include <stdlib.h>

static void test_hlt(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0}, kernel = {0};

	(void)state;
	catch_start(&rig, &counter, halts, sizeof(halts));
	catch (&rig, POINT_CATCH_HLT, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_HLT);
	assert_int_equal(stop->pc, RIG_CODE + 2);
	says(stop, "interrupts off");
	rig_stop(&rig);

	rig_start(&kernel, 1, IRQCHIP_KERNEL);
	refused(&kernel, (struct point_spec){.kind = POINT_CATCH_HLT}, -ENOTSUP, "-irqchip=user");
	rig_stop(&kernel);
}

/* nop; int3; 1: jmp 1b */
static const uint8_t breaks[] = {0x90, 0xcc, 0xeb, 0xfe};

static void guest_int3(enum dummy_int3 how, uint64_t pc)
{
	struct rig rig = {.dummy = {.int3 = how}};
	struct counter counter;
	const struct stop *stop;

	catch_start(&rig, &counter, breaks, sizeof(breaks));
	catch (&rig, POINT_CATCH_INT3, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_GUEST_INT3);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	assert_int_equal(stop->pc, pc);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_bp, 0);
	rig_break(&rig, RIG_CODE + 2);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	rig_stop(&rig);
}

static void test_int3(void **state)
{
	struct rig lost = {.dummy = {.int3 = DUMMY_INT3_TO_GUEST}};

	(void)state;
	guest_int3(DUMMY_INT3_TRAPS, RIG_CODE + 1);
	guest_int3(DUMMY_INT3_EMULATION_FAILURE, RIG_CODE + 2);
	rig_start(&lost, 1, IRQCHIP_KERNEL);
	refused(&lost, (struct point_spec){.kind = POINT_CATCH_INT3}, -ENOTSUP,
		"catch exception 3");
	rig_stop(&lost);
}

/* out 0x92, al: the reset that chipsets have */
static const uint8_t resets[] = {0xe6, 0x92, 0xeb, 0xfe};

static void test_reset(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, resets, sizeof(resets));
	rig_set_reg(&rig, 0, "rax", 1);
	catch (&rig, POINT_CATCH_RESET, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_RESET);
	says(stop, "port 0x92");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 2);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(rig.count[DEBUG_RESET], 0);
	rig_continue(&rig);
	while (rig.count[DEBUG_RESET] == 0)
		assert_true(rig_wait(&rig));
	rig_stop(&rig);
}

/* out 0xf4, al: the debug exit */
static const uint8_t ends[] = {0xe6, 0xf4, 0xeb, 0xfe};

static void test_shutdown(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, ends, sizeof(ends));
	rig_set_reg(&rig, 0, "rax", 3);
	catch (&rig, POINT_CATCH_SHUTDOWN, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_SHUTDOWN);
	says(stop, "the guest asks for the end");
	assert_int_equal(rig.count[DEBUG_EXITED], 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_exit(&rig)->exit_status, 7);
	rig_stop(&rig);
}

static void test_triple_fault(void **state)
{
	const struct vm_exit dies = {.reason = EXIT_SHUTDOWN};
	struct rig rig = {.config = {.on_triple_fault = ON_TRIPLE_FAULT_EXIT}};
	const struct stop *stop;
	struct counter counter;
	int number;

	(void)state;
	catch_start(&rig, &counter, halts, sizeof(halts));
	number = catch (&rig, POINT_CATCH_TRIPLE_FAULT, 0, 0, 0);
	dummy_play(rig.machine->vcpus[0].accel, &dies, 1);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_TRIPLE_FAULT);
	assert_int_equal(stop->point, number);
	assert_int_equal(rig.count[DEBUG_EXITED], 0);
	rig_stop(&rig);
}

static void test_emulation_failure(void **state)
{
	static const uint8_t bad[] = {0x0f, 0xae, 0x2f};
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	catch_start(&rig, &counter, bad, sizeof(bad));
	number = catch (&rig, POINT_CATCH_EMULATION, 0, 0, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EMULATION_FAILURE);
	assert_int_equal(stop->point, number);
	says(stop, "xrstor");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE);
	rig_stop(&rig);
}

/* As if the access had led to code that left protected mode. */
static void leave_protected_mode(struct rig *rig)
{
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state state;

	vcpu->accel->ops->state_get(vcpu->accel, CPU_SYSTEM, &state);
	state.system.cr0 &= ~CR0_PE;
	vcpu->accel->ops->state_put(vcpu->accel, CPU_SYSTEM, &state);
}

static void test_mode_switch(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	catch_start(&rig, &counter, catch_talk, sizeof(catch_talk));
	number = catch (&rig, POINT_CATCH_MODE, 0, 0, 0);
	counter.then = leave_protected_mode;
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MODE_SWITCH);
	assert_int_equal(stop->point, number);
	says(stop, "to real mode");
	/* Once: the mode is the one that it is now. */
	rig_break(&rig, RIG_CODE + 5);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	rig_stop(&rig);
}

static void set_run_state(struct rig *rig, unsigned i, enum cpu_run_state run_state)
{
	struct vcpu *vcpu = &rig->machine->vcpus[i];

	vcpu_state(vcpu, CPU_EVENTS)->events.run_state = run_state;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* Started while it was held: told at the next resume, before it runs. */
static void test_online(void **state)
{
	const struct stop *stop;
	struct rig rig = {0}, one = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, catch_spin, sizeof(catch_spin));
	rig_code(&rig, 1, catch_spin, sizeof(catch_spin));
	set_run_state(&rig, 1, CPU_WAIT_SIPI);
	catch (&rig, POINT_CATCH_ONLINE, 0, 0, 0);
	rig_continue(&rig);
	rig_pause(&rig);
	debug_dispatch(rig.debug);
	set_run_state(&rig, 1, CPU_RUNNABLE);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_ONLINE);
	assert_int_equal(stop->vcpu, 1);
	assert_int_equal(stop->pc, RIG_CODE + RIG_APART);
	rig_continue(&rig);
	rig_pause(&rig);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	rig_stop(&rig);

	rig_start(&one, 1, IRQCHIP_KERNEL);
	refused(&one, (struct point_spec){.kind = POINT_CATCH_ONLINE}, -EINVAL, "one vCPU");
	assert_int_equal(err.code, 0);
	rig_stop(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hlt),	     cmocka_unit_test(test_int3),
		cmocka_unit_test(test_reset),	     cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_triple_fault), cmocka_unit_test(test_emulation_failure),
		cmocka_unit_test(test_mode_switch),  cmocka_unit_test(test_online),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
