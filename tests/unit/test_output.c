// SPDX-License-Identifier: GPL-3.0-or-later
/* What points print: how a format becomes text, in which order it is told, and what becomes of it when nobody
 * takes it. On the dummy accelerator. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* loop: inc %eax; nop; jmp loop */
static const uint8_t counting_loop[] = {0x40, 0x90, 0xeb, 0xfc};
#define AT_NOP	(RIG_CODE + 1)
#define AT_JUMP (RIG_CODE + 2)
#define DATA	0x8000ull
#define NOWHERE 0x7fff0000ull

static struct rig rig;
static char heard[4096]; /* all that was printed, of the last start */
static unsigned lines;
static char order[16]; /* of events, a letter each */
static bool wait_for_stop;

static void note(char letter)
{
	size_t size = strlen(order);

	if (size < sizeof(order) - 1)
		order[size] = letter;
}

static void hear(void *ctx, enum debug_event event, enum debug_owner actor)
{
	size_t size = strlen(heard);

	(void)ctx, (void)actor;
	if (event == DEBUG_OUTPUT) {
		snprintf(heard + size, sizeof(heard) - size, "%s", debug_output(rig.debug));
		lines++;
	}
	note(event == DEBUG_OUTPUT ? 'o' : event == DEBUG_STOPPED ? 's' : '-');
	while (event == DEBUG_RESUMED && wait_for_stop && debug_running(rig.debug))
		sched_yield();
}

