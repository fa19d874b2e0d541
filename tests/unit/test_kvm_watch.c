// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches by page protection, on the host's own KVM: small code in flat 32-bit mode, whatever ways there are to
 * write to memory. Skipped where there is no KVM.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "x86/mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA  0x8000ull
#define PAGE  0x1000ull
#define STACK 0xb000ull
#define NOP   0x90

/* ---- help -------------------------------------------------------------------------------- */

/* What each case is given: the rung that watches must take. */
static char by_page[] = "watch=page,access=page", by_steps[] = "watch=compare,access=compare";

static void start(struct rig *rig, unsigned vcpus, const char *strategy)
{
	rig_needs_kvm();
	*rig = (struct rig){.accel = &accel_kvm, .config = rig->config};
	assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
	for (unsigned i = 0; i < vcpus; i++)
		rig_set_reg(rig, (int)i, "rsp", i ? 0xe000 : STACK);
}

static int watch(struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = length};
	struct error err = {0};
	int number = debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

static void unwatch(struct rig *rig, int number)
{
	struct error err = {0};

	assert_int_equal(debug_point_remove(rig->debug, number, &err), 0);
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

static void put32(struct rig *rig, uint64_t gpa, uint32_t value)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &value, 4), 4);
}

static uint64_t get(struct rig *rig, uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(mem_read_phys(rig->machine->memory, gpa, &value, size), size);
	return value;
}

/* Code, a breakpoint behind it, and registers as all the cases below expect them. */
static int load(struct rig *rig, const void *code, size_t size)
{
	uint8_t padded[64];

	assert_true(size < sizeof(padded));
	memset(padded, NOP, sizeof(padded));
	memcpy(padded, code, size);
	rig_code(rig, 0, padded, sizeof(padded));
	rig_set_reg(rig, 0, "rip", RIG_CODE);
	rig_set_reg(rig, 0, "rsp", STACK);
	rig_set_reg(rig, 0, "rdi", DATA);
	rig_set_reg(rig, 0, "rsi", RIG_CODE);
	rig_set_reg(rig, 0, "rcx", 4);
	rig_set_reg(rig, 0, "rax", 0x11223344);
	rig_set_reg(rig, 0, "rdx", 0);
	rig_set_reg(rig, 0, "rbx", 0x55667788);
	rig_set_reg(rig, 0, "rflags", 2);
	return rig_break(rig, RIG_CODE + size);
}
#define LOAD(rig, ...)                                                                             \
	load(rig, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void expect_text(const struct stop *stop, const char *wanted)
{
	if (strcmp(stop->text, wanted) != 0)
		fail_msg("'%s', not '%s'", stop->text, wanted);
}

static void expect_end(struct rig *rig, int point)
{
	const struct stop *stop = rig_wait_stop(rig);

	if (stop->point != point)
		fail_msg("stopped with '%s', not at the end: pc 0x%llx rsp 0x%llx", stop->text,
			 (unsigned long long)stop->pc, (unsigned long long)rig_reg(rig, 0, "rsp"));
}

/* ---- one write --------------------------------------------------------------------------- */

static void a_write_is_told_with_values_and_writer(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	start(&rig, 1, *state);
	end = LOAD(&rig, NOP, 0x89, 0x07, NOP, 0x89, 0x1f); /* mov %eax,(%edi); mov %ebx,(%edi) */
	put32(&rig, DATA, 41);
	rig_set_reg(&rig, 0, "rax", 42);
	number = watch(&rig, POINT_WRITE, DATA, 4);
	assert_string_equal(point_of(&rig, number)->rung,
			    *state == by_page ? "page protection" : "step and compare: slow");
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_WRITE);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->address, DATA);
	assert_int_equal(stop->size, 4);
	assert_int_equal(stop->old_value, 41);
	assert_int_equal(stop->new_value, 42);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 3);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 41 → 42 by 0x1001");
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 42 → 0x55667788 by 0x1004");
	assert_int_equal(get(&rig, DATA, 4), 0x55667788);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(point_of(&rig, number)->hits, 2);
	rig_stop(&rig);
}

