// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps beside which interrupts are handled. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "step_interrupt_rig.h"

#include <unistd.h>

/* An interrupt that was accepted before is over when the step is: one instruction, and its handler ran. */
static void test_step_behind_an_accepted_interrupt(void **state)
{
	static const uint8_t code[] = {NOP, NOP, NOP};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct place p;

		start_writer(&p, rungs[i], code, sizeof(code));
		accept_interrupt(&p);
		place_step(&p, "nop", RIG_CODE + 1);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(step_reg(&p, "rsp"), STACK);
		place_step(&p, "nop", RIG_CODE + 2);
		place_stop(&p);
	}
}

/* cmpb $0, 0x7000; je .-8; nop */
static const uint8_t waiting_loop[] = {0x80, 0x3c, 0x25, 0x00, 0x70, 0, 0, 0, 0x74, 0xf6, NOP, NOP};

static void step_the_loop(struct place *p)
{
	const struct plan range = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 10};

	place_put64(p, WRITTEN, 0);
	assert_int_equal(debug_resume(p->rig.debug, &range, OWNER_GDB, NULL), 0);
}

/* A range that waits for an interrupt gets it. */
static void test_range_that_waits_for_an_interrupt(void **state)
{
	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct place p;

		start_writer(&p, rungs[i], waiting_loop, sizeof(waiting_loop));
		step_the_loop(&p);
		usleep(20000);
		debug_dispatch(p.rig.debug);
		assert_true(debug_running(p.rig.debug));
		raise_line(&p, true);
		assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
		assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE + 10);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(step_reg(&p, "rsp"), STACK);
		place_stop(&p);
	}
}

/* Where int3 does not work, the vCPU is stepped through its handler. */
static void test_handler_that_is_stepped(void **state)
{
	static const uint8_t code[] = {NOP, NOP, NOP};
	struct place p;

	(void)state;
	rig_needs_kvm();
	start_writer(&p, "break=slot", code, sizeof(code));
	for (unsigned i = 1; i <= 2; i++) {
		place_put64(&p, WRITTEN, 0);
		accept_interrupt(&p);
		place_step(&p, "nop", RIG_CODE + i);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(step_reg(&p, "rsp"), STACK);
	}
	place_stop(&p);
}

/* Points are in force in the handler; what a stop there leaves of the range is nothing. */
static void test_breakpoint_in_a_handler_aside(void **state)
{
	struct place p;
	int point;

	(void)state;
	rig_needs_kvm();
	start_writer(&p, NULL, waiting_loop, sizeof(waiting_loop));
	point = rig_break(&p.rig, HANDLER + 2);
	step_the_loop(&p);
	raise_line(&p, true);
	assert_int_equal(rig_wait_stop(&p.rig)->point, point);
	assert_int_equal(place_get(&p, step_reg(&p, "rsp") + 16, 8) & (RFLAGS_TF | RFLAGS_IF),
			 RFLAGS_IF);
	raise_line(&p, false);
	rig_break(&p.rig, RIG_CODE + 10);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->pc, RIG_CODE + 10);
	assert_int_equal(step_reg(&p, "rsp"), STACK);
	assert_int_equal(step_hits(&p), 1);
	place_stop(&p);
}

/* A step of a sleeper waits for the interrupt that wakes it, and is the next instruction. */
static void test_step_behind_hlt(void **state)
{
	static const uint8_t code[] = {0xf4, NOP, NOP};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct place p;

		start_writer(&p, rungs[i], code, sizeof(code));
		place_step(&p, "hlt", RIG_CODE + 1);
		rig_step(&p.rig, 0);
		usleep(20000);
		debug_dispatch(p.rig.debug);
		assert_true(debug_running(p.rig.debug));
		raise_line(&p, true);
		assert_int_equal(rig_wait_stop(&p.rig)->pc, RIG_CODE + 2);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(step_reg(&p, "rsp"), STACK);
		place_stop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_behind_an_accepted_interrupt),
		cmocka_unit_test(test_range_that_waits_for_an_interrupt),
		cmocka_unit_test(test_handler_that_is_stepped),
		cmocka_unit_test(test_breakpoint_in_a_handler_aside),
		cmocka_unit_test(test_step_behind_hlt),
	};

	return cmocka_run_group_tests_name("kvm step aside", tests, NULL, NULL);
}
