// SPDX-License-Identifier: GPL-3.0-or-later
/* Instructions as the debugger needs to know them: real encodings, in all modes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/instruction.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <stdio.h>
#include <string.h>

#define CODE  0x1000u
#define STACK 0x2000u
#define DATA  0x2800u
#define IDT   0x3000u
#define GDT   0x3800u
#define SIZE  0x5000u

enum { R16, P16, P32, C32, L64, V86M };

static uint8_t memory[SIZE];
static uint64_t hole = ~0ull; /* the page of this address is missing */

static bool read_memory(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx;
	if (linear + len > sizeof(memory) || linear + len < len)
		return false;
	if (linear >> 12 <= hole >> 12 && (linear + len - 1) >> 12 >= hole >> 12)
		return false;
	memcpy(buf, memory + linear, len);
	return true;
}

static void put(uint64_t at, uint64_t value, size_t size)
{
	memcpy(memory + at, &value, size);
}

static void descriptor(unsigned index, uint32_t base, uint8_t attributes, uint8_t flags)
{
	const uint8_t d[8] = {0xff,
			      0xff,
			      (uint8_t)base,
			      (uint8_t)(base >> 8),
			      (uint8_t)(base >> 16),
			      attributes,
			      flags | 0xf,
			      (uint8_t)(base >> 24)};

	memcpy(memory + GDT + index * 8, d, sizeof(d));
}

static void gate(uint64_t at, uint16_t selector, uint64_t offset, uint8_t attributes)
{
	put(at, offset & 0xffff, 2);
	put(at + 2, selector, 2);
	put(at + 4, (uint64_t)attributes << 8, 2);
	put(at + 6, offset >> 16, 2);
	put(at + 8, offset >> 32, 4);
}

/* GDT: 1 code of the mode's size, 2 data, 3 code with a base, 4 call gate, 6 task state. */
static void tables(bool wide)
{
	memset(memory, 0, sizeof(memory));
	descriptor(1, 0, 0x9b, wide ? 0xa0 : 0xc0);
	descriptor(2, 0, 0x93, 0xc0);
	descriptor(3, 0x10000, 0x9b, 0xc0);
	gate(GDT + 4 * 8, 8, 0x123456, 0x8c);
	descriptor(6, 0x500, 0x89, 0);
	gate(IDT + 0x21 * (wide ? 16 : 8), 8, 0x4321, 0x8e);
	gate(IDT + VECTOR_BP * (wide ? 16 : 8), 8, 0x4303, 0x8e);
}

static struct cpu_state state_in(int mode)
{
	static const unsigned bits[] = {
		[R16] = 16, [P16] = 16, [P32] = 32, [C32] = 32, [L64] = 64, [V86M] = 16};
	struct cpu_state s = {0};

	cpu_state_reset(&s, true);
	hole = ~0ull;
	for (int i = 0; i < 6; i++)
		if (mode == R16 || mode == V86M)
			cpu_segment_real(&s.system.seg[i], 0);
		else
			cpu_segment_flat(&s.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS,
					 bits[mode]);
	if (mode != R16)
		s.system.cr0 |= CR0_PE;
	if (mode == V86M)
		s.general.rflags |= RFLAGS_VM;
	if (mode == L64 || mode == C32)
		s.system.efer = EFER_LME | EFER_LMA;
	tables(mode == L64 || mode == C32);
	s.system.idt = (struct cpu_table){.base = mode == R16 ? 0 : IDT, .limit = 0x7ff};
	s.system.gdt = (struct cpu_table){.base = GDT, .limit = 0x3f};
	s.general.rip = CODE;
	for (int i = 0; i < GPR_COUNT; i++)
		s.general.gpr[i] = 0x100u * (unsigned)i;
	s.general.gpr[GPR_RSP] = STACK;
	return s;
}

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

/* ---- memory ------------------------------------------------------------------------------ */

struct touch {
	int mode;
	uint8_t bytes[15];
	uint64_t linear;
	uint32_t size;
	const char *how; /* r, w, rw */
};

