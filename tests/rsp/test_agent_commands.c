// SPDX-License-Identifier: GPL-3.0-or-later
/* dprintf: gdb's bytecode that prints. */
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

/* The values, a channel and a function, and the format; gdb's own escapes are still in it. */
static int compile_print(const uint8_t *values, size_t size, unsigned count, const char *format,
			 struct point_action **action, struct error *err)
{
	static const uint8_t where[] = {C8(0), C8(0)};
	size_t length = strlen(format) + 1, total = size + sizeof(where) + 4 + length + 1;
	const uint8_t head[] = {PRINTF, B(count), W(length)};
	uint8_t *bytes = malloc(total), *at = bytes;
	const struct agent_expr expr = {bytes, total};
	int ret;

	at = (uint8_t *)memcpy(at, values, size) + size;
	at = (uint8_t *)memcpy(at, where, sizeof(where)) + sizeof(where);
	at = (uint8_t *)memcpy(at, head, sizeof(head)) + sizeof(head);
	at = (uint8_t *)memcpy(at, format, length) + length;
	*at = END;
	ret = agent_printf(&expr, &view, action, err);
	free(bytes);
	return ret;
}

static struct point_action *printed(const uint8_t *values, size_t size, unsigned count,
				    const char *format)
{
	struct point_action *action = NULL;
	struct error err = {0};

	if (compile_print(values, size, count, format, &action, &err))
		fail_msg("%s: %s", format, err.text);
	assert_int_equal(action->arg_count, count);
	return action;
}

static void not_printed(int error, const char *words, const uint8_t *values, size_t size,
			unsigned count, const char *format)
{
	struct point_action *action = NULL;
	struct error err = {0};
	int ret = compile_print(values, size, count, format, &action, &err);

	assert_null(action);
	if (ret != error || !strstr(err.text, words))
		fail_msg("%s: wanted %d with `%s`, got %d: %s", format, error, words, ret,
			 err.text);
}

/* Of each value, the last one first. */
static void test_values_of_a_printf(void **state)
{
	struct point_action *action = printed(
		BYTES(C8(3), REG(0), C8(0), EQUAL, REG(0), C8(1), ADD), 3, "%d %d %d\\n");

	(void)state;
	assert_true(agent_run(action->args[0]) == (int64_t)cpu.general.gpr[GPR_RAX] + 1);
	assert_int_equal(agent_run(action->args[1]), 0);
	assert_int_equal(agent_run(action->args[2]), 3);
	assert_string_equal(action->format, "%d %d %d\n");
	point_action_free(action);
}

/* `a ? b : c`, and `a && b`, as gdb makes them: with jumps from value to value of the same expression. */
static void test_values_with_jumps(void **state)
{
	/* 0: C8 x  2: IF_GOTO 10  5: C8 7  7: GOTO 12  10: C8 8  12: */
#define CHOICE(at, x) C8(x), IF_GOTO, W((at) + 10), C8(7), GOTO, W((at) + 12), C8(8)
	struct point_action *action = printed(BYTES(CHOICE(0, 0), CHOICE(12, 1), C8(5)), 3,
					      "%d,%d,%d");

	(void)state;
	assert_int_equal(agent_run(action->args[0]), 5);
	assert_int_equal(agent_run(action->args[1]), 8);
	assert_int_equal(agent_run(action->args[2]), 7);
	point_action_free(action);
}

/* One that cannot be read leaves the others alone. */
static void test_a_value_that_is_not_there(void **state)
{
	struct point_action *action = printed(BYTES(C8(1), C8(0), REF8, C8(3)), 3, "%d%d%d");
	struct program_fault fault;
	int64_t result;

	(void)state;
	assert_int_equal(agent_run(action->args[0]), 3);
	assert_int_equal(program_run(action->args[1], &agent_context, &result, &fault), -EFAULT);
	assert_int_equal(agent_run(action->args[2]), 1);
	point_action_free(action);
}

static void test_format(void **state)
{
	static const struct {
		const char *format, *becomes;
		unsigned values;
	} rows[] = {
		{"plain", "plain", 0},
		{"a\\nb\\tc\\\\d\\\"e\\r\\f\\b\\a\\e", "a\nb\tc\\d\"e\r\f\b\a\033", 0},
		{"100%%", "100%%", 0},
		{"%d%i%u%x%X%o%c%p%s", NULL, 9},
		{"%hhd %hd %ld %lld %zu %jd %tx", NULL, 7},
		{"%-+ #08.3lx %'d %-20s %.5s %5c %-18p", NULL, 6},
	};
	static const uint8_t values[] = {C8(1), C8(2), C8(3), C8(4), C8(5),
					 C8(6), C8(7), C8(8), C8(9)};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct point_action *action = printed(values, 2 * rows[i].values, rows[i].values,
						      rows[i].format);

		assert_string_equal(action->format,
				    rows[i].becomes ? rows[i].becomes : rows[i].format);
		assert_true(action->exact && action->go_on);
		point_action_free(action);
	}
}

