// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory in bulk: found, compared, written to files and read back. */
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

static void test_find(void **state)
{
	struct rig *rig = *state;

	strcpy((char *)rig->debug->ram + 0x2f0000, "a needle, another needle");
	strcpy((char *)rig->debug->ram + 0x2f2000, "box 6");
	memcpy(rig->debug->ram + 0x2f1000, "\x34\x12\0\0\x78\x56\0\0", 8);
	answer(rig, "find \"needle\"");
	assert_string_equal(rig->text, "0x2f0002\n0x2f0012\n2 found\n");
	answer(rig, "find 0x2f0003, +0x100, \"needle\"");
	assert_string_equal(rig->text, "0x2f0012\n1 found\n");
	contains(answer(rig, "find 0x2f0000, 0x2f0017, \"needle\""), "2 found\n");
	contains(answer(rig, "find 0x2f0000, 0x2f0016, \"needle\""), "1 found\n");
	contains(answer(rig, "find 0x200000, +0x100000, 0x1234, 0x5678"), "0x2f1000\n1 found\n");
	contains(answer(rig, "find/h 0x200000, +0x100000, 0x1234, 0, 0x5678"), "0x2f1000\n");
	contains(answer(rig, "find/b 0x2f0000, +0x100, 'n', \"ee\", 'd'"), "2 found\n");
	contains(answer(rig, "find/1 \"needle\""),
		 "0x2f0002\n1 are shown; there may be more behind\n");
	contains(answer(rig, "find -p \"an\\x6fther\""), "0x2f000a\n");
	contains(answer(rig, "find -p \"\\x6e\\e\\x65dle\""), "2 found\n");
	contains(answer(rig, "find \"bo\\x 6\""), "0x2f2000\n1 found\n");
	contains(answer(rig, "find \"no such thing\""), "nothing found\n");
	contains(answer(rig, "find 0x200000, +8, 0x123456789a"), "nothing found\n");
	contains(answer(rig, "json find \"needle\""), "\"found\":[\"0x2f0002\",\"0x2f0012\"]");
}

static void test_find_that_is_wrong(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "find 0x1000", -EINVAL), "find START, +LENGTH");
	contains(refusal(rig, "find 0x1000, +8", -EINVAL), "belongs behind the range");
	refusal(rig, "find 0x1000, +0, 1", -EINVAL);
	refusal(rig, "find 0x1000, 0x800, 1", -EINVAL);
	contains(refusal(rig, "find \"open", -EINVAL), "closing quote");
	contains(refusal(rig, "find \"a\" b", -EINVAL), "`b` is none of the values");
	refusal(rig, "find/x \"a\"", -EINVAL);
	refusal(rig, "find \"\\", -EINVAL);
	refusal(rig, "find \"\\x", -EINVAL);
	refusal(rig, "find \"\\x4", -EINVAL);
	rig->debug->search_fails = true;
	contains(refusal(rig, "find \"a\"", -ETIME), "takes too long");
}

static void test_compare(void **state)
{
	struct rig *rig = *state;

	memset(rig->debug->ram + 0x2f0000, 0xaa, 0x5000);
	memcpy(rig->debug->ram + 0x2f2010, "\x01\x02\x03", 3);
	contains(answer(rig, "compare 0x2f0000 0x2f0800 0x800"), "all 2048 bytes are the same\n");
	answer(rig, "compare 0x2f0000 0x2f2000 0x1000");
	assert_string_equal(rig->text, "  0x2f0010 / 0x2f2010      3  aa aa aa / 01 02 03\n"
				       "3 of 4096 bytes differ\n");
	contains(answer(rig, "compare -p 0x2f0000 0x2f2011 1"), "1 of 1 bytes differ\n");
	for (unsigned i = 0; i < 60; i += 2)
		rig->debug->ram[0x2f1000 + i] = 0;
	contains(answer(rig, "compare 0x2f0000 0x2f1000 0x100"), "  and 10 more places\n30 of 256");
	refusal(rig, "compare 0x5ff000 0 0x2000", -EFAULT);
	refusal(rig, "compare 0x5ff000 0", -EINVAL);
}

