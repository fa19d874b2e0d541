// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux's tables for backtraces: every kind of them, rule by rule, and garbage. */
#include "monitor/orc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RDX = 1, RDI = 5, RBP = 6, RSP = 7, R10 = 10, R13 = 13 }; /* DWARF's numbers */

#define CODE  0xffffffff81000000ull
#define IPS   0xffffffff82000000ull
#define STACK 0x8000ull
#define SLOTS 64

/* The flags of a rule, from the lowest bit up. */
#define NOW(sp, bp, type, signal) ((sp) | (bp) << 4 | (type) << 8 | (signal) << 11)
#define SIGNAL(sp, bp, type, signal, end)                                                          \
	((sp) | (bp) << 4 | (type) << 8 | (signal) << 10 | (end) << 11)
#define END(sp, bp, type, end) ((sp) | (bp) << 4 | (type) << 8 | (end) << 10)

struct rule {
	int16_t sp_offset, bp_offset;
	uint16_t flags;
} __attribute__((packed));

#define RULES_MAX 16

/* Tables whose nth stretch begins at CODE + n * 16, and a stack of SLOTS words that hold their own numbers. */
struct world {
	int32_t ips[RULES_MAX];
	struct rule rules[RULES_MAX];
	struct orc_tables tables;
	struct frame_registers registers;
	struct frame_step step;
	uint64_t stack[SLOTS];
	unsigned reads;
};

static void make(struct world *w, const struct rule *rules, unsigned count, enum orc_kind kind)
{
	memset(w, 0, sizeof(*w));
	memcpy(w->rules, rules, count * sizeof(*rules));
	for (unsigned i = 0; i < count; i++)
		w->ips[i] = (int32_t)(CODE + i * 16 - (IPS + i * 4));
	w->tables = (struct orc_tables){.ips = (const uint8_t *)w->ips,
					.entries = (const uint8_t *)w->rules,
					.ips_at = IPS,
					.count = count,
					.kind = kind};
	for (unsigned i = 0; i < SLOTS; i++)
		w->stack[i] = 1000 + i;
	for (unsigned i = 0; i < FRAME_REGISTERS; i++) {
		w->registers.value[i] = i;
		w->registers.known[i] = true;
	}
	w->registers.value[RSP] = STACK;
	w->registers.value[RBP] = STACK + 128;
}

static bool read_stack(void *ctx, uint64_t address, unsigned size, uint64_t *value)
{
	struct world *w = ctx;

	w->reads++;
	*value = 0;
	if (address < STACK || address - STACK > sizeof(w->stack) - size)
		return false;
	memcpy(value, (uint8_t *)w->stack + (address - STACK), size);
	return true;
}

static enum frame_result step(struct world *w, unsigned stretch)
{
	return orc_step(&w->tables, CODE + stretch * 16 + 15, &w->registers, read_stack, w,
			&w->step);
}

static uint64_t slot(unsigned number)
{
	return 1000 + number;
}

/* ---- rules ---------------------------------------------------------------------------------- */

static const struct rule calls[] = {
	{8, 0, NOW(5, 0, 2, 0)},    /* on entry: rsp + 8 */
	{16, -16, NOW(5, 1, 2, 0)}, /* behind push %rbp */
	{16, -16, NOW(4, 1, 2, 0)}, /* in a frame: rbp + 16 */
	{-8, 0, NOW(8, 4, 2, 0)},   /* where rbp - 8 points to; rbp at itself */
	{24, 0, NOW(9, 0, 2, 0)},   /* where rsp points to, and 24 above */
	{0, 0, NOW(6, 0, 2, 0)},    /* r10 */
};

static void test_calls(void **state)
{
	struct world w;

	(void)state;
	make(&w, calls, 6, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 0), FRAME_CALLER);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(0));
	assert_int_equal(w.registers.value[RSP], STACK + 8);
	assert_int_equal(w.registers.value[RBP], STACK + 128);
	assert_false(w.registers.known[R10] || w.registers.known[RDX]);
	assert_false(w.step.signal || w.step.pushed || w.step.other_stack);
	assert_int_equal(w.step.rip_at, STACK);

	make(&w, calls, 6, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 1), FRAME_CALLER);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(1));
	assert_int_equal(w.registers.value[RBP], slot(0));

	make(&w, calls, 6, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 2), FRAME_CALLER);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(17));
	assert_int_equal(w.registers.value[RBP], slot(16));
	assert_int_equal(w.registers.value[RSP], STACK + 144);
}

