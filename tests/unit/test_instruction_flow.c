// SPDX-License-Identifier: GPL-3.0-or-later
/* Where an instruction leads, and what lies before it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/instruction.h"

#include "instruction_case.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <string.h>

#define DATA 0x2800u

/* ---- where it leads ---------------------------------------------------------------------- */

struct lead {
	int mode;
	uint8_t bytes[15];
	unsigned count;
	uint64_t linear[2];
	bool unknown;
};

/* The stack holds 0x4444, code selector 8, flags 2; DATA holds 0x5555 and the selector 8. RDI is DATA. */
static const struct lead leads[] = {
	{L64, {0x90}, 1, {CODE + 1}, false},
	{L64, {0xf4}, 1, {CODE + 1}, false},
	{L64, {0xeb, 0xfe}, 1, {CODE}, false},
	{L64, {0xe9, 0xff, 0xef, 0xff, 0xff}, 1, {4}, false},
	{L64, {0xe9, 0, 0, 0, 0x80}, 1, {0xffffffff80001005}, false},
	{P32, {0xe9, 0, 0, 0, 0x80}, 1, {0x80001005}, false},
	{P32, {0x66, 0xe9, 0xf0, 0xff}, 1, {CODE + 4 - 16}, false},
	{R16, {0xe9, 0, 0xf0}, 1, {3}, false},
	{R16, {0xeb, 0x80}, 1, {CODE + 2 - 128}, false},
	{L64, {0x74, 0x10}, 2, {CODE + 2, CODE + 0x12}, false},
	{L64, {0x74, 0x00}, 1, {CODE + 2}, false},
	{L64, {0xe2, 0xfe}, 2, {CODE + 2, CODE}, false},
	{L64, {0xf3, 0xaa}, 2, {CODE + 2, CODE}, false},
	{L64, {0xaa}, 1, {CODE + 1}, false},
	{L64, {0xff, 0xe6}, 1, {0x600}, false},
	{L64, {0xff, 0x27}, 1, {0x5555}, false},
	{L64, {0xff, 0x17}, 1, {0x5555}, false},
	{L64, {0xff, 0x36}, 1, {CODE + 2}, false},
	{L64, {0xff, 0x24, 0x25, 0, 0, 0, 0x70}, 0, {0}, true},
	{L64, {0xe8, 0, 1, 0, 0}, 1, {CODE + 0x105}, false},
	{L64, {0xc3}, 1, {0x4444}, false},
	{P32, {0xc3}, 1, {0x4444}, false},
	{R16, {0xc3}, 1, {0x4444}, false},
	{L64, {0x48, 0xcb}, 1, {0x4444}, false},
	{P32, {0xcb}, 1, {0x4444}, false},
	{R16, {0xcb}, 1, {0x44c4}, false},
	{L64, {0x48, 0xcf}, 1, {0x4444}, false},
	{P32, {0xcf}, 1, {0x4444}, false},
	{R16, {0xcf}, 1, {0x44c4}, false},
	{L64, {0xcd, 0x21}, 1, {0x4321}, false},
	{P32, {0xcd, 0x21}, 1, {0x4321}, false},
	{P32, {0xcc}, 1, {0x4303}, false},
	{L64, {0xcd, 0x22}, 0, {0}, true},
	{P32, {0xce}, 1, {CODE + 1}, false},
	{L64, {0x0f, 0x05}, 1, {0x1111}, false},
	{C32, {0x0f, 0x05}, 1, {0x2222}, false},
	{P32, {0x0f, 0x34}, 1, {0x3333}, false},
	{L64, {0x48, 0x0f, 0x07}, 1, {0x100}, false},
	{L64, {0x48, 0x0f, 0x35}, 1, {0x200}, false},
	{R16, {0xea, 5, 0, 0, 0xf0}, 1, {0xf0005}, false},
	{V86M, {0xea, 5, 0, 0, 0xf0}, 1, {0xf0005}, false},
	{P32, {0xea, 0x10, 0, 0, 0, 0x18, 0}, 1, {0x10010}, false},
	{P32, {0xea, 0x10, 0, 0, 0, 0x20, 0}, 1, {0x123456}, false},
	{P32, {0xea, 0x10, 0, 0, 0, 0x10, 0}, 0, {0}, true},
	{P32, {0xea, 0x10, 0, 0, 0, 0x30, 0}, 0, {0}, true},
	{P32, {0xea, 0x10, 0, 0, 0, 0x00, 0}, 0, {0}, true},
	{P32, {0x9a, 0x10, 0, 0, 0, 0x18, 0}, 1, {0x10010}, false},
	{C32, {0xea, 0x10, 0, 0, 0, 8, 0}, 1, {0x10}, false},
	{L64, {0xff, 0x2f}, 1, {0x5555}, false},
	{L64, {0x0f, 0x0b}, 0, {0}, false},
	{L64, {0x0f, 0xaa}, 0, {0}, true},
};

