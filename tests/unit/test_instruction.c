// SPDX-License-Identifier: GPL-3.0-or-later
/* Instructions as the debugger needs to know them: real encodings, in all modes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/instruction.h"

#include "instruction_case.h"
#include "x86/exceptions.h"

#include <stdio.h>
#include <string.h>

/* ---- what it is -------------------------------------------------------------------------- */

struct what {
	int mode;
	uint8_t bytes[15], length;
	enum instruction_kind kind;
	const char *flags; /* r, w: memory; l: lock; u: memory_unknown; p: repeat; s: simd */
	const char *text;
};

static const struct what whats[] = {
	{L64, {0x90}, 1, INSN_PLAIN, "", "nop"},
	{L64, {0x48, 0x89, 0x47, 0x10}, 4, INSN_PLAIN, "w", "mov %rax, 0x10(%rdi)"},
	{L64, {0x48, 0x8b, 0x05, 0x34, 0x12, 0, 0}, 7, INSN_PLAIN, "r", "mov 0x1234(%rip), %rax"},
	{L64, {0x48, 0x8d, 0x47, 0x10}, 4, INSN_PLAIN, "", "lea 0x10(%rdi), %rax"},
	{L64, {0x0f, 0x1f, 0x00}, 3, INSN_PLAIN, "", "nop %eax, (%rax)"},
	{L64, {0x0f, 0x18, 0x0f}, 3, INSN_PLAIN, "", "prefetcht0 (%rdi)"},
	{L64, {0x0f, 0x01, 0x3f}, 3, INSN_PLAIN, "", "invlpg (%rdi)"},
	{L64, {0xf0, 0x01, 0x07}, 3, INSN_PLAIN, "rwl", "lock add %eax, (%rdi)"},
	{L64, {0x87, 0x07}, 2, INSN_PLAIN, "rwl", "xchg %eax, (%rdi)"},
	{L64, {0x87, 0xc7}, 2, INSN_PLAIN, "", "xchg %eax, %edi"},
	{L64, {0xeb, 0xfe}, 2, INSN_JUMP, "", "jmp 0x1000"},
	{L64, {0xe9, 0, 1, 0, 0}, 5, INSN_JUMP, "", "jmp 0x1105"},
	{R16, {0xe9, 0xfd, 0xef}, 3, INSN_JUMP, "", "jmp 0x0"},
	{L64, {0x74, 2}, 2, INSN_BRANCH, "", "jz 0x1004"},
	{P32, {0x0f, 0x85, 0, 1, 0, 0}, 6, INSN_BRANCH, "", "jnz 0x1106"},
	{L64, {0xe2, 0xfe}, 2, INSN_BRANCH, "", "loop 0x1000"},
	{P32, {0xe3, 0}, 2, INSN_BRANCH, "", "jecxz 0x1002"},
	{L64, {0xff, 0xe0}, 2, INSN_JUMP_INDIRECT, "", "jmp %rax"},
	{L64, {0xff, 0x27}, 2, INSN_JUMP_INDIRECT, "r", "jmp (%rdi)"},
	{L64, {0xff, 0x2f}, 2, INSN_JUMP_FAR, "ru", "ljmp (%rdi)"},
	{R16, {0xea, 5, 0, 0, 0xf0}, 5, INSN_JUMP_FAR, "u", "ljmp 0xf000:0x0005"},
	{L64, {0xe8, 0, 0, 0, 0}, 5, INSN_CALL, "w", "call 0x1005"},
	{L64, {0xff, 0xd0}, 2, INSN_CALL_INDIRECT, "w", "call %rax"},
	{L64, {0xff, 0x17}, 2, INSN_CALL_INDIRECT, "rw", "call (%rdi)"},
	{P32, {0x9a, 0, 0, 0, 0, 8, 0}, 7, INSN_CALL_FAR, "wu", "lcall 0x0008:0x00000000"},
	{L64, {0xc3}, 1, INSN_RET, "r", "ret"},
	{L64, {0xf3, 0xc3}, 2, INSN_RET, "r", "ret"},
	{R16, {0xc2, 4, 0}, 3, INSN_RET, "r", "ret $0x4"},
	{L64, {0x48, 0xcb}, 2, INSN_RET_FAR, "ru", "lret"},
	{L64, {0xcd, 0x80}, 2, INSN_INT, "u", "int $0x80"},
	{P32, {0xcc}, 1, INSN_INT3, "u", "int3"},
	{P32, {0xce}, 1, INSN_INTO, "u", "into"},
	{P32, {0xf1}, 1, INSN_INT1, "u", "int1"},
	{L64, {0x48, 0xcf}, 2, INSN_IRET, "ru", "iretq"},
	{R16, {0xcf}, 1, INSN_IRET, "ru", "iret"},
	{L64, {0x0f, 0x05}, 2, INSN_SYSCALL, "", "syscall"},
	{L64, {0x48, 0x0f, 0x07}, 3, INSN_SYSRET, "", "sysret"},
	{P32, {0x0f, 0x34}, 2, INSN_SYSENTER, "", "sysenter"},
	{L64, {0x48, 0x0f, 0x35}, 3, INSN_SYSEXIT, "", "sysexit"},
	{L64, {0x0f, 0x01, 0xc1}, 3, INSN_HYPERCALL, "u", "vmcall"},
	{L64, {0x0f, 0x0b}, 2, INSN_UNDEFINED, "", "ud2"},
	{L64, {0xf4}, 1, INSN_HLT, "", "hlt"},
	{L64, {0xe4, 0x60}, 2, INSN_IO, "", "in $0x60, %al"},
	{L64, {0xee}, 1, INSN_IO, "", "out %al, %dx"},
	{L64, {0xf3, 0xa4}, 2, INSN_STRING, "rwp", "rep movsb"},
	{L64, {0xaa}, 1, INSN_STRING, "w", "stosb"},
	{L64, {0xf2, 0xae}, 2, INSN_STRING, "rp", "repne scasb"},
	{L64, {0x6c}, 1, INSN_IO_STRING, "w", "insb"},
	{L64, {0xf3, 0x6e}, 2, INSN_IO_STRING, "rp", "rep outsb"},
	{L64, {0x9c}, 1, INSN_PUSHF, "w", "pushfq"},
	{P32, {0x66, 0x9d}, 2, INSN_POPF, "r", "popf"},
	{P32, {0xfa}, 1, INSN_CLI, "", "cli"},
	{P32, {0xfb}, 1, INSN_STI, "", "sti"},
	{L64, {0x8e, 0xd0}, 2, INSN_MOV_SS, "u", "mov %ax, %ss"},
	{L64, {0x8c, 0xd0}, 2, INSN_PLAIN, "", "mov %ss, %eax"},
	{L64, {0x8e, 0xd8}, 2, INSN_PLAIN, "", "mov %ax, %ds"},
	{P32, {0x17}, 1, INSN_POP_SS, "ru", "pop %ss"},
	{P32, {0x0f, 0xb2, 0x07}, 3, INSN_PLAIN, "ru", "lss (%edi), %eax"},
	{L64, {0x0f, 0xa2}, 2, INSN_CPUID, "", "cpuid"},
	{L64, {0x0f, 0x32}, 2, INSN_RDMSR, "", "rdmsr"},
	{L64, {0x0f, 0x30}, 2, INSN_WRMSR, "", "wrmsr"},
	{L64, {0x0f, 0x22, 0xc0}, 3, INSN_MOV_CR, "", "mov %rax, %cr0"},
	{L64, {0x0f, 0x20, 0xd8}, 3, INSN_MOV_CR, "", "mov %cr3, %rax"},
	{L64, {0x0f, 0x23, 0xf8}, 3, INSN_MOV_DR, "", "mov %rax, %dr7"},
	{L64, {0x0f, 0x01, 0x17}, 3, INSN_LGDT, "r", "lgdt (%rdi)"},
	{R16, {0x0f, 0x01, 0x1f}, 3, INSN_LIDT, "r", "lidt (%bx)"},
	{L64, {0x48, 0x0f, 0xc7, 0x0f}, 4, INSN_PLAIN, "rw", "cmpxchg16b (%rdi)"},
	{L64, {0x0f, 0x28, 0xc1}, 3, INSN_PLAIN, "s", "movaps %xmm1, %xmm0"},
	{L64, {0xc5, 0xf8, 0x77}, 3, INSN_PLAIN, "s", "vzeroupper"},
	{L64, {0xd9, 0xe8}, 2, INSN_PLAIN, "s", "fld1"},
	{L64, {0x0f, 0xae, 0x2f}, 3, INSN_PLAIN, "rus", "xrstor (%rdi)"},
	{P16, {0x66, 0xb8, 1, 0, 0, 0}, 6, INSN_PLAIN, "", "mov $0x1, %eax"},
	{P32, {0x66, 0xb8, 1, 0}, 4, INSN_PLAIN, "", "mov $0x1, %ax"},
	{C32, {0x40}, 1, INSN_PLAIN, "", "inc %eax"},
	{V86M, {0xcd, 0x10}, 2, INSN_INT, "u", "int $0x10"},
};

