// SPDX-License-Identifier: GPL-3.0-or-later
/* Commands of points, files of commands, questions, and what a user does to the machine from outside. */
#include "command_rig.h"

#include "monitor/keys.h"

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

static void test_interrupts(void **state)
{
	struct rig *rig = *state;

	answer(rig, "cpu 1");
	answer(rig, "nmi");
	assert_int_equal(rig->debug->nmis[1], 1);
	answer(rig, "irq 4");
	assert_int_equal(rig->debug->irqs, 1 << 4);
	refusal(rig, "irq 16", -EINVAL);
	refusal(rig, "irq", -EINVAL);
}

static void test_keys(void **state)
{
	static const uint8_t wanted[] = {0x23, 0xa3, 0x1d, 0xe0, 0x53, 0xe0, 0xd3, 0x9d};
	struct rig *rig = *state;
	uint8_t codes[KEYS_MAX];
	struct error err;

	answer(rig, "send-key h ctrl-delete");
	assert_int_equal(rig->debug->key_count, sizeof(wanted));
	assert_memory_equal(rig->debug->keys, wanted, sizeof(wanted));
	contains(refusal(rig, "send-key h nonsense", -EINVAL), "there is no key `nonsense`");
	refusal(rig, "send-key a-b-c-d-e", -EINVAL);
	refusal(rig, "send-key ctrl-", -EINVAL);
	contains(refusal(rig, "send-key 1 2 3 4 5 6 7 8 9 0 a b c d e f", -ENOSPC), "is full");
	for (unsigned i = 0; key_name(i); i++)
		assert_in_range(keys_parse(key_name(i), codes, &err), 2, 4);
}

/* Each press with its release; Shift and Ctrl around. */
static void test_send_text(void **state)
{
	static const uint8_t wanted[] = {0x1e, 0x9e, 0x2a, 0x1f, 0x9f,
					 0xaa, 0x39, 0xb9, 0x1c, 0x9c},
			     quoted[] = {0x2a, 0x02, 0x82, 0xaa, 0x1d,
					 0x2e, 0xae, 0x9d, 0x35, 0xb5};
	struct rig *rig = *state;
	uint8_t codes[4 * 128];
	struct error err;
	char all[128];
	int size = 0;

	answer(rig, "send-text aS ");
	assert_int_equal(rig->debug->key_count, sizeof(wanted));
	assert_memory_equal(rig->debug->keys, wanted, sizeof(wanted));
	rig->debug->key_count = 0;
	answer(rig, "send-text \"aS \\n\"");
	assert_int_equal(rig->debug->key_count, sizeof(wanted));
	assert_memory_equal(rig->debug->keys, wanted, sizeof(wanted));
	rig->debug->key_count = 0;
	answer(rig, "send-text \"!\\x03/\"");
	assert_int_equal(rig->debug->key_count, sizeof(quoted));
	assert_memory_equal(rig->debug->keys, quoted, sizeof(quoted));
	contains(refusal(rig, "send-text 0123456789012345", -ENOSPC), "has no room");
	assert_int_equal(rig->debug->key_count, sizeof(quoted)); /* none of it */
	contains(refusal(rig, "send-text \"\\xe4\"", -EINVAL), "no key for \\xe4");
	refusal(rig, "send-text \"\\0\"", -EINVAL);
	refusal(rig, "send-text", -EINVAL);
	for (char c = ' '; c < 0x7f; c++)
		all[size++] = c;
	assert_int_equal(keys_text(all, (size_t)size, codes, sizeof(codes), &err),
			 2 * size + 2 * (26 + 21));
	assert_int_equal(keys_text("abc", 3, codes, 5, &err), -ENOSPC);
}

static void put_screen(struct rig *rig, unsigned row, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		rig->debug->screen.cells[2 * (SCREEN_COLUMNS * row + i)] = (uint8_t)text[i];
}

static void test_screen(void **state)
{
	struct rig *rig = *state;

	rig->debug->screen.cursor = -1;
	answer(rig, "screen");
	assert_string_equal(rig->text, "the screen is blank\n");
	memset(rig->debug->screen.cells, ' ', sizeof(rig->debug->screen.cells));
	rig->debug->screen.cursor = 2 * SCREEN_COLUMNS + 4;
	put_screen(rig, 0, "hello, world", 12);
	put_screen(rig, 2, "\x1b[2J\x7f\x9b\xff\xe1~\x07", 10);
	put_screen(rig, 24, "the end", 7);
	answer(rig, "screen");
	assert_memory_equal(rig->text, "hello, world\n\n←[2J⌂¢\xc2\xa0ß~•\n\n\n",
			    strlen("hello, world\n\n←[2J⌂¢\xc2\xa0ß~•\n\n\n"));
	contains(rig->text, "\nthe end\n-- the cursor is in row 3, column 5 --\n");
}

