// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots in files: what is written is read; what is damaged, does not fit, or means harm is refused with a
 * sentence, and changes nothing. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "machine/snapshot_file.h"
#include "snapshot_file_rig.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- back and forth -------------------------------------------------------------------------- */

static void test_write_and_read(void **state)
{
	struct picture before, after;
	uint8_t pattern[3 * 4096];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + 1);
	mem_write_phys(snapshot_file_rig.machine->memory, 0x30000, pattern, sizeof(pattern));
	mem_write_phys(snapshot_file_rig.machine->memory, RIG_RAM - 1, "x", 1);
	machine_serial_input(snapshot_file_rig.machine, 0, "abc", 3);
	rig_set_reg(&snapshot_file_rig, 0, "rbx", 0x1234);
	picture_take(&before, snapshot_file_rig.machine);
	save_and_write("a");
	mem_zero_phys(snapshot_file_rig.machine->memory, 0xc0000, RIG_RAM - 0xc0000);
	mem_zero_phys(snapshot_file_rig.machine->memory, 0x30000, 0x10000);
	mem_write_phys(snapshot_file_rig.machine->memory, 0x50000, pattern, sizeof(pattern));
	rig_set_reg(&snapshot_file_rig, 0, "rbx", 1);
	read_as("b");
	assert_int_equal(rig_reg(&snapshot_file_rig, 0, "rbx"), 1); /* reading changes nothing */
	assert_int_equal(debug_snapshot_restore(snapshot_file_rig.debug, "b", OWNER_CONSOLE, NULL),
			 0);
	picture_take(&after, snapshot_file_rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
}

/* In a machine that has no snapshot yet, as -loadvm does it; and written again it is the same file. */
static void test_a_fresh_machine(void **state)
{
	struct bytes first, second;
	struct picture before, after;

	(void)state;
	mem_write_phys(snapshot_file_rig.machine->memory, 0x20000, "text", 4);
	save_and_write("a");
	picture_take(&before, snapshot_file_rig.machine);
	first = snapshot_file_load();
	rig_stop(&snapshot_file_rig);
	snapshot_file_rig = (struct rig){0};
	rig_start(&snapshot_file_rig, 1, IRQCHIP_USER);
	mem_write_phys(snapshot_file_rig.machine->memory, 0x70000, "other", 5);
	read_as("a");
	assert_int_equal(debug_snapshot_restore(snapshot_file_rig.debug, "a", OWNER_CONSOLE, NULL),
			 0);
	picture_take(&after, snapshot_file_rig.machine);
	picture_same(&before, &after);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", path, NULL), 0);
	second = snapshot_file_load();
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.at, second.at, first.size);
	free(first.at);
	free(second.at);
	picture_free(&before);
	picture_free(&after);
}

static size_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void test_zeros_cost_nothing(void **state)
{
	size_t small;

	(void)state;
	save_and_write("a");
	small = file_size();
	assert_true(small < 80000); /* the text screen has 32 KiB */
	mem_write_phys(snapshot_file_rig.machine->memory, 0x20000, "x", 1);
	mem_write_phys(snapshot_file_rig.machine->memory, 0x40000, "x", 1);
	save_and_write("b");
	assert_int_equal(file_size(), small + 2 * (4096 + 8 + sizeof(struct section_head)));
}

/* More pages in a row than one section takes. */
static void test_long_runs(void **state)
{
	uint8_t *much = malloc(600 * 1024);
	struct picture before, after;

	(void)state;
	memset(much, 0x11, 600 * 1024);
	mem_write_phys(snapshot_file_rig.machine->memory, 0x4000, much, 600 * 1024);
	free(much);
	save_and_write("a");
	picture_take(&before, snapshot_file_rig.machine);
	mem_zero_phys(snapshot_file_rig.machine->memory, 0, 0x90000);
	read_as("b");
	assert_int_equal(debug_snapshot_restore(snapshot_file_rig.debug, "b", OWNER_CONSOLE, NULL),
			 0);
	picture_take(&after, snapshot_file_rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
}

/* The first page is a run that begins where none has been; fresh memory is no zeros then. */
static void test_the_first_page(void **state)
{
	(void)state;
	mallopt(M_PERTURB, 0x5a);
	mem_write_phys(snapshot_file_rig.machine->memory, 0, "first", 5);
	save_and_write("a");
	mallopt(M_PERTURB, 0);
	read_as("b");
	mem_zero_phys(snapshot_file_rig.machine->memory, 0, 5);
	assert_int_equal(debug_snapshot_restore(snapshot_file_rig.debug, "b", OWNER_CONSOLE, NULL),
			 0);
	assert_int_equal(rig_byte(&snapshot_file_rig, 0), 'f');
	assert_int_equal(rig_byte(&snapshot_file_rig, 4), 't');
}

/* ---- the file itself --------------------------------------------------------------------------- */

static void test_files_that_cannot_be(void **state)
{
	struct error err = {0};
	char missing[160];

	(void)state;
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "none", path, &err),
			 -ENOENT);
	assert_int_equal(debug_snapshot_read(snapshot_file_rig.debug, path, "a", &err), -ENOENT);
	snapshot_file_says(err.text, path);
	assert_int_equal(debug_snapshot_save(snapshot_file_rig.debug, "a", &err), 0);
	snprintf(missing, sizeof(missing), "%s/no/such", folder);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", missing, &err),
			 -ENOENT);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", folder, &err), -EINVAL);
	assert_int_equal(debug_snapshot_read(snapshot_file_rig.debug, folder, "b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", "/dev/null", &err),
			 -EINVAL);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "none", path, &err),
			 -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(debug_snapshot_read(snapshot_file_rig.debug, path, "b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", path, &err), -EINVAL);
}

/* A write that fails leaves what was there. */
static void test_a_failed_write_keeps_the_old_file(void **state)
{
	struct error err = {0};
	struct bytes before, after;

	(void)state;
	save_and_write("a");
	before = snapshot_file_load();
	assert_int_equal(chmod(folder, 0500), 0);
	if (access(folder, W_OK) == 0) /* the superuser may write anywhere */
		assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", path, &err), 0);
	else
		assert_int_equal(debug_snapshot_write(snapshot_file_rig.debug, "a", path, &err),
				 -EACCES);
	assert_int_equal(chmod(folder, 0700), 0);
	after = snapshot_file_load();
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.at, after.at, before.size);
	free(before.at);
	free(after.at);
}

static void test_what_is_no_snapshot(void **state)
{
	struct bytes b;

	(void)state;
	assert_int_equal(debug_snapshot_save(snapshot_file_rig.debug, "a", NULL), 0);
	store((const uint8_t *)"", 0);
	snapshot_file_refused(-EINVAL);
	store((const uint8_t *)"#!/bin/sh\n", 10);
	snapshot_file_refused(-EINVAL);
	store(snapshot_file_spin, sizeof(snapshot_file_spin));
	snapshot_file_refused(-EINVAL);
	save_and_write("a");
	b = snapshot_file_load();
	b.at[0] = 'v';
	store(b.at, b.size);
	snapshot_file_says(snapshot_file_refused(-EMEDIUMTYPE), "no snapshot");
	free(b.at);
}

/* ---- harm, with all sums right ------------------------------------------------------------------------- */

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, snapshot_file_setup, snapshot_file_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_and_read),
		TEST(test_a_fresh_machine),
		TEST(test_zeros_cost_nothing),
		TEST(test_long_runs),
		TEST(test_the_first_page),
		TEST(test_files_that_cannot_be),
		TEST(test_a_failed_write_keeps_the_old_file),
		TEST(test_what_is_no_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
