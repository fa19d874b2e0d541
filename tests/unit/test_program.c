// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/program.h"
#include "program_case.h"

#include "x86/mode.h"
#include "x86/registers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- making and running ------------------------------------------------------------------ */

static int fault_of(const struct program_insn *code, size_t count, struct program_fault *fault)
{
	struct program *program;
	struct error err = {0};
	int64_t result = 77;
	int ret;

	*fault = (struct program_fault){0};
	if (program_make(code, count, &program, &err))
		fail_msg("refused: %s", err.text);
	ret = program_run(program, &program_context, &result, fault);
	program_free(program);
	assert_true(!ret || strlen(fault->text) > 5);
	assert_int_equal(result, ret ? 0 : result);
	return ret;
}

#define FAULT(fault, ...) fault_of(CODE(__VA_ARGS__), COUNT(__VA_ARGS__), fault)

/* ---- arithmetic -------------------------------------------------------------------------- */

struct binary {
	enum program_op op;
	int64_t a, b, result;
};

static const struct binary binaries[] = {
	{PROGRAM_ADD, 2, 3, 5},
	{PROGRAM_ADD, INT64_MAX, 1, INT64_MIN},
	{PROGRAM_SUB, 2, 3, -1},
	{PROGRAM_SUB, INT64_MIN, 1, INT64_MAX},
	{PROGRAM_MUL, -4, 3, -12},
	{PROGRAM_MUL, INT64_MIN, -1, INT64_MIN},
	{PROGRAM_DIV_SIGNED, -7, 2, -3},
	{PROGRAM_DIV_SIGNED, 7, -1, -7},
	{PROGRAM_DIV_SIGNED, INT64_MIN, -1, INT64_MIN},
	{PROGRAM_DIV_UNSIGNED, -7, 2, 0x7ffffffffffffffc},
	{PROGRAM_DIV_UNSIGNED, -7, -7, 1},
	{PROGRAM_REM_SIGNED, -7, 2, -1},
	{PROGRAM_REM_SIGNED, 7, -2, 1},
	{PROGRAM_REM_SIGNED, INT64_MIN, -1, 0},
	{PROGRAM_REM_UNSIGNED, -7, 10, 9},
	{PROGRAM_LSH, 3, 4, 48},
	{PROGRAM_LSH, 1, 63, INT64_MIN},
	{PROGRAM_LSH, 1, 64, 0},
	{PROGRAM_LSH, 1, -1, 0},
	{PROGRAM_RSH_SIGNED, -16, 2, -4},
	{PROGRAM_RSH_SIGNED, -16, 64, -1},
	{PROGRAM_RSH_SIGNED, 16, -1, 0},
	{PROGRAM_RSH_UNSIGNED, -16, 60, 15},
	{PROGRAM_RSH_UNSIGNED, -16, 64, 0},
	{PROGRAM_BIT_AND, 12, 10, 8},
	{PROGRAM_BIT_OR, 12, 10, 14},
	{PROGRAM_BIT_XOR, 12, 10, 6},
	{PROGRAM_EQUAL, 5, 5, 1},
	{PROGRAM_EQUAL, 5, 6, 0},
	{PROGRAM_LESS_SIGNED, -1, 1, 1},
	{PROGRAM_LESS_SIGNED, 1, -1, 0},
	{PROGRAM_LESS_SIGNED, 1, 1, 0},
	{PROGRAM_LESS_UNSIGNED, -1, 1, 0},
	{PROGRAM_LESS_UNSIGNED, 1, -1, 1},
};

/* Something lies below, which must stay where it is. */
static void test_binary_operations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(binaries) / sizeof(*binaries); i++) {
		const struct binary *binary = &binaries[i];
		struct program_insn code[] = {
			CONST(99), CONST(binary->a), CONST(binary->b), {.op = binary->op}, OP(END)};
		struct program_insn below[] = {CONST(99),	 CONST(binary->a),
					       CONST(binary->b), {.op = binary->op},
					       OP(POP),		 OP(END)};

		if (result_of(code, 5) != binary->result)
			fail_msg("row %zu gives %lld", i, (long long)result_of(code, 5));
		assert_int_equal(result_of(below, 6), 99);
	}
}

