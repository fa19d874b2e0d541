// SPDX-License-Identifier: GPL-3.0-or-later
/* gdb's bytecode: what each opcode calculates, what is refused, and what a hostile peer may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent_case.h"
#include "gdbstub/agent_expr.h"

#include <errno.h>
#include <stdlib.h>

/* ---- making and running --------------------------------------------------------------------- */

#define VALUE(...) value_of(BYTES(__VA_ARGS__))

/* The result is exactly that: all 64 bits. */
#define IS(result, ...) assert_true(VALUE(__VA_ARGS__) == (int64_t)(result))

/* ---- every opcode --------------------------------------------------------------------------- */

static void test_constants(void **state)
{
	(void)state;
	IS(0xff, C8(0xff), END);
	IS(0xfedc, C16(0xfedc), END);
	IS(0xfedcba98, C32(0xfedcba98), END);
	IS(0xfedcba9876543210, C64(0xfedcba9876543210), END);
}

static void test_arithmetic(void **state)
{
	(void)state;
	IS(7, C8(3), C8(4), ADD, END);
	IS(-1, C8(3), C8(4), SUB, END);
	IS(12, C8(3), C8(4), MUL, END);
	IS(-3, C64(-7), C8(2), DIV_SIGNED, END);
	IS(0x7ffffffffffffffc, C64(-7), C8(2), DIV_UNSIGNED, END);
	IS(-1, C64(-7), C8(2), REM_SIGNED, END);
	IS(1, C64(-7), C8(2), REM_UNSIGNED, END);
	IS(0x3000, C8(3), C8(12), LSH, END);
	IS(-4, C64(-7), C8(1), RSH_SIGNED, END);
	IS(0x7ffffffffffffffc, C64(-7), C8(1), RSH_UNSIGNED, END);
	IS(0, C8(7), LOG_NOT, END);
	IS(1, C8(0), LOG_NOT, END);
	IS(0x10, C8(0x1c), C8(0x33), BIT_AND, END);
	IS(0x3f, C8(0x1c), C8(0x33), BIT_OR, END);
	IS(0x2f, C8(0x1c), C8(0x33), BIT_XOR, END);
	IS(~0x1cll, C8(0x1c), BIT_NOT, END);
}

static void test_comparisons(void **state)
{
	(void)state;
	IS(1, C8(5), C8(5), EQUAL, END);
	IS(0, C8(5), C8(6), EQUAL, END);
	IS(1, C64(-1), C8(1), LESS_SIGNED, END);
	IS(0, C64(-1), C8(1), LESS_UNSIGNED, END);
	IS(0, C8(5), C8(5), LESS_SIGNED, END);
	IS(1, C8(5), C8(6), LESS_UNSIGNED, END);
}

static void test_extensions(void **state)
{
	(void)state;
	IS(-1, C8(0xff), EXT, 8, END);
	IS(0x7f, C16(0xff7f), EXT, 8, END);
	IS(-4, C8(0x0c), EXT, 4, END); /* a bit field */
	IS(-1, C64(-1), EXT, 64, END);
	IS(0x7f, C16(0xff7f), ZERO_EXT, 8, END);
	IS(1, C8(0xff), ZERO_EXT, 1, END);
	IS(-1, C64(-1), ZERO_EXT, 64, END);
	REFUSED(-EINVAL, "1 to 64 bits", C8(1), EXT, 0, END);
	REFUSED(-EINVAL, "1 to 64 bits", C8(1), ZERO_EXT, 65, END);
}

static void test_memory(void **state)
{
	(void)state;
	IS(0xf1, C16(MEMORY_AT), REF8, END);
	IS(0x82f1, C16(MEMORY_AT), REF16, END);
	IS(0x847382f1, C16(MEMORY_AT), REF32, END);
	IS(0x88776655847382f1, C16(MEMORY_AT), REF64, END);
	view.space = SPACE_PHYSICAL;
	IS(0x73, C16(2), REF8, END);
	IS(0x8473, C16(2), REF16, END);
	IS(0x66558473, C16(2), REF32, END);
	IS(0x0a09887766558473, C16(2), REF64, END);
}