/* A character for each of the 256, and none that a terminal would obey. */
static void test_screen_characters(void **state)
{
	struct rig *rig = *state;
	unsigned count = 0;
	bool partial;

	memset(rig->debug->screen.cells, 0, sizeof(rig->debug->screen.cells));
	rig->debug->screen.cursor = -1;
	for (unsigned i = 0; i < 256; i++)
		rig->debug->screen.cells[2 * (i / 32 * SCREEN_COLUMNS + i % 32)] = (uint8_t)i;
	for (unsigned row = 0; row < 8; row++) /* so that no blank is cut off */
		rig->debug->screen.cells[2 * (row * SCREEN_COLUMNS + 32)] = '|';
	answer(rig, "screen");
	for (const char *at = rig->text; *at; count++) {
		size_t length = text_utf8_length(at, strlen(at), &partial);

		assert_int_not_equal(length, 0);
		assert_true(length > 1 || *at == '\n' || (*at >= ' ' && *at < 0x7f));
		assert_false(length == 2 && (uint8_t)at[0] == 0xc2 && (uint8_t)at[1] < 0xa0);
		at += length;
	}
	assert_int_equal(count, 256 + 8 + 8);
}

struct sent {
	unsigned port;
	char bytes[64];
	size_t size;
	char gdb[64];
};

static int take_serial(void *ctx, unsigned port, const void *bytes, size_t size, struct error *err)
{
	struct sent *sent = ctx;

	(void)err;
	sent->port = port;
	memcpy(sent->bytes, bytes, size);
	sent->size = size;
	return 0;
}

static int serve(void *ctx, const char *address, struct error *err)
{
	if (address && strchr(address, '!'))
		return error_set(err, -EINVAL, "no such address");
	strcpy(((struct sent *)ctx)->gdb, address ? address : "none");
	return 0;
}

static const char *served(void *ctx)
{
	return ((struct sent *)ctx)->gdb;
}

static void test_serial(void **state)
{
	struct rig *rig = *state;
	struct sent sent = {0};

	refusal(rig, "serial send hello", -ENOTSUP);
	monitor_set_host(rig->monitor,
			 &(struct monitor_host){.ctx = &sent, .serial_send = take_serial});
	answer(rig, "serial send hello  world");
	assert_int_equal(sent.size, 13);
	assert_memory_equal(sent.bytes, "hello  world\n", 13);
	answer(rig, "serial send -2 \"a\\x1b\\n\\\\\\0\\q\"");
	assert_int_equal(sent.port, 1);
	assert_int_equal(sent.size, 7);
	assert_memory_equal(sent.bytes, "a\x1b\n\\\0\\q", 7);
	answer(rig, "serial send \"\\x4142\\x9\\x 4\\x-1\\xg\"");
	assert_int_equal(sent.size, 15);
	assert_memory_equal(sent.bytes, "A42\t\\x 4\\x-1\\xg", 15);
	answer(rig, "serial send \"");
	assert_memory_equal(sent.bytes, "\"\n", 2);
	refusal(rig, "serial send", -EINVAL);
}

/* What is at the other end of a TCP connection may be anybody. */
static void test_files_are_not_gdbs(void **state)
{
	static const char *const lines[] = {
		"dump f 0x200000 1",  "restore f 0x200000", "source f",	      "symbol-file f",
		"snapshot write 1 f", "snapshot read f",    "json dump f 0 1"};
	struct rig *rig = *state;
	struct sent sent = {.gdb = ":1234"};

	monitor_set_host(rig->monitor, &(struct monitor_host){.ctx = &sent, .gdb_address = served});
	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		run_as(rig, OWNER_GDB, lines[i]);
		contains(rig->text, "opens files of this host");
		assert_int_equal(access("f", F_OK), -1);
	}
	assert_int_equal(run_as(rig, OWNER_GDB, "set gdb-files on"), -EPERM);
	answer(rig, "break add_one");
	assert_int_equal(run_as(rig, OWNER_GDB, "commands 1 dump f 0 1"), -EPERM);
	contains(rig->text, "the console runs the commands of its points");
	assert_int_equal(run_as(rig, OWNER_GDB, "print 1"), 0);
	answer(rig, "set gdb-files on");
	assert_int_equal(run_as(rig, OWNER_GDB, "dump f 0x200000 1"), 0);
	assert_int_equal(unlink("f"), 0);
	answer(rig, "set gdb-files auto");
	strcpy(sent.gdb, "unix:/tmp/gdb");
	assert_int_equal(run_as(rig, OWNER_GDB, "dump f 0x200000 1"), 0);
	assert_int_equal(unlink("f"), 0);
	answer(rig, "set gdb-files off");
	assert_int_equal(run_as(rig, OWNER_GDB, "dump f 0x200000 1"), -EPERM);
	answer(rig, "dump f 0x200000 1");
	assert_int_equal(unlink("f"), 0);
}

