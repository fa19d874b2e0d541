// SPDX-License-Identifier: GPL-3.0-or-later
/* simulate_instruction(): each form, with what the manual says comes of it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "simulate_cases.h"

#include "x86/mode.h"

#include <string.h>

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u

/* ---- what comes of each ------------------------------------------------------------------ */

static uint8_t data[SIMULATE_DATA_SIZE];

static uint64_t word_at(unsigned offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, data + offset, size);
	return value;
}

struct form {
	const char *what;
	unsigned bits;
	uint8_t bytes[10];
	unsigned length;
	enum cpu_gpr gpr; /* becomes value */
	uint64_t value;
	unsigned flags;	   /* arithmetic, afterwards; CF and AF are set before */
	int rip;	   /* relative to SIMULATE_CODE; 0: behind the instruction */
	int sp;		   /* relative to SIMULATE_STACK */
	unsigned at, size; /* data that becomes stored */
	uint64_t stored;
};

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define KEPT	   (CF | AF)
#define TOP	   (SIMULATE_STACK - SIMULATE_DATA)

/* RAX 0, RCX 11111111, RDX 22222222, RBP 55555555, RSI 66666666, RDI 77777777, R8 88888888 …; at the
 * data 80 ff ee dd cc bb aa 99, and 8000 at the top of the stack. */
