// SPDX-License-Identifier: GPL-3.0-or-later
/* Commands of points, files of commands, questions, and what a user does to the machine from outside. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- commands of points --------------------------------------------------------------------- */

/* What a stop at this point has to be run. */
static void runs(struct rig *rig, int point, const char *wanted, bool wanted_silent)
{
	struct stop stop = {.reason = STOP_BREAKPOINT, .point = point};
	bool silent;
	char *text;

	fake_debug_stop_as(rig->debug, &stop);
	text = monitor_stop_commands(rig->monitor, &silent);
	if (!wanted)
		assert_null(text);
	else
		assert_string_equal(text ? text : "(none)", wanted);
	assert_int_equal(silent, wanted_silent);
	free(text);
}

static void test_commands_of_a_point(void **state)
{
	struct rig *rig = *state;

	answer(rig, "break add_one");
	runs(rig, 1, NULL, false);
	answer(rig, "commands 1 print 1; echo \"a;b\"");
	runs(rig, 1, "print 1\n echo \"a;b\"\n", false);
	contains(answer(rig, "info breakpoints"), "            do print 1\n");
	assert_string_equal(monitor_prompt(rig->monitor, OWNER_CONSOLE), "(vitrine) ");
	answer(rig, "commands");
	assert_string_equal(monitor_prompt(rig->monitor, OWNER_CONSOLE), "> ");
	assert_string_equal(monitor_prompt(rig->monitor, OWNER_GDB), "(vitrine) ");
	assert_string_equal(answer(rig, "silent"), "");
	answer(rig, "  continue");
	answer(rig, "never run");
	answer(rig, " end");
	assert_string_equal(monitor_prompt(rig->monitor, OWNER_CONSOLE), "(vitrine) ");
	runs(rig, 1, "continue\n", true);
	answer(rig, "commands 1");
	answer(rig, "end");
	runs(rig, 1, NULL, false);
	refusal(rig, "commands 7", -ENOENT);
}

static void test_do(void **state)
{
	struct rig *rig = *state;

	answer(rig, "break add_one if $rax == 0 cpu 0 do bt; continue; echo no");
	assert_int_equal(rig->debug->points[0].spec.limit.by, LIMIT_VCPU);
	runs(rig, 1, "bt\n continue\n", false);
	answer(rig, "catch hlt do echo slept");
	runs(rig, 2, "echo slept\n", false);
	answer(rig, "watch counter do x/gx counter");
	runs(rig, 3, "x/gx counter\n", false);
	contains(refusal(rig, "dprintf add_one,\"x\" do bt", -EINVAL), "has no commands");
	/* They go with their point; numbers are not used again. */
	answer(rig, "delete 1");
	runs(rig, 1, NULL, false);
	answer(rig, "break add_one");
	answer(rig, "commands 4 echo new");
	runs(rig, 4, "echo new\n", false);
}

/* What gdb holds, gdb lets run; and gdb's points have commands in gdb. */
static void test_not_while_gdb_holds_it(void **state)
{
	struct rig *rig = *state;

	answer(rig, "break add_one do continue");
	monitor_set_gdb_attached(rig->monitor, true);
	runs(rig, 1, NULL, false);
	monitor_set_gdb_attached(rig->monitor, false);
	runs(rig, 1, "continue\n", false);
}

static void test_endless_commands(void **state)
{
	struct rig *rig = *state;
	char line[2000];

	answer(rig, "break add_one");
	answer(rig, "commands");
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = 0;
	for (unsigned i = 0; i < 100; i++)
		answer(rig, line);
	refusal(rig, "end", -E2BIG);
	runs(rig, 1, NULL, false);
	answer(rig, "commands");
	monitor_cancel(rig->monitor, OWNER_CONSOLE);
	contains(answer(rig, "print 1"), "0x1 = 1");
}

/* ---- files ---------------------------------------------------------------------------------- */

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static char fed[256];

static int feed(void *ctx, const char *lines, struct error *err)
{
	(void)ctx;
	(void)err;
	snprintf(fed, sizeof(fed), "%s", lines);
	return 0;
}