/* On the watched page, next to the watched bytes on either side. */
static void other_writes_are_done_and_no_more(void **state)
{
	struct rig rig = {0};
	int number, end;

	start(&rig, 1, *state);
	end = LOAD(&rig, 0x89, 0x07, 0x89, 0x47, 0x08, 0x88, 0x9f, 0xff, 0x0f, 0, 0);
	number = watch(&rig, POINT_WRITE, DATA + 4, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(get(&rig, DATA, 4), 0x11223344);
	assert_int_equal(get(&rig, DATA + 8, 4), 0x11223344);
	assert_int_equal(get(&rig, DATA + 0xfff, 1), 0x88);
	assert_int_equal(point_of(&rig, number)->evaluations, 0);
	rig_stop(&rig);
}

/* ---- every way to write ------------------------------------------------------------------ */

struct way {
	const char *what;
	uint8_t code[12];
	unsigned length;
	uint64_t watch;	 /* from here … */
	unsigned size;	 /* … so many bytes */
	uint64_t before; /* in them */
	uint64_t after;
	unsigned skip; /* bytes of code before the writer */
};

static const struct way ways[] = {
	// clang-format off
	{"mov byte",        {0x88, 0x07}, 2, DATA, 4, 0xffffffff, 0xffffff44, 0},
	{"mov word",        {0x66, 0x89, 0x07}, 3, DATA, 4, 0xffffffff, 0xffff3344, 0},
	{"mov unaligned",   {0x89, 0x47, 0x02}, 3, DATA, 4, 0, 0x33440000, 0},
	{"mov from below",  {0x89, 0x47, 0xfe}, 3, DATA, 2, 0, 0x1122, 0},
	{"mov immediate",   {0xc7, 0x07, 5, 0, 0, 0}, 6, DATA, 8, 1ull << 40, 1ull << 40 | 5, 0},
	{"mov moffs",       {0xa3, 0x00, 0x80, 0, 0}, 5, DATA, 4, 0, 0x11223344, 0},
	{"add",             {0x01, 0x07}, 2, DATA, 4, 1, 0x11223345, 0},
	{"inc",             {0xff, 0x07}, 2, DATA, 4, 41, 42, 0},
	{"lock inc",        {0xf0, 0xff, 0x07}, 3, DATA, 4, 41, 42, 0},
	{"lock xadd",       {0xf0, 0x0f, 0xc1, 0x0f}, 4, DATA, 4, 41, 45, 0},
	{"xchg",            {0x87, 0x0f}, 2, DATA, 4, 41, 4, 0},
	{"cmpxchg",         {0xf0, 0x0f, 0xb1, 0x0f}, 4, DATA, 4, 0x11223344, 4, 0},
	{"lock bts",        {0xf0, 0x0f, 0xab, 0x0f}, 4, DATA, 4, 0, 16, 0},
	{"push",            {NOP, 0x50}, 2, STACK - 4, 4, 0, 0x11223344, 1},
	{"call",            {NOP, 0xe8, 1, 0, 0, 0, NOP}, 7, STACK - 4, 4, 0, RIG_CODE + 6, 1},
	{"pop to memory",   {0x53, 0x8f, 0x07}, 3, DATA, 4, 7, 0x55667788, 1},
	{"stosl",           {0xab}, 1, DATA, 4, 0, 0x11223344, 0},
	{"movsb",           {0xa4}, 1, DATA, 1, 0, 0xa4, 0},
	{"sete",            {0x0f, 0x94, 0x07}, 3, DATA, 1, 9, 0, 0},
	{"over the end of a page", {0x89, 0x87, 0xfe, 0x0f, 0, 0}, 6, DATA + PAGE - 2, 4, 0, 0x11223344, 0},
	{"the part before the end", {0x89, 0x87, 0xfe, 0x0f, 0, 0}, 6, DATA + PAGE - 2, 2, 0, 0x3344, 0},
	{"the part behind the end", {0x89, 0x87, 0xfe, 0x0f, 0, 0}, 6, DATA + PAGE, 2, 0, 0x1122, 0},
	{"lock inc over the end", {0xf0, 0xff, 0x87, 0xfe, 0x0f, 0, 0}, 7, DATA + PAGE - 2, 4, 0xffff, 0x10000, 0},
	// clang-format on
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void try_way(struct rig *rig, const struct way *w)
{
	const struct stop *stop;
	int end = load(rig, w->code, w->length), number;

	mem_write_phys(rig->machine->memory, w->watch, &w->before, w->size);
	rig_set_reg(rig, 0, "rsp", DATA); /* a page that a stack is on is refused on some hosts */
	number = watch(rig, POINT_WRITE, w->watch, w->size);
	rig_set_reg(rig, 0, "rsp", STACK);
	rig_continue(rig);
	stop = rig_wait_stop(rig);
	if (stop->point != number || stop->old_value != w->before || stop->new_value != w->after ||
	    get(rig, w->watch, w->size) != w->after || stop->writer != RIG_CODE + w->skip)
		fail_msg("%s: '%s', writer 0x%llx", w->what, stop->text,
			 (unsigned long long)stop->writer);
	rig_continue(rig);
	expect_end(rig, end);
	unwatch(rig, number);
	unwatch(rig, end);
}

static void every_way_to_write(void **state)
{
	for (unsigned vcpus = 1; vcpus <= 2; vcpus++) {
		struct rig rig = {0};

		start(&rig, vcpus, *state);
		if (vcpus == 2)
			rig_code(&rig, 1, (const uint8_t[]){0xeb, 0xfe}, 2);
		for (unsigned i = 0; i < WAYS; i++)
			try_way(&rig, &ways[i]);
		rig_stop(&rig);
	}
}

/* The processor compares, and there is nothing to write. */
static void a_failed_comparison_is_no_write(void **state)
{
	struct rig rig = {0};
	int number, end;

	start(&rig, 1, *state);
	end = LOAD(&rig, 0xf0, 0x0f, 0xb1, 0x0f);
	put32(&rig, DATA, 7);
	number = watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 7);
	assert_int_equal(get(&rig, DATA, 4), 7);
	assert_int_equal(point_of(&rig, number)->evaluations, 0);
	rig_stop(&rig);
}

/* Between two turns the instruction is still there; each turn that touches the watch is told. */
static void repeated_strings(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	start(&rig, 1, *state);
	end = LOAD(&rig, 0xf3, 0xaa); /* rep stosb */
	rig_set_reg(&rig, 0, "rcx", 64);
	number = watch(&rig, POINT_WRITE, DATA + 30, 2);
	for (unsigned i = 0; i < 2; i++) {
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->point, number);
		assert_int_equal(stop->writer, RIG_CODE);
		assert_int_equal(stop->new_value, i ? 0x4444 : 0x44);
		assert_int_equal(rig_reg(&rig, 0, "rcx"), 33 - i);
	}
	rig_continue(&rig);
	expect_end(&rig, end);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(rig_byte(&rig, DATA + i), 0x44);
	assert_int_equal(rig_byte(&rig, DATA + 64), 0);
	rig_stop(&rig);
}