static void flags_text(const struct instruction *insn, char text[8])
{
	snprintf(text, 8, "%s%s%s%s%s%s", insn->reads ? "r" : "", insn->writes ? "w" : "",
		 insn->lock ? "l" : "", insn->memory_unknown ? "u" : "", insn->repeat ? "p" : "",
		 insn->simd ? "s" : "");
}

static void test_what_it_is(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		const struct what *w = &whats[i];
		struct cpu_state s = state_in(w->mode);
		struct instruction insn;
		char text[100], flags[8];

		assert_true(instruction_decode(&s, CODE, w->bytes, 15, &insn));
		instruction_text(&insn, text, sizeof(text));
		flags_text(&insn, flags);
		if (strcmp(text, w->text) || insn.length != w->length || insn.kind != w->kind ||
		    strcmp(flags, w->flags))
			fail_msg("'%s', %u bytes, %s, '%s'; not '%s', %u, %s, '%s'", text,
				 insn.length, instruction_kind_name(insn.kind), flags, w->text,
				 w->length, instruction_kind_name(w->kind), w->flags);
		assert_false(instruction_decode(&s, CODE, w->bytes, w->length - 1u, &insn) &&
			     insn.length >= w->length);
	}
}

static const struct {
	uint8_t bytes[8];
	bool simple;
} simples[] = {
	{{0x01, 0xd8}, true},
	{{0x89, 0x07}, true},
	{{0x50}, true},
	{{0xe8}, true},
	{{0xc3}, true},
	{{0x48, 0x8d, 0x07}, true},
	{{0xf0, 0x01, 0x07}, true},
	{{0xf7, 0xf1}, false},
	{{0xf7, 0xf9}, false},
	{{0x8e, 0xd8}, false},
	{{0x0f, 0xa1}, false},
	{{0x0f, 0x28, 0xc1}, false},
	{{0x48, 0x0f, 0xc7, 0x0f}, false},
	{{0xf4}, false},
	{{0xfb}, false},
	{{0x0f, 0x0b}, false},
	{{0x0f, 0x32}, false},
	{{0x48, 0xcb}, false},
	{{0xcc}, false},
	{{0x0f, 0x22, 0xc0}, false},
	{{0x9d}, false},
};

