// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Locked instructions computed anew. The host's own processor is the judge: each instruction is executed on
 * one value, which is what KVM has read, then computed anew for another, and must come out as if the
 * processor had executed it on that other value from the start.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/locked.h"
#include "x86/mode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARITHMETIC 0x8d5ull /* CF, PF, AF, ZF, SF, OF */
#define CF	   1ull
#define ROUNDS	   400

/* The operand is at (%rdi). */
static const struct sample {
	const char *what;
	uint8_t code[10];
	uint8_t length, size;
	uint64_t flags; /* that the manuals define */
} samples[] = {
	// clang-format off
	{"lock addb %cl",      {0xf0, 0x00, 0x0f}, 3, 1, ARITHMETIC},
	{"lock addw %cx",      {0x66, 0xf0, 0x01, 0x0f}, 4, 2, ARITHMETIC},
	{"lock addl %ecx",     {0xf0, 0x01, 0x0f}, 3, 4, ARITHMETIC},
	{"lock addq %rcx",     {0xf0, 0x48, 0x01, 0x0f}, 4, 8, ARITHMETIC},
	{"lock addq $-3",      {0xf0, 0x48, 0x83, 0x07, 0xfd}, 5, 8, ARITHMETIC},
	{"lock addl $imm",     {0xf0, 0x81, 0x07, 0x78, 0x56, 0x34, 0x92}, 7, 4, ARITHMETIC},
	{"lock addb %ch",      {0xf0, 0x00, 0x2f}, 3, 1, ARITHMETIC},
	{"lock addb %r9b",     {0xf0, 0x44, 0x00, 0x0f}, 4, 1, ARITHMETIC},
	{"lock subq %rdx",     {0xf0, 0x48, 0x29, 0x17}, 4, 8, ARITHMETIC},
	{"lock subb $5",       {0xf0, 0x80, 0x2f, 0x05}, 4, 1, ARITHMETIC},
	{"lock orl %ecx",      {0xf0, 0x09, 0x0f}, 3, 4, ARITHMETIC & ~0x10ull},
	{"lock andq $0xf0",    {0xf0, 0x48, 0x81, 0x27, 0xf0, 0, 0, 0}, 8, 8, ARITHMETIC & ~0x10ull},
	{"lock xorw %r10w",    {0xf0, 0x66, 0x44, 0x31, 0x17}, 5, 2, ARITHMETIC & ~0x10ull},
	{"lock incq",          {0xf0, 0x48, 0xff, 0x07}, 4, 8, ARITHMETIC},
	{"lock incb",          {0xf0, 0xfe, 0x07}, 3, 1, ARITHMETIC},
	{"lock decl",          {0xf0, 0xff, 0x0f}, 3, 4, ARITHMETIC},
	{"lock negl",          {0xf0, 0xf7, 0x1f}, 3, 4, ARITHMETIC},
	{"lock notq",          {0xf0, 0x48, 0xf7, 0x17}, 4, 8, ARITHMETIC},
	{"lock xaddq %rcx",    {0xf0, 0x48, 0x0f, 0xc1, 0x0f}, 5, 8, ARITHMETIC},
	{"lock xaddl %edx",    {0xf0, 0x0f, 0xc1, 0x17}, 4, 4, ARITHMETIC},
	{"lock xaddb %ah",     {0xf0, 0x0f, 0xc0, 0x27}, 4, 1, ARITHMETIC},
	{"xchgq %rcx",         {0x48, 0x87, 0x0f}, 3, 8, ARITHMETIC},
	{"xchgl %r9d",         {0x44, 0x87, 0x0f}, 3, 4, ARITHMETIC},
	{"xchgb %cl",          {0x86, 0x0f}, 2, 1, ARITHMETIC},
	{"lock btsq %rcx",     {0xf0, 0x48, 0x0f, 0xab, 0x0f}, 5, 8, CF},
	{"lock btsl $7",       {0xf0, 0x0f, 0xba, 0x2f, 0x07}, 5, 4, CF},
	{"lock btrw $9",       {0x66, 0xf0, 0x0f, 0xba, 0x37, 0x09}, 6, 2, CF},
	{"lock btcq $63",      {0xf0, 0x48, 0x0f, 0xba, 0x3f, 0x3f}, 6, 8, CF},
	// clang-format on
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* ---- the judge --------------------------------------------------------------------------- */

struct native {
	uint64_t gpr[16], flags;
};

static uint8_t *code_page;

static void native_run(const uint8_t *code, size_t length, struct native *n)
{
	uint64_t flags = n->flags;

	memcpy(code_page, code, length);
	code_page[length] = 0xc3;
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %[flags]\n\t"
			 "popfq\n\t"
			 "call *%[code]\n\t"
			 "pushfq\n\t"
			 "pop %[flags]\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "+a"(n->gpr[GPR_RAX]), "+b"(n->gpr[GPR_RBX]), "+c"(n->gpr[GPR_RCX]),
			   "+d"(n->gpr[GPR_RDX]), [flags] "+S"(flags)
			 : "D"(n->gpr[GPR_RDI]), [code] "m"(code_page)
			 : "memory", "cc", "r8", "r11");
	n->flags = flags;
}

