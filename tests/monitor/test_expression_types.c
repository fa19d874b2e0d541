// SPDX-License-Identifier: GPL-3.0-or-later
/* Types in expressions: casts, what is read, pointers. */
#include "expression_case.h"
#include "monitor/expression.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_casts(void **state)
{
	(void)state;
	assert_int_equal(value_of("(u8)0x1ff"), 0xff);
	assert_int_equal(value_of("(s8)0x1ff"), -1);
	assert_int_equal(value_of("(u16)-1"), 0xffff);
	assert_int_equal(value_of("(s16)0x8000 < 0"), 1);
	assert_int_equal(value_of("(int)0xffffffff"), -1);
	assert_int_equal(value_of("( unsigned  int )-1"), 0xffffffff);
	assert_int_equal(value_of("(uint64_t)-1 < 5"), 0);
	assert_int_equal(value_of("(long)-1 < 5"), 1);
	assert_int_equal(value_of("-(u8)0x101"), -1);
	assert_int_equal(value_of("(u8)0x1ff + 1"), 0x100);
	assert_int_equal(value_of("(main)"), 0x1000);
	assert_int_equal(error_of("(u8)"), -EINVAL);
	assert_int_equal(error_of("(u32"), -ENOENT);
}

static void test_reading_by_type(void **state)
{
	(void)state;
	assert_int_equal(value_of("*(u8 *)0x1f0"), 0x87);
	assert_int_equal(value_of("*(s8 *)0x1f0"), (int8_t)0x87);
	assert_int_equal(value_of("*(s8 *)0x1f0 < 0"), 1);
	assert_int_equal(value_of("*(u16*)counter"), 0x8687);
	assert_int_equal(value_of("*(unsigned*)counter"), 0x84858687);
	assert_int_equal(value_of("*(int *) counter"), (int32_t)0x84858687);
	assert_true(value_of("*(u64 *)counter") == 0x8081828384858687);
	assert_int_equal(value_of("**(u8 **)0x1ef"), 0x87);
	assert_int_equal(value_of("*(s32 *)minus == -5"), 1);
	assert_int_equal(error_of("*(u8 *)0x9000"), -EFAULT);
}

/* A symbol knows how large its object is, when that is the size of a number. */
static void test_reading_objects(void **state)
{
	(void)state;
	assert_int_equal(value_of("*byte"), 0x87);
	assert_int_equal(value_of("*half"), 0x8687);
	assert_int_equal(value_of("*&word"), 0x84858687);
	assert_int_equal(value_of("*(word)"), 0x84858687);
	assert_true(value_of("*counter") == 0x8081828384858687);
	assert_true(value_of("*(u64 *)byte") == 0x8081828384858687);
	assert_int_equal(value_of("*(byte + 0x100)"), 0x2f1);
}

static uint64_t size_of(const char *text)
{
	struct program *program;
	uint64_t size = 99;

	assert_int_equal(expression_compile(text, &names, &program, &size, NULL, NULL), 0);
	program_free(program);
	return size;
}

/* For a watch. */
static void test_size_of_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(size_of("half"), 2);
	assert_int_equal(size_of("&main"), 77);
	assert_int_equal(size_of("a.b$c"), 0);
	assert_int_equal(size_of("(u32 *)main"), 4);
	assert_int_equal(size_of("(u8 **)main"), 8);
	assert_int_equal(size_of("(u16 *)main + 1"), 2);
	assert_int_equal(size_of("half + 1"), 0);
	assert_int_equal(size_of("$rax"), 0);
	assert_int_equal(size_of("0x1000"), 0);
}

static void test_pointers(void **state)
{
	(void)state;
	assert_int_equal(value_of("(u32 *)main + 2"), 0x1008);
	assert_int_equal(value_of("2 + (u32 *)main"), 0x1008);
	assert_int_equal(value_of("(u32 *)main - 2"), 0xff8);
	assert_int_equal(value_of("(u8 **)main + 1"), 0x1008);
	assert_int_equal(value_of("(u32 *)main - (u32 *)0xff0"), 4);
	assert_int_equal(value_of("((u16 *)0x100)[3]"), 0x107);
	assert_int_equal(value_of("((u8 **)0x100)[1][2]"), 0x0c);
	assert_int_equal(value_of("((u16 *)0x100)[$rax - 6] + 1"), 0x104);
	assert_int_equal(value_of("(u32 *)-1 > 5"), 1);
	assert_int_equal(error_of("main[1]"), -EINVAL);
	assert_int_equal(error_of("((u16 *)0x100)[3"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_casts),
		cmocka_unit_test(test_reading_by_type),
		cmocka_unit_test(test_reading_objects),
		cmocka_unit_test(test_size_of_what_is_there),
		cmocka_unit_test(test_pointers),
	};

	return cmocka_run_group_tests_name("expression types", tests, NULL, NULL);
}