/* ---- many and long ----------------------------------------------------------------------- */

static void more_than_four_and_overlapping(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int numbers[32], end, all;

	start(&rig, 1, *state);
	end = LOAD(&rig, 0x89, 0x47, 20);
	for (unsigned i = 0; i < 32; i++)
		numbers[i] = watch(&rig, POINT_WRITE, DATA + 4 * i, 4);
	all = watch(&rig, POINT_WRITE, DATA - 0x100, 0x2000);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(point_of(&rig, numbers[4])->hits, 0);
	assert_int_equal(point_of(&rig, numbers[5])->hits, 1);
	assert_int_equal(point_of(&rig, numbers[6])->hits, 0);
	assert_int_equal(point_of(&rig, all)->hits, 1);
	assert_true(stop->point == numbers[5] || stop->point == all);
	assert_non_null(strstr(stop->text, "; also watch "));
	rig_continue(&rig);
	expect_end(&rig, end); /* one stop for one write */
	rig_stop(&rig);
}

/* Megabytes are one slot, and writes to any byte are told with the bytes that were written. */
static void a_long_watch(void **state)
{
	struct rig rig = {.config = {0}};
	const struct stop *stop;
	uint64_t length = 4 << 20;

	(void)state;
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm, .ram_size = 8 << 20};
	debug_strategy_parse("watch=page", &rig.config.strategy, NULL);
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	LOAD(&rig, 0x89, 0x87, 0x10, 0x00, 0x30, 0x00);
	watch(&rig, POINT_WRITE, 1 << 20, length);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	expect_text(stop, "write to 0x308010 (watch 2, 4 of 4194304 bytes at 0x100000): 0 → "
			  "0x11223344 by 0x1000");
	assert_true(memory_slot_count(rig.machine->memory) <= 7);
	rig_stop(&rig);
}