static void test_calls_from_elsewhere(void **state)
{
	struct world w;

	(void)state;
	make(&w, calls, 6, ORC_KIND_TYPES);
	w.stack[15] = STACK + 64;
	assert_int_equal(step(&w, 3), FRAME_CALLER);
	assert_true(w.step.other_stack);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(7));
	assert_int_equal(w.registers.value[RBP], slot(16));

	make(&w, calls, 6, ORC_KIND_TYPES);
	w.stack[0] = STACK + 80;
	assert_int_equal(step(&w, 4), FRAME_CALLER);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(12));
	assert_int_equal(w.registers.value[RSP], STACK + 104);

	make(&w, calls, 6, ORC_KIND_TYPES);
	w.registers.value[R10] = STACK + 8;
	assert_int_equal(step(&w, 5), FRAME_CALLER);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(0));
}

static void test_interrupts(void **state)
{
	static const struct rule rules[] = {
		{0, 0, NOW(5, 0, 3, 1)}, /* struct pt_regs at rsp */
		{8, 0, NOW(5, 0, 4, 1)}, /* the processor's five words at rsp + 8 */
		{0, 0, NOW(5, 0, 4, 0)},
	};
	static const unsigned char saved[] = {15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5};
	struct world w;

	(void)state;
	make(&w, rules, 3, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 0), FRAME_CALLER);
	assert_true(w.step.signal && w.step.pushed);
	assert_int_equal(w.step.rip_at, STACK + 128);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(16));
	assert_int_equal(w.registers.value[RSP], slot(19));
	for (unsigned i = 0; i < sizeof(saved); i++)
		assert_true(w.registers.known[saved[i]] && w.registers.value[saved[i]] == slot(i));

	make(&w, rules, 3, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 1), FRAME_CALLER);
	assert_true(w.step.signal && w.step.pushed);
	assert_int_equal(w.registers.value[FRAME_RIP], slot(1));
	assert_int_equal(w.registers.value[RSP], slot(4));
	assert_true(w.registers.known[RDX] && w.registers.value[RDX] == RDX);

	make(&w, rules, 3, ORC_KIND_TYPES);
	assert_int_equal(step(&w, 2), FRAME_CALLER);
	assert_true(!w.step.signal && w.step.pushed);
}

static void test_ends(void **state)
{
	static const struct rule rules[] = {
		{0, 0, NOW(0, 0, 1, 0)}, /* the end of the stack */
		{0, 0, NOW(0, 0, 0, 0)}, /* no code */
		{0, 0, NOW(5, 0, 7, 0)}, /* no type */
		{0, 0, NOW(0, 0, 2, 0)}, /* no register */
		{0, 0, NOW(12, 0, 2, 0)}, {0, 0, NOW(1, 0, 2, 0)},
		{8, 0, NOW(5, 5, 2, 0)},  /* none for rbp */
		{-8, 0, NOW(5, 0, 2, 0)}, /* where nothing is */
		{0, 0, NOW(7, 0, 2, 0)},  /* r13, which is not known */
	};
	struct world w;

	(void)state;
	make(&w, rules, 9, ORC_KIND_TYPES);
	w.registers.known[R13] = false;
	assert_int_equal(step(&w, 0), FRAME_OUTERMOST);
	assert_int_equal(step(&w, 1), FRAME_NO_RULES);
	assert_int_equal(step(&w, 2), FRAME_NO_RULES);
	for (unsigned i = 3; i < 9; i++)
		assert_int_equal(step(&w, i), FRAME_LOST);
	assert_int_equal(w.registers.value[RSP], STACK); /* as before */
	assert_int_equal(step(&w, 7), FRAME_LOST);
	assert_int_equal(w.step.place, STACK - 16);
	/* Below the first stretch there is nothing; behind the last one, that goes on. */
	assert_int_equal(orc_step(&w.tables, CODE - 1, &w.registers, read_stack, &w, &w.step),
			 FRAME_NO_RULES);
	assert_int_equal(orc_step(&w.tables, CODE, &w.registers, read_stack, &w, &w.step),
			 FRAME_OUTERMOST);
	assert_int_equal(w.reads, 3); /* return addresses alone */
}

/* ---- kinds ---------------------------------------------------------------------------------- */

