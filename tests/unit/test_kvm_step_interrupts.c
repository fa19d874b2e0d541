// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Interrupts and single steps on the host's own KVM: held back, let through, accepted just before a stop; and
 * hlt, which only an interrupt ends.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "step_interrupt_rig.h"

#include <unistd.h>

static void check_frame(struct place *p, uint64_t from)
{
	size_t word = word_size[p->mode];
	uint64_t sp = step_reg(p, "rsp");

	assert_int_equal(place_get(p, sp, word), from);
	assert_int_equal(place_get(p, sp + 2 * word, word) & ~(uint64_t)RFLAGS_RF,
			 RFLAGS_FIXED | RFLAGS_IF);
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* Held back, an interrupt waits through steps by whichever rung. */
static void test_interrupts_wait(void **state)
{
	static const uint8_t code[] = {NOP, 0xeb, 0x01, NOP, NOP};
	static const uint8_t counts[MODES][5] = {{0xff, 0xc3, 0xcf},
						 {0xff, 0xc3, 0xcf},
						 {0xff, 0xc3, 0x48, 0xcf}}; /* inc %ebx; iret */

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++)
		for (enum mode mode = REAL; mode < MODES; mode++) {
			struct place p;

			place_start(&p, mode, rungs[i]);
			place_put(&p, HANDLER, counts[mode], sizeof(counts[mode]));
			code_with_interrupts(&p, code, sizeof(code));
			rig_set_reg(&p.rig, 0, "rbx", 7);
			raise_line(&p, true);
			place_step(&p, "nop", RIG_CODE + 1);
			place_step(&p, "jmp", RIG_CODE + 4);
			place_step(&p, "nop", RIG_CODE + 5);
			assert_int_equal(step_reg(&p, "rbx"), 7);
			place_stop(&p);
		}
}

/* Let through, it is seen to come: the step ends at its handler's first instruction, and the handler's frame is as
 * it would be without a debugger. */
static void test_interrupts_are_seen_to_come(void **state)
{
	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++)
		for (enum mode mode = REAL; mode < MODES; mode++) {
			static const uint8_t code[] = {NOP, NOP, NOP, NOP};
			struct place p;

			place_start(&p, mode, rungs[i]);
			code_with_interrupts(&p, code, sizeof(code));
			debug_set_step_interrupts(p.rig.debug, true);
			place_step(&p, "nothing waits", RIG_CODE + 1);
			raise_line(&p, true);
			place_step(&p, "an interrupt", HANDLER);
			check_frame(&p, RIG_CODE + 1);
			raise_line(&p, false);
			place_step(&p, "its handler", HANDLER + 1);
			if (place_step(&p, "its iret", RIG_CODE + 1))
				place_step(&p, "and on", RIG_CODE + 2);
			place_stop(&p);
		}
}

/* sti takes effect behind the next instruction. */
static void test_sti_covers_the_next(void **state)
{
	static const uint8_t code[] = {0xfb, NOP, NOP, NOP};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, NULL);
	mask_others(&p);
	debug_set_step_interrupts(p.rig.debug, true);
	place_code(&p, code, sizeof(code));
	raise_line(&p, true);
	place_step(&p, "sti", RIG_CODE + 1);
	place_step(&p, "in its shadow", RIG_CODE + 2);
	place_step(&p, "behind", HANDLER);
	check_frame(&p, RIG_CODE + 2);
	place_stop(&p);
}

/* ---- told once --------------------------------------------------------------------------- */

/* A breakpoint is told, an interrupt comes before its instruction, the handler returns to it: one hit. And the next
 * one is that of the next turn. */