/* ---- reads ------------------------------------------------------------------------------- */

static void reads_and_accesses(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int r, a, end;

	start(&rig, 1, *state);
	/* mov %eax,(%edi); mov (%edi),%ebx; incl (%edi); mov 8(%edi),%ecx */
	end = LOAD(&rig, 0x89, 0x07, 0x8b, 0x1f, 0xff, 0x07, 0x8b, 0x4f, 0x08);
	put32(&rig, DATA + 8, 99);
	r = watch(&rig, POINT_READ, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_READ);
	expect_text(stop, "read of 0x8000 (watch 2, 4 bytes): 0x11223344 by 0x1002");
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x11223344);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 4);
	unwatch(&rig, r);
	a = watch(&rig, POINT_ACCESS, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_ACCESS);
	assert_int_equal(stop->old_value, 0x11223344);
	assert_int_equal(stop->new_value, 0x11223345);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 6);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rcx"), 99);
	assert_int_equal(point_of(&rig, a)->hits, 1);
	rig_stop(&rig);
}

static void expect_refusal(struct rig *rig, enum point_kind kind, uint64_t address,
			   const char *because)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = 4};
	struct error err = {0};

	assert_true(debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err) < 0);
	if (!strstr(err.text, because))
		fail_msg("'%s' says nothing of '%s'", err.text, because);
}

static void what_cannot_be_watched_is_said(void **state)
{
	struct rig rig = {0};

	start(&rig, 1, *state);
	expect_refusal(&rig, POINT_READ, RIG_CODE + 0x80, "code is executed");
	expect_refusal(&rig, POINT_READ, STACK - 8, "a stack is on that page");
	expect_refusal(&rig, POINT_WRITE, 0xa0000, "no RAM");
	expect_refusal(&rig, POINT_WRITE, 0xe0000000, "no RAM");
	rig_stop(&rig);
}

/* ---- what is no hit ----------------------------------------------------------------------- */

static void writes_of_the_user_are_no_hits(void **state)
{
	struct rig rig = {0};
	uint32_t value = 5;
	int number, end;

	start(&rig, 1, *state);
	end = LOAD(&rig, NOP);
	number = watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_LINEAR, DATA, &value, 4), 4);
	assert_int_equal(get(&rig, DATA, 4), 5);
	assert_int_equal(point_of(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* Each write of the same value, too: comparing is the front end's. */
static void the_same_value_is_a_hit(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	start(&rig, 1, *state);
	LOAD(&rig, 0x89, 0x07);
	put32(&rig, DATA, 0x11223344);
	watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_WRITE);
	assert_int_equal(stop->old_value, stop->new_value);
	rig_stop(&rig);
}

/* ---- steps ------------------------------------------------------------------------------- */

static void a_step_over_a_write_tells_the_watch(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	start(&rig, 1, *state);
	LOAD(&rig, NOP, 0x89, 0x07, 0x89, 0x5f, 0x08, NOP, NOP);
	watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned ends[] = {1, 3, 6, 7};

		rig_step(&rig, 0);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, i == 1 ? STOP_WATCH_WRITE : STOP_STEP);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + ends[i]);
	}
	assert_int_equal(get(&rig, DATA + 8, 4), 0x55667788);
	rig_stop(&rig);
}

/* A breakpoint on the writer: first the one, then the other. */
static void a_breakpoint_on_the_writer(void **state)
{
	struct rig rig = {0};
	int end, here, number;

	start(&rig, 1, *state);
	end = LOAD(&rig, NOP, 0x89, 0x07, NOP);
	here = rig_break(&rig, RIG_CODE + 1);
	number = watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, here);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* ---- code that is watched ----------------------------------------------------------------- */

