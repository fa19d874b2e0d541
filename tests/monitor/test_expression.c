// SPDX-License-Identifier: GPL-3.0-or-later
#include "expression_case.h"
#include "monitor/expression.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(value_of("42"), 42);
	assert_int_equal(value_of("0x2a"), 42);
	assert_int_equal(value_of("052"), 42);
	assert_int_equal(value_of("0b101010"), 42);
	assert_int_equal(error_of("0b-1"), -EINVAL); /* strtoull() takes them */
	assert_int_equal(error_of("0b 1"), -EINVAL);
	assert_int_equal(error_of("0b0b1"), -EINVAL);
	assert_int_equal(error_of("0b"), -EINVAL);
	assert_int_equal(value_of("'*'"), 42);
	assert_int_equal(value_of("0"), 0);
	assert_true(value_of("0xffffffffffffffff") == UINT64_MAX);
	assert_int_equal(error_of("0x10000000000000000"), -EINVAL);
	assert_int_equal(error_of("12abc"), -EINVAL);
	assert_int_equal(error_of("0x"), -EINVAL);
	assert_int_equal(error_of("09"), -EINVAL);
	assert_int_equal(error_of("'"), -EINVAL);
	assert_int_equal(error_of("'a"), -EINVAL);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(value_of("main"), 0x1000);
	assert_int_equal(value_of("main+4"), 0x1004);
	assert_int_equal(value_of("&main"), 0x1000);
	assert_int_equal(value_of("a.b$c"), 0x1000);
	assert_int_equal(value_of("$rax"), 7);
	assert_int_equal(value_of("main + $rax*8"), 0x1038);
	assert_int_equal(error_of("nowhere"), -ENOENT);
	assert_int_equal(error_of("$nothing"), -ENOENT);
	assert_int_equal(error_of("$"), -EINVAL);
	assert_int_equal(error_of("& 5"), -EINVAL);
}

/* As C has it. */
static void test_precedence(void **state)
{
	(void)state;
	assert_int_equal(value_of("2+3*4"), 14);
	assert_int_equal(value_of("(2+3)*4"), 20);
	assert_int_equal(value_of("20-5-3"), 12);
	assert_int_equal(value_of("100/10/2"), 5);
	assert_int_equal(value_of("17%5"), 2);
	assert_int_equal(value_of("1<<4+1"), 32);
	assert_int_equal(value_of("0xf0|1&3"), 0xf1);
	assert_int_equal(value_of("6^3&1"), 7);
	assert_int_equal(value_of("1|2==2"), 1);
	assert_int_equal(value_of("5>3 && 2<=2"), 1);
	assert_int_equal(value_of("0 || 0"), 0);
	assert_int_equal(value_of("3 != 3"), 0);
	assert_int_equal(value_of("7 >= 8"), 0);
}

static void test_unary(void **state)
{
	(void)state;
	assert_true(value_of("-1") == UINT64_MAX);
	assert_int_equal(value_of("- -5"), 5);
	assert_int_equal(value_of("~0xf & 0xff"), 0xf0);
	assert_int_equal(value_of("!0 + !5"), 1);
	assert_int_equal(value_of("+3"), 3);
	assert_int_equal(value_of("*main"), 0x1001);
	assert_int_equal(value_of("**main"), 0x1002);
	assert_int_equal(value_of("*main*2"), 0x2002);
	assert_int_equal(error_of("*0x9000"), -EFAULT);
}

/* Numbers are signed, registers and symbols are not, and one unsigned operand decides. */
static void test_signs(void **state)
{
	(void)state;
	assert_int_equal(value_of("-1 < 0"), 1);
	assert_int_equal(value_of("-1 < $rax"), 0);
	assert_int_equal(value_of("$rax > -1"), 0);
	assert_int_equal(value_of("(s64)$rax > -1"), 1);
	assert_int_equal(value_of("(s64)$rax >= -1 && -2 <= (s64)$rax"), 1);
	assert_int_equal(value_of("-1 > main"), 1);
	assert_int_equal(value_of("0xffffffff80000000 > 5"), 1);
	assert_int_equal(value_of("-7 / 2"), -3);
	assert_int_equal(value_of("-7 % 4"), -3);
	assert_int_equal(value_of("($rax - 14) / 2"), 0x7ffffffffffffffc);
	assert_int_equal(value_of("-16 >> 2"), -4);
	assert_int_equal(value_of("($rax - 23) >> 60"), 15);
	assert_int_equal(value_of("-(5 == 5) < 0"), 1);
	assert_int_equal(value_of("!$rax - 1 < 0"), 1);
}

