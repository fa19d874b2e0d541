// SPDX-License-Identifier: GPL-3.0-or-later
/* What a user does to the machine from outside. */
#include "command_rig.h"

#include "monitor/keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
	ROW(test_interrupts),	      ROW(test_keys),	   ROW(test_serial),
	ROW(test_send_text),	      ROW(test_screen),	   ROW(test_screen_characters),
	ROW(test_files_are_not_gdbs), ROW(test_gdbserver), ROW(test_log),
	ROW(test_symbol_file),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
