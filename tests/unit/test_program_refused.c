// SPDX-License-Identifier: GPL-3.0-or-later
/* Programs that are refused, when they are made or while they run. */
#include "debug/program.h"
#include "program_case.h"

#include "x86/registers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- making and running ------------------------------------------------------------------ */

/* Whether a program is refused, with a sentence in which these words stand. */
static void refused_for(const char *words, const struct program_insn *code, size_t count)
{
	struct program *program = NULL;
	struct error err = {0};

	assert_int_equal(program_make(code, count, &program, &err), -EINVAL);
	assert_null(program);
	assert_int_equal(err.code, -EINVAL);
	if (!strstr(err.text, words))
		fail_msg("`%s` is not in: %s", words, err.text);
}

#define REFUSED(words, ...) refused_for(words, CODE(__VA_ARGS__), COUNT(__VA_ARGS__))

/* ---- what is refused --------------------------------------------------------------------- */

static void test_arguments_are_checked(void **state)
{
	(void)state;
	REFUSED("1 to 64 bits", CONST(1), OP_ARG(SIGN_EXTEND, 0), OP(END));
	REFUSED("1 to 64 bits", CONST(1), OP_ARG(SIGN_EXTEND, 65), OP(END));
	REFUSED("1 to 64 bits", CONST(1), OP_ARG(ZERO_EXTEND, 0), OP(END));
	REFUSED("1, 2, 4 or 8", CONST(1), OP_ARG(READ_PHYSICAL, 3), OP(END));
	REFUSED("no such register", OP_ARG(REGISTER, register_count), OP(END));
	REFUSED("no such register", OP_ARG(REGISTER, UINT64_MAX), OP(END));
	REFUSED("wider than 64", OP_ARG(REGISTER, program_reg("xmm0")), OP(END));
	REFUSED("no such segment", CONST(1), OP_ARG(LINEAR, SEG_COUNT), OP(END));
	REFUSED("below the stack", CONST(1), OP_ARG(PICK, UINT64_MAX), OP(END));
	REFUSED("no such operation", CONST(1), {.op = PROGRAM_OP_COUNT}, OP(END));
	REFUSED("no such operation", CONST(1), {.op = (enum program_op)1000000}, OP(END));
}

static void test_ways_are_checked(void **state)
{
	(void)state;
	refused_for("no result", NULL, 0);
	REFUSED("out of the program", CONST(1));
	REFUSED("out of the program", CONST(1), OP_ARG(GOTO, 2));
	REFUSED("out of the program", CONST(1), OP_ARG(GOTO, UINT64_MAX), OP(END));
	REFUSED("out of the program", CONST(1), OP_ARG(IF_GOTO, 0x100000000ull), CONST(1), OP(END));
	REFUSED("another way", CONST(1), CONST(1), OP_ARG(IF_GOTO, 4), CONST(1), OP(END));
	REFUSED("another way", CONST(1), OP_ARG(GOTO, 0));
}

static void test_depths_are_checked(void **state)
{
	struct program_insn code[PROGRAM_STACK + 2];

	(void)state;
	REFUSED("too little", OP(END));
	REFUSED("too little", OP(POP), CONST(1), OP(END));
	REFUSED("too little", OP(DUP), OP(END));
	REFUSED("too little", CONST(1), OP(ADD), OP(END));
	REFUSED("too little", CONST(1), OP(SWAP), OP(END));
	REFUSED("too little", CONST(1), CONST(2), OP(ROTATE), OP(END));
	REFUSED("too little", CONST(1), OP_ARG(PICK, 1), OP(END));
	REFUSED("too little", OP_ARG(IF_GOTO, 0), OP(END));
	for (unsigned i = 0; i < PROGRAM_STACK + 2; i++)
		code[i] = (struct program_insn)CONST(i);
	code[PROGRAM_STACK] = (struct program_insn)OP(END);
	assert_int_equal(result_of(code, PROGRAM_STACK + 1), PROGRAM_STACK - 1);
	code[PROGRAM_STACK] = (struct program_insn)CONST(1);
	code[PROGRAM_STACK + 1] = (struct program_insn)OP(END);
	refused_for("too deep", code, PROGRAM_STACK + 2);
}