// clang-format off
static const struct form forms[] = {
	{"nop", 64, BYTES(0x90), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"long nop", 64, BYTES(0x66, 0x0f, 0x1f, 0x44, 0, 0), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"pause", 32, BYTES(0xf3, 0x90), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"endbr64", 64, BYTES(0xf3, 0x0f, 0x1e, 0xfa), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"endbr32", 32, BYTES(0xf3, 0x0f, 0x1e, 0xfb), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"push %rbp", 64, BYTES(0x55), GPR_RBP, 0x55555555, KEPT, 0, -8, TOP - 8, 8, 0x55555555},
	{"push %ebp", 32, BYTES(0x55), GPR_RBP, 0x55555555, KEPT, 0, -4, TOP - 4, 4, 0x55555555},
	{"push %bp", 16, BYTES(0x55), GPR_RBP, 0x55555555, KEPT, 0, -2, TOP - 2, 2, 0x5555},
	{"push %rsp", 64, BYTES(0x54), GPR_RAX, 0, KEPT, 0, -8, TOP - 8, 8, SIMULATE_STACK},
	{"push %r8", 64, BYTES(0x41, 0x50), GPR_R8, 0x88888888, KEPT, 0, -8, TOP - 8, 8, 0x88888888},
	{"push $-1", 64, BYTES(0x6a, 0xff), GPR_RAX, 0, KEPT, 0, -8, TOP - 8, 8, ~0ull},
	{"push (%rbx)", 64, BYTES(0xff, 0x33), GPR_RAX, 0, KEPT, 0, -8, TOP - 8, 8, 0x99aabbccddeeff80},
	{"pop %rax", 64, BYTES(0x58), GPR_RAX, 0x8000, KEPT, 0, 8, 0, 0, 0},
	{"pop %rsp", 64, BYTES(0x5c), GPR_RSP, 0x8000, KEPT, 0, 0x8000 - SIMULATE_STACK, 0, 0, 0},
	{"pop %ax", 16, BYTES(0x58), GPR_RAX, 0x8000, KEPT, 0, 2, 0, 0, 0},
	{"mov %ecx,%eax", 64, BYTES(0x89, 0xc8), GPR_RAX, 0x11111111, KEPT, 0, 0, 0, 0, 0},
	{"mov %ch,%al", 64, BYTES(0x88, 0xe8), GPR_RAX, 0x11, KEPT, 0, 0, 0, 0, 0},
	{"mov $-1,%rax", 64, BYTES(0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff), GPR_RAX, ~0ull, KEPT, 0, 0, 0, 0, 0},
	{"mov (%rbx),%eax", 64, BYTES(0x8b, 0x03), GPR_RAX, 0xddeeff80, KEPT, 0, 0, 0, 0, 0},
	{"mov (%bx),%ax", 16, BYTES(0x8b, 0x07), GPR_RAX, 0xff80, KEPT, 0, 0, 0, 0, 0},
	{"mov %edx,4(%rbx)", 64, BYTES(0x89, 0x53, 4), GPR_RAX, 0, KEPT, 0, 0, 4, 4, 0x22222222},
	{"movb $7,(%ebx)", 32, BYTES(0xc6, 0x03, 7), GPR_RAX, 0, KEPT, 0, 0, 0, 1, 7},
	{"mov 0x8000,%al", 32, BYTES(0xa0, 0x00, 0x80, 0, 0), GPR_RAX, 0x80, KEPT, 0, 0, 0, 0, 0},
	{"mov 0x6ffa(%rip),%eax", 64, BYTES(0x8b, 0x05, 0xfa, 0x6f, 0, 0), GPR_RAX, 0xddeeff80, KEPT, 0, 0, 0, 0, 0},
	{"movzbl (%rbx),%eax", 64, BYTES(0x0f, 0xb6, 0x03), GPR_RAX, 0x80, KEPT, 0, 0, 0, 0, 0},
	{"movsbl (%rbx),%eax", 64, BYTES(0x0f, 0xbe, 0x03), GPR_RAX, 0xffffff80, KEPT, 0, 0, 0, 0, 0},
	{"movslq %r8d,%rax", 64, BYTES(0x49, 0x63, 0xc0), GPR_RAX, 0xffffffff88888888, KEPT, 0, 0, 0, 0, 0},
	{"lea 1(%rdx,%rcx,2)", 64, BYTES(0x48, 0x8d, 0x44, 0x4a, 1), GPR_RAX, 0x44444445, KEPT, 0, 0, 0, 0, 0},
	{"lea -1(%bx),%ax", 16, BYTES(0x8d, 0x47, 0xff), GPR_RAX, 0x7fff, KEPT, 0, 0, 0, 0, 0},
	{"xchg %rax,%rdx", 64, BYTES(0x48, 0x92), GPR_RDX, 0, KEPT, 0, 0, 0, 0, 0},
	{"add $1,%eax", 64, BYTES(0x83, 0xc0, 1), GPR_RAX, 1, 0, 0, 0, 0, 0, 0},
	{"adc $0xf,%al", 64, BYTES(0x14, 0x0f), GPR_RAX, 0x10, AF, 0, 0, 0, 0, 0},
	{"sub $1,%eax", 64, BYTES(0x83, 0xe8, 1), GPR_RAX, 0xffffffff, CF | PF | AF | SF, 0, 0, 0, 0, 0},
	{"sub $0x10,%rsp", 64, BYTES(0x48, 0x83, 0xec, 0x10), GPR_RAX, 0, PF, 0, -0x10, 0, 0, 0},
	{"sbb %eax,%eax", 32, BYTES(0x19, 0xc0), GPR_RAX, 0xffffffff, CF | PF | AF | SF, 0, 0, 0, 0, 0},
	{"xor %edx,%edx", 64, BYTES(0x31, 0xd2), GPR_RDX, 0, PF | ZF, 0, 0, 0, 0, 0},
	{"cmp $0x7f,(%rbx)", 64, BYTES(0x80, 0x3b, 0x7f), GPR_RAX, 0, AF | OF, 0, 0, 0, 1, 0x80},
	{"test %r8d,%r8d", 64, BYTES(0x45, 0x85, 0xc0), GPR_R8, 0x88888888, PF | SF, 0, 0, 0, 0, 0},
	{"inc %ax", 16, BYTES(0x40), GPR_RAX, 1, CF, 0, 0, 0, 0, 0},
	{"decl (%rbx)", 64, BYTES(0xff, 0x0b), GPR_RAX, 0, CF | AF | SF, 0, 0, 0, 4, 0xddeeff7f},
	{"neg %dl", 64, BYTES(0xf6, 0xda), GPR_RDX, 0x222222de, CF | PF | AF | SF, 0, 0, 0, 0, 0},
	{"not %edx", 64, BYTES(0xf7, 0xd2), GPR_RDX, 0xdddddddd, KEPT, 0, 0, 0, 0, 0},
	{"bswap %ecx", 64, BYTES(0x0f, 0xc9), GPR_RCX, 0x11111111, KEPT, 0, 0, 0, 0, 0},
	{"cltq", 64, BYTES(0x48, 0x98), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"cltd", 32, BYTES(0x99), GPR_RDX, 0, KEPT, 0, 0, 0, 0, 0},
	{"sete %al, no", 64, BYTES(0x0f, 0x94, 0xc0), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"setb %al, yes", 64, BYTES(0x0f, 0x92, 0xc0), GPR_RAX, 1, KEPT, 0, 0, 0, 0, 0},
	{"cmovb %ecx,%eax", 64, BYTES(0x0f, 0x42, 0xc1), GPR_RAX, 0x11111111, KEPT, 0, 0, 0, 0, 0},
	{"cmovae %ecx,%eax", 64, BYTES(0x0f, 0x43, 0xc1), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"jmp .-2", 64, BYTES(0xeb, 0xfc), GPR_RAX, 0, KEPT, -2, 0, 0, 0, 0},
	{"jmp .+0x105", 32, BYTES(0xe9, 0, 1, 0, 0), GPR_RAX, 0, KEPT, 0x105, 0, 0, 0, 0},
	{"jb taken", 16, BYTES(0x72, 0x10), GPR_RAX, 0, KEPT, 0x12, 0, 0, 0, 0},
	{"jae not taken", 16, BYTES(0x73, 0x10), GPR_RAX, 0, KEPT, 0, 0, 0, 0, 0},
	{"jmp *%rbx", 64, BYTES(0xff, 0xe3), GPR_RAX, 0, KEPT, SIMULATE_DATA - SIMULATE_CODE, 0, 0, 0, 0},
	{"call .+5", 64, BYTES(0xe8, 0, 0, 0, 0), GPR_RAX, 0, KEPT, 5, -8, TOP - 8, 8, SIMULATE_CODE + 5},
	{"call, 16 bits", 16, BYTES(0xe8, 0x00, 0xf8), GPR_RAX, 0, KEPT, 3 - 0x800, -2, TOP - 2, 2, SIMULATE_CODE + 3},
	{"call *%ebx", 32, BYTES(0xff, 0xd3), GPR_RAX, 0, KEPT, SIMULATE_DATA - SIMULATE_CODE, -4, TOP - 4, 4, SIMULATE_CODE + 2},
	{"ret", 64, BYTES(0xc3), GPR_RAX, 0, KEPT, SIMULATE_DATA - SIMULATE_CODE, 8, 0, 0, 0},
	{"rep ret", 64, BYTES(0xf3, 0xc3), GPR_RAX, 0, KEPT, SIMULATE_DATA - SIMULATE_CODE, 8, 0, 0, 0},
	{"ret $0x8004", 32, BYTES(0xc2, 0x04, 0x80), GPR_RAX, 0, KEPT, SIMULATE_DATA - SIMULATE_CODE, 0x8008, 0, 0, 0},
};
// clang-format on

