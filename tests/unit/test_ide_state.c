// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks under the IDE controller: snapshots. */
#include "device_host.h"
#include "ide_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A second machine with the same disks. */
static struct test_host copy_host;

static struct device *copy_start(void)
{
	struct device *copy;

	start_ide(&copy_host, &copy, 0, false);
	return copy;
}

static void test_save_and_load_in_the_middle(void **state)
{
	struct device *copy = copy_start();

	(void)state;
	command28(READ, 50, 3);
	handle();
	take_sectors(1, 50);
	assert_int_equal(in16(&ata.h, DATA), 51 * 0x0101);
	check_save_load(ata.ide, copy);
	assert_true(copy_host.level[14]);
	assert_int_equal(in8(&copy_host, STATUS), READY | DRQ);
	for (unsigned i = 1; i < 512; i++)
		assert_int_equal(in16(&copy_host, DATA), (51 + i / 256) * 0x0101);
	assert_int_equal(in8(&copy_host, STATUS), READY);
	copy->destroy(copy);
}

static void reload(struct device_stream *saved, struct device *device)
{
	saved->position = 0;
	assert_int_equal(device->fits(device, saved, NULL), 0);
	saved->position = 0;
	assert_int_equal(device->load(device, saved), 0);
	assert_int_equal(saved->position, saved->size);
}

/* What the image had not answered is asked again. */
static void test_load_of_a_busy_drive(void **state)
{
	struct device_stream reading = {0}, writing = {0};

	(void)state;
	ata.disk[0].slow = true;
	command28(READ, 50, 1);
	ata.ide->save(ata.ide, &reading);
	ide_answer(0, 0);
	handle();
	take_sectors(1, 50);
	ata.disk[0].slow = false;
	reload(&reading, ata.ide);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 50);

	ata.disk[0].slow = true;
	command28(WRITE, 51, 1);
	give_sectors(1, 0xc1);
	ata.ide->save(ata.ide, &writing);
	ide_answer(0, 0);
	handle();
	ata.disk[0].slow = false;
	reload(&writing, ata.ide);
	assert_int_equal(handle(), READY);
	reload(&writing, ata.ide); /* and any number of times */
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 51, 0xc1));
	stream_free(&reading);
	stream_free(&writing);
}

static void unfit(struct device_stream *saved, const char *why)
{
	struct error err = {0};

	saved->position = 0;
	assert_int_equal(ata.ide->fits(ata.ide, saved, &err), -EINVAL);
	assert_non_null(strstr(err.text, why));
}

static void test_a_disk_that_was_written_since(void **state)
{
	struct device_stream saved = {0};

	(void)state;
	ata.ide->save(ata.ide, &saved);
	command28(READ, 50, 1);
	take_sectors(1, 50);
	reload(&saved, ata.ide);
	command28(WRITE, 51, 1);
	reload(&saved, ata.ide); /* nothing was written yet */
	command28(WRITE, 51, 1);
	give_sectors(1, 0xc1);
	unfit(&saved, "drive 0 was written since");
	ata.ide->reset(ata.ide);
	unfit(&saved, "drive 0 was written since");
	stream_free(&saved);
}

static void test_a_disk_of_another_run(void **state)
{
	struct device_stream saved = {0};

	(void)state;
	ata.disk[0].run = 1;
	ata.disk[0].changed = 1000;
	ata.ide->save(ata.ide, &saved);
	another(0, false);
	ata.disk[0].run = 2;
	reload(&saved, ata.ide);
	ata.disk[0].changed = 1001;
	unfit(&saved, "was written since");
	ata.disk[0].changed = 1000;
	command28(WRITE, 51, 1);
	give_sectors(1, 0xc1);
	unfit(&saved, "was written since");
	another(SECTORS, false);
	unfit(&saved, "drive 1 had 0 sectors");
	stream_free(&saved);
}

/* A state that someone made up is refused, or does no harm. */
static void test_hostile_states(void **state)
{
	struct device_stream good = {0}, bad = {0};
	uint32_t seed = 1;

	(void)state;
	command28(WRITE, 190, 5);
	ata.ide->save(ata.ide, &good);
	bad = good;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t copy[sizeof(ata.disk[0].held_bytes)];
		size_t used = good.size < sizeof(copy) ? good.size : 256, at;

		memcpy(copy, good.bytes, used);
		seed = seed * 1103515245 + 12345;
		at = 32 + (seed >> 8) % 130;
		good.bytes[at] = (uint8_t)(seed >> 24);
		good.bytes[at + 1] ^= (uint8_t)(seed & 1 ? seed >> 16 : 0);
		bad.position = 0;
		bad.error = 0;
		if (ata.ide->load(ata.ide, &bad) == 0) {
			for (unsigned i = 0; i < 40; i++) {
				give_sectors(1, 1);
				in32(&ata.h, DATA);
				ide_in(STATUS);
			}
		}
		memcpy(good.bytes, copy, used);
	}
	stream_free(&good);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, ide_setup, ide_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_save_and_load_in_the_middle),
		TEST(test_load_of_a_busy_drive),
		TEST(test_a_disk_that_was_written_since),
		TEST(test_a_disk_of_another_run),
		TEST(test_hostile_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
