// SPDX-License-Identifier: GPL-3.0-or-later
/* Watches by step and compare under KVM: interrupts between the steps, several vCPUs. time limit: 240 s */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"
#include "step_place.h"

#include "kvm_compare_rig.h"

#include <string.h>
#include <unistd.h>

#define LINE	    5
#define IRQ_HANDLER (HANDLERS + 16 * LINE)

/* ---- interrupts between the steps ----------------------------------------------------------- */

static void raise_line(struct place *p, bool level)
{
	assert_int_equal(p->rig.machine->vm->ops->irq_line(p->rig.machine->vm, LINE, level), 0);
}

/* The timer's line would come now and then: mov $0xdf, %al; out %al, $0x21. */
static void mask_others(struct place *p)
{
	static const uint8_t code[] = {0xb0, 0xdf, 0xe6, 0x21};

	place_code(p, code, sizeof(code));
	place_step(p, "mov", RIG_CODE + 2);
	place_step(p, "out", RIG_CODE + 4);
}

static void start_place(struct place *p, enum mode mode, const char *strategy)
{
	rig_needs_kvm();
	place_start(p, mode, strategy);
	mask_others(p);
}

/* A window of one instruction, in a loop of a hundred: the interrupt finds it the first time. */
static void no_window_is_too_short(void **state)
{
	uint8_t code[104] = {0xfb, NOP, 0xfa}; /* sti; nop; cli; … */

	(void)state;
	memset(code + 3, NOP, sizeof(code) - 3);
	code[100] = 0xff; /* inc %ebx */
	code[101] = 0xc3;
	code[102] = 0xeb;
	code[103] = 0x98; /* again */
	for (enum mode mode = REAL; mode < MODES; mode++) {
		struct place p;
		int number;

		start_place(&p, mode, BY_STEPS);
		place_code(&p, code, 3);
		place_put(&p, RIG_CODE, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rbx", 0);
		rig_watch(&p.rig, POINT_WRITE, 0x7000, 4);
		number = rig_break(&p.rig, IRQ_HANDLER);
		raise_line(&p, true);
		rig_continue(&p.rig);
		assert_int_equal(rig_wait_stop(&p.rig)->point, number);
		assert_int_equal(rig_reg(&p.rig, 0, "rbx") & 0xffff, 0);
		assert_int_equal(place_get(&p, rig_reg(&p.rig, 0, "rsp"), 2), RIG_CODE + 2);
		place_stop(&p);
	}
}

/* One interrupt waits behind the other, always, as with a timer that is faster than steps: its line stays up, and the
 * controller looks at its level. The interrupted code gets on all the same. */
static void interrupts_leave_room_for_the_rest(void **state)
{
	/* mov $0x4d0,%dx; mov $0x20,%al; out %al,%dx; mov $200,%ecx; sti; 1: dec %ecx; jne 1b; cli */
	static const uint8_t code[] = {0x66, 0xba, 0xd0, 0x04, 0xb0, 0x20, 0xee, 0xb9, 200,
				       0,    0,	   0,	 0xfb, 0xff, 0xc9, 0x75, 0xfc, 0xfa};
	/* inc %ebx; mov $0x20,%al; out %al,$0x20; iretq */
	static const uint8_t handler[] = {0xff, 0xc3, 0xb0, 0x20, 0xe6, 0x20, 0x48, 0xcf};
	struct place p;
	int end;

	(void)state;
	start_place(&p, LONG, BY_STEPS);
	place_put(&p, IRQ_HANDLER, handler, sizeof(handler));
	place_code(&p, code, sizeof(code));
	rig_set_reg(&p.rig, 0, "rbx", 0);
	rig_watch(&p.rig, POINT_WRITE, 0x7000, 4);
	end = rig_break(&p.rig, RIG_CODE + sizeof(code));
	raise_line(&p, true);
	rig_continue(&p.rig);
	assert_int_equal(rig_wait_stop(&p.rig)->point, end);
	assert_in_range(rig_reg(&p.rig, 0, "rbx"), 3, 100);
	place_stop(&p);
}

/* The interrupt that wakes a sleeper, what it pushes, and what its handler writes; by either kind of steps. */
static void a_sleeper_wakes(void **state)
{
	static const char *const strategies[] = {BY_STEPS ",step=tf", BY_STEPS ",step=slots"};
	static const uint8_t code[] = {0xfb, 0xf4, NOP, NOP}; /* sti; hlt */
	/* mov $0x66,%al; mov %al,0x7000; iretq */
	static const uint8_t handler[] = {0xb0, 0x66, 0xa2, 0x00, 0x70, 0,   0,
					  0,	0,    0,    0,	  0x48, 0xcf};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct place p;
		int written, frame, end;

		start_place(&p, LONG, strategies[i]);
		place_put(&p, IRQ_HANDLER, handler, sizeof(handler));
		place_code(&p, code, sizeof(code));
		written = rig_watch(&p.rig, POINT_WRITE, 0x7000, 1);
		frame = rig_watch(&p.rig, POINT_WRITE, STACK - 40, 8);
		end = rig_break(&p.rig, RIG_CODE + 3);
		rig_continue(&p.rig);
		usleep(50000);
		debug_dispatch(p.rig.debug);
		assert_true(debug_running(p.rig.debug));
		raise_line(&p, true);
		assert_int_equal(rig_wait_stop(&p.rig)->point, frame);
		assert_int_equal(debug_last_stop(p.rig.debug)->new_value, RIG_CODE + 2);
		assert_int_equal(debug_pc(p.rig.debug, 0), IRQ_HANDLER);
		raise_line(&p, false);
		rig_continue(&p.rig);
		assert_int_equal(rig_wait_stop(&p.rig)->point, written);
		assert_int_equal(debug_last_stop(p.rig.debug)->writer, IRQ_HANDLER + 2);
		assert_int_equal(debug_last_stop(p.rig.debug)->new_value, 0x66);
		rig_continue(&p.rig);
		assert_int_equal(rig_wait_stop(&p.rig)->point, end);
		place_stop(&p);
	}
}