static void test_kinds(void **state)
{
	static const struct rule now[] = {
		{8, 0, NOW(5, 0, 2, 0)}, {0, 0, NOW(5, 0, 3, 1)}, {8, 0, NOW(5, 0, 2, 0)}};
	static const struct rule signal[] = {{8, 0, SIGNAL(5, 0, 0, 0, 0)},
					     {0, 0, SIGNAL(5, 0, 1, 1, 0)},
					     {0, 0, SIGNAL(5, 0, 2, 1, 0)},
					     {0, 0, SIGNAL(0, 0, 0, 0, 1)},
					     {0, 0, SIGNAL(0, 0, 0, 0, 0)}};
	static const struct rule end[] = {{8, 0, END(5, 0, 0, 0)},
					  {0, 0, END(5, 0, 1, 0)},
					  {0, 0, END(5, 0, 2, 0)},
					  {0, 0, END(0, 0, 0, 1)},
					  {0, 0, END(0, 0, 0, 0)}};
	static const struct {
		const struct rule *rules;
		unsigned count;
		enum orc_kind kind;
	} kinds[] = {
		{now, 3, ORC_KIND_TYPES}, {signal, 5, ORC_KIND_SIGNAL}, {end, 5, ORC_KIND_END}};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		make(&w, kinds[i].rules, kinds[i].count, ORC_KIND_TYPES);
		assert_int_equal(orc_guess_kind(&w.tables), kinds[i].kind);
	}
	for (unsigned i = 1; i < 3; i++) {
		make(&w, kinds[i].rules, kinds[i].count, kinds[i].kind);
		assert_int_equal(step(&w, 0), FRAME_CALLER);
		assert_true(w.registers.value[FRAME_RIP] == slot(0) && !w.step.signal);
		make(&w, kinds[i].rules, kinds[i].count, kinds[i].kind);
		assert_int_equal(step(&w, 1), FRAME_CALLER);
		assert_true(w.registers.value[FRAME_RIP] == slot(16) && w.step.signal);
		make(&w, kinds[i].rules, kinds[i].count, kinds[i].kind);
		assert_int_equal(step(&w, 2), FRAME_CALLER);
		assert_true(w.registers.value[FRAME_RIP] == slot(0) && w.step.signal);
		assert_int_equal(step(&w, 3), FRAME_OUTERMOST);
		assert_int_equal(step(&w, 4), FRAME_NO_RULES);
	}
}

/* ---- tables in the guest, and garbage ------------------------------------------------------- */

struct guest {
	struct world world;
	bool gone;
};

static bool read_guest(void *ctx, uint64_t address, unsigned size, uint64_t *value)
{
	struct guest *guest = ctx;
	const struct world *w = &guest->world;

	*value = 0;
	if (guest->gone)
		return false;
	if (address - IPS < sizeof(w->ips))
		memcpy(value, (const uint8_t *)w->ips + (address - IPS), size);
	else if (address - IPS - 4096 < sizeof(w->rules))
		memcpy(value, (const uint8_t *)w->rules + (address - IPS - 4096), size);
	else
		return read_stack(ctx, address, size, value);
	return true;
}

static void test_in_the_guest(void **state)
{
	static const struct rule rules[] = {{8, 0, NOW(5, 0, 2, 0)}, {16, 0, NOW(5, 0, 2, 0)}};
	struct guest guest = {0};
	struct world *w = &guest.world;
	struct frame_registers before;

	(void)state;
	make(w, rules, 2, ORC_KIND_TYPES);
	w->tables.ips = w->tables.entries = NULL;
	w->tables.entries_at = IPS + 4096;
	before = w->registers;
	assert_int_equal(
		orc_step(&w->tables, CODE + 16, &w->registers, read_guest, &guest, &w->step),
		FRAME_CALLER);
	assert_int_equal(w->registers.value[FRAME_RIP], slot(1));
	w->registers = before;
	guest.gone = true;
	assert_int_equal(
		orc_step(&w->tables, CODE + 16, &w->registers, read_guest, &guest, &w->step),
		FRAME_NO_RULES);
	w->tables.count = UINT32_MAX; /* a number that it was told */
	guest.gone = false;
	assert_int_equal(
		orc_step(&w->tables, CODE + 16, &w->registers, read_guest, &guest, &w->step),
		FRAME_NO_RULES);
}

static void test_garbage(void **state)
{
	struct world w;
	unsigned callers = 0;

	(void)state;
	srandom(7);
	for (unsigned round = 0; round < 20000; round++) {
		struct rule rules[RULES_MAX] = {0};

		for (size_t i = 0; i < sizeof(rules); i++)
			((uint8_t *)rules)[i] = (uint8_t)random();
		make(&w, rules, RULES_MAX, (enum orc_kind)(round % 3));
		for (unsigned i = 0; i < RULES_MAX && round % 2; i++)
			w.ips[i] = (int32_t)random();
		for (unsigned i = 0; i < RULES_MAX && round % 4 == 2; i++) {
			w.rules[i].sp_offset = (int16_t)(random() % 512);
			w.rules[i].flags &= 0xff0f;
		}
		if (step(&w, (unsigned)random() % RULES_MAX) != FRAME_CALLER)
			continue;
		callers++;
		assert_true(w.registers.known[FRAME_RIP] && w.registers.known[RSP]);
		assert_true(w.step.rip_saved && w.step.rip_at - STACK <= sizeof(w.stack) - 8);
	}
	assert_true(callers > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),	   cmocka_unit_test(test_calls_from_elsewhere),
		cmocka_unit_test(test_interrupts), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_kinds),	   cmocka_unit_test(test_in_the_guest),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