static void test_unary_operations(void **state)
{
	(void)state;
	assert_int_equal(RESULT(CONST(0), OP(LOG_NOT), OP(END)), 1);
	assert_int_equal(RESULT(CONST(1ull << 63), OP(LOG_NOT), OP(END)), 0);
	assert_int_equal(RESULT(CONST(5), OP(BIT_NOT), OP(END)), -6);
	assert_int_equal(RESULT(CONST(0x80), OP_ARG(SIGN_EXTEND, 8), OP(END)), -128);
	assert_int_equal(RESULT(CONST(0x17f), OP_ARG(SIGN_EXTEND, 8), OP(END)), 0x7f);
	assert_int_equal(RESULT(CONST(1), OP_ARG(SIGN_EXTEND, 1), OP(END)), -1);
	assert_int_equal(RESULT(CONST(-5), OP_ARG(SIGN_EXTEND, 64), OP(END)), -5);
	assert_int_equal(RESULT(CONST(-1), OP_ARG(ZERO_EXTEND, 8), OP(END)), 255);
	assert_int_equal(RESULT(CONST(2), OP_ARG(ZERO_EXTEND, 1), OP(END)), 0);
	assert_int_equal(RESULT(CONST(-5), OP_ARG(ZERO_EXTEND, 64), OP(END)), -5);
}

static void test_division_by_zero(void **state)
{
	static const enum program_op divisions[] = {PROGRAM_DIV_SIGNED, PROGRAM_DIV_UNSIGNED,
						    PROGRAM_REM_SIGNED, PROGRAM_REM_UNSIGNED};
	struct program_fault fault;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(FAULT(&fault, CONST(1), CONST(0), {.op = divisions[i]}, OP(END)),
				 -EDOM);
		assert_int_equal(fault.kind, PROGRAM_DIVISION);
	}
}

/* ---- the stack and the way --------------------------------------------------------------- */

/* Reads a stack of three, top last, as a number of three digits. */
#define DIGITS                                                                                     \
	OP_ARG(PICK, 2), CONST(100), OP(MUL), OP_ARG(PICK, 2), CONST(10), OP(MUL), OP(ADD),        \
		OP_ARG(PICK, 1), OP(ADD), OP(END)

static void test_stack_operations(void **state)
{
	(void)state;
	assert_int_equal(RESULT(CONST(1), CONST(2), CONST(3), DIGITS), 123);
	assert_int_equal(RESULT(CONST(1), CONST(2), OP(DUP), DIGITS), 122);
	assert_int_equal(RESULT(CONST(1), CONST(2), CONST(3), OP(SWAP), DIGITS), 132);
	assert_int_equal(RESULT(CONST(1), CONST(2), CONST(3), OP(ROTATE), DIGITS), 312);
	assert_int_equal(RESULT(CONST(1), CONST(2), OP_ARG(PICK, 1), DIGITS), 121);
	assert_int_equal(RESULT(CONST(1), CONST(2), OP_ARG(PICK, 0), DIGITS), 122);
	assert_int_equal(RESULT(CONST(1), CONST(2), CONST(3), CONST(4), OP(POP), DIGITS), 123);
}

static void test_jumps(void **state)
{
	(void)state;
	assert_int_equal(RESULT(OP_ARG(GOTO, 3), CONST(1), OP(END), CONST(2), OP(END)), 2);
	assert_int_equal(RESULT(CONST(7), OP_ARG(IF_GOTO, 4), CONST(1), OP(END), CONST(2), OP(END)),
			 2);
	assert_int_equal(RESULT(CONST(0), OP_ARG(IF_GOTO, 4), CONST(1), OP(END), CONST(2), OP(END)),
			 1);
	assert_int_equal(
		RESULT(CONST(1ull << 40), OP_ARG(IF_GOTO, 4), CONST(1), OP(END), CONST(2), OP(END)),
		2);
}

/* 10! by a loop: product and counter lie on the stack. */
static void test_loop(void **state)
{
	(void)state;
	assert_int_equal(RESULT(CONST(1), CONST(10), OP(SWAP), OP_ARG(PICK, 1), OP(MUL), OP(SWAP),
				CONST(1), OP(SUB), OP(DUP), OP_ARG(IF_GOTO, 2), OP(POP), OP(END)),
			 3628800);
}