static void test_source(void **state)
{
	char path[] = "test-source-XXXXXX", line[64];
	struct rig *rig = *state;

	write_file(path, "# a comment\nprint 1\n\nbreak add_one\nprint 2");
	snprintf(line, sizeof(line), "source %s", path);
	contains(answer(rig, line), "0x1 = 1\nbreakpoint 1 at");
	contains(rig->text, "0x2 = 2\n");
	monitor_set_feed(rig->monitor, feed, NULL);
	assert_string_equal(answer(rig, line), "");
	contains(fed, "print 1\n\nbreak add_one\n");
	answer(rig, "set gdb-files on");
	/* gdb's `monitor` waits for its answer. */
	run_as(rig, OWNER_GDB, line);
	contains(rig->text, "0x1 = 1\n");
	unlink(path);
	refusal(rig, line, -ENOENT);
	refusal(rig, "source /", -EINVAL);
	refusal(rig, "source /dev/zero", -EINVAL);
}

static void test_a_file_that_sources_itself(void **state)
{
	char path[] = "test-source-XXXXXX", line[64];
	struct rig *rig = *state;

	FILE *file;

	write_file(path, "");
	snprintf(line, sizeof(line), "source %s", path);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "%s\n", line);
	fclose(file);
	contains(answer(rig, line), "do they source themselves?");
	unlink(path);
}

/* A line that fails ends the file. */
static void test_a_file_with_an_error(void **state)
{
	char path[] = "test-source-XXXXXX", line[64];
	struct rig *rig = *state;

	write_file(path, "print 1\nnonsense\nprint 2\n");
	snprintf(line, sizeof(line), "source %s", path);
	contains(answer(rig, line), "there is no command `nonsense`");
	lacks(rig->text, "0x2");
	unlink(path);
}

static void test_init(void **state)
{
	char folder[] = "/tmp/test-init-XXXXXX", path[64];
	struct rig *rig = *state;
	FILE *file;

	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	rig->text[0] = 0;
	rig->size = 0;
	monitor_run_init(rig->monitor, &rig->out);
	assert_string_equal(rig->text, "");
	snprintf(path, sizeof(path), "%s/vitrine", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/vitrine/init", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("set disassembly-flavor intel\nbreak add_one\n", file);
	fclose(file);
	monitor_run_init(rig->monitor, &rig->out);
	contains(rig->text, "breakpoint 1 at");
	contains(answer(rig, "x/i add_one + 1"), "mov    rbp, rsp");
	unlink(path);
	snprintf(path, sizeof(path), "%s/vitrine", folder);
	rmdir(path);
	rmdir(folder);
	unsetenv("XDG_CONFIG_HOME");
}

/* ---- questions ------------------------------------------------------------------------------ */

static void test_quit_asks(void **state)
{
	struct rig *rig = *state;

	rig->out.asks = true;
	monitor_set_gdb_attached(rig->monitor, true);
	answer(rig, "quit");
	assert_int_equal(rig->quits, 0);
	contains(monitor_prompt(rig->monitor, OWNER_CONSOLE), "(y or n)");
	answer(rig, "no");
	assert_int_equal(rig->quits, 0);
	contains(answer(rig, "print 1"), "0x1 = 1");
	answer(rig, "quit");
	answer(rig, " yes");
	assert_int_equal(rig->quits, 1);
	answer(rig, "quit");
	monitor_cancel(rig->monitor, OWNER_CONSOLE);
	answer(rig, "");
	assert_int_equal(rig->quits, 1);
	rig->out.asks = false;
	answer(rig, "quit");
	assert_int_equal(rig->quits, 2);
	monitor_set_gdb_attached(rig->monitor, false);
}

/* ---- the machine from outside --------------------------------------------------------------- */

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_commands_of_a_point),	ROW(test_do),	  ROW(test_not_while_gdb_holds_it),
	ROW(test_endless_commands),	ROW(test_source), ROW(test_a_file_that_sources_itself),
	ROW(test_a_file_with_an_error), ROW(test_init),	  ROW(test_quit_asks),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
