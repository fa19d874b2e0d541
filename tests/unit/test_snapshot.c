// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots on the dummy accelerator: that a restore brings back everything, that a save costs what changed,
 * that a failure changes nothing, and what the debugger makes of it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "snapshot_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- everything comes back -------------------------------------------------------------------- */

static void comes_back(unsigned vcpus, enum irqchip irqchip)
{
	struct picture before, after, changed;
	struct rig rig = {0};

	rig_start(&rig, vcpus, irqchip);
	for (unsigned i = 0; i < vcpus; i++)
		rig_code(&rig, i, snapshot_writer, sizeof(snapshot_writer));
	run_a_little(&rig);
	rig_set_reg(&rig, 0, "rcx", 0x1234567812345678);
	snapshot_save(&rig, "a");
	picture_take(&before, rig.machine);
	run_a_little(&rig);
	machine_serial_input(rig.machine, 0, "later", 5);
	rig_set_reg(&rig, 0, "rcx", 5);
	rig_set_reg(&rig, (int)vcpus - 1, "cr2", 0x77);
	picture_take(&changed, rig.machine);
	assert_true(picture_differs(&before, &changed));
	snapshot_restore(&rig, "a");
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	picture_free(&changed);
	rig_stop(&rig);
}

static void test_everything_comes_back(void **state)
{
	(void)state;
	comes_back(1, IRQCHIP_KERNEL);
	comes_back(1, IRQCHIP_USER);
	comes_back(4, IRQCHIP_KERNEL);
}

/* The same future, twice. */
static void test_continues_the_same_way(void **state)
{
	struct picture first, second;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_steps(&rig, 7);
	snapshot_save(&rig, "a");
	snapshot_steps(&rig, 123);
	picture_take(&first, rig.machine);
	snapshot_restore(&rig, "a");
	snapshot_steps(&rig, 123);
	picture_take(&second, rig.machine);
	second.parts.guest_time = first.parts.guest_time; /* how long steps took */
	picture_same(&first, &second);
	picture_free(&first);
	picture_free(&second);
	rig_stop(&rig);
}

/* Back and forth between several, in any order. */
static void test_many_snapshots(void **state)
{
	struct picture picture[5], now;
	struct rig rig = {0};
	unsigned seed = 3;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	for (unsigned i = 0; i < 5; i++) {
		char name[2] = {(char)('a' + i), 0};
		uint64_t value = i + 1;

		snapshot_steps(&rig, 10);
		assert_int_equal(
			debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x40000 + i * 0x1000, &value, 8),
			8);
		snapshot_save(&rig, name);
		picture_take(&picture[i], rig.machine);
	}
	for (unsigned round = 0; round < 60; round++) {
		unsigned i = (unsigned)rand_r(&seed) % 5;
		char name[2] = {(char)('a' + i), 0};

		snapshot_steps(&rig, (unsigned)rand_r(&seed) % 20);
		snapshot_restore(&rig, name);
		picture_take(&now, rig.machine);
		picture_same(&picture[i], &now);
		picture_free(&now);
	}
	for (unsigned i = 0; i < 5; i++)
		picture_free(&picture[i]);
	rig_stop(&rig);
}

/* ---- RAM: what a save costs --------------------------------------------------------------------- */

static void test_a_save_costs_what_changed(void **state)
{
	struct rig rig = {.ram_size = 64 << 20};
	uint64_t value = 0x0700000007;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "first");
	assert_int_equal(info_of(&rig, "first").pages, 1); /* the code; all else is zeros */
	snapshot_save(&rig, "same");
	assert_int_equal(info_of(&rig, "same").pages, 0);
	run_a_little(&rig);
	snapshot_save(&rig, "ran");
	assert_int_equal(info_of(&rig, "ran").pages, 2);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	snapshot_save(&rig, "wrote");
	assert_int_equal(info_of(&rig, "wrote").pages, 2); /* across a page's end */
	value = 0;
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	snapshot_save(&rig, "zeros");
	assert_int_equal(info_of(&rig, "zeros").pages, 2);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	snapshot_save(&rig, "again");
	assert_int_equal(info_of(&rig, "again").pages, 0); /* written, but nothing new */
	rig_stop(&rig);
}

/* Pages that were never touched are not made by looking at them. */
static uint64_t resident(struct rig *rig)
{
	uint64_t bytes = 0;
	uint64_t gpa = 0, size = 0;

	while (memory_touched(rig->machine->memory, gpa + size, &gpa, &size))
		bytes += size;
	return bytes;
}

static void test_untouched_memory_stays_so(void **state)
{
	struct rig rig = {.ram_size = 512 << 20};
	struct error err;
	static uint8_t much[8 << 20];

	(void)state;
	memset(much, 0x5a, sizeof(much));
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, snapshot_spin, sizeof(snapshot_spin));
	snapshot_save(&rig, "first");
	assert_true(resident(&rig) < 1 << 20);
	mem_write_phys(rig.machine->memory, 16 << 20, much, sizeof(much));
	snapshot_save(&rig, "much");
	assert_int_equal(info_of(&rig, "much").pages, sizeof(much) / 4096);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	snapshot_save(&rig, "reset");
	assert_int_equal(info_of(&rig, "reset").pages, sizeof(much) / 4096);
	assert_true(resident(&rig) < 1 << 20);
	snapshot_restore(&rig, "much");
	assert_int_equal(rig_byte(&rig, (24 << 20) - 1), 0x5a);
	snapshot_restore(&rig, "first");
	assert_int_equal(rig_byte(&rig, (24 << 20) - 1), 0);
	assert_true(resident(&rig) < 1 << 20);
	rig_stop(&rig);
}