static void check_form(const struct form *form)
{
	static const uint8_t start[] = {0x80, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99};
	struct cpu_state state = simulate_cpu(form->bits);
	uint64_t rip = SIMULATE_CODE + (unsigned)(form->rip ? form->rip : (int)form->length);

	memset(data, 0, sizeof(data));
	memcpy(data, start, sizeof(start));
	data[TOP + 1] = 0x80;
	state.general.rflags |= KEPT | RFLAGS_RF;
	if (!simulate_on(data, &state, form->bytes, form->length))
		fail_msg("%s: refused", form->what);
	if (state.general.gpr[form->gpr] != form->value)
		fail_msg("%s: register %d is 0x%llx", form->what, form->gpr,
			 (unsigned long long)state.general.gpr[form->gpr]);
	if (state.general.rflags != (form->flags | RFLAGS_FIXED))
		fail_msg("%s: flags are 0x%x", form->what, (unsigned)state.general.rflags);
	if (state.general.rip != rip)
		fail_msg("%s: rip is 0x%llx", form->what, (unsigned long long)state.general.rip);
	if (state.general.gpr[GPR_RSP] != (uint64_t)(SIMULATE_STACK + form->sp))
		fail_msg("%s: rsp is 0x%llx", form->what,
			 (unsigned long long)state.general.gpr[GPR_RSP]);
	if (form->size && word_at(form->at, form->size) != form->stored)
		fail_msg("%s: 0x%llx is in memory", form->what,
			 (unsigned long long)word_at(form->at, form->size));
}

static void test_forms(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i]);
}

static void test_leave(void **unused)
{
	struct cpu_state state = simulate_cpu(64);

	(void)unused;
	memset(data, 0, sizeof(data));
	data[0x101] = 0x77;
	state.general.gpr[GPR_RBP] = SIMULATE_DATA + 0x100;
	assert_true(simulate_on(data, &state, (const uint8_t[]){0xc9}, 1));
	assert_int_equal(state.general.gpr[GPR_RBP], 0x7700);
	assert_int_equal(state.general.gpr[GPR_RSP], SIMULATE_DATA + 0x108);
}

/* A stack of 16 bits under code of 32: the upper half of ESP stays, and SP alone is the address. */
static void test_small_stack(void **unused)
{
	struct cpu_state state = simulate_cpu(32);

	(void)unused;
	state.system.seg[SEG_SS].db = 0;
	state.general.gpr[GPR_RSP] = 0x12340000 | SIMULATE_STACK;
	assert_true(simulate_on(data, &state, (const uint8_t[]){0x55}, 1));
	assert_int_equal(state.general.gpr[GPR_RSP], 0x12340000 | (SIMULATE_STACK - 4));
	assert_int_equal(word_at(TOP - 4, 4), 0x55555555);
}

static void test_segments_with_a_base(void **unused)
{
	struct cpu_state state = simulate_cpu(16);

	(void)unused;
	memset(data, 0x5a, sizeof(data));
	cpu_segment_real(&state.system.seg[SEG_ES], 0x700);
	state.general.gpr[GPR_RBX] = 0x1000;
	assert_true(simulate_on(data, &state, (const uint8_t[]){0x26, 0x8a, 0x07},
				3)); /* mov %es:(%bx),%al */
	assert_int_equal(state.general.gpr[GPR_RAX], 0x5a);
	state = simulate_cpu(64);
	state.system.seg[SEG_FS].base = SIMULATE_DATA - 0x20;
	state.general.gpr[GPR_RBX] = 0x20;
	assert_true(simulate_on(data, &state, (const uint8_t[]){0x64, 0x8a, 0x03},
				3)); /* mov %fs:(%rbx),%al */
	assert_int_equal(state.general.gpr[GPR_RAX], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_small_stack),
		cmocka_unit_test(test_segments_with_a_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