/* The int3 stays where it is, and the guest's byte goes where it will be found. */
static void writes_over_a_breakpoint(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int end, number;

	start(&rig, 1, *state);
	/* movb $0x43,code+7 (inc %ebx over a nop); that nop; the end */
	end = LOAD(&rig, 0xc6, 0x05, 0x08, 0x10, 0x00, 0x00, 0x43, NOP, NOP);
	rig_break(&rig, RIG_CODE + 8);
	number = watch(&rig, POINT_WRITE, RIG_CODE, 0x100);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->old_value, NOP);
	assert_int_equal(stop->new_value, 0x43);
	assert_int_equal(rig_byte(&rig, RIG_CODE + 8), 0x43);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 8);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x55667789);
	rig_stop(&rig);
}

/* ---- several vCPUs ------------------------------------------------------------------------- */

/* Counters on the watched page, next to the watched bytes; each vCPU adds one to each, ROUNDS times, in a way
 * of its own. The last is added to by a plain inc, under a lock that xchg takes. */
enum { LOCKED, ADDED, COMPARED, BIT, SPIN, GUARDED };
#define COUNTER(n) (DATA + 8 * (n))
#define DONE	   (DATA + 4 * PAGE) /* elsewhere */

static const uint8_t counting[] = {
	/* again: */
	0xf0, 0xff, 0x05, 0x00, 0x80, 0,    0,		/* lock incl LOCKED */
	0xb8, 1,    0,	  0,	0,			/* mov $1,%eax */
	0xf0, 0x0f, 0xc1, 0x05, 0x08, 0x80, 0, 0,	/* lock xadd %eax,ADDED */
	0xa1, 0x10, 0x80, 0,	0,			/* mov COMPARED,%eax */
	0x8d, 0x50, 0x01,				/* compare: lea 1(%eax),%edx */
	0xf0, 0x0f, 0xb1, 0x15, 0x10, 0x80, 0, 0,	/* lock cmpxchg %edx,COMPARED */
	0x75, 0xf3,					/* jne compare */
	0xb8, 1,    0,	  0,	0,			/* mov $1,%eax */
	0x87, 0x05, 0x20, 0x80, 0,    0,		/* spin: xchg %eax,SPIN */
	0x85, 0xc0,					/* test %eax,%eax */
	0x75, 0xf6,					/* jne spin */
	0xff, 0x05, 0x28, 0x80, 0,    0,		/* incl GUARDED */
	0xc7, 0x05, 0x20, 0x80, 0,    0,    0, 0, 0, 0, /* movl $0,SPIN */
	0xf0, 0x0f, 0xbb, 0x35, 0x18, 0x80, 0, 0,	/* lock btc %esi,BIT */
	0x49,						/* dec %ecx */
	0x75, 0xb0,					/* jne again */
	0xf0, 0xff, 0x05, 0x00, 0xc0, 0,    0,		/* lock incl DONE */
	0xfa, 0xf4,					/* cli; hlt */
};

static void wait_until_done(struct rig *rig, unsigned vcpus)
{
	for (unsigned i = 0; i < 12000 && get(rig, DONE, 4) < vcpus; i++)
		usleep(10000);
	assert_int_equal(get(rig, DONE, 4), vcpus);
	assert_int_equal(debug_pause_wait(rig->debug, OWNER_CONSOLE, 10000), 0);
	rig_wait_stop(rig);
}

static void no_update_is_lost(void **state)
{
	const bool slow = *state == by_steps; /* each instruction is a step */
	const unsigned vcpus = 4, rounds = slow ? rig_rounds(3001, 201) : rig_rounds(100001, 3001);
	struct rig rig = {0};
	int number;

	start(&rig, vcpus, *state);
	number = watch(&rig, POINT_WRITE, DATA + 0x100, 8);
	for (unsigned i = 0; i < vcpus; i++) {
		rig_code(&rig, i, counting, sizeof(counting));
		rig_set_reg(&rig, (int)i, "rcx", rounds);
		rig_set_reg(&rig, (int)i, "rsi", i);
	}
	rig_continue(&rig);
	wait_until_done(&rig, vcpus);
	assert_int_equal(get(&rig, COUNTER(LOCKED), 4), vcpus * rounds);
	assert_int_equal(get(&rig, COUNTER(ADDED), 4), vcpus * rounds);
	assert_int_equal(get(&rig, COUNTER(COMPARED), 4), vcpus * rounds);
	assert_int_equal(get(&rig, COUNTER(GUARDED), 4), vcpus * rounds);
	assert_int_equal(get(&rig, COUNTER(BIT), 4), 0xf); /* an odd number of times each */
	assert_int_equal(get(&rig, COUNTER(SPIN), 4), 0);
	assert_int_equal(point_of(&rig, number)->evaluations, 0);
	rig_stop(&rig);
}

