// SPDX-License-Identifier: GPL-3.0-or-later
/* Which memory an instruction touches. */
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

/* ---- backwards --------------------------------------------------------------------------- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_wraps),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_may_have_written),
	};

	return cmocka_run_group_tests_name("instruction memory", tests, NULL, NULL);
}