static void test_endless_loop_is_cut(void **state)
{
	struct program_fault fault;

	(void)state;
	assert_int_equal(FAULT(&fault, OP_ARG(GOTO, 0)), -ELOOP);
	assert_int_equal(fault.kind, PROGRAM_TOO_LONG);
	assert_int_equal(FAULT(&fault, CONST(1), OP_ARG(IF_GOTO, 0), CONST(1), OP(END)), -ELOOP);
}

/* A countdown that takes the longest allowed way, and one round more. */
static void test_length_is_bounded(void **state)
{
	int64_t turns = (PROGRAM_STEPS - 2) / 4;
	struct program_fault fault;

	(void)state;
	assert_int_equal(FAULT(&fault, CONST(turns), CONST(1), OP(SUB), OP(DUP), OP_ARG(IF_GOTO, 1),
			       OP(END)),
			 0);
	assert_int_equal(FAULT(&fault, CONST(turns + 1), CONST(1), OP(SUB), OP(DUP),
			       OP_ARG(IF_GOTO, 1), OP(END)),
			 -ELOOP);
}

/* ---- the vCPU ---------------------------------------------------------------------------- */

static void test_registers(void **state)
{
	(void)state;
	program_cpu.general.gpr[GPR_RBX] = 0x8123456789abcdefull;
	program_cpu.general.rflags = 0x80000246;
	program_cpu.system.cr3 = 0x5000;
	assert_true(RESULT(OP_ARG(REGISTER, program_reg("rbx")), OP(END)) ==
		    (int64_t)0x8123456789abcdefull);
	assert_int_equal(RESULT(OP_ARG(REGISTER, program_reg("eflags")), OP(END)), 0x80000246);
	assert_int_equal(fetched, CPU_GENERAL);
	assert_int_equal(RESULT(OP_ARG(REGISTER, program_reg("cr3")), OP(END)), 0x5000);
	assert_int_equal(RESULT(OP(VCPU), OP(END)), 3);
}

static void test_registers_that_are_not_there(void **state)
{
	struct program_fault fault;

	(void)state;
	assert_int_equal(FAULT(&fault, OP_ARG(REGISTER, program_reg("lstar")), OP(END)), -ENXIO);
	assert_int_equal(fault.kind, PROGRAM_NO_VALUE);
	assert_non_null(strstr(fault.text, "$lstar"));
	refuse_state = true;
	assert_int_equal(FAULT(&fault, OP_ARG(REGISTER, program_reg("rax")), OP(END)), -ENXIO);
	assert_int_equal(FAULT(&fault, CONST(1), OP_ARG(LINEAR, SEG_CS), OP(END)), -ENXIO);
}