/* What does not matter any more is not looked at. */
static void test_short_circuit(void **state)
{
	(void)state;
	assert_int_equal(value_of("0 && *0x9000"), 0);
	assert_int_equal(value_of("1 || 5/0"), 1);
	assert_int_equal(error_of("1 && *0x9000"), -EFAULT);
	assert_int_equal(error_of("0 || 5/0"), -EDOM);
	assert_int_equal(value_of("5 && 6"), 1);
	assert_int_equal(value_of("5 && 0"), 0);
	assert_int_equal(value_of("0 || 6"), 1);
	assert_int_equal(value_of("8 || 0"), 1);
	assert_int_equal(value_of("1 && 0 || 2 && 4"), 1);
	assert_int_equal(value_of("(0 || 3) + (2 && 2)"), 2);
}

/* A condition shows what was typed. */
static void test_text_is_kept(void **state)
{
	struct program *program;
	const char *end;

	(void)state;
	assert_int_equal(
		expression_compile("  $rax == 5  cpu 1", &names, &program, NULL, &end, NULL), 0);
	assert_string_equal(program_text(program), "$rax == 5");
	assert_string_equal(end, "cpu 1");
	program_free(program);
}

static void test_shifts_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(value_of("1<<64"), 0);
	assert_int_equal(value_of("1>>200"), 0);
	assert_true(value_of("1<<63") == 1ull << 63);
}

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(error_of(""), -EINVAL);
	assert_int_equal(error_of("1+"), -EINVAL);
	assert_int_equal(error_of("(1"), -EINVAL);
	assert_int_equal(error_of("1)"), -EINVAL);
	assert_int_equal(error_of("1 2"), -EINVAL);
	assert_int_equal(error_of("#"), -EINVAL);
	assert_int_equal(error_of("5/0"), -EDOM);
	assert_int_equal(error_of("5%(1-1)"), -EDOM);
}

static void test_depth_is_bounded(void **state)
{
	char text[100001];

	(void)state;
	memset(text, '(', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(error_of(text), -EINVAL);
	memset(text, '-', sizeof(text) - 1);
	assert_int_equal(error_of(text), -EINVAL);
	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(error_of(text), -EINVAL);
	memset(text, '*', sizeof(text) - 1);
	assert_int_equal(error_of(text), -EINVAL);
	for (unsigned i = 0; i + 8 < sizeof(text); i += 8)
		memcpy(text + i, "(u8 *)+(", 8);
	assert_int_equal(error_of(text), -EINVAL);
}

/* Each level may hold back one operand for every precedence: the program is refused, not the parser. */
static void test_held_back_operands(void **state)
{
	char text[4096] = "";

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		strcat(text, "1|2^3&4==5<6<<7+8*(");
	strcat(text, "1");
	for (unsigned i = 0; i < 30; i++)
		strcat(text, ")");
	assert_int_equal(error_of(text), -EINVAL);
}

/* Many operators in a row are no nesting. */
static void test_long_sum(void **state)
{
	char text[20001];

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		memcpy(text + i * 2, "1+", 2);
	strcpy(text + 19999, "");
	assert_int_equal(value_of(text), 10000);
}

static void test_end(void **state)
{
	const char *text = "main+4 12 rest", *end;
	uint64_t value;

	(void)state;
	assert_int_equal(evaluate(text, &value, &end, NULL), 0);
	assert_int_equal(value, 0x1004);
	assert_string_equal(end, "12 rest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_unary),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_short_circuit),
		cmocka_unit_test(test_text_is_kept),
		cmocka_unit_test(test_held_back_operands),
		cmocka_unit_test(test_shifts_are_bounded),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_long_sum),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