/* Extended registers are moved by the code itself: r9 and r10 are loaded from rbx. */
static void native_exec(const struct sample *s, struct native *n)
{
	uint8_t code[40] = {0x41, 0x51, 0x41, 0x52, 0x49, 0x89, 0xd9, 0x49, 0x89, 0xda};
	const uint8_t after[] = {0x4c, 0x89, 0xcb, 0x41, 0x5a, 0x41, 0x59};
	size_t length = 10;

	memcpy(code + length, s->code, s->length);
	length += s->length;
	memcpy(code + length, after, sizeof(after)); /* rbx = r9 */
	native_run(code, length + sizeof(after), n);
}

/* ---- the comparison ---------------------------------------------------------------------- */

static uint64_t random64(void)
{
	uint64_t value = 0;

	for (int i = 0; i < 5; i++)
		value = value << 15 ^ (uint64_t)rand();
	return rand() % 4 ? value : value & 0x80000000000000ffull;
}

static struct cpu_state state_of(const struct native *n)
{
	struct cpu_state state = {0};

	cpu_state_reset(&state, true);
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS,
				 i == SEG_CS ? 64 : 32);
	state.system.cr0 |= CR0_PE | CR0_PG;
	state.system.efer = EFER_LME | EFER_LMA;
	memcpy(state.general.gpr, n->gpr, sizeof(n->gpr));
	state.general.gpr[GPR_R9] = state.general.gpr[GPR_R10] = n->gpr[GPR_RBX];
	state.general.rflags = n->flags;
	return state;
}

static struct instruction decoded(const struct sample *s, const struct cpu_state *state)
{
	struct instruction insn;

	assert_true(instruction_decode(state, 0x1000, s->code, s->length, &insn));
	assert_int_equal(insn.length, s->length);
	return insn;
}

static uint64_t run_on(const struct sample *s, struct native *n, uint64_t value)
{
	static uint64_t memory;

	memory = value;
	n->gpr[GPR_RDI] = (uint64_t)&memory;
	native_exec(s, n);
	n->gpr[GPR_RDI] = 0;
	return s->size == 8 ? memory : memory & ((1ull << 8 * s->size) - 1);
}

static void compare_registers(const struct sample *s, const struct cpu_state *state,
			      const struct native *want)
{
	const struct cpu_state wanted = state_of(want);

	for (int i = 0; i < GPR_RBX; i++) /* the judge uses rbx to carry r9 */
		if (state->general.gpr[i] != wanted.general.gpr[i])
			fail_msg("%s: register %d is %llx, not %llx", s->what, i,
				 (unsigned long long)state->general.gpr[i],
				 (unsigned long long)wanted.general.gpr[i]);
	if (state->general.gpr[GPR_R9] != want->gpr[GPR_RBX])
		fail_msg("%s: r9 is wrong", s->what);
	if ((state->general.rflags ^ want->flags) & s->flags)
		fail_msg("%s: flags are %llx, not %llx", s->what,
			 (unsigned long long)state->general.rflags,
			 (unsigned long long)want->flags);
}

static uint64_t sized(const struct sample *s, uint64_t value)
{
	return s->size == 8 ? value : value & ((1ull << 8 * s->size) - 1);
}

/* before: registers; kvm: what KVM read; now: what is there. */
static void check(const struct sample *s, const struct native *before, uint64_t kvm, uint64_t now,
		  bool writes)
{
	struct native first = *before, second = *before;
	uint64_t given = run_on(s, &first, kvm), want = run_on(s, &second, now);
	struct cpu_state state;
	struct instruction insn;
	struct locked_result result;

	first.gpr[GPR_RDI] = second.gpr[GPR_RDI] = 0x5000;
	state = state_of(&first);
	insn = decoded(s, &state);
	assert_true(locked_known(&insn));
	assert_true(locked_redo(&insn, &state, given, sized(s, now), &result));
	assert_int_equal(result.writes, writes);
	if (writes && result.data != want)
		fail_msg("%s: wrote %llx, not %llx", s->what, (unsigned long long)result.data,
			 (unsigned long long)want);
	compare_registers(s, &state, &second);
}

static struct native random_native(void)
{
	struct native n = {.flags = 2 | (random64() & ARITHMETIC)};

	for (int i = 0; i <= GPR_RBX; i++)
		n.gpr[i] = random64();
	/* bts with a register addresses memory by it: stay in the operand. */
	n.gpr[GPR_RCX] &= rand() % 2 ? ~0ull : 0x3f;
	return n;
}

