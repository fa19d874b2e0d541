// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks under the IDE controller: sectors are read and written. */
#include "device_host.h"
#include "ide_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FEATURES ERROR

static void command48(uint8_t command, uint64_t sector, uint16_t count)
{
	ide_out(DEVICE, (uint8_t)((ide_in(DEVICE) & 0x10) | 0x40));
	for (unsigned half = 0; half < 2; half++) {
		ide_out(COUNT, (uint8_t)(half ? count : count >> 8));
		ide_out(LOW, (uint8_t)(half ? sector : sector >> 24));
		ide_out(MID, (uint8_t)(half ? sector >> 8 : sector >> 32));
		ide_out(HIGH, (uint8_t)(half ? sector >> 16 : sector >> 40));
	}
	ide_out(COMMAND, command);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void test_read_sectors(void **state)
{
	(void)state;
	command28(READ, 7, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(handle(), READY | DRQ);
		take_sectors(1, (uint8_t)(7 + i));
	}
	assert_int_equal(ide_in(STATUS), READY);
	assert_false(ide_irq());
	assert_int_equal(ata.h.edges[14], 3);
	assert_int_equal(in16(&ata.h, DATA), 0xffff);
}

static void test_read_48(void **state)
{
	(void)state;
	command48(0x24, 198, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(handle(), READY | DRQ);
		take_sectors(1, (uint8_t)(198 + i));
	}
	command48(0x24, 1ull << 32, 1);
	ide_refused(0x10);
	ide_out(DEVICE, 0x00); /* LBA48 is LBA */
	ide_out(COMMAND, 0x24);
	ide_refused(0x10);
}

static void test_read_chs(void **state)
{
	(void)state;
	ide_out(DEVICE, 0xa2);
	ide_out(COUNT, 1);
	ide_out(LOW, 63);
	ide_out(MID, 0);
	ide_out(HIGH, 0);
	ide_out(COMMAND, READ);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 2 * 63 + 62);
	ide_out(LOW, 0); /* sectors begin at 1 */
	ide_out(COMMAND, READ);
	ide_refused(0x10);
	ide_out(LOW, 64);
	ide_out(COMMAND, READ);
	ide_refused(0x10);
	/* another geometry: 4 heads, 10 sectors */
	ide_out(DEVICE, 0xa3);
	ide_out(COUNT, 10);
	ide_out(COMMAND, 0x91);
	assert_int_equal(handle(), READY);
	ide_out(COUNT, 1);
	ide_out(LOW, 1);
	ide_out(MID, 2);
	ide_out(COMMAND, READ);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, (2 * 4 + 3) * 10);
	ide_out(DEVICE, 0xa4);
	ide_out(COMMAND, READ);
	ide_refused(0x10);
	ide_out(DEVICE, 0xa0);
	identify();
	assert_int_equal(the_words[54], 5);
	assert_int_equal(the_words[55], 4);
	assert_int_equal(the_words[57], 200);
	ide_out(COUNT, 0);
	ide_out(COMMAND, 0x91);
	ide_refused(0x04);
}

static void test_beyond_the_end(void **state)
{
	(void)state;
	command28(READ, SECTORS, 1);
	ide_refused(0x10);
	command28(READ, SECTORS - 1, 2);
	ide_refused(0x10);
	command28(READ, 0, 0); /* 256 */
	ide_refused(0x10);
	command28(WRITE, SECTORS, 0);
	ide_refused(0x10);
	command28(0x40, SECTORS - 1, 2);
	ide_refused(0x10);
	command28(0x40, SECTORS - 1, 1);
	assert_int_equal(handle(), READY);
	command28(READ, 0x0fffffff, 255);
	ide_refused(0x10);
	assert_int_equal(ata.disk[0].requests, 0);
	assert_int_equal(ide_in(STATUS), READY | ERR);
}

static void test_odd_accesses_to_the_data_port(void **state)
{
	(void)state;
	command28(READ, 9, 2);
	assert_int_equal(in8(&ata.h, DATA), 9);
	for (unsigned i = 0; i < 127; i++)
		assert_int_equal(in32(&ata.h, DATA), 0x09090909);
	assert_int_equal(in32(&ata.h, DATA),
			 0xff090909); /* the block ends, and the next is there */
	take_sectors(1, 10);
	assert_int_equal(in16(&ata.h, 0x1f6), (ide_in(STATUS) & ~0x50) | 0x50e0);
}

static void test_no_interrupts(void **state)
{
	(void)state;
	ide_out(CONTROL, 0x02);
	command28(READ, 9, 1);
	assert_false(ide_irq());
	assert_int_equal(ide_in(CONTROL), READY | DRQ);
	ide_out(CONTROL, 0x00);
	assert_true(ide_irq());
	assert_int_equal(ide_in(CONTROL), READY | DRQ); /* the alternate status leaves it */
	assert_int_equal(handle(), READY | DRQ);
}

