// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches by step and compare on the host's own KVM, beyond what they have in common with page protection
 * (test_kvm_watch.c): strings turn by turn, interrupts that find their way between the steps, whole guests with
 * several vCPUs and through all modes. time limit: 240 s
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"
#include "step_place.h"

#include "x86/mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA	    0x8000u
#define SOURCE	    0x9000u
#define BY_STEPS    "watch=compare,access=compare"
#define BY_PAGE	    "watch=page,access=page"
#define LINE	    5
#define IRQ_HANDLER (HANDLERS + 16 * LINE)

static int watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = length};
	struct error err = {0};
	int number = debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

static const struct point *point_of(struct rig *rig, int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig->debug, p)))
		if (p->number == number)
			return p;
	fail_msg("there is no point %d", number);
	return NULL;
}

static void count_only(struct rig *rig, int number)
{
	struct point_action *action = calloc(1, sizeof(*action));

	assert_non_null(action);
	action->go_on = true;
	assert_int_equal(debug_point_action(rig->debug, number, action, NULL), 0);
}

static void start_flat(struct rig *rig, unsigned vcpus, const char *strategy)
{
	rig_needs_kvm();
	*rig = (struct rig){.accel = &accel_kvm};
	assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
}

/* ---- strings, turn by turn ----------------------------------------------------------------- */

struct string_case {
	const char *what;
	uint8_t code[8];
	unsigned length;
	uint64_t rcx, rdi, rsi, rax, rflags;
	enum point_kind kind;
	uint64_t watched, size;
	unsigned hits;
};

/* RDI and RSI point to sixteen bytes each that are alike but for the last two. */
static const struct string_case strings[] = {
	// clang-format off
	{"rep stosb", {0xf3, 0xaa}, 2, 16, DATA, 0, 0x41, 2, POINT_WRITE, DATA + 5, 4, 4},
	{"rep stosl", {0xf3, 0xab}, 2, 4, DATA, 0, 0x44434241, 2, POINT_WRITE, DATA + 3, 6, 3},
	{"rep stosb, down", {0xf3, 0xaa}, 2, 16, DATA + 15, 0, 0x41, 0x402, POINT_WRITE, DATA + 5, 4, 4},
	{"rep stosw, down", {0x66, 0xf3, 0xab}, 3, 8, DATA + 14, 0, 0x4241, 0x402, POINT_WRITE, DATA + 4, 4, 2},
	{"rep stosb, far beside", {0xf3, 0xaa}, 2, 3000, DATA, 0, 0x41, 2, POINT_WRITE, DATA + 2999, 4, 1},
	{"rep stosb, none", {0xf3, 0xaa}, 2, 0, DATA, 0, 0x41, 2, POINT_WRITE, DATA, 4, 0},
	{"rep movsb", {0xf3, 0xa4}, 2, 16, DATA, SOURCE, 0, 2, POINT_WRITE, DATA + 7, 2, 2},
	{"rep movsb, read", {0xf3, 0xa4}, 2, 16, DATA, SOURCE, 0, 2, POINT_READ, SOURCE + 7, 2, 2},
	{"rep movsl, both", {0xf3, 0xa5}, 2, 4, DATA + 4, DATA, 0, 2, POINT_ACCESS, DATA + 4, 4, 2},
	{"rep lodsb", {0xf3, 0xac}, 2, 16, 0, SOURCE, 0, 2, POINT_READ, SOURCE + 3, 2, 2},
	{"repe cmpsb, differs", {0xf3, 0xa6}, 2, 16, DATA, SOURCE, 0, 2, POINT_READ, DATA + 13, 3, 2},
	{"repe cmpsb, ends", {0xf3, 0xa6}, 2, 14, DATA, SOURCE, 0, 2, POINT_READ, DATA + 11, 3, 3},
	{"repne scasb", {0xf2, 0xae}, 2, 16, DATA, 0, 9, 2, POINT_READ, DATA + 8, 4, 2},
	{"repe scasb", {0xf3, 0xae}, 2, 16, DATA, 0, 0, 2, POINT_READ, DATA, 4, 2},
	{"rep stosb, 16-bit addresses", {0x67, 0xf3, 0xaa}, 3, 0xff0010, 0xff0000 + DATA, 0, 0x41, 2, POINT_WRITE, DATA + 5, 4, 4},
	{"stosb", {0xaa}, 1, 16, DATA, 0, 0x41, 2, POINT_WRITE, DATA, 4, 1},
	// clang-format on
};