/* div may fault by itself, add only by its operand. */
static void test_what_can_fault(void **unused)
{
	struct cpu_state s = state_in(L64);
	struct instruction insn;

	(void)unused;
	for (size_t i = 0; i < sizeof(simples) / sizeof(simples[0]); i++) {
		assert_true(instruction_decode(&s, CODE, simples[i].bytes, 8, &insn));
		if (insn.simple != simples[i].simple)
			fail_msg("%02x %02x", simples[i].bytes[0], simples[i].bytes[1]);
	}
}

static void test_every_kind_has_a_name(void **unused)
{
	(void)unused;
	for (enum instruction_kind kind = 0; kind < INSN_KIND_COUNT; kind++)
		assert_non_null(instruction_kind_name(kind));
}

static void test_no_instruction(void **unused)
{
	static const uint8_t bad[] = {0x06}; /* push %es */
	struct cpu_state s = state_in(L64);
	struct instruction insn;
	char text[20];

	(void)unused;
	assert_false(instruction_decode(&s, CODE, bad, 1, &insn));
	assert_int_equal(insn.kind, INSN_INVALID);
	assert_int_equal(insn.length, 1);
	instruction_text(&insn, text, sizeof(text));
	assert_string_equal(text, "(bad)");
	s = state_in(P32);
	assert_true(instruction_decode(&s, CODE, bad, 1, &insn));
}

/* An instruction that ends with its page, the next one missing; and one that would go on there. */
static void test_fetch_at_a_hole(void **unused)
{
	struct cpu_state s = state_in(L64);
	struct instruction insn;

	(void)unused;
	hole = 0x2000;
	memcpy(memory + 0x1ffe, "\xeb\xfe", 2);
	assert_true(instruction_fetch(&s, 0x1ffe, read_memory, NULL, &insn));
	assert_int_equal(insn.kind, INSN_JUMP);
	memory[0x1fff] = 0xe9;
	assert_false(instruction_fetch(&s, 0x1fff, read_memory, NULL, &insn));
	assert_false(instruction_fetch(&s, 0x2000, read_memory, NULL, &insn));
}

/* ---- anything at all --------------------------------------------------------------------- */

/* Bytes that nobody chose, in every mode: answers within their bounds. */
static void test_random_bytes(void **unused)
{
	unsigned seed = 1;

	(void)unused;
	for (unsigned n = 0; n < 18000; n++) {
		struct instruction_access access[INSTRUCTION_MAX_MEMORY] = {0};
		struct cpu_state s;
		struct instruction insn;
		struct successors next;
		uint8_t bytes[15];
		char text[100];

		if (n % 3000 == 0)
			s = state_in((int)(n / 3000));
		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		memcpy(memory + CODE, bytes, sizeof(bytes));
		instruction_decode(&s, CODE, bytes, sizeof(bytes), &insn);
		assert_in_range(insn.length, 1, 15);
		instruction_text(&insn, text, sizeof(text));
		assert_true(text[0]);
		assert_true(instruction_memory(&insn, &s, access) <= INSTRUCTION_MAX_MEMORY);
		instruction_successors(&insn, &s, read_memory, NULL, &next);
		assert_true(next.count <= INSTRUCTION_MAX_SUCCESSORS);
		assert_true(next.count || next.unknown || insn.kind == INSN_INVALID ||
			    insn.kind == INSN_UNDEFINED);
		instruction_ends_at(&s, CODE + 15, read_memory, NULL, NULL, NULL, &insn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_is),
		cmocka_unit_test(test_every_kind_has_a_name),
		cmocka_unit_test(test_what_can_fault),
		cmocka_unit_test(test_no_instruction),
		cmocka_unit_test(test_fetch_at_a_hole),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests_name("instructions", tests, NULL, NULL);
}