static void test_multiple(void **state)
{
	(void)state;
	command28(0xc4, 0, 8);
	ide_refused(0x04); /* not set up */
	ide_out(COUNT, 3);
	ide_out(COMMAND, 0xc6);
	ide_refused(0x04);
	ide_out(COUNT, 32);
	ide_out(COMMAND, 0xc6);
	ide_refused(0x04);
	ide_out(COUNT, 16);
	ide_out(COMMAND, 0xc6);
	assert_int_equal(handle(), READY);
	identify();
	assert_int_equal(the_words[59], 0x0110);
	command28(0xc4, 20, 36);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(16, 20);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(16, 36);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(4, 52);
	assert_int_equal(ide_in(STATUS), READY);
	command48(0x39, 60, 18);
	give_sectors(16, 0x77);
	assert_int_equal(handle(), READY | DRQ);
	give_sectors(2, 0x78);
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 75, 0x77) && disk_has(0, 77, 0x78) && disk_has(0, 78, 78));
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void test_write_sectors(void **state)
{
	(void)state;
	command28(WRITE, 11, 2);
	assert_false(ide_irq()); /* the first block is asked for without */
	assert_int_equal(ide_in(STATUS), READY | DRQ);
	give_sectors(1, 0xd1);
	assert_int_equal(handle(), READY | DRQ);
	give_sectors(1, 0xd2);
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 10, 10) && disk_has(0, 11, 0xd1) && disk_has(0, 12, 0xd2) &&
		    disk_has(0, 13, 13));
	assert_int_equal(ata.disk[0].flushes, 0);
	ide_out(COMMAND, FLUSH);
	assert_int_equal(handle(), READY);
	assert_int_equal(ata.disk[0].flushes, 1);
}

/* What was not given whole is not written at all. */
static void test_a_sector_is_written_whole(void **state)
{
	(void)state;
	command28(WRITE, 11, 1);
	for (unsigned i = 0; i < 255; i++)
		out16(&ata.h, DATA, 0xeeee);
	ide_out(CONTROL, 0x04);
	ide_out(CONTROL, 0x00);
	out16(&ata.h, DATA, 0xeeee);
	assert_int_equal(ata.disk[0].requests, 0);
	assert_true(disk_has(0, 11, 11));
}

static void test_readonly(void **state)
{
	(void)state;
	another(0, true);
	command28(WRITE, 11, 1);
	ide_refused(0x04);
	give_sectors(1, 0xd1);
	assert_true(disk_has(0, 11, 11));
	command28(READ, 11, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 11);
}

static void test_without_write_cache(void **state)
{
	(void)state;
	ide_out(FEATURES, 0x82);
	ide_out(COMMAND, SET_FEATURES);
	assert_int_equal(handle(), READY);
	identify();
	assert_int_equal(the_words[85] & 0x20, 0);
	command48(0x34, 11, 1);
	give_sectors(1, 0xd1);
	assert_int_equal(handle(), READY);
	assert_int_equal(ata.disk[0].unflushed, 0);
	ide_out(FEATURES, 0x02);
	ide_out(COMMAND, SET_FEATURES);
	assert_int_equal(handle(), READY);
	command28(WRITE, 11, 1);
	give_sectors(1, 0xd2);
	assert_int_equal(handle(), READY);
	assert_int_equal(ata.disk[0].unflushed, 1);
}

static void test_features(void **state)
{
	static const struct {
		uint8_t feature, count;
		bool known;
	} rows[] = {{0x03, 0x00, true},	 {0x03, 0x0c, true},  {0x03, 0x0d, false},
		    {0x03, 0x22, false}, {0x03, 0x45, false}, {0x55, 0, true},
		    {0xaa, 0, true},	 {0x66, 0, true},     {0x05, 0, false}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ide_out(FEATURES, rows[i].feature);
		ide_out(COUNT, rows[i].count);
		ide_out(COMMAND, SET_FEATURES);
		assert_int_equal(handle(), rows[i].known ? READY : READY | ERR);
		assert_int_equal(ide_in(ERROR), rows[i].known ? 0 : 0x04);
	}
}

static void test_other_commands(void **state)
{
	static const uint8_t aborted[] = {0x00, 0x08, 0x25, 0x35, 0xa0, 0xa1, 0xc8, 0xca, 0xff};
	static const uint8_t fine[] = {0x10, 0x1f, 0x70, 0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6};

	(void)state;
	for (unsigned i = 0; i < sizeof(aborted); i++) {
		ide_out(COMMAND, aborted[i]);
		ide_refused(0x04);
	}
	for (unsigned i = 0; i < sizeof(fine); i++) {
		ide_out(COMMAND, fine[i]);
		assert_int_equal(handle(), READY);
	}
	assert_int_equal(ata.disk[0].requests, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, ide_setup, ide_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read_sectors),
		TEST(test_read_48),
		TEST(test_read_chs),
		TEST(test_beyond_the_end),
		TEST(test_odd_accesses_to_the_data_port),
		TEST(test_no_interrupts),
		TEST(test_multiple),
		TEST(test_write_sectors),
		TEST(test_a_sector_is_written_whole),
		TEST(test_readonly),
		TEST(test_without_write_cache),
		TEST(test_features),
		TEST(test_other_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