#define MOST_HITS 24

struct string_hit {
	uint64_t pc, rcx, rdi, rsi, writer, old_value, new_value;
};

struct string_run {
	struct string_hit hit[MOST_HITS];
	unsigned count;
	uint64_t hits, rflags;
	uint8_t data[32];
};

static void fill(struct rig *rig)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	mem_write_phys(rig->machine->memory, SOURCE, bytes, sizeof(bytes));
	bytes[14] = bytes[15] = 0xee;
	mem_write_phys(rig->machine->memory, DATA, bytes, sizeof(bytes));
}

static void load_string(struct rig *rig, const struct string_case *c)
{
	uint8_t code[16];

	memset(code, NOP, sizeof(code));
	memcpy(code, c->code, c->length);
	rig_code(rig, 0, code, sizeof(code));
	rig_set_reg(rig, 0, "rcx", c->rcx);
	rig_set_reg(rig, 0, "rdi", c->rdi);
	rig_set_reg(rig, 0, "rsi", c->rsi);
	rig_set_reg(rig, 0, "rax", c->rax);
	rig_set_reg(rig, 0, "rflags", c->rflags);
}

static struct string_hit hit_of(struct rig *rig, const struct stop *stop)
{
	return (struct string_hit){.pc = debug_pc(rig->debug, 0),
				   .rcx = rig_reg(rig, 0, "rcx"),
				   .rdi = rig_reg(rig, 0, "rdi"),
				   .rsi = rig_reg(rig, 0, "rsi"),
				   .writer = stop->writer,
				   .old_value = stop->old_value,
				   .new_value = stop->new_value};
}

/* Every hit, and what there is at the end. strategy: NULL, nothing is watched. */
static struct string_run run_string(const struct string_case *c, const char *strategy)
{
	struct string_run run = {.count = 0};
	struct rig rig = {.config = {0}};
	int number, end;

	start_flat(&rig, 1, strategy ? strategy : BY_STEPS);
	fill(&rig);
	load_string(&rig, c);
	number = strategy ? watch(&rig, c->kind, c->watched, c->size) : 0;
	end = rig_break(&rig, RIG_CODE + c->length);
	for (const struct stop *stop = NULL; !stop || stop->point != end;) {
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_in_range(run.count, 0, MOST_HITS - 1);
		run.hit[run.count++] = hit_of(&rig, stop);
		if (stop->point != number && stop->point != end)
			fail_msg("%s: '%s'", c->what, stop->text);
	}
	run.hits = strategy ? point_of(&rig, number)->hits : 0;
	run.rflags = rig_reg(&rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF;
	mem_read_phys(rig.machine->memory, DATA, run.data, sizeof(run.data));
	rig_stop(&rig);
	return run;
}

/* The last of its "hits" is the end. */
static void expect_same_end(const char *what, const struct string_run *plain,
			    const struct string_run *steps)
{
	const struct string_hit *a = &plain->hit[plain->count - 1],
				*b = &steps->hit[steps->count - 1];

	if (a->pc != b->pc || a->rcx != b->rcx || a->rdi != b->rdi || a->rsi != b->rsi ||
	    plain->rflags != steps->rflags ||
	    memcmp(plain->data, steps->data, sizeof(plain->data)) != 0)
		fail_msg("%s: ends otherwise, rcx 0x%llx and 0x%llx", what,
			 (unsigned long long)a->rcx, (unsigned long long)b->rcx);
}

static void expect_same(const char *what, const struct string_run *page,
			const struct string_run *steps)
{
	if (page->count != steps->count || memcmp(page->hit, steps->hit, sizeof(page->hit)) != 0 ||
	    page->hits != steps->hits || page->rflags != steps->rflags ||
	    memcmp(page->data, steps->data, sizeof(page->data)) != 0)
		fail_msg("%s: %u stops by page, %u by steps", what, page->count, steps->count);
}

/* By page, KVM may make one read of several turns. */
static void strings_are_told_turn_by_turn(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		const struct string_case *c = &strings[i];
		const struct string_run plain = run_string(c, NULL);
		const struct string_run steps = run_string(c, BY_STEPS);

		expect_same_end(c->what, &plain, &steps);
		if (steps.hits != c->hits || steps.count != c->hits + 1)
			fail_msg("%s: %u stops, %llu hits", c->what, steps.count,
				 (unsigned long long)steps.hits);
		if (c->kind == POINT_WRITE) {
			const struct string_run page = run_string(c, BY_PAGE);

			expect_same(c->what, &page, &steps);
		}
	}
}

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
		watch(&p.rig, POINT_WRITE, 0x7000, 4);
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
	watch(&p.rig, POINT_WRITE, 0x7000, 4);
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
		written = watch(&p.rig, POINT_WRITE, 0x7000, 1);
		frame = watch(&p.rig, POINT_WRITE, STACK - 40, 8);
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
		number = watch(&p.rig, POINT_WRITE, 0x7000, 1);
		if (!told)
			count_only(&p.rig, number);
		raise_line(&p, true);
		assert_int_equal(debug_resume(p.rig.debug, &range, OWNER_CONSOLE, NULL), 0);
		stop = rig_wait_stop(&p.rig);
		assert_int_equal(stop->reason, told ? STOP_WATCH_WRITE : STOP_STEP);
		assert_int_equal(stop->pc, told ? IRQ_HANDLER + 11 : RIG_CODE + 10);
		assert_int_equal(point_of(&p.rig, number)->hits, 1);
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
		number = watch(&p.rig, POINT_WRITE, STACK - word, word);
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
	number = watch(&rig, POINT_WRITE, DATA, 4);
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
	assert_int_equal(point_of(&rig, number)->hits, 200);
	rig_stop(&rig);
}