/* "" has a meaning of its own for the core. */
static void test_nothing_to_print(void **state)
{
	struct point_action *action = printed((const uint8_t *)"", 0, 0, "");

	(void)state;
	assert_null(action->format);
	point_action_free(action);
}

static void test_formats_that_are_not_for_us(void **state)
{
	static const char *const formats[] = {"%f",  "%e", "%g", "%Lf", "%a",  "%ls", "%lc", "%n",
					      "%*d", "%q", "%",	 "%l",	"%5.", "%Dd", "%hs", "%lp"};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		not_printed(-ENOTSUP, "is not printed here", BYTES(C8(1)), 1, formats[i]);
	not_printed(-EINVAL, "for 2 values, and there are 1", BYTES(C8(1)), 1, "%d%d");
	not_printed(-EINVAL, "for 0 values, and there are 1", BYTES(C8(1)), 1, "none");
	not_printed(-EINVAL, "escape", BYTES(C8(1)), 1, "%d\\");
	not_printed(-EINVAL, "escape", BYTES(C8(1)), 1, "%d\\z");
}

static void test_printfs_that_are_none(void **state)
{
	(void)state;
	not_printed(-EINVAL, "", BYTES(C8(1)), 2, "%d%d");
	not_printed(-EINVAL, "", BYTES(LOG_NOT, C8(1)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(C8(1), C8(2)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(ADD), 0, "x");
	not_printed(-EINVAL, "circles", BYTES(C8(0), C8(1), IF_GOTO, W(2)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(C8(1), IF_GOTO, W(6), END, C8(1)), 1, "%d");
	/* from within one value into the other */
	not_printed(-EINVAL, "", BYTES(C8(1), C8(1), IF_GOTO, W(9), C8(2), C8(3)), 2, "%d%d");
	not_printed(-ENOTSUP, "`trace`", BYTES(TRACE, C8(1)), 1, "%d");
	REFUSED(-EINVAL, "prints", C8(1), C8(0), C8(0), PRINTF, 0, 0, 2, 'x', 0, END);
}

static void test_printfs_that_are_not_whole(void **state)
{
	static const uint8_t whole[] = {C8(0), C8(0), PRINTF, 0, W(3), 'a', 'b', 0, END};
	static const uint8_t endless[] = {C8(0), C8(0), PRINTF, 0, W(2), 'a', 'b', 0, END};
	static const uint8_t nul[] = {C8(0), C8(0), PRINTF, 0, W(4), 'a', 0, 'b', 0, END};
	static const uint8_t empty[] = {C8(0), C8(0), PRINTF, 0, W(0), END};
	static const uint8_t more[] = {C8(0), C8(0), PRINTF, 0, W(2), 'a', 0, C8(1), POP, END};
	static const uint8_t lone[] = {PRINTF, 0, W(2), 'a', 0, END};
	static const uint8_t none[] = {C8(0), C8(0), END};
	static const uint8_t twice[] = {C8(0), C8(0),  PRINTF, 0,    W(2), 'a', 0,  C8(0),
					C8(0), PRINTF, 0,      W(2), 'a',  0,	END};
	static const struct agent_expr wrong[] = {
		{endless, sizeof(endless)}, {nul, sizeof(nul)},	  {empty, sizeof(empty)},
		{more, sizeof(more)},	    {lone, sizeof(lone)}, {none, sizeof(none)},
		{twice, sizeof(twice)},
	};
	struct point_action *action = NULL;
	struct agent_expr expr = {whole, sizeof(whole)};

	(void)state;
	assert_int_equal(agent_printf(&expr, &view, &action, NULL), 0);
	point_action_free(action);
	action = NULL;
	for (expr.size = 0; expr.size < sizeof(whole); expr.size++)
		assert_int_equal(agent_printf(&expr, &view, &action, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(agent_printf(&wrong[i], &view, &action, NULL), -EINVAL);
	assert_null(action);
}

static void test_many_values(void **state)
{
	uint8_t values[2 * (ACTION_ARGS + 1)];
	char format[2 * (ACTION_ARGS + 1) + 1] = "";
	struct point_action *action;

	(void)state;
	for (unsigned i = 0; i <= ACTION_ARGS; i++) {
		memcpy(values + 2 * i, (const uint8_t[]){C8(i)}, 2);
		strcat(format, "%d");
	}
	not_printed(-ENOTSUP, "32 values at most", values, sizeof(values), ACTION_ARGS + 1, format);
	action = printed(values, 2 * ACTION_ARGS, ACTION_ARGS, format + 2);
	for (int i = 0; i < ACTION_ARGS; i++)
		assert_int_equal(agent_run(action->args[i]), ACTION_ARGS - 1 - i);
	point_action_free(action);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_values_of_a_printf),
		TEST(test_values_with_jumps),
		TEST(test_a_value_that_is_not_there),
		TEST(test_format),
		TEST(test_nothing_to_print),
		TEST(test_formats_that_are_not_for_us),
		TEST(test_printfs_that_are_none),
		TEST(test_printfs_that_are_not_whole),
		TEST(test_many_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