/* ---- what the processor writes by itself --------------------------------------------------- */

#define GDT	0x3000ull
#define IDT	0x4000ull
#define HANDLER 0x5000ull
#define COUNT	0x6000ull
#define PML4	0x10000ull
#define PDPT	0x11000ull
#define PD_LOW	0x12000ull
#define PD_APIC 0x13000ull
#define APIC	0xfee00000ull
#define TIMER	0x40

static void put64(struct rig *rig, uint64_t gpa, uint64_t value)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &value, 8), 8);
}

/* 2 MiB at the bottom and around the local APIC, identity. */
static void put_page_tables(struct rig *rig)
{
	const uint64_t present_write = 3, large = 0x80, size = 2 << 20;

	put64(rig, PML4, PDPT | present_write);
	put64(rig, PDPT, PD_LOW | present_write);
	put64(rig, PDPT + 8 * (APIC >> 30), PD_APIC | present_write);
	put64(rig, PD_LOW, large | present_write);
	put64(rig, PD_APIC + 8 * (APIC / size % 512), (APIC & ~(size - 1)) | large | present_write);
}

static void put_gate(struct rig *rig, unsigned vector, uint64_t handler)
{
	put64(rig, IDT + 16 * vector, (handler & 0xffff) | 8ull << 16 | 0x8eull << 40);
}

