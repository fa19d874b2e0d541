// SPDX-License-Identifier: GPL-3.0-or-later
/* Bytecode that is refused, and nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent_case.h"
#include "gdbstub/agent_expr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is refused ------------------------------------------------------------------------ */

static void test_not_for_us(void **state)
{
	static const struct {
		uint8_t code;
		const char *name;
	} rows[] = {
		{FLOAT, "`float`"},
		{TRACE, "`trace`"},
		{TRACE_QUICK, "`trace_quick`"},
		{REF_FLOAT, "`ref_float`"},
		{REF_DOUBLE, "`ref_double`"},
		{REF_LONG_DOUBLE, "`ref_long_double`"},
		{L_TO_D, "`l_to_d`"},
		{D_TO_L, "`d_to_l`"},
		{GETV, "`getv`"},
		{SETV, "`setv`"},
		{TRACEV, "`tracev`"},
		{TRACENZ, "`tracenz`"},
		{TRACE16, "`trace16`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		REFUSED(-ENOTSUP, rows[i].name, C8(1), rows[i].code, 0, 0, END);
}

/* Together with the above: each of 256 codes is known, refused, or none. */
static void test_codes_that_are_none(void **state)
{
	(void)state;
	REFUSED(-EINVAL, "0x00", C8(1), 0, END);
	REFUSED(-EINVAL, "0x31", C8(1), 0x31, END);
	for (unsigned code = PRINTF + 1; code < 256; code++)
		REFUSED(-EINVAL, "none of gdb's bytecodes", C8(1), B(code), END);
}

static void test_truncated(void **state)
{
	static const uint8_t whole[] = {REG(0), C8(1),	ADD, C16(2), SUB,      C32(3), EQUAL,
					C64(4), BIT_OR, EXT, 8,	     ZERO_EXT, 8,      IF_GOTO,
					W(36),	C8(5),	END, C8(6),  PICK,     0,      END};

	(void)state;
	assert_int_equal(value_of(whole, sizeof(whole)), 6);
	for (size_t size = 0; size < sizeof(whole); size++)
		refused_with(-EINVAL, "", whole, size);
}

static void test_no_result(void **state)
{
	(void)state;
	refused_with(-EINVAL, "no `end`", (const uint8_t *)"", 0);
	REFUSED(-EINVAL, "no `end`", C8(1));
	REFUSED(-EINVAL, "", END);
	REFUSED(-EINVAL, "", ADD, END);
	REFUSED(-EINVAL, "", C8(1), ADD, END);
	REFUSED(-EINVAL, "", C8(1), PICK, 1, END);
	REFUSED(-EINVAL, "", C8(1), C8(1), ROT, END);
	/* deeper by one way than by the other: 0: C8 1  2: IF_GOTO 7  5: C8 7  7: END */
	REFUSED(-EINVAL, "", C8(9), C8(1), IF_GOTO, W(9), C8(7), END);
}

static void test_too_deep(void **state)
{
	uint8_t bytes[2 * 200 + 1];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(bytes + 2 * i, (const uint8_t[]){C8(1)}, 2);
	bytes[400] = END;
	refused_with(-EINVAL, "too deep", bytes, sizeof(bytes));
}

static void test_too_long(void **state)
{
	size_t size = 0x10000;
	uint8_t *bytes = malloc(size);

	(void)state;
	memset(bytes, LOG_NOT, size);
	memcpy(bytes, (const uint8_t[]){C8(1)}, 2);
	bytes[size - 1] = END;
	refused_with(-E2BIG, "", bytes, size);
	memset(bytes, LOG_NOT, size);
	memcpy(bytes, (const uint8_t[]){C8(1)}, 2);
	bytes[30001] = END;
	assert_int_equal(value_of(bytes, 30002), 0); /* negated 29999 times */
	free(bytes);
}

/* ---- nonsense ------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	return *seed = *seed * 1664525 + 1013904223;
}

/* A program of whole opcodes, so that many come through, and now and then a byte that is wrong. */
static size_t make_nonsense(uint32_t *seed, uint8_t *bytes)
{
	static const struct {
		uint8_t size, bytes[8];
	} pieces[] = {
		{2, {C8(0)}},
		{2, {C8(1)}},
		{3, {C16(MEMORY_AT)}},
		{3, {REG(1)}},
		{3, {REG(16)}},
		{1, {ADD}},
		{1, {SUB}},
		{1, {REM_SIGNED}},
		{1, {EQUAL}},
		{1, {DUP}},
		{1, {SWAP}},
		{1, {POP}},
		{1, {REF8}},
		{1, {REF64}},
		{2, {EXT, 8}},
		{2, {PICK, 1}},
		{1, {ROT}},
		{3, {IF_GOTO, W(6)}},
		{3, {IF_GOTO, W(11)}},
		{3, {GOTO, W(9)}},
		{1, {END}},
	};
	static const uint8_t print[] = {C8(0), C8(0), PRINTF, 1, W(3), '%', 'd', 0};
	unsigned count = 1 + (next_random(seed) >> 16) % 9;
	bool prints = (next_random(seed) >> 16) % 2;
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned piece = (next_random(seed) >> 16) %
				 (unsigned)(sizeof(pieces) / sizeof(pieces[0]));

		memcpy(bytes + size, pieces[piece].bytes, pieces[piece].size);
		size += pieces[piece].size;
	}
	if (prints) {
		memcpy(bytes + size, print, sizeof(print));
		size += sizeof(print);
	}
	bytes[size++] = END;
	if ((next_random(seed) >> 16) % 4 == 0)
		bytes[(next_random(seed) >> 16) % size] = (uint8_t)(next_random(seed) >> 16);
	return size;
}

static void run_anyhow(struct program *program)
{
	struct program_fault fault;
	int64_t result;

	program_run(program, &agent_context, &result, &fault);
}

/* Whatever comes through is run. */
static void test_nonsense(void **state)
{
	unsigned programs = 0, prints = 0;
	uint32_t seed = 42;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t made[64], *bytes;
		size_t size = make_nonsense(&seed, made);
		struct agent_expr exprs[2];
		struct point_action *action = NULL;
		struct program *program = NULL;

		bytes = memcpy(malloc(size), made, size);
		exprs[0] = exprs[1] = (struct agent_expr){bytes, size};
		if (agent_condition(exprs, 1 + round % 2, &view, &program, NULL) == 0) {
			run_anyhow(program);
			program_free(program);
			programs++;
		}
		if (agent_printf(exprs, &view, &action, NULL) == 0) {
			for (unsigned i = 0; i < action->arg_count; i++)
				run_anyhow(action->args[i]);
			point_action_free(action);
			prints++;
		}
		free(bytes);
	}
	print_message("# %u of 100000 were conditions, %u printed\n", programs, prints);
	assert_true(programs > 500 && prints > 500);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_not_for_us), TEST(test_codes_that_are_none),
		TEST(test_truncated),  TEST(test_no_result),
		TEST(test_too_deep),   TEST(test_too_long),
		TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