/* A range lets an interrupt in now and then, which is handled aside: by steps, too, so that what the handler writes is
 * seen. */
static void a_handler_in_the_middle_of_a_range(void **state)
{
	/* cmpb $0,0x7000; je .-8; nop */
	static const uint8_t code[] = {0x80, 0x3c, 0x25, 0x00, 0x70, 0, 0, 0, 0x74, 0xf6, NOP};
	/* mov $0x66,%al; mov %al,0x7000; iretq */
	static const uint8_t handler[] = {0xb0, 0x66, 0xa2, 0x00, 0x70, 0,   0,
					  0,	0,    0,    0,	  0x48, 0xcf};
	const struct plan range = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 10};

	(void)state;
	for (unsigned told = 0; told < 2; told++) {
		const struct stop *stop;
		struct place p;
		int number;

		start_place(&p, LONG, BY_STEPS);
		place_put(&p, IRQ_HANDLER, handler, sizeof(handler));
		place_put64(&p, 0x7000, 0);
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_IF);
		number = rig_watch(&p.rig, POINT_WRITE, 0x7000, 1);
		if (!told)
			count_only(&p.rig, number);
		raise_line(&p, true);
		assert_int_equal(debug_resume(p.rig.debug, &range, OWNER_CONSOLE, NULL), 0);
		stop = rig_wait_stop(&p.rig);
		assert_int_equal(stop->reason, told ? STOP_WATCH_WRITE : STOP_STEP);
		assert_int_equal(stop->pc, told ? IRQ_HANDLER + 11 : RIG_CODE + 10);
		assert_int_equal(rig_point(&p.rig, number)->hits, 1);
		assert_int_equal(place_get(&p, 0x7000, 1), 0x66);
		place_stop(&p);
	}
}

/* What a handler pushes and the interrupted code pushes is clean of the trap flag, and what is watched of it is told
 * as it is. */
static void flags_on_a_watched_stack(void **state)
{
	static const uint8_t code[] = {0x9c, NOP}; /* pushf */

	(void)state;
	for (enum mode mode = REAL; mode < MODES; mode++) {
		const unsigned word = (unsigned)word_size[mode];
		const struct stop *stop;
		struct place p;
		int number;

		start_place(&p, mode, BY_STEPS);
		place_code(&p, code, sizeof(code));
		place_put64(&p, STACK - 8, 0);
		number = rig_watch(&p.rig, POINT_WRITE, STACK - word, word);
		rig_continue(&p.rig);
		stop = rig_wait_stop(&p.rig);
		assert_int_equal(stop->point, number);
		assert_int_equal(stop->old_value, 0);
		assert_int_equal(stop->new_value, rig_reg(&p.rig, 0, "rflags") & 0xffff);
		assert_int_equal(stop->new_value & RFLAGS_TF, 0);
		assert_int_equal(stop->writer, RIG_CODE);
		place_stop(&p);
	}
}

/* ---- several vCPUs -------------------------------------------------------------------------- */

/* lock incl DATA; dec %ecx; jnz; lock incl SOURCE; cli; hlt */
static const uint8_t increments[] = {0xf0, 0xff, 0x05, 0x00, 0x80, 0, 0, 0x49, 0x75, 0xf6,
				     0xf0, 0xff, 0x05, 0x00, 0x90, 0, 0, 0xfa, 0xf4};