static void test_memory_that_is_not_there(void **state)
{
	struct program *program = compile(BYTES(C8(5), REF32, END));
	struct program_fault fault = {0};
	int64_t result;

	(void)state;
	assert_int_equal(program_run(program, &agent_context, &result, &fault), -EFAULT);
	assert_string_equal(fault.text, "4 bytes at 0x5 cannot be read");
	program_free(program);
}

static void test_stack(void **state)
{
	(void)state;
	IS(10, C8(5), DUP, ADD, END);
	IS(5, C8(5), C8(6), POP, END);
	IS(1, C8(5), C8(6), SWAP, SUB, END);
	IS(5, C8(5), C8(6), C8(7), PICK, 2, END);
	IS(7, C8(5), C8(6), C8(7), PICK, 0, END);
	/* a b c => c a b */
	IS(6, C8(5), C8(6), C8(7), ROT, END);
	IS(5, C8(5), C8(6), C8(7), ROT, POP, END);
	IS(7, C8(5), C8(6), C8(7), ROT, POP, POP, END);
}

static void test_jumps(void **state)
{
	(void)state;
	/* 0: C8 1   2: IF_GOTO 8   5: C8 7   7: END   8: C8 9   10: END */
	IS(9, C8(1), IF_GOTO, W(8), C8(7), END, C8(9), END);
	IS(7, C8(0), IF_GOTO, W(8), C8(7), END, C8(9), END);
	/* 0: GOTO 6   3: C8 7   5: END   6: C8 9   8: END */
	IS(9, GOTO, W(6), C8(7), END, C8(9), END);
	/* backwards: 0: GOTO 6   3: C8 7   5: END   6: GOTO 3 */
	IS(7, GOTO, W(6), C8(7), END, GOTO, W(3));
	REFUSED(-EINVAL, "byte 1", GOTO, W(1), END);
	REFUSED(-EINVAL, "byte 4", GOTO, W(4), END);
	REFUSED(-EINVAL, "byte 65535", C8(0), IF_GOTO, W(0xffff), C8(1), END);
	/* What becomes two instructions is jumped over as a whole. */
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 32);
	layout_set(&layout, GDB_ARCH_I386, NAMES_32, NULL);
	IS(3, C8(1), IF_GOTO, W(9), REG(0), POP, C8(3), END);
}

/* counts to 10 and comes to its end; then without one */
static void test_circles(void **state)
{
	struct program *program = compile(
		BYTES(C8(0), C8(1), ADD, DUP, C8(10), EQUAL, LOG_NOT, IF_GOTO, W(2), END));
	struct program_fault fault = {0};
	int64_t result;

	(void)state;
	assert_int_equal(agent_run(program), 10);
	program_free(program);
	program = compile(BYTES(GOTO, W(0)));
	assert_int_equal(program_run(program, &agent_context, &result, &fault), -ELOOP);
	program_free(program);
}

/* ---- registers ------------------------------------------------------------------------------ */

static void test_registers(void **state)
{
	(void)state;
	cpu.system.cr0 = CR0_PE | CR0_PG;
	cpu.system.efer = EFER_LME | EFER_LMA;
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 64);
	cpu.general.rip = 0xffffffff80001234;
	cpu.system.cr3 = 0x123456789000;
	IS(0xa1b2c3d400000000, REG(0), END);
	IS(cpu.general.gpr[GPR_RDI], REG(register_find("rdi")), END);
	IS(0xffffffff80001234, REG(register_find("rip")), END);
	IS(cpu.general.gpr[GPR_RSP], REG(register_find("rsp")), END);
	IS(8, REG(register_find("cs")), END);
	IS(0x123456789000, REG(register_find("cr3_value")), END);
	REFUSED(-EINVAL, "no register 65535", REG(0xffff), END);
	REFUSED(-EINVAL, "no register", REG(register_count), END);
	REFUSED(-EINVAL, "no register", REG(register_find("ymm0h")), END);
	REFUSED(-ENOTSUP, "$xmm0 has 128 bits", REG(register_find("xmm0")), END);
	REFUSED(-ENOTSUP, "$st0 has 80 bits", REG(register_find("st0")), END);
}