static void every_operation_as_if_executed_now(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < SAMPLES; i++)
		for (unsigned round = 0; round < ROUNDS; round++) {
			struct native n = random_native();

			if (strstr(samples[i].what, "btsq %rcx"))
				n.gpr[GPR_RCX] &= 0x3f;
			check(&samples[i], &n, random64(), random64(), true);
		}
}

/* Where nobody has written in between everything stays as KVM has it, also what it began with a carry. */
static void without_contention_nothing_changes(void **unused)
{
	static const struct sample carries[] = {
		{"lock adcq %rcx", {0xf0, 0x48, 0x11, 0x0f}, 4, 8, ARITHMETIC},
		{"lock sbbl %ecx", {0xf0, 0x19, 0x0f}, 3, 4, ARITHMETIC},
		{"lock adcb $1", {0xf0, 0x80, 0x17, 0x01}, 4, 1, ARITHMETIC},
	};

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t value = random64();
		struct native n = random_native();

		for (unsigned i = 0; i < 3; i++)
			check(&carries[i], &n, value, value, true);
		n.gpr[GPR_RCX] &= 0x3f;
		for (unsigned i = 0; i < SAMPLES; i++)
			check(&samples[i], &n, value, value, true);
	}
}

static const struct sample cmpxchg[] = {
	{"lock cmpxchgq %rcx", {0xf0, 0x48, 0x0f, 0xb1, 0x0f}, 5, 8, ARITHMETIC},
	{"lock cmpxchgl %edx", {0xf0, 0x0f, 0xb1, 0x17}, 4, 4, ARITHMETIC},
	{"lock cmpxchgw %dx", {0x66, 0xf0, 0x0f, 0xb1, 0x17}, 5, 2, ARITHMETIC},
	{"lock cmpxchgb %cl", {0xf0, 0x0f, 0xb0, 0x0f}, 4, 1, ARITHMETIC},
};

/* It succeeded for KVM. Now it does, or it does not. */
static void a_successful_comparison_is_made_again(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < 4; i++) {
			struct native n = random_native();
			uint64_t old = n.gpr[GPR_RAX], other = old ^ (1ull << rand() % 8);

			check(&cmpxchg[i], &n, old, old, true);
			check(&cmpxchg[i], &n, old, other, false);
		}
}

/* It failed when it read: it is over, and writing back what was read would undo what others wrote. */
static void a_failed_comparison_writes_nothing(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct native n = random_native();
		uint64_t memory = n.gpr[GPR_RAX] ^ 1, read = memory;
		struct cpu_state state, before;
		struct instruction insn;
		struct locked_result result;

		n.gpr[GPR_RDI] = (uint64_t)&memory;
		native_exec(&cmpxchg[i], &n);
		state = before = state_of(&n);
		insn = decoded(&cmpxchg[i], &state);
		assert_true(locked_redo(&insn, &state, read, read ^ 8, &result));
		assert_false(result.writes);
		assert_false(result.registers);
		assert_memory_equal(&state, &before, sizeof(state));
	}
}

static void cmpxchg8b_too(void **unused)
{
	static const struct sample s = {"lock cmpxchg8b", {0xf0, 0x0f, 0xc7, 0x0f}, 4, 8, 1 << 6};

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct native n = random_native();
		uint64_t old;

		n.gpr[GPR_RAX] &= 0xffffffff;
		n.gpr[GPR_RDX] &= 0xffffffff;
		old = n.gpr[GPR_RAX] | n.gpr[GPR_RDX] << 32;
		check(&s, &n, old, old, true);
		check(&s, &n, old, old ^ (1ull << 40), false);
		check(&s, &n, old, old ^ 1, false);
	}
}

static void others_are_refused(void **unused)
{
	static const struct sample others[] = {
		{"movq %rcx", {0x48, 0x89, 0x0f}, 3, 8, 0},
		{"incq", {0x48, 0xff, 0x07}, 3, 8, 0},
		{"xchg %rcx,%rdx", {0x48, 0x87, 0xca}, 3, 8, 0},
		{"lock cmpxchg16b", {0xf0, 0x48, 0x0f, 0xc7, 0x0f}, 5, 8, 0},
	};
	struct native n = random_native();

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct cpu_state state = state_of(&n), before = state;
		struct instruction insn = decoded(&others[i], &state);
		struct locked_result result;

		assert_false(locked_known(&insn));
		assert_false(locked_redo(&insn, &state, 1, 2, &result));
		assert_memory_equal(&state, &before, sizeof(state));
	}
}

static int make_code_page(void **unused)
{
	(void)unused;
	srand(4);
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code_page == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_as_if_executed_now),
		cmocka_unit_test(without_contention_nothing_changes),
		cmocka_unit_test(a_successful_comparison_is_made_again),
		cmocka_unit_test(a_failed_comparison_writes_nothing),
		cmocka_unit_test(cmpxchg8b_too),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, make_code_page, NULL);
}