/* Registers: number * 0x100, so RDI 0x700, RBX 0x300, RSI 0x600; FS and GS have bases 0xf000, 0xe000. */
static const struct touch touches[] = {
	{L64, {0x48, 0x89, 0x47, 0x10}, 0x710, 8, "w"},
	{L64, {0x89, 0x44, 0xb3, 0xf0}, 0x300 + 4 * 0x600 - 0x10, 4, "w"},
	{L64, {0x48, 0x8b, 0x05, 0x34, 0x12, 0, 0}, CODE + 7 + 0x1234, 8, "r"},
	{L64, {0x67, 0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff}, CODE + 7 - 16, 4, "r"},
	{L64, {0x65, 0x8b, 0x04, 0x25, 8, 0, 0, 0}, 0xe008, 4, "r"},
	{L64, {0x64, 0x88, 0x07}, 0xf700, 1, "w"},
	{L64, {0x26, 0x88, 0x07}, 0x700, 1, "w"},
	{L64, {0x50}, STACK - 8, 8, "w"},
	{L64, {0x66, 0x50}, STACK - 2, 2, "w"},
	{L64, {0x58}, STACK, 8, "r"},
	{L64, {0xe8, 0, 0, 0, 0}, STACK - 8, 8, "w"},
	{L64, {0xc3}, STACK, 8, "r"},
	{L64, {0x9c}, STACK - 8, 8, "w"},
	{L64, {0xc9}, 0x500, 8, "r"},
	{L64, {0xaa}, 0x700, 1, "w"},
	{L64, {0x48, 0xa5}, 0x700, 8, "w"},
	{L64, {0xac}, 0x600, 1, "r"},
	{L64, {0x48, 0x0f, 0xc1, 0x07}, 0x700, 8, "rw"},
	{L64, {0x0f, 0xab, 0x1f}, 0x700 + 0x300 / 8, 4, "rw"},
	{L64, {0x48, 0x0f, 0xa3, 0x1f}, 0x700 + 0x300 / 8, 8, "r"},
	{P32, {0x66, 0x0f, 0xb3, 0x1f}, 0x700 + 0x300 / 8, 2, "rw"},
	{L64, {0x48, 0xa3, 8, 7, 6, 5, 4, 3, 2, 1}, 0x0102030405060708, 8, "w"},
	{P32, {0x88, 0x07}, 0x700, 1, "w"},
	{P32, {0x60}, STACK - 32, 32, "w"},
	{P32, {0x67, 0x88, 0x00}, 0x900, 1, "w"},
	{P32, {0xa2, 0xff, 0xff, 0xff, 0xff}, 0xffffffff, 1, "w"},
	{P32, {0x8f, 0x44, 0x24, 4}, STACK + 8, 4, "w"},
	{R16, {0x88, 0x00}, 0x900, 1, "w"},
	{R16, {0x36, 0x88, 0x42, 2}, 0x500 + 0x600 + 2, 1, "w"},
	{R16, {0x60}, STACK - 16, 16, "w"},
	{R16, {0x66, 0x9c}, STACK - 4, 4, "w"},
};

static void expect_access(const struct touch *t, const struct instruction_access *access,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (access[i].linear == t->linear && access[i].size == t->size &&
		    access[i].read == !!strchr(t->how, 'r') &&
		    access[i].write == !!strchr(t->how, 'w'))
			return;
	fail_msg("%02x %02x %02x: no access to 0x%llx but 0x%llx (%u bytes)", t->bytes[0],
		 t->bytes[1], t->bytes[2], (unsigned long long)t->linear,
		 (unsigned long long)(count ? access[0].linear : 0), count ? access[0].size : 0);
}

static void test_memory(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(touches) / sizeof(touches[0]); i++) {
		struct instruction_access access[INSTRUCTION_MAX_MEMORY] = {0};
		struct cpu_state s = state_in(touches[i].mode);
		struct instruction insn;

		s.system.seg[SEG_FS].base = 0xf000;
		s.system.seg[SEG_GS].base = 0xe000;
		assert_true(instruction_decode(&s, CODE, touches[i].bytes, 15, &insn));
		expect_access(&touches[i], access, instruction_memory(&insn, &s, access));
	}
}