static void start_increments(struct rig *rig, unsigned rounds)
{
	start_flat(rig, 4, BY_STEPS);
	for (unsigned i = 0; i < 4; i++) {
		rig_code(rig, i, increments, sizeof(increments));
		rig_set_reg(rig, (int)i, "rcx", rounds);
	}
}

static uint32_t get32(struct rig *rig, uint64_t gpa)
{
	uint32_t value = 0;

	assert_int_equal(mem_read_phys(rig->machine->memory, gpa, &value, 4), 4);
	return value;
}

static void each_increment_is_told(void **state)
{
	struct rig rig = {.config = {0}};
	unsigned seen = 0;
	int number;

	(void)state;
	start_increments(&rig, 50);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 200; i++) {
		const struct stop *stop;

		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->point, number);
		assert_int_equal(stop->new_value, stop->old_value + 1);
		assert_int_equal(stop->writer, RIG_CODE + (unsigned)stop->vcpu * RIG_APART);
		seen |= 1u << stop->vcpu;
	}
	assert_int_equal(seen, 0xf);
	assert_int_equal(get32(&rig, DATA), 200);
	assert_int_equal(rig_point(&rig, number)->hits, 200);
	rig_stop(&rig);
}

static void all_increments_are_counted(void **state)
{
	const unsigned rounds = 500;
	struct rig rig = {.config = {0}};
	int number;

	(void)state;
	start_increments(&rig, rounds);
	number = rig_watch(&rig, POINT_ACCESS, DATA, 4);
	count_only(&rig, number);
	rig_continue(&rig);
	for (unsigned i = 0; i < 6000 && get32(&rig, SOURCE) < 4; i++)
		usleep(10000);
	rig_pause(&rig);
	rig_wait_stop(&rig);
	assert_int_equal(get32(&rig, SOURCE), 4);
	assert_int_equal(get32(&rig, DATA), 4 * rounds);
	assert_int_equal(rig_point(&rig, number)->hits, 4 * rounds);
	rig_stop(&rig);
}

/* A vCPU that steps on and on is stopped by an INIT, perhaps in a step that others wait for, and started again in
 * real mode, where it writes. */
static void a_vcpu_that_is_started_again(void **state)
{
	/* movl $0x1ff,SVR; movl $INIT to all others,ICR; mov $64,%ecx; 1: stosb; dec %ecx; jnz 1b;
	 * movl $startup at 0xc000,ICR; jmp . */
	static const uint8_t starter[] = {
		0xc7, 0x05, 0xf0, 0x00, 0xe0, 0xfe, 0xff, 0x01, 0,    0,    0xc7, 0x05, 0x00, 0x03,
		0xe0, 0xfe, 0x00, 0x45, 0x0c, 0,    0xb9, 64,	0,    0,    0,	  0xaa, 0x49, 0x75,
		0xfc, 0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x0c, 0x46, 0x0c, 0,	  0xeb, 0xfe};
	static const uint8_t before[] = {0xaa, 0x4f, 0xeb, 0xfc};      /* stosb; dec %edi; again */
	static const uint8_t after[] = {0xff, 0x06, 0x00, 0x70, 0xf4}; /* incw 0x7000; hlt */
	const struct stop *stop;
	struct rig rig = {.config = {0}};
	int number;

	(void)state;
	start_flat(&rig, 2, BY_STEPS);
	rig_code(&rig, 0, starter, sizeof(starter));
	rig_code(&rig, 1, before, sizeof(before));
	mem_write_phys(rig.machine->memory, 0xc000, after, sizeof(after));
	rig_set_reg(&rig, 0, "rdi", DATA);
	rig_set_reg(&rig, 1, "rdi", SOURCE);
	number = rig_watch(&rig, POINT_WRITE, 0x7000, 2);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->vcpu, 1);
	assert_int_equal(stop->new_value, 1);
	assert_int_equal(stop->writer, 0xc000);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_is_too_short),
		cmocka_unit_test(interrupts_leave_room_for_the_rest),
		cmocka_unit_test(a_sleeper_wakes),
		cmocka_unit_test(a_handler_in_the_middle_of_a_range),
		cmocka_unit_test(flags_on_a_watched_stack),
		cmocka_unit_test(each_increment_is_told),
		cmocka_unit_test(all_increments_are_counted),
		cmocka_unit_test(a_vcpu_that_is_started_again),
	};

	return cmocka_run_group_tests_name("kvm compare interrupts", tests, NULL, NULL);
}