/* What cannot be reached cannot harm. */
static void test_unreachable_code_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(RESULT(CONST(4), OP(END), OP(ADD), OP_ARG(GOTO, 77),
				{.op = PROGRAM_OP_COUNT}, OP_ARG(REGISTER, UINT64_MAX)),
			 4);
}

static void test_size_is_bounded(void **state)
{
	struct program_builder builder = {0};
	struct program *program;
	struct program_fault fault;
	struct error err = {0};
	int64_t result;

	(void)state;
	program_append(&builder, PROGRAM_CONST, 1);
	for (unsigned i = 0; i < PROGRAM_SIZE - 2; i++)
		program_append(&builder, PROGRAM_BIT_NOT, 0);
	program_append(&builder, PROGRAM_END, 0);
	assert_int_equal(program_finish(&builder, "long", &program, &err), 0);
	assert_int_equal(program_run(program, &program_context, &result, &fault), 0);
	assert_int_equal(result, 1);
	assert_string_equal(program_text(program), "long");
	program_free(program);
	for (unsigned i = 0; i < PROGRAM_SIZE + 1; i++)
		program_append(&builder, PROGRAM_CONST, 0);
	assert_int_equal(program_finish(&builder, NULL, &program, &err), -E2BIG);
	assert_non_null(strstr(err.text, "32768"));
}

static void test_aiming(void **state)
{
	struct program_builder builder = {0};
	struct program_fault fault;
	struct program *program;
	unsigned jump;
	int64_t result;

	(void)state;
	program_append(&builder, PROGRAM_CONST, 1);
	jump = program_append(&builder, PROGRAM_IF_GOTO, 0);
	program_append(&builder, PROGRAM_CONST, 2);
	program_append(&builder, PROGRAM_END, 0);
	program_aim(&builder, jump, builder.count);
	program_append(&builder, PROGRAM_CONST, 3);
	program_append(&builder, PROGRAM_END, 0);
	assert_int_equal(program_finish(&builder, NULL, &program, NULL), 0);
	assert_null(program_text(program));
	assert_int_equal(program_run(program, &program_context, &result, &fault), 0);
	assert_int_equal(result, 3);
	program_free(program);
	program_append(&builder, PROGRAM_CONST, 1);
	program_abandon(&builder);
	program_abandon(&builder);
}

/* Programs of random operations: refused with a sentence, or run to an end. A sanitizer looks on. */
static void test_hostile_programs(void **state)
{
	unsigned accepted = 0, finished = 0;

	(void)state;
	srandom(4);
	for (unsigned round = 0; round < 200000; round++) {
		struct program_builder builder = {0};
		unsigned size = 1 + (unsigned)random() % 12;
		struct program_fault fault = {0};
		struct error err = {0};
		struct program *program;
		int64_t result;

		for (unsigned i = 0; i < size; i++)
			program_append(
				&builder,
				random() % 2 ? PROGRAM_CONST
					     : (enum program_op)(random() % (PROGRAM_OP_COUNT + 1)),
				(uint64_t)(random() % 8 ? random() % 8 : -random()));
		program_append(&builder, PROGRAM_END, 0);
		if (program_finish(&builder, NULL, &program, &err)) {
			assert_true(strlen(err.text) > 5);
			continue;
		}
		accepted++;
		if (!program_run(program, &program_context, &result, &fault))
			finished++;
		else
			assert_true(strlen(fault.text) > 5);
		program_free(program);
	}
	assert_true(accepted > 1000);
	assert_true(finished > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arguments_are_checked, set_up),
		cmocka_unit_test_setup(test_ways_are_checked, set_up),
		cmocka_unit_test_setup(test_depths_are_checked, set_up),
		cmocka_unit_test_setup(test_unreachable_code_is_left_alone, set_up),
		cmocka_unit_test_setup(test_size_is_bounded, set_up),
		cmocka_unit_test_setup(test_aiming, set_up),
		cmocka_unit_test_setup(test_hostile_programs, set_up),
	};

	return cmocka_run_group_tests_name("program refused", tests, NULL, NULL);
}