static void test_gdbserver(void **state)
{
	struct rig *rig = *state;
	struct sent sent = {.gdb = "none"};

	refusal(rig, "gdbserver :1", -ENOTSUP);
	monitor_set_host(
		rig->monitor,
		&(struct monitor_host){.ctx = &sent, .serve_gdb = serve, .gdb_address = served});
	assert_string_equal(answer(rig, "gdbserver"), "no gdb is taken\n");
	assert_string_equal(answer(rig, "gdbserver :1234"), "gdb is taken at :1234\n");
	refusal(rig, "gdbserver !", -EINVAL);
	assert_int_equal(run_as(rig, OWNER_GDB, "gdbserver off"), -EPERM);
	contains(rig->text, "`detach`");
	monitor_set_gdb_attached(rig->monitor, true);
	contains(answer(rig, "gdbserver"), "; one is attached\n");
	monitor_set_gdb_attached(rig->monitor, false);
	assert_string_equal(answer(rig, "gdbserver off"), "no gdb is taken\n");
}

static void test_log(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "log"), "  gdb        warn\n");
	answer(rig, "log gdb debug");
	contains(answer(rig, "log"), "  gdb        debug\n");
	contains(rig->text, "  boot       warn\n");
	answer(rig, "log error");
	contains(answer(rig, "log"), "  gdb        error\n");
	refusal(rig, "log nobody debug", -EINVAL);
	refusal(rig, "log gdb loud", -EINVAL);
	refusal(rig, "log gdb debug now", -EINVAL);
	answer(rig, "log warn");
}

static void test_symbol_file(void **state)
{
	struct rig *rig = *state;
	uint64_t address = address_of(rig, "add_one");
	char wanted[64], path[4096], line[4200];

	answer(rig, "symbol-file -o 0x10000000");
	snprintf(wanted, sizeof(wanted), "0x%llx = ", (unsigned long long)address + 0x10000000);
	contains(answer(rig, "print add_one"), wanted);
	snprintf(line, sizeof(line), "info line *0x%llx", (unsigned long long)address + 0x10000000);
	contains(answer(rig, line), "line 18 of ");
	answer(rig, "symbol-file -o 0");
	refusal(rig, "symbol-file", -EINVAL);
	refusal(rig, "symbol-file /no/such/file", -ENOENT);
	refusal(rig, "symbol-file /dev/null", -EINVAL);
	snprintf(path, sizeof(path), "%s/docs/console.md",
		 getenv("SOURCE") ? getenv("SOURCE") : ".");
	snprintf(line, sizeof(line), "symbol-file %s", path);
	contains(refusal(rig, line, -ENOEXEC), "not an ELF file");
	contains(answer(rig, "print/x add_one"), "0x");
	/* The program that runs this test has other names. */
	answer(rig, "symbol-file -o 0x1000 /proc/self/exe");
	refusal(rig, "print add_one", -ENOENT);
	contains(answer(rig, "print monitor_new"), " <monitor_new>");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_commands_of_a_point),
	ROW(test_do),
	ROW(test_not_while_gdb_holds_it),
	ROW(test_endless_commands),
	ROW(test_source),
	ROW(test_a_file_that_sources_itself),
	ROW(test_a_file_with_an_error),
	ROW(test_init),
	ROW(test_quit_asks),
	ROW(test_interrupts),
	ROW(test_keys),
	ROW(test_serial),
	ROW(test_send_text),
	ROW(test_screen),
	ROW(test_screen_characters),
	ROW(test_files_are_not_gdbs),
	ROW(test_gdbserver),
	ROW(test_log),
	ROW(test_symbol_file),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