static void told_once(enum mode mode, bool stepping)
{
	/* nop; rdtsc, which vitrine does not execute itself; inc %ecx; jmp to its beginning */
	static const uint8_t code[] = {NOP, 0x0f, 0x31, 0xff, 0xc1, 0xeb, 0xf9};
	struct place p;
	uint64_t turns;
	int point;

	place_start(&p, mode, NULL);
	code_with_interrupts(&p, code, sizeof(code));
	point = rig_break(&p.rig, RIG_CODE + 1);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->point, point);
	assert_int_equal(step_hits(&p), 1);
	turns = step_reg(&p, "rcx");
	accept_interrupt(&p);
	if (stepping) {
		debug_set_step_interrupts(p.rig.debug, true);
		place_step(&p, "into the handler", HANDLER);
		check_frame(&p, RIG_CODE + 1);
		place_step(&p, "in it", HANDLER + 1);
		place_step(&p, "back to the breakpoint", RIG_CODE + 1);
		assert_int_equal(debug_last_stop(p.rig.debug)->point, 0);
		assert_int_equal(step_hits(&p), 1);
		place_step(&p, "off it", RIG_CODE + 3);
	}
	debug_set_step_interrupts(p.rig.debug, false);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->point, point);
	assert_int_equal(step_hits(&p), 2);
	assert_int_equal(step_reg(&p, "rcx"), turns + 1);
	assert_int_equal(step_reg(&p, "rsp"), STACK);
	place_stop(&p);
}

static void test_breakpoint_is_told_once(void **state)
{
	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++)
		for (unsigned stepping = 0; stepping < 2; stepping++)
			if (mode != PROT) /* this host may have no iret there */
				told_once(mode, stepping);
}

/* ---- hlt --------------------------------------------------------------------------------- */

/* Behind hlt the vCPU sleeps; an interrupt wakes it, and it does not fall asleep again. */
static void test_hlt_is_finished_once(void **state)
{
	static const uint8_t code[] = {0xf4, NOP, NOP, 0xeb, 0xfe};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct vcpu_info info;
		struct place p;

		start_writer(&p, rungs[i], code, sizeof(code));
		place_step(&p, "hlt", RIG_CODE + 1);
		assert_int_equal(debug_vcpu_info(p.rig.debug, 0, &info), 0);
		assert_int_equal(info.run_state, CPU_HALTED);
		rig_break(&p.rig, RIG_CODE + 2);
		rig_continue(&p.rig);
		usleep(20000);
		debug_dispatch(p.rig.debug);
		assert_true(debug_running(p.rig.debug));
		raise_line(&p, true);
		assert_int_equal(rig_wait_stop(&p.rig)->pc, RIG_CODE + 2);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		place_stop(&p);
	}
}

/* With interrupts let through, a step of a sleeper is the interrupt that wakes it, whenever it comes. */
static void test_step_of_a_sleeper(void **state)
{
	static const uint8_t code[] = {0xf4, NOP, NOP};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, NULL);
	code_with_interrupts(&p, code, sizeof(code));
	debug_set_step_interrupts(p.rig.debug, true);
	place_step(&p, "hlt", RIG_CODE + 1);
	rig_step(&p.rig, 0);
	usleep(20000);
	debug_dispatch(p.rig.debug);
	assert_true(debug_running(p.rig.debug));
	raise_line(&p, true);
	assert_int_equal(rig_wait_stop(&p.rig)->pc, HANDLER);
	check_frame(&p, RIG_CODE + 1);
	/* And a pause ends the wait. */
	rig_set_reg(&p.rig, 0, "rip", RIG_CODE);
	place_step(&p, "hlt again", RIG_CODE + 1);
	rig_step(&p.rig, 0);
	rig_pause(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_PAUSE);
	place_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupts_wait),
		cmocka_unit_test(test_interrupts_are_seen_to_come),
		cmocka_unit_test(test_sti_covers_the_next),
		cmocka_unit_test(test_breakpoint_is_told_once),
		cmocka_unit_test(test_hlt_is_finished_once),
		cmocka_unit_test(test_step_of_a_sleeper),
	};

	return cmocka_run_group_tests_name("steps and interrupts, on KVM", tests, NULL, NULL);
}