static void enter_long_mode(struct rig *rig)
{
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);

	put64(rig, GDT + 8, 0x00af9b000000ffff);
	put64(rig, GDT + 16, 0x00cf93000000ffff);
	put_page_tables(rig);
	cpu_segment_flat(&state->system.seg[SEG_CS], 8, true, 64);
	state->system.gdt = (struct cpu_table){.base = GDT, .limit = 23};
	state->system.idt = (struct cpu_table){.base = IDT, .limit = 0xfff};
	state->system.cr3 = PML4;
	state->system.cr4 |= CR4_PAE;
	state->system.cr0 |= CR0_PG | CR0_PE | CR0_WP;
	state->system.efer |= EFER_LME | EFER_LMA;
	vcpu_dirty(vcpu, CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* incl COUNT; addq $2,(%rsp); iretq */
static const uint8_t ud_handler[] = {0xff, 0x04, 0x25, 0x00, 0x60, 0,	 0,
				     0x48, 0x83, 0x04, 0x24, 0x02, 0x48, 0xcf};
/* incl COUNT; movl $0,EOI(%rbp); iretq */
static const uint8_t timer_handler[] = {0xff, 0x04, 0x25, 0x00, 0x60, 0, 0, 0xc7, 0x85, 0xb0,
					0,    0,    0,	  0,	0,    0, 0, 0x48, 0xcf};

static void put_handlers(struct rig *rig)
{
	struct memory *memory = rig->machine->memory;

	enter_long_mode(rig);
	put_gate(rig, 6, HANDLER);
	put_gate(rig, TIMER, HANDLER + 0x100);
	mem_write_phys(memory, HANDLER, ud_handler, sizeof(ud_handler));
	mem_write_phys(memory, HANDLER + 0x100, timer_handler, sizeof(timer_handler));
	rig_set_reg(rig, 0, "rbp", APIC);
}

/* Where a frame would be lost with its event, such a page is not protected. */
static void needs_frames(struct rig *rig, const char *strategy)
{
	if (strategy == by_steps ||
	    debug_capabilities(rig->debug)->page_frame[CAP_LONG] == PAGE_WORKS)
		return;
	expect_refusal(rig, POINT_WRITE, STACK - 0x800, "a stack is on that page");
	rig_stop(rig);
	print_message("# SKIP this host's KVM: event frames on protected pages\n");
	skip();
}

static void exception_frames_on_a_watched_page(void **state)
{
	struct rig rig = {0};
	int number, end;

	start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, 0x0f, 0x0b, 0xff, 0xc9, 0x75, 0xfa); /* again: ud2; dec %ecx; jnz again */
	rig_set_reg(&rig, 0, "rcx", 200);
	number = watch(&rig, POINT_WRITE, STACK - 0x800, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(get(&rig, COUNT, 4), 200);
	assert_int_equal(rig_reg(&rig, 0, "rsp"), STACK);
	assert_int_equal(point_of(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* The frame of 40 bytes begins with RIP. */
static void a_frame_is_a_write_too(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, NOP, 0x0f, 0x0b, NOP);
	number = watch(&rig, POINT_WRITE, STACK - 40, 8);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	expect_text(stop,
		    "write to 0xafd8 (watch 2, 8 bytes): 0 → 4097 by the processor, on its way "
		    "to the handler at 0x5000");
	rig_continue(&rig); /* the handler's addq */
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->new_value, RIG_CODE + 3);
	assert_int_equal(stop->writer, HANDLER + 7);
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* The local controller would not send another before the last was acknowledged: none is lost. */
static void interrupt_frames_on_a_watched_page(void **state)
{
	struct rig rig = {0};
	int number, end;

	start(&rig, 1, *state);
	put_handlers(&rig);
	needs_frames(&rig, *state);
	end = LOAD(&rig, 0xc7, 0x85, 0xf0, 0, 0, 0, 0xff, 0x01, 0, 0, /* SVR: on */
		   0xc7, 0x85, 0xe0, 0x03, 0, 0, 0x0b, 0, 0, 0,	      /* divide by 1 */
		   0xc7, 0x85, 0x20, 0x03, 0, 0, TIMER, 0, 2, 0,      /* periodic */
		   0xc7, 0x85, 0x80, 0x03, 0, 0, 0x40, 0x42, 0x0f, 0, /* 1 ms */
		   0xfb, 0xff, 0xc3, 0x83, 0x3c, 0x25, 0x00, 0x60, 0, 0, 100, 0x72, 0xf4, 0xfa);
	number = watch(&rig, POINT_WRITE, STACK - 0x800, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_in_range(get(&rig, COUNT, 4), 100, 110); /* before cli one more may come */
	assert_int_equal(rig_reg(&rig, 0, "rsp"), STACK);
	assert_int_equal(point_of(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* ---- code that is not there yet ----------------------------------------------------------- */

#define KERNEL 0xc000ull

/* A loader copies a kernel over the int3, byte by byte, and jumps to it. */
static void a_breakpoint_under_a_copy(void **state)
{
	static const uint8_t kernel[] = {NOP, 0x43, 0x43, NOP, 0x43};
	struct rig rig = {0};
	uint8_t page[PAGE];
	int here, end;

	start(&rig, 1, *state);
	/* rep movsb; jmp KERNEL */
	LOAD(&rig, 0xf3, 0xa4, 0xe9, 0xf9, 0xaf, 0, 0, NOP);
	memset(page, NOP, sizeof(page));
	memcpy(page, kernel, sizeof(kernel));
	mem_write_phys(rig.machine->memory, DATA, page, sizeof(page));
	rig_set_reg(&rig, 0, "rsi", DATA);
	rig_set_reg(&rig, 0, "rdi", KERNEL);
	rig_set_reg(&rig, 0, "rcx", PAGE);
	here = rig_break(&rig, KERNEL + 1);
	end = rig_break(&rig, KERNEL + 6);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, here);
	assert_int_equal(debug_pc(rig.debug, 0), KERNEL + 1);
	for (unsigned i = 0; i < PAGE; i++)
		assert_int_equal(rig_byte(&rig, KERNEL + i), page[i]);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x5566778b);
	rig_stop(&rig);
}

/* Data beside a breakpoint: the page is given up, and costs no exits any more. */
static void a_breakpoint_beside_data(void **state)
{
	struct rig rig = {0};
	uint64_t exits;
	int end;

	start(&rig, 1, *state);
	end = LOAD(&rig, 0xff, 0x05, 0x80, 0x10, 0, 0, 0xe2, 0xf8); /* incl CODE + 0x80; loop */
	rig_set_reg(&rig, 0, "rcx", 20000);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(get(&rig, RIG_CODE + 0x80, 4), 20000);
	exits = recorder_exits(&rig.machine->vcpus[0].recorder, EXIT_MMIO);
	assert_in_range(exits, strstr(point_of(&rig, end)->rung, "int3") ? 1000 : 0, 10000);
	rig_stop(&rig);
}

/* ---- page tables --------------------------------------------------------------------------- */

#define TABLE  0x14000ull
#define WINDOW 0x200000ull

/* The guest maps a page, and then another in its place: KVM must hear of it, though it is vitrine that
 * writes the entry. */
static void a_page_table_that_is_watched(void **state)
{
	struct rig rig = {.ram_size = 4 << 20};
	int number, end;

	start(&rig, 1, *state);
	enter_long_mode(&rig);
	put64(&rig, PD_LOW + 8, TABLE | 3);
	put64(&rig, TABLE, DATA | 3);
	if (*state == by_page &&
	    debug_capabilities(rig.debug)->page_table[CAP_LONG] != PAGE_WORKS) {
		expect_refusal(&rig, POINT_WRITE, TABLE + 0x800, "page tables in use");
		rig_stop(&rig);
		print_message("# SKIP this host's KVM: page tables on protected pages\n");
		skip();
	}
	put32(&rig, DATA, 1);
	put32(&rig, DATA + PAGE, 2);
	/* mov WINDOW,%eax; movq $DATA + PAGE | 3,TABLE; invlpg WINDOW; mov WINDOW,%ebx */
	end = LOAD(&rig, 0x8b, 0x04, 0x25, 0, 0, 0x20, 0, 0x48, 0xc7, 0x04, 0x25, 0, 0x40, 1, 0,
		   0x03, 0x90, 0, 0, 0x0f, 0x01, 0x3c, 0x25, 0, 0, 0x20, 0, 0x8b, 0x1c, 0x25, 0, 0,
		   0x20, 0);
	number = watch(&rig, POINT_WRITE, TABLE + 0x800, 8);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 2);
	assert_int_equal(point_of(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* ---- reset ------------------------------------------------------------------------------- */

static void a_reset_leaves_the_watch_in_force(void **state)
{
	static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xa3, 0x00, 0x80, 0, 0, 0xeb, 0xfe};
	struct rig rig = {0};
	struct error err = {0};

	start(&rig, 1, *state);
	rig_boot(&rig, code, sizeof(code));
	watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 3; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_WATCH_WRITE);
		assert_int_equal(debug_last_stop(rig.debug)->old_value, 0);
		assert_int_equal(get(&rig, DATA, 4), 42);
		assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
		assert_int_equal(get(&rig, DATA, 4), 0);
	}
	rig_stop(&rig);
}

#define BY_PAGE(f) cmocka_unit_test_prestate(f, by_page)
#define BY_STEPS(f)                                                                                \
	{                                                                                          \
		"by steps: " #f, f, NULL, NULL, by_steps                                           \
	}
#define BY_BOTH(f) BY_PAGE(f), BY_STEPS(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_BOTH(a_write_is_told_with_values_and_writer),
		BY_BOTH(other_writes_are_done_and_no_more),
		BY_BOTH(every_way_to_write),
		BY_BOTH(a_failed_comparison_is_no_write),
		BY_BOTH(repeated_strings),
		BY_BOTH(more_than_four_and_overlapping),
		BY_BOTH(reads_and_accesses),
		BY_BOTH(writes_of_the_user_are_no_hits),
		BY_BOTH(the_same_value_is_a_hit),
		BY_BOTH(a_step_over_a_write_tells_the_watch),
		BY_BOTH(a_breakpoint_on_the_writer),
		BY_BOTH(writes_over_a_breakpoint),
		BY_BOTH(no_update_is_lost),
		BY_BOTH(exception_frames_on_a_watched_page),
		BY_BOTH(a_frame_is_a_write_too),
		BY_BOTH(interrupt_frames_on_a_watched_page),
		BY_BOTH(a_page_table_that_is_watched),
		BY_BOTH(a_reset_leaves_the_watch_in_force),
		BY_PAGE(a_long_watch),
		BY_PAGE(what_cannot_be_watched_is_said),
		BY_PAGE(a_breakpoint_under_a_copy),
		BY_PAGE(a_breakpoint_beside_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