static int start(void **state)
{
	(void)state;
	rig = (struct rig){0};
	heard[0] = '\0';
	memset(order, 0, sizeof(order));
	lines = 0;
	wait_for_stop = false;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	rig_code(&rig, 1, counting_loop, sizeof(counting_loop));
	debug_listen(rig.debug, hear, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

static void run_first(void)
{
	const struct plan plans[2] = {{.action = PLAN_RUN}, {.action = PLAN_HOLD}};

	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
}

static struct program *compile(enum program_op op, uint64_t arg, enum program_op then)
{
	struct program_builder builder = {0};
	struct program *program;

	program_append(&builder, op, arg);
	if (then != PROGRAM_END)
		program_append(&builder, then, 0);
	program_append(&builder, PROGRAM_END, 0);
	assert_int_equal(program_finish(&builder, NULL, &program, NULL), 0);
	return program;
}

static struct program *number(uint64_t value)
{
	return compile(PROGRAM_CONST, value, PROGRAM_END);
}

static struct program *rax(void)
{
	return compile(PROGRAM_REGISTER, (unsigned)register_find("rax"), PROGRAM_END);
}

static struct point_action *print(const char *format, struct program *arg)
{
	struct point_action *action = calloc(1, sizeof(*action));

	assert_non_null(action);
	action->format = strdup(format);
	action->args[0] = arg;
	action->arg_count = arg ? 1 : 0;
	action->exact = action->go_on = true;
	return action;
}

/* What this action prints at its first hit. */
static const char *printed(struct point_action *action)
{
	int number = rig_break(&rig, AT_NOP), last = rig_break(&rig, AT_JUMP);

	heard[0] = '\0';
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	assert_int_equal(debug_point_action(rig.debug, number, action, NULL), 0);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	debug_point_remove(rig.debug, number, NULL);
	debug_point_remove(rig.debug, last, NULL);
	return heard;
}

static const struct {
	const char *format;
	uint64_t value;
	const char *text;
} format_rows[] = {
	{"%d", 42, "42"},
	{"%d", 0xffffffff, "-1"},
	{"%i", 0x1ffffffff, "-1"},
	{"%u", 0xfffffffffffffffe, "4294967294"},
	{"%x", 0xfffffffff0000abc, "f0000abc"},
	{"%hd", 0x18000, "-32768"},
	{"%hu", 0x18000, "32768"},
	{"%hhd", 0x1ff, "-1"},
	{"%hhx", 0x1ff, "ff"},
	{"%ld", 0xffffffffffffffff, "-1"},
	{"%lld", 0x7fffffffffffffff, "9223372036854775807"},
	{"%zu", 0xffffffffffffffff, "18446744073709551615"},
	{"%jd", 1ull << 40, "1099511627776"},
	{"%tx", 1ull << 40, "10000000000"},
	{"%lX", 0xabcdef0123, "ABCDEF0123"},
	{"%#lo", 8, "010"},
	{"[%5d]", 42, "[   42]"},
	{"[%-5d]", 42, "[42   ]"},
	{"[%05d]", 42, "[00042]"},
	{"[%+d]", 42, "[+42]"},
	{"[% d]", 42, "[ 42]"},
	{"[%.4d]", 42, "[0042]"},
	{"[%#10x]", 255, "[      0xff]"},
	{"%c", 'A', "A"},
	{"[%3c]", 'A', "[  A]"},
	{"%c", 27, "\\x1b"},
	{"%p", 0x100000, "0x100000"},
	{"[%-12p]", 0xfff, "[0xfff       ]"},
	{"%s", DATA, "hello"},
	{"[%8s]", DATA, "[   hello]"},
	{"[%-8s]", DATA, "[hello   ]"},
	{"[%.2s]", DATA, "[he]"},
	{"%s", DATA + 0x10, "\\x1b[31m\tred\n\\x7f"},
	{"%s", DATA + 0x20, "caf\xc3\xa9 \xc2\\x9b"},
	{"%s", NOWHERE, "<not readable>"},
	{"100%%%d", 1, "100%1"},
};

static const uint8_t format_data[] = "hello\0\0\0\0\0\0\0\0\0\0\0\33[31m\tred\n\177\0\0\0\0\0"
				     "caf\xc3\xa9 \xc2\x9b";

static void test_formats(void **state)
{
	(void)state;
	mem_write_phys(rig.machine->memory, DATA, format_data, sizeof(format_data));
	for (size_t i = 0; i < sizeof(format_rows) / sizeof(format_rows[0]); i++)
		assert_string_equal(
			printed(print(format_rows[i].format, number(format_rows[i].value))),
			format_rows[i].text);
}

static void test_strange_formats(void **state)
{
	(void)state;
	assert_string_equal(printed(print("50%", NULL)), "50%");
	assert_string_equal(printed(print("%d", NULL)), "<no value>");
	assert_string_equal(printed(print("%-----------d", number(1))), "%-----------d");
	assert_string_equal(printed(print("%n", number(1))), "%n");
	assert_string_equal(printed(print("%*d", number(1))), "%*d");
	assert_string_equal(printed(print("%d!", compile(PROGRAM_CONST, NOWHERE, PROGRAM_READ64))),
			    "<8 bytes at 0x7fff0000 cannot be read>!");
}

/* Whatever width somebody chose, the text is bounded, and says that it was cut. */
static void test_long_lines(void **state)
{
	static const char *const formats[] = {"%99999999999999999999d", "%.99999999999999999999d",
					      "%4000s", "%-4294967295c",
					      "%1000d and then more text than fits"};
	char whole[1025];

	(void)state;
	mem_write_phys(rig.machine->memory, DATA, "x", 2);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *text = printed(print(formats[i], number(DATA)));

		assert_int_equal(strlen(text), 1024);
		assert_string_equal(text + 1020, "...\n");
	}
	memset(whole, 'y', sizeof(whole) - 1);
	whole[sizeof(whole) - 1] = '\0';
	assert_string_equal(printed(print(whole, NULL)), whole);
}

static void test_a_line_of_its_own(void **state)
{
	struct point_action *action = print("no newline", NULL);

	(void)state;
	action->exact = false;
	assert_string_equal(printed(action), "no newline\n");
	action = print("two newlines\n\n", NULL);
	action->exact = false;
	assert_string_equal(printed(action), "two newlines\n");
	assert_string_equal(printed(print("two newlines\n\n", NULL)), "two newlines\n\n");
}

static void test_one_after_the_other(void **state)
{
	struct point_action *action = print("%d, ", number(1));

	(void)state;
	action->next = print("%d, ", number(2));
	action->next->next = print("and %d\n", number(3));
	assert_string_equal(printed(action), "1, 2, and 3\n");
	assert_int_equal(lines, 3);
}

/* While the main thread tells that the machine was resumed, it prints and stops: the line is told first. */
static void test_lines_come_before_their_stop(void **state)
{
	int point = rig_break(&rig, AT_NOP);

	(void)state;
	rig_break(&rig, AT_JUMP);
	debug_point_action(rig.debug, point, print("here\n", NULL), NULL);
	wait_for_stop = true;
	run_first();
	rig_wait_stop(&rig);
	assert_string_equal(order, "-os");
}

/* Its vCPU waits, but for the pause. */
static void test_nobody_takes_the_output(void **state)
{
	int point = rig_break(&rig, AT_NOP), last = rig_break(&rig, AT_JUMP);
	unsigned before;

	(void)state;
	debug_point_action(rig.debug, point, print("%d\n", rax()), NULL);
	debug_point_ignore(rig.debug, last, 100, NULL);
	debug_output_full(rig.debug, OWNER_CONSOLE, true);
	for (unsigned i = 0; i < 20; i++) {
		before = lines;
		run_first();
		rig_pause(&rig);
		debug_dispatch(rig.debug);
		assert_in_range(lines - before, 0, 1);
	}
	debug_point_ignore(rig.debug, last, 5000, NULL);
	before = lines;
	run_first();
	debug_output_full(rig.debug, OWNER_CONSOLE, false);
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	assert_in_range(lines - before, 5000, 5001);
}

/* Nor does another's point wait for them. */
static void test_others_take_theirs(void **state)
{
	int point = rig_break(&rig, AT_NOP), last = rig_break(&rig, AT_JUMP);

	(void)state;
	debug_point_action(rig.debug, point, print("%d\n", rax()), NULL);
	debug_point_ignore(rig.debug, last, 99, NULL);
	debug_output_full(rig.debug, OWNER_GDB, true);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	assert_int_equal(lines, 100);
}

static void test_a_point_is_given_away(void **state)
{
	int point = rig_break(&rig, AT_NOP), last = rig_break(&rig, AT_JUMP);

	(void)state;
	debug_point_action(rig.debug, point, print("%d ", rax()), NULL);
	assert_int_equal(debug_point_give(rig.debug, point, OWNER_GDB, NULL), 0);
	debug_points_forget(rig.debug, OWNER_CONSOLE);
	assert_int_equal(debug_point_next(rig.debug, NULL)->number, point);
	assert_int_equal(debug_point_next(rig.debug, NULL)->owner, OWNER_GDB);
	assert_int_equal(debug_point_give(rig.debug, last, OWNER_GDB, NULL), -ENOENT);
	last = rig_break(&rig, AT_JUMP);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	assert_string_equal(heard, "1 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_formats),
		TEST(test_strange_formats),
		TEST(test_long_lines),
		TEST(test_a_line_of_its_own),
		TEST(test_one_after_the_other),
		TEST(test_lines_come_before_their_stop),
		TEST(test_nobody_takes_the_output),
		TEST(test_others_take_theirs),
		TEST(test_a_point_is_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