/* Slots that are cut, joined and withdrawn between the saves lose nothing of their logs. */
static void test_slots_may_change_meanwhile(void **state)
{
	const struct memory_run runs[] = {{0x30000, 0x1000, MEMORY_READ_ONLY},
					  {0x50000, 0x2000, MEMORY_WITHDRAWN}};
	struct picture before, after;
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	run_a_little(&rig);
	snapshot_save(&rig, "a");
	picture_take(&before, rig.machine);
	for (unsigned round = 0; round < 3; round++) {
		run_a_little(&rig); /* logged in one slot … */
		assert_int_equal(memory_protect(rig.machine->memory, runs, 2, &err), 0);
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		snapshot_steps(&rig, 2); /* … in another one … */
		assert_int_equal(mem_write_phys(rig.machine->memory, 0x51000, "x", 1), 1);
		if (round == 1) /* … and restored in that state, or in the first one */
			assert_int_equal(memory_protect(rig.machine->memory, NULL, 0, &err), 0);
		snapshot_restore(&rig, "a");
		assert_int_equal(memory_protect(rig.machine->memory, NULL, 0, &err), 0);
		picture_take(&after, rig.machine);
		picture_same(&before, &after);
		picture_free(&after);
	}
	picture_free(&before);
	rig_stop(&rig);
}

/* A page that the host has lost is replaced. */
static void test_a_lost_page_is_replaced(void **state)
{
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "a");
	run_a_little(&rig);
	rig_lose(&rig, 0x30000, 0x1000);
	assert_int_equal(debug_snapshot_save(rig.debug, "b", &err), -EFAULT);
	snapshot_restore(&rig, "a");
	assert_int_equal(rig_byte(&rig, 0x20000), 0);
	assert_int_equal(rig_byte(&rig, 0x30010), 0);
	rig_stop(&rig);
}

#define MSEAL 462 /* Linux 6.10: a mapping that nothing can be put in the place of */

static void test_a_lost_page_that_cannot_be_replaced_is_told(void **state)
{
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "a");
	run_a_little(&rig);
	rig_lose(&rig, 0x30000, 0x1000);
	if (syscall(MSEAL, mem_hva(rig.machine->memory, 0x30000, NULL), 0x1000, 0) < 0) {
		rig_stop(&rig);
		print_message("# SKIP needs mseal(2), Linux 6.10: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &err), -EFAULT);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_HOST_ERROR);
	rig_stop(&rig);
}

/* Without snapshots nothing is logged. */
static void test_the_last_one_ends_the_log(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "a");
	snapshot_save(&rig, "b");
	assert_int_equal(debug_snapshot_delete(rig.debug, "a", &err), 0);
	assert_true(rig.debug->snapshots->logging);
	assert_int_equal(debug_snapshot_delete(rig.debug, "b", &err), 0);
	assert_false(rig.debug->snapshots->logging);
	run_a_little(&rig);
	snapshot_save(&rig, "c");
	assert_int_equal(info_of(&rig, "c").pages, 3);
	run_a_little(&rig);
	snapshot_restore(&rig, "c");
	rig_stop(&rig);
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
	char longest[64], longer[65];
	struct snapshot_info info;
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	memset(longest, 'n', 63);
	memset(longer, 'n', 64);
	longest[63] = longer[64] = 0;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(debug_snapshot_save(rig.debug, "", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a/b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a\n", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, longer, &err), -EINVAL);
	assert_int_equal(debug_snapshot_restore(rig.debug, "none", OWNER_GDB, &err), -ENOENT);
	assert_int_equal(debug_snapshot_delete(rig.debug, "none", &err), -ENOENT);
	assert_false(debug_snapshot_next(rig.debug, 0, &info));
	snapshot_save(&rig, longest);
	snapshot_save(&rig, "b");
	rig_set_reg(&rig, 0, "rax", 77);
	snapshot_save(&rig, longest); /* replaced, and now the newest */
	assert_true(debug_snapshot_next(rig.debug, 0, &info));
	assert_string_equal(info.name, "b");
	assert_false(info.current);
	assert_true(debug_snapshot_next(rig.debug, 1, &info));
	assert_string_equal(info.name, longest);
	assert_true(info.current);
	assert_false(debug_snapshot_next(rig.debug, 2, &info));
	snapshot_restore(&rig, "b");
	assert_true(info_of(&rig, "b").current);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	snapshot_restore(&rig, longest);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 77);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_continues_the_same_way),
		cmocka_unit_test(test_many_snapshots),
		cmocka_unit_test(test_a_save_costs_what_changed),
		cmocka_unit_test(test_untouched_memory_stays_so),
		cmocka_unit_test(test_slots_may_change_meanwhile),
		cmocka_unit_test(test_a_lost_page_is_replaced),
		cmocka_unit_test(test_a_lost_page_that_cannot_be_replaced_is_told),
		cmocka_unit_test(test_the_last_one_ends_the_log),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