static void prepare_leads(struct cpu_state *s, int mode)
{
	unsigned size = mode == L64 ? 8 : mode == R16 ? 2 : 4;

	put(STACK, 0x4444, size);
	put(STACK + size, 8, size);
	put(STACK + 2 * size, 2, size);
	put(DATA, 0x5555, 8);
	put(DATA + 4, 8, 2);
	s->general.gpr[GPR_RDI] = DATA;
	s->msrs.value[MSR_SLOT_LSTAR] = 0x1111;
	s->msrs.value[MSR_SLOT_CSTAR] = 0x2222;
	s->msrs.value[MSR_SLOT_SYSENTER_EIP] = 0x3333;
	memset(s->msrs.valid, 1, sizeof(s->msrs.valid));
}

static void test_successors(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		const struct lead *l = &leads[i];
		struct cpu_state s = state_in(l->mode);
		struct successors next;
		struct instruction insn;
		char text[100];

		prepare_leads(&s, l->mode);
		if (l->bytes[0] == 0xff && l->bytes[1] < 0x28)
			put(DATA + 4, 0, 2);
		assert_true(instruction_decode(&s, CODE, l->bytes, 15, &insn));
		instruction_text(&insn, text, sizeof(text));
		instruction_successors(&insn, &s, read_memory, NULL, &next);
		if (next.count != l->count || !next.unknown == l->unknown ||
		    memcmp(next.linear, l->linear, l->count * sizeof(uint64_t)))
			fail_msg("%s in mode %d: %u successors, first 0x%llx, %s", text, l->mode,
				 next.count, (unsigned long long)next.linear[0],
				 next.unknown ? next.unknown : "all");
	}
}

/* A code segment with a base, at its upper end: offsets wrap, not linear addresses. */
static void test_successors_in_a_segment(void **unused)
{
	struct cpu_state s = state_in(R16);
	struct instruction insn;
	struct successors next;

	(void)unused;
	cpu_segment_real(&s.system.seg[SEG_CS], 0xf000);
	assert_true(instruction_decode(&s, 0xfffff, (const uint8_t[]){0x90}, 1, &insn));
	assert_int_equal(insn.offset, 0xffff);
	instruction_successors(&insn, &s, read_memory, NULL, &next);
	assert_int_equal(next.linear[0], 0xf0000);
}

static void test_iret_to_v86_and_to_tasks(void **unused)
{
	struct cpu_state s = state_in(P32);
	struct instruction insn;
	struct successors next;

	(void)unused;
	prepare_leads(&s, P32);
	put(STACK + 4, 0x1000, 4);
	put(STACK + 8, RFLAGS_VM | 2, 4);
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0xcf}, 1, &insn));
	instruction_successors(&insn, &s, read_memory, NULL, &next);
	assert_int_equal(next.count, 1);
	assert_int_equal(next.linear[0], 0x10000 + 0x4444);
	s.general.rflags |= 1u << 14;
	instruction_successors(&insn, &s, read_memory, NULL, &next);
	assert_int_equal(next.count, 0);
	assert_non_null(next.unknown);
}

/* ---- conditions -------------------------------------------------------------------------- */

enum { CF = 1, PF = 4, ZF = 0x40, SF = 0x80, OF = 0x800 };