/* A group costs a system call: it is asked for once, and not before it is needed. */
static void test_groups_are_fetched_when_needed(void **state)
{
	struct program_insn code[] = {OP_ARG(REGISTER, program_reg("rax")),
				      OP_ARG(IF_GOTO, 4),
				      CONST(0),
				      OP(END),
				      OP_ARG(REGISTER, program_reg("cr3")),
				      OP_ARG(REGISTER, program_reg("cr0")),
				      OP(ADD),
				      OP(END)};
	struct program_fault fault;
	struct program *program;
	int64_t result;

	(void)state;
	assert_int_equal(program_make(code, 8, &program, NULL), 0);
	assert_int_equal(program_groups(program), CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(program_run(program, &program_context, &result, &fault), 0);
	assert_int_equal(fetched, CPU_GENERAL);
	assert_int_equal(fetches, 1);
	program_cpu.general.gpr[GPR_RAX] = 1;
	assert_int_equal(program_run(program, &program_context, &result, &fault), 0);
	assert_int_equal(fetched, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(fetches, 3);
	program_free(program);
	assert_int_equal(program_make(CODE(CONST(1), OP(END)), 2, &program, NULL), 0);
	assert_int_equal(program_groups(program), 0);
	program_free(program);
}

static void test_linear_addresses(void **state)
{
	(void)state;
	cpu_state_reset(&program_cpu, true);
	cpu_segment_real(&program_cpu.system.seg[SEG_CS], 0x1234);
	assert_int_equal(RESULT(CONST(0x10010), OP_ARG(LINEAR, SEG_CS), OP(END)), 0x12350);
	cpu_segment_real(&program_cpu.system.seg[SEG_SS], 0x2000);
	program_cpu.general.rip = 0x10;
	program_cpu.general.gpr[GPR_RSP] = 0xdead0ffc;
	assert_int_equal(RESULT(OP(PC), OP(END)), 0x12350);
	assert_int_equal(RESULT(OP(SP), OP(END)), 0x20ffc);
	program_cpu.system.cr0 |= CR0_PE | CR0_PG;
	program_cpu.system.efer = EFER_LME | EFER_LMA;
	cpu_segment_flat(&program_cpu.system.seg[SEG_CS], 8, true, 64);
	assert_int_equal(RESULT(CONST(0x10010), OP_ARG(LINEAR, SEG_CS), OP(END)), 0x10010);
}

static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(RESULT(CONST(MEMORY_AT), OP(READ8), OP(END)), 0xf1);
	assert_int_equal(RESULT(CONST(MEMORY_AT), OP(READ16), OP(END)), 0x82f1);
	assert_int_equal(RESULT(CONST(MEMORY_AT), OP(READ32), OP(END)), 0x847382f1);
	assert_true(RESULT(CONST(MEMORY_AT), OP(READ64), OP(END)) ==
		    (int64_t)0x88776655847382f1ull);
	assert_int_equal(RESULT(CONST(0), OP_ARG(READ_PHYSICAL, 1), OP(END)), 0xf1);
	assert_int_equal(RESULT(CONST(1), OP_ARG(READ_PHYSICAL, 2), OP(END)), 0x7382);
	assert_int_equal(RESULT(CONST(0), OP_ARG(READ_PHYSICAL, 4), OP(END)), 0x847382f1);
	assert_int_equal(RESULT(CONST(8), OP_ARG(READ_PHYSICAL, 8), OP(END)), 0x100f0e0d0c0b0a09);
}

static void test_memory_that_is_not_there(void **state)
{
	struct program_fault fault;

	(void)state;
	assert_int_equal(FAULT(&fault, CONST(MEMORY_AT + 13), OP(READ32), OP(END)), -EFAULT);
	assert_int_equal(fault.kind, PROGRAM_MEMORY);
	assert_int_equal(fault.address, MEMORY_AT + 13);
	assert_int_equal(fault.size, 4);
	assert_false(fault.physical);
	assert_string_equal(fault.text, "4 bytes at 0x100d cannot be read");
	assert_int_equal(FAULT(&fault, CONST(16), OP_ARG(READ_PHYSICAL, 1), OP(END)), -EFAULT);
	assert_true(fault.physical);
	assert_string_equal(fault.text, "1 byte at physical 0x10 cannot be read");
	program_context.read_physical = NULL;
	assert_int_equal(FAULT(&fault, CONST(0), OP_ARG(READ_PHYSICAL, 1), OP(END)), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_binary_operations, set_up),
		cmocka_unit_test_setup(test_unary_operations, set_up),
		cmocka_unit_test_setup(test_division_by_zero, set_up),
		cmocka_unit_test_setup(test_stack_operations, set_up),
		cmocka_unit_test_setup(test_jumps, set_up),
		cmocka_unit_test_setup(test_loop, set_up),
		cmocka_unit_test_setup(test_endless_loop_is_cut, set_up),
		cmocka_unit_test_setup(test_length_is_bounded, set_up),
		cmocka_unit_test_setup(test_registers, set_up),
		cmocka_unit_test_setup(test_registers_that_are_not_there, set_up),
		cmocka_unit_test_setup(test_groups_are_fetched_when_needed, set_up),
		cmocka_unit_test_setup(test_linear_addresses, set_up),
		cmocka_unit_test_setup(test_memory, set_up),
		cmocka_unit_test_setup(test_memory_that_is_not_there, set_up),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
