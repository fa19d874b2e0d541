// SPDX-License-Identifier: GPL-3.0-or-later
/* The commands about snapshots: how they are written, and what they answer. */
#include "fake_debug.h"
#include "fake_snapshot.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct {
	struct debug *debug;
	struct monitor *monitor;
	char text[16384];
	size_t size;
} the;

static void collect(void *ctx, const char *text, size_t size)
{
	(void)ctx;
	assert_true(the.size + size < sizeof(the.text));
	memcpy(the.text + the.size, text, size);
	the.size += size;
	the.text[the.size] = 0;
}

static void ignore_quit(void *ctx)
{
	(void)ctx;
}

static int setup(void **state)
{
	(void)state;
	fake_snapshots_clear();
	the.debug = fake_debug_new(NULL);
	the.monitor = monitor_new(the.debug, NULL, ignore_quit, NULL);
	return the.monitor ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	monitor_free(the.monitor);
	fake_debug_free(the.debug);
	return 0;
}

static int run_as(enum debug_owner owner, const char *line)
{
	struct monitor_out out = {.write = collect};

	the.size = 0;
	the.text[0] = 0;
	return monitor_execute(the.monitor, line, owner, &out);
}

static const char *answer(const char *line)
{
	if (run_as(OWNER_CONSOLE, line))
		fail_msg("%s: %s", line, the.text);
	return the.text;
}

static const char *refusal(const char *line, int code)
{
	int ret = run_as(OWNER_CONSOLE, line);

	if (ret != code)
		fail_msg("%s: %d, not %d: %s", line, ret, code, the.text);
	return the.text;
}

static void contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("`%s' is not in: %s", wanted, text);
}

static void test_save(void **state)
{
	(void)state;
	contains(answer("snapshot save boot"),
		 "saved boot: guest time 1.500000 s, 0 pages, 500 bytes");
	assert_string_equal(fake_snapshots()->name[0], "boot");
	contains(answer("snapshot save"), "saved 1: guest time 3.000000 s, 1 page, 4.5 KiB");
	answer("snapshot save");
	assert_string_equal(fake_snapshots()->name[2], "2");
	contains(refusal("snapshot save two words", -EINVAL),
		 "the command is: snapshot save [NAME]");
	assert_int_equal(fake_snapshots()->count, 3);
}

static void test_restore(void **state)
{
	(void)state;
	contains(refusal("snapshot restore", -ENOENT), "say which");
	contains(refusal("snapshot restore none", -ENOENT), "none");
	answer("snapshot save a");
	answer("snapshot save b");
	contains(answer("snapshot restore a"), "restored a: guest time 1.500000 s");
	contains(the.text, "vCPU 0 stands at");
	assert_int_equal(fake_snapshots()->actor, OWNER_CONSOLE);
	assert_int_equal(fake_snapshots()->current, 0);
	contains(answer("snapshot restore"), "restored a");
	assert_int_equal(run_as(OWNER_GDB, "snapshot restore b"), 0);
	assert_int_equal(fake_snapshots()->actor, OWNER_GDB);
	monitor_set_gdb_attached(the.monitor, true);
	contains(answer("snapshot restore a"), "flush register-cache");
}

static void test_list(void **state)
{
	(void)state;
	contains(answer("snapshot list"), "no snapshots");
	answer("snapshot save a");
	answer("snapshot save b");
	contains(answer("snapshot list"), "  a   ");
	contains(the.text, "* b   ");
	contains(the.text, "3.000000 s");
	contains(the.text, "4.5 KiB");
	contains(answer("info snapshots"), "* b   ");
	answer("snapshot delete b");
	assert_null(strstr(answer("snapshot list"), "b   "));
	contains(refusal("snapshot delete b", -ENOENT), "no snapshot");
	refusal("snapshot delete", -EINVAL);
}

static void test_files(void **state)
{
	(void)state;
	answer("snapshot save a");
	answer("snapshot write a \"/tmp/some file.snap\"");
	assert_string_equal(fake_snapshots()->file, "/tmp/some file.snap");
	refusal("snapshot write a", -EINVAL);
	refusal("snapshot write none file", -ENOENT);
	contains(answer("snapshot read /tmp/boot.snap"), "read boot.snap");
	assert_string_equal(fake_snapshots()->file, "/tmp/boot.snap");
	contains(answer("snapshot read boot.snap again"), "read again");
	assert_string_equal(fake_snapshots()->file, "boot.snap");
	contains(answer("snapshot read \"/tmp/some file.snap\"  third"), "read third");
	assert_string_equal(fake_snapshots()->file, "/tmp/some file.snap");
	refusal("snapshot read", -EINVAL);
}

/* For who comes from QEMU. */
static void test_other_names(void **state)
{
	(void)state;
	contains(answer("savevm a"), "saved a");
	contains(answer("loadvm a"), "restored a");
	answer("delvm a");
	assert_int_equal(fake_snapshots()->count, 0);
	contains(answer("help snapshot save"), "the whole machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_save, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