static void test_segments_of_real_mode(void **state)
{
	(void)state;
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x1234);
	cpu_segment_real(&cpu.system.seg[SEG_SS], 0x2000);
	cpu.general.rip = 0x10;
	cpu.general.gpr[GPR_RSP] = 0xdead0ffc;
	IS(0x12350, REG(register_find("rip")), END);
	IS(0x20ffc, REG(register_find("rsp")), END);
}

static void test_narrow_registers(void **state)
{
	(void)state;
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 32);
	cpu.general.rip = 0x100000;
	layout_set(&layout, GDB_ARCH_I386, NAMES_32, NULL);
	IS(1, REG(register_find("rcx")), END);
	IS(0x100000, REG(register_find("rip")), END);
	REFUSED(-EINVAL, "no register", REG(register_find("r9")), END);
}

/* `break f if $eax == 1` where the description has both names. */
static void test_two_names_for_one_register(void **state)
{
	(void)state;
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x1234);
	cpu.general.rip = 0x10;
	layout_set(&layout, GDB_ARCH_I8086, NAMES_BOTH, NULL);
	IS(0xa1b2c3d400000000, REG(register_find("rax")), END);
	IS(0, REG(layout_narrow(&layout, (unsigned)register_find("rax"))), END);
	IS(1, REG(layout_narrow(&layout, (unsigned)register_find("rcx"))), END);
	IS(0x12350, REG(layout_narrow(&layout, (unsigned)register_find("rip"))), END);
	REFUSED(-EINVAL, "no register", REG(layout.count), END);
}

/* ---- several conditions --------------------------------------------------------------------- */

static void test_any_of_several(void **state)
{
	/* 0: REG 0   3: C64 x   12: EQUAL   13: IF_GOTO 19   16: C8 0   18: END   19: C8 1   21: END */
#define RAX_IS(x) REG(0), C64(x), EQUAL, IF_GOTO, W(19), C8(0), END, C8(1), END
	static const uint8_t one[] = {RAX_IS(1)}, two[] = {RAX_IS(2)}, three[] = {RAX_IS(3)};
	const struct agent_expr exprs[] = {
		{one, sizeof(one)}, {two, sizeof(two)}, {three, sizeof(three)}};
	struct program *program = NULL;

	(void)state;
	for (unsigned count = 1; count <= 3; count++) {
		assert_int_equal(agent_condition(exprs, count, &view, &program, NULL), 0);
		for (unsigned rax = 0; rax < 6; rax++) {
			cpu.general.gpr[GPR_RAX] = rax;
			assert_int_equal(agent_run(program), rax >= 1 && rax <= count);
		}
		program_free(program);
	}
}

static void test_one_bad_of_several(void **state)
{
	static const uint8_t good[] = {C8(1), END}, bad[] = {C8(1)}, foreign[] = {TRACE, END};
	struct agent_expr exprs[3] = {{good, 3}, {good, 3}, {good, 3}};
	struct program *program = NULL;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		exprs[i] = (struct agent_expr){bad, sizeof(bad)};
		assert_int_equal(agent_condition(exprs, 3, &view, &program, NULL), -EINVAL);
		exprs[i] = (struct agent_expr){foreign, sizeof(foreign)};
		assert_int_equal(agent_condition(exprs, 3, &view, &program, NULL), -ENOTSUP);
		exprs[i] = (struct agent_expr){good, 3};
	}
	assert_null(program);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_constants),
		TEST(test_arithmetic),
		TEST(test_comparisons),
		TEST(test_extensions),
		TEST(test_memory),
		TEST(test_memory_that_is_not_there),
		TEST(test_stack),
		TEST(test_jumps),
		TEST(test_circles),
		TEST(test_registers),
		TEST(test_segments_of_real_mode),
		TEST(test_narrow_registers),
		TEST(test_two_names_for_one_register),
		TEST(test_any_of_several),
		TEST(test_one_bad_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