static void test_dump_and_restore(void **state)
{
	struct rig *rig = *state;
	char line[300], path[] = "test-dump-XXXXXX";
	struct stat status;

	for (unsigned i = 0; i < 100000; i++)
		rig->debug->ram[0x2f0000 + i] = (uint8_t)(i * 7);
	close(mkstemp(path));
	snprintf(line, sizeof(line), "dump %s 0x2f0000 100000", path);
	contains(answer(rig, line), "97.7K bytes from 0x2f0000 on");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 100000);
	snprintf(line, sizeof(line), "restore \"%s\" 0x400001", path);
	contains(answer(rig, line), "97.7K bytes of the file are at 0x400001\n");
	assert_memory_equal(rig->debug->ram + 0x2f0000, rig->debug->ram + 0x400001, 100000);
	snprintf(line, sizeof(line), "restore %s 0x5ffff0", path);
	contains(refusal(rig, line, -EFAULT), "nothing is mapped at 0x600000");
	/* A dump that fails leaves the old one. */
	snprintf(line, sizeof(line), "dump %s 0x5ff000 0x2000", path);
	refusal(rig, line, -EFAULT);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 100000);
	snprintf(line, sizeof(line), "dump -p %s 0x700000 16", path);
	answer(rig, line);
	unlink(path);
	contains(refusal(rig, "dump /dev/null 0x2f0000 1", -EEXIST), "no plain file");
	refusal(rig, "dump /no/such/folder/file 0x2f0000 1", -ENOENT);
	refusal(rig, "restore /no/such/file 0x2f0000", -ENOENT);
	refusal(rig, "restore / 0x2f0000", -EINVAL);
	refusal(rig, "dump \"open 0x2f0000 1", -EINVAL);
}

static uint64_t ram(struct rig *rig, uint64_t at)
{
	uint64_t value;

	memcpy(&value, rig->debug->ram + at, sizeof(value));
	return value;
}

static void test_set_memory(void **state)
{
	struct rig *rig = *state;
	uint64_t counter = address_of(rig, "counter");

	answer(rig, "set *(u64 *)0x2f0000 = -1");
	assert_int_equal(ram(rig, 0x2f0000), UINT64_MAX);
	answer(rig, "set *(u16 *)(0x2f0000 + 2) = 0x1234");
	assert_int_equal(ram(rig, 0x2f0000), 0xffffffff1234ffff);
	answer(rig, "set *(s8 *)0x2f0000 = -2");
	assert_int_equal(ram(rig, 0x2f0000), 0xffffffff1234fffe);
	answer(rig, "set *counter = 77");
	contains(answer(rig, "print *counter"), "0x4d = 77");
	assert_int_equal(rig->debug->ram[counter], 77);
	answer(rig, "set *0x2f0000 = 5");
	assert_int_equal(ram(rig, 0x2f0000), 5);
	contains(refusal(rig, "set *(u8 *)0x2f0000 = 256", -ERANGE), "does not fit into 1 bytes");
	refusal(rig, "set *(u8 *)0x2f0000", -EINVAL);
	refusal(rig, "set *(u8 *)0x2f0000 == 1", -EINVAL);
	contains(refusal(rig, "set *0x600000 = 1", -EFAULT), "nothing is mapped at 0x600000");
	rig->debug->running = true;
	refusal(rig, "set *0x2f0000 = 5", -EBUSY);
}

static void test_slots(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info memory-slots"),
		 "    0  0x0000000000-0x00002fffff     3M  hva 0x");
	contains(rig->text, "  writes are logged\n    2  0x0000301000-0x00007fffff  5116K  hva 0x");
	contains(rig->text, "  read-only\n");
}

static void completes(struct rig *rig, const char *line, const char *wanted)
{
	char **matches, first[64] = "nothing";
	size_t start = strlen(line);

	while (start && !strchr(" \t+-*/()&|<>=,:", line[start - 1]))
		start--;
	matches = monitor_complete(rig->monitor, line, start);
	if (matches)
		snprintf(first, sizeof(first), "%s", matches[0]);
	for (unsigned i = 0; matches && matches[i]; i++)
		free(matches[i]);
	free(matches);
	if (strcmp(first, wanted))
		fail_msg("%s: %s, not %s", line, first, wanted);
}

static void test_files_complete(void **state)
{
	struct rig *rig = *state;
	char folder[] = "test-files-XXXXXX", line[64], wanted[16];

	assert_non_null(mkdtemp(folder));
	snprintf(line, sizeof(line), "%s/inner-folder", folder);
	assert_int_equal(mkdir(line, 0700), 0);
	snprintf(line, sizeof(line), "restore %.15s", folder);
	snprintf(wanted, sizeof(wanted), "%s/", strrchr(folder, '-') + 1);
	completes(rig, line, wanted);
	snprintf(line, sizeof(line), "restore -p %s/in", folder);
	completes(rig, line, "inner-folder/");
	snprintf(line, sizeof(line), "restore %s/inner-fo", folder);
	completes(rig, line, "folder/");
	completes(rig, "restore -", "p");
	completes(rig, "restore some-file add_o", "add_one");
	completes(rig, "dump -p some-file add_o", "add_one");
	snprintf(line, sizeof(line), "%s/inner-folder", folder);
	rmdir(line);
	rmdir(folder);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_find),		  ROW(test_find_that_is_wrong),
	ROW(test_compare),	  ROW(test_dump_and_restore),
	ROW(test_set_memory),	  ROW(test_slots),
	ROW(test_files_complete),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
