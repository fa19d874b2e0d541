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

#include "watch_rig.h"

#include <string.h>

/* ---- help -------------------------------------------------------------------------------- */

static void unwatch(struct rig *rig, int number)
{
	struct error err = {0};

	assert_int_equal(debug_point_remove(rig->debug, number, &err), 0);
}

/* ---- one write --------------------------------------------------------------------------- */

static void a_write_is_told_with_values_and_writer(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, NOP, 0x89, 0x07, NOP, 0x89, 0x1f); /* mov %eax,(%edi); mov %ebx,(%edi) */
	put32(&rig, DATA, 41);
	rig_set_reg(&rig, 0, "rax", 42);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	assert_string_equal(rig_point(&rig, number)->rung,
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
	assert_int_equal(watch_get(&rig, DATA, 4), 0x55667788);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_point(&rig, number)->hits, 2);
	rig_stop(&rig);
}

/* On the watched page, next to the watched bytes on either side. */
static void other_writes_are_done_and_no_more(void **state)
{
	struct rig rig = {0};
	int number, end;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, 0x89, 0x07, 0x89, 0x47, 0x08, 0x88, 0x9f, 0xff, 0x0f, 0, 0);
	number = rig_watch(&rig, POINT_WRITE, DATA + 4, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(watch_get(&rig, DATA, 4), 0x11223344);
	assert_int_equal(watch_get(&rig, DATA + 8, 4), 0x11223344);
	assert_int_equal(watch_get(&rig, DATA + 0xfff, 1), 0x88);
	assert_int_equal(rig_point(&rig, number)->evaluations, 0);
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
	int end = watch_load(rig, w->code, w->length), number;

	mem_write_phys(rig->machine->memory, w->watch, &w->before, w->size);
	rig_set_reg(rig, 0, "rsp", DATA); /* a page that a stack is on is refused on some hosts */
	number = rig_watch(rig, POINT_WRITE, w->watch, w->size);
	rig_set_reg(rig, 0, "rsp", STACK);
	rig_continue(rig);
	stop = rig_wait_stop(rig);
	if (stop->point != number || stop->old_value != w->before || stop->new_value != w->after ||
	    watch_get(rig, w->watch, w->size) != w->after || stop->writer != RIG_CODE + w->skip)
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

		watch_start(&rig, vcpus, *state);
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

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, 0xf0, 0x0f, 0xb1, 0x0f);
	put32(&rig, DATA, 7);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 7);
	assert_int_equal(watch_get(&rig, DATA, 4), 7);
	assert_int_equal(rig_point(&rig, number)->evaluations, 0);
	rig_stop(&rig);
}

/* Between two turns the instruction is still there; each turn that touches the watch is told. */
static void repeated_strings(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, 0xf3, 0xaa); /* rep stosb */
	rig_set_reg(&rig, 0, "rcx", 64);
	number = rig_watch(&rig, POINT_WRITE, DATA + 30, 2);
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

/* ---- reads ------------------------------------------------------------------------------- */

static void reads_and_accesses(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int r, a, end;

	watch_start(&rig, 1, *state);
	/* mov %eax,(%edi); mov (%edi),%ebx; incl (%edi); mov 8(%edi),%ecx */
	end = LOAD(&rig, 0x89, 0x07, 0x8b, 0x1f, 0xff, 0x07, 0x8b, 0x4f, 0x08);
	put32(&rig, DATA + 8, 99);
	r = rig_watch(&rig, POINT_READ, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_READ);
	expect_text(stop, "read of 0x8000 (watch 2, 4 bytes): 0x11223344 by 0x1002");
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x11223344);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 4);
	unwatch(&rig, r);
	a = rig_watch(&rig, POINT_ACCESS, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_ACCESS);
	assert_int_equal(stop->old_value, 0x11223344);
	assert_int_equal(stop->new_value, 0x11223345);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 6);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rcx"), 99);
	assert_int_equal(rig_point(&rig, a)->hits, 1);
	rig_stop(&rig);
}

/* ---- what is no hit ----------------------------------------------------------------------- */

static void writes_of_the_user_are_no_hits(void **state)
{
	struct rig rig = {0};
	uint32_t value = 5;
	int number, end;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, NOP);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_LINEAR, DATA, &value, 4), 4);
	assert_int_equal(watch_get(&rig, DATA, 4), 5);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* Each write of the same value, too: comparing is the front end's. */
static void the_same_value_is_a_hit(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	watch_start(&rig, 1, *state);
	LOAD(&rig, 0x89, 0x07);
	put32(&rig, DATA, 0x11223344);
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_WRITE);
	assert_int_equal(stop->old_value, stop->new_value);
	rig_stop(&rig);
}

#define BY_PAGE(f) cmocka_unit_test_prestate(f, by_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_BOTH(a_write_is_told_with_values_and_writer),
		BY_BOTH(other_writes_are_done_and_no_more),
		BY_BOTH(every_way_to_write),
		BY_BOTH(a_failed_comparison_is_no_write),
		BY_BOTH(repeated_strings),
		BY_BOTH(reads_and_accesses),
		BY_BOTH(writes_of_the_user_are_no_hits),
		BY_BOTH(the_same_value_is_a_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
