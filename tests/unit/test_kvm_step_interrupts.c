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

#include "x86/mode.h"

#include <unistd.h>

/* As the controllers are after power-on: no vector base, nothing masked. */
#define LINE	5
#define HANDLER (HANDLERS + 16 * LINE)

static uint64_t reg(struct place *p, const char *name)
{
	return rig_reg(&p->rig, 0, name);
}

static void raise_line(struct place *p, bool level)
{
	struct accel_vm *vm = p->rig.machine->vm;

	assert_int_equal(vm->ops->irq_line(vm, LINE, level), 0);
}

static void check_frame(struct place *p, uint64_t from)
{
	size_t word = word_size[p->mode];
	uint64_t sp = reg(p, "rsp");

	assert_int_equal(place_get(p, sp, word), from);
	assert_int_equal(place_get(p, sp + 2 * word, word) & ~(uint64_t)RFLAGS_RF,
			 RFLAGS_FIXED | RFLAGS_IF);
}

/* The timer's line would come now and then: mov $0xdf, %al; out %al, $0x21. */
static void mask_others(struct place *p)
{
	static const uint8_t code[] = {0xb0, 0xdf, 0xe6, 0x21};

	place_code(p, code, sizeof(code));
	place_step(p, "mov", RIG_CODE + 2);
	place_step(p, "out", RIG_CODE + 4);
}

static void code_with_interrupts(struct place *p, const uint8_t *code, size_t size)
{
	mask_others(p);
	place_code(p, code, size);
	rig_set_reg(&p->rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_IF);
}

static const char *const rungs[] = {"step=tf", "step=slots"};

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
			assert_int_equal(reg(&p, "rbx"), 7);
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

/* The CPU has accepted an interrupt and not yet entered the handler, as a pause may find it. */
static void accept(struct place *p)
{
	struct vcpu *vcpu = &p->rig.machine->vcpus[0];
	struct cpu_state *s = vcpu_state(vcpu, CPU_EVENTS);

	s->events.interrupt.injected = true;
	s->events.interrupt.soft = false;
	s->events.interrupt.vector = LINE;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static uint64_t hits(struct place *p)
{
	return debug_point_next(p->rig.debug, NULL)->hits;
}

/* A breakpoint is told, an interrupt comes before its instruction, the handler returns to it: one hit. */
static void told_once(enum mode mode, bool stepping)
{
	static const uint8_t code[] = {NOP, NOP, NOP, 0xeb, 0xfb};
	struct place p;
	int point;

	place_start(&p, mode, NULL);
	code_with_interrupts(&p, code, sizeof(code));
	point = rig_break(&p.rig, RIG_CODE + 1);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->point, point);
	assert_int_equal(hits(&p), 1);
	accept(&p);
	if (stepping) {
		debug_set_step_interrupts(p.rig.debug, true);
		place_step(&p, "into the handler", HANDLER);
		check_frame(&p, RIG_CODE + 1);
		place_step(&p, "in it", HANDLER + 1);
		place_step(&p, "back to the breakpoint", RIG_CODE + 1);
		assert_int_equal(debug_last_stop(p.rig.debug)->point, 0);
		assert_int_equal(hits(&p), 1);
		place_step(&p, "off it", RIG_CODE + 2);
	}
	debug_set_step_interrupts(p.rig.debug, false);
	/* Once around: the next hit is the next one. */
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->point, point);
	assert_int_equal(hits(&p), 2);
	assert_int_equal(reg(&p, "rsp"), STACK);
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

/* ---- handled aside ----------------------------------------------------------------------- */

/* mov $0x66, %al; mov %al, 0x7000; iretq */
static const uint8_t writer[] = {0xb0, 0x66, 0xa2, 0x00, 0x70, 0, 0, 0, 0, 0, 0, 0x48, 0xcf};
#define WRITTEN 0x7000

static void start_writer(struct place *p, const char *strategy, const uint8_t *code, size_t size)
{
	place_start(p, LONG, strategy);
	place_put(p, HANDLER, writer, sizeof(writer));
	code_with_interrupts(p, code, size);
}

/* An interrupt that was accepted before is over when the step is: one instruction, and its handler ran. */
static void test_step_behind_an_accepted_interrupt(void **state)
{
	static const uint8_t code[] = {NOP, NOP, NOP};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct place p;

		start_writer(&p, rungs[i], code, sizeof(code));
		accept(&p);
		place_step(&p, "nop", RIG_CODE + 1);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(reg(&p, "rsp"), STACK);
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
		assert_int_equal(reg(&p, "rsp"), STACK);
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
		accept(&p);
		place_step(&p, "nop", RIG_CODE + i);
		assert_int_equal(place_get(&p, WRITTEN, 1), 0x66);
		assert_int_equal(reg(&p, "rsp"), STACK);
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
	assert_int_equal(place_get(&p, reg(&p, "rsp") + 16, 8) & (RFLAGS_TF | RFLAGS_IF),
			 RFLAGS_IF);
	raise_line(&p, false);
	rig_break(&p.rig, RIG_CODE + 10);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->pc, RIG_CODE + 10);
	assert_int_equal(reg(&p, "rsp"), STACK);
	assert_int_equal(hits(&p), 1);
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
		assert_int_equal(reg(&p, "rsp"), STACK);
		place_stop(&p);
	}
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
	assert_int_equal(debug_pause_wait(p.rig.debug, OWNER_CONSOLE, 5000), 0);
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
		cmocka_unit_test(test_step_behind_an_accepted_interrupt),
		cmocka_unit_test(test_range_that_waits_for_an_interrupt),
		cmocka_unit_test(test_handler_that_is_stepped),
		cmocka_unit_test(test_breakpoint_in_a_handler_aside),
		cmocka_unit_test(test_step_behind_hlt),
		cmocka_unit_test(test_hlt_is_finished_once),
		cmocka_unit_test(test_step_of_a_sleeper),
	};

	return cmocka_run_group_tests_name("steps and interrupts, on KVM", tests, NULL, NULL);
}