/* Segments' bases and wraps in real mode and with a stack of 16 bits. */
static void test_memory_wraps(void **unused)
{
	struct instruction_access access[INSTRUCTION_MAX_MEMORY] = {0};
	struct cpu_state s = state_in(R16);
	struct instruction insn;

	(void)unused;
	cpu_segment_real(&s.system.seg[SEG_SS], 0x200);
	s.general.gpr[GPR_RSP] = 0xdead0001;
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0x50}, 1, &insn));
	assert_int_equal(instruction_memory(&insn, &s, access), 1);
	assert_int_equal(access[0].linear, 0x2000 + 0xffff);
	cpu_segment_real(&s.system.seg[SEG_DS], 0x300);
	s.general.gpr[GPR_RBX] = 0xfff0;
	s.general.gpr[GPR_RSI] = 0x20;
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0x88, 0x00}, 2, &insn));
	assert_int_equal(instruction_memory(&insn, &s, access), 1);
	assert_int_equal(access[0].linear, 0x3010);
}

static void test_turns(void **unused)
{
	struct cpu_state s = state_in(L64);
	struct instruction insn;

	(void)unused;
	s.general.gpr[GPR_RCX] = 0x100000005;
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0xf3, 0xaa}, 2, &insn));
	assert_true(instruction_turns(&insn, &s) == 0x100000005);
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0x67, 0xf3, 0xaa}, 3, &insn));
	assert_int_equal(instruction_turns(&insn, &s), 5);
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0xaa}, 1, &insn));
	assert_int_equal(instruction_turns(&insn, &s), 1);
}

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

struct wrote {
	uint8_t bytes[8];
	uint64_t linear; /* in the state after it */
	bool answer;
};

/* RDI 0x700, RSP STACK, as they are after the instruction. */
static const struct wrote wrotes[] = {
	{{0x48, 0x89, 0x07}, 0x700, true},
	{{0x48, 0x89, 0x07}, 0x707, true},
	{{0x48, 0x89, 0x07}, 0x708, false},
	{{0x48, 0x89, 0x07}, 0x6ff, false},
	{{0x48, 0x8b, 0x07}, 0x700, false},
	{{0x50}, STACK, true},
	{{0x50}, STACK + 7, true},
	{{0x50}, STACK - 1, false},
	{{0xe8, 0, 0, 0, 0}, STACK, true},
	{{0xaa}, 0x6ff, true},
	{{0xaa}, 0x700, false},
	{{0xaa}, 0x6fe, false},
	{{0xf3, 0xaa}, 0x600, true},
	{{0xf3, 0xaa}, 0x700, false},
	{{0x48, 0x0f, 0xc1, 0x3f}, 0x123, true},
	{{0x48, 0x0f, 0xc1, 0x07}, 0x123, false},
	{{0x8f, 0x04, 0x24}, STACK, true},
	{{0x8f, 0x04, 0x24}, STACK + 8, false},
	{{0x0f, 0xae, 0x27}, 0x123, true},
};

static void test_may_have_written(void **unused)
{
	struct cpu_state s = state_in(L64);
	struct instruction insn;

	(void)unused;
	for (size_t i = 0; i < sizeof(wrotes) / sizeof(wrotes[0]); i++) {
		assert_true(instruction_decode(&s, CODE, wrotes[i].bytes, 8, &insn));
		if (instruction_may_have_written(&insn, &s, wrotes[i].linear, 1) !=
		    wrotes[i].answer)
			fail_msg("%02x %02x: 0x%llx", wrotes[i].bytes[0], wrotes[i].bytes[1],
				 (unsigned long long)wrotes[i].linear);
	}
	s.general.rflags |= 1u << 10;
	assert_true(instruction_decode(&s, CODE, (const uint8_t[]){0xaa}, 1, &insn));
	assert_true(instruction_may_have_written(&insn, &s, 0x701, 1));
	assert_false(instruction_may_have_written(&insn, &s, 0x6ff, 1));
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
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_wraps),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_successors),
		cmocka_unit_test(test_successors_in_a_segment),
		cmocka_unit_test(test_iret_to_v86_and_to_tasks),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_backwards),
		cmocka_unit_test(test_may_have_written),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests_name("instructions", tests, NULL, NULL);
}