static void all_increments_are_counted(void **state)
{
	const unsigned rounds = 500;
	struct rig rig = {.config = {0}};
	int number;

	(void)state;
	start_increments(&rig, rounds);
	number = watch(&rig, POINT_ACCESS, DATA, 4);
	count_only(&rig, number);
	rig_continue(&rig);
	for (unsigned i = 0; i < 6000 && get32(&rig, SOURCE) < 4; i++)
		usleep(10000);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 10000 * rig_slower()), 0);
	rig_wait_stop(&rig);
	assert_int_equal(get32(&rig, SOURCE), 4);
	assert_int_equal(get32(&rig, DATA), 4 * rounds);
	assert_int_equal(point_of(&rig, number)->hits, 4 * rounds);
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
	number = watch(&rig, POINT_WRITE, 0x7000, 2);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->vcpu, 1);
	assert_int_equal(stop->new_value, 1);
	assert_int_equal(stop->writer, 0xc000);
	rig_stop(&rig);
}

/* ---- whole guests --------------------------------------------------------------------------- */

static void start_guest(struct rig *rig, unsigned vcpus, const char *name, const char *append)
{
	rig_needs_kvm();
	*rig = (struct rig){.patience = 60};
	assert_int_equal(debug_strategy_parse(BY_STEPS, &rig->config.strategy, NULL), 0);
	guest_start(rig, vcpus, name, append);
}

/* The first vCPU starts the others, all add to one counter, and the guest checks the sum by itself. A breakpoint
 * counts along. */
static void a_guest_with_four_vcpus(void **state)
{
	const unsigned rounds = 60;
	struct rig rig;
	int number, here;

	(void)state;
	start_guest(&rig, 4, "smp", "rounds=60");
	number = watch(&rig, POINT_WRITE, guest_symbol(&rig, "shared") + 8, 8);
	here = rig_break(&rig, guest_symbol(&rig, "add_one"));
	count_only(&rig, number);
	count_only(&rig, here);
	rig_continue(&rig);
	if (guest_stops(&rig))
		fail_msg("'%s'", debug_last_stop(rig.debug)->text);
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(point_of(&rig, here)->hits, 4 * rounds);
	assert_int_equal(point_of(&rig, number)->hits, 4 * rounds);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_told_turn_by_turn),
		cmocka_unit_test(no_window_is_too_short),
		cmocka_unit_test(interrupts_leave_room_for_the_rest),
		cmocka_unit_test(a_sleeper_wakes),
		cmocka_unit_test(a_handler_in_the_middle_of_a_range),
		cmocka_unit_test(flags_on_a_watched_stack),
		cmocka_unit_test(each_increment_is_told),
		cmocka_unit_test(all_increments_are_counted),
		cmocka_unit_test(a_vcpu_that_is_started_again),
		cmocka_unit_test(a_guest_with_four_vcpus),
	};

	return cmocka_run_group_tests_name("step and compare, on KVM", tests, NULL, NULL);
}