static const struct {
	uint8_t opcode;
	uint64_t flags, rcx;
	bool taken;
} conditions[] = {
	{0x70, OF, 0, true},	   {0x70, 0, 0, false},	     {0x71, 0, 0, true},
	{0x72, CF, 0, true},	   {0x73, CF, 0, false},     {0x74, ZF, 0, true},
	{0x75, ZF, 0, false},	   {0x76, ZF, 0, true},	     {0x76, CF, 0, true},
	{0x77, CF, 0, false},	   {0x77, 0, 0, true},	     {0x78, SF, 0, true},
	{0x7a, PF, 0, true},	   {0x7b, PF, 0, false},     {0x7c, SF, 0, true},
	{0x7c, SF | OF, 0, false}, {0x7d, SF | OF, 0, true}, {0x7e, ZF, 0, true},
	{0x7e, OF, 0, true},	   {0x7f, 0, 0, true},	     {0x7f, ZF, 0, false},
	{0xe2, 0, 2, true},	   {0xe2, 0, 1, false},	     {0xe2, 0, 0, true},
	{0xe1, ZF, 2, true},	   {0xe1, 0, 2, false},	     {0xe0, ZF, 2, false},
	{0xe0, 0, 2, true},	   {0xe3, 0, 0, true},	     {0xe3, 0, 1, false},
};

static void test_conditions(void **unused)
{
	struct cpu_state s = state_in(L64);
	struct instruction insn;

	(void)unused;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		const uint8_t bytes[] = {conditions[i].opcode, 0x10};

		assert_true(instruction_decode(&s, CODE, bytes, 2, &insn));
		s.general.rflags = conditions[i].flags;
		s.general.gpr[GPR_RCX] = conditions[i].rcx;
		if (instruction_taken(&insn, &s) != (conditions[i].taken ? TAKEN_YES : TAKEN_NO))
			fail_msg("opcode %02x, flags %llx, rcx %llu", bytes[0],
				 (unsigned long long)conditions[i].flags,
				 (unsigned long long)conditions[i].rcx);
	}
	s.general.gpr[GPR_RCX] = 1ull << 32;
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0x67, 0xe3, 0}, 3, &insn));
	assert_int_equal(instruction_taken(&insn, &s), TAKEN_YES);
	assert_true(
		instruction_decode(&s, CODE, (const uint8_t[]){0x0f, 0x84, 0, 0, 0, 0}, 6, &insn));
	s.general.rflags = ZF;
	assert_int_equal(instruction_taken(&insn, &s), TAKEN_YES);
	assert_true(
		instruction_decode(&s, CODE, (const uint8_t[]){0xc7, 0xf8, 0, 0, 0, 0}, 6, &insn));
	assert_int_equal(insn.kind, INSN_BRANCH);
	assert_int_equal(instruction_taken(&insn, &s), TAKEN_UNKNOWN);
}

/* ---- backwards --------------------------------------------------------------------------- */

static bool writes_memory(void *ctx, const struct instruction *insn)
{
	(void)ctx;
	return insn->writes;
}

/* 48 89 07 is also 89 07 and, behind another byte, more: only what comes before tells. */
static void test_backwards(void **unused)
{
	static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xb8, 0x48,
				       0x00, 0x00, 0x00, 0x48, 0x89, 0x07, 0x48, 0x83, 0xc7, 0x08};
	struct cpu_state s = state_in(L64);
	struct instruction insn = {0};

	(void)unused;
	memset(memory + CODE - 0x40, 0x90, 0x40);
	memcpy(memory + CODE, code, sizeof(code));
	assert_true(instruction_ends_at(&s, CODE + 16, read_memory, NULL, writes_memory, NULL,
					&insn) > 1);
	assert_int_equal(insn.linear, CODE + 13);
	assert_int_equal(insn.length, 3);
	assert_true(instruction_ends_at(&s, CODE + 20, read_memory, NULL, NULL, NULL, &insn));
	assert_int_equal(insn.linear, CODE + 16);
	assert_int_equal(
		instruction_ends_at(&s, CODE + 13, read_memory, NULL, writes_memory, NULL, &insn),
		2);
	hole = CODE - 1;
	assert_true(instruction_ends_at(&s, CODE + 4, read_memory, NULL, NULL, NULL, &insn));
	assert_int_equal(insn.linear, CODE + 1);
	hole = CODE;
	assert_int_equal(instruction_ends_at(&s, CODE + 4, read_memory, NULL, NULL, NULL, &insn),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_successors),
		cmocka_unit_test(test_successors_in_a_segment),
		cmocka_unit_test(test_iret_to_v86_and_to_tasks),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_backwards),
	};

	return cmocka_run_group_tests_name("instruction flow", tests, NULL, NULL);
}
