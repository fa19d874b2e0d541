// SPDX-License-Identifier: GPL-3.0-or-later
/* The IDE channel, as a driver sees it, on a disk in memory that can keep it waiting. */
#include "device_host.h"
#include "ide_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- who is there ----------------------------------------------------------------------------- */

static void signature(void)
{
	assert_int_equal(ide_in(ERROR), 1);
	assert_int_equal(ide_in(COUNT), 1);
	assert_int_equal(ide_in(LOW), 1);
	assert_int_equal(ide_in(MID), 0);
	assert_int_equal(ide_in(HIGH), 0);
}

static void test_after_reset(void **state)
{
	(void)state;
	signature();
	assert_int_equal(ide_in(STATUS), READY);
	assert_int_equal(ide_in(CONTROL), READY);
	assert_int_equal(ide_in(DEVICE), 0xa0);
	assert_false(ide_irq());
	assert_int_equal(in16(&ata.h, DATA), 0xffff);
	ide_out(COUNT, 0x55);
	ide_out(LOW, 0xaa);
	assert_int_equal(ide_in(COUNT), 0x55);
	assert_int_equal(ide_in(LOW), 0xaa);
}

static void test_a_missing_second_drive(void **state)
{
	(void)state;
	ide_out(DEVICE, 0xf0);
	assert_int_equal(ide_in(STATUS), 0);
	assert_int_equal(ide_in(DEVICE), 0xf0);
	ide_out(COMMAND, IDENTIFY);
	assert_int_equal(ide_in(STATUS), 0);
	assert_false(ide_irq());
	assert_int_equal(ata.disk[0].requests + ata.disk[1].requests, 0);
	ide_out(DEVICE, 0xe0);
	assert_int_equal(ide_in(STATUS), READY);
}

static void test_two_drives(void **state)
{
	(void)state;
	another(SECTORS, false);
	ide_out(DEVICE, 0xf0);
	command28(READ, 3, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 103);
	ide_out(DEVICE, 0xe0);
	command28(READ, 3, 1);
	/* the line is the selected drive's */
	ide_out(DEVICE, 0xf0);
	assert_false(ide_irq());
	assert_int_equal(ide_in(STATUS), READY);
	ide_out(DEVICE, 0xe0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 3);
}

static void test_soft_reset(void **state)
{
	(void)state;
	command28(READ, 5, 2);
	ide_out(DEVICE, 0xf0);
	ide_out(CONTROL, 0x04);
	assert_int_equal(ide_in(CONTROL), BUSY);
	assert_false(ide_irq());
	ide_out(COMMAND, IDENTIFY); /* not now */
	ide_out(CONTROL, 0x00);
	assert_int_equal(ide_in(STATUS), READY);
	signature();
	assert_int_equal(ide_in(DEVICE), 0xa0);
	command28(READ, 5, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 5);
}

static void test_diagnostic(void **state)
{
	(void)state;
	another(SECTORS, false);
	ide_out(DEVICE, 0xf0);
	ide_out(COMMAND, 0x90);
	assert_int_equal(handle(), READY);
	signature();
	assert_int_equal(ide_in(DEVICE), 0xa0);
}

/* ---- IDENTIFY --------------------------------------------------------------------------------- */

static void test_identify(void **state)
{
	(void)state;
	identify();
	assert_int_equal(the_words[0], 0x0040);
	assert_int_equal(the_words[1], 1); /* no full cylinder, but one there must be */
	assert_int_equal(the_words[3], 16);
	assert_int_equal(the_words[6], 63);
	assert_int_equal(the_words[27], 'V' << 8 | 'I');
	assert_int_equal(the_words[33], ' ' << 8 | ' ');
	assert_int_equal(the_words[47], 0x8010);
	assert_int_equal(the_words[49] & 0x0300, 0x0200); /* LBA, no DMA */
	assert_int_equal(the_words[60], SECTORS);
	assert_int_equal(the_words[61], 0);
	assert_int_equal(the_words[83] & 0xc400, 0x4400);
	assert_int_equal(the_words[85] & 0x20, 0x20);
	assert_int_equal(the_words[100], SECTORS);
	assert_int_equal(the_words[103], 0);
}

static void test_identify_of_a_large_disk(void **state)
{
	(void)state;
	another((1ull << 40) + 5, false);
	ide_out(DEVICE, 0xf0);
	identify();
	assert_int_equal(the_words[1], 16383);
	assert_int_equal(the_words[60], 0xffff);
	assert_int_equal(the_words[61], 0x0fff);
	assert_int_equal(the_words[100], 5);
	assert_int_equal(the_words[101], 0);
	assert_int_equal(the_words[102], 0x0100);
	ide_out(COMMAND, 0xf8);
	assert_int_equal(handle(), READY);
	assert_int_equal(ide_in(LOW), 0xff); /* as far as 28 bits reach */
	assert_int_equal(ide_in(DEVICE), 0xff);
	ide_out(DEVICE, 0xf0);
	ide_out(COMMAND, 0x27);
	assert_int_equal(handle(), READY);
	assert_int_equal(ide_in(LOW), 4);
	ide_out(CONTROL, 0x80);
	assert_int_equal(ide_in(HIGH), 1);
}

/* ---- an image that is slow, or fails ----------------------------------------------------------- */

static void test_busy(void **state)
{
	(void)state;
	ata.disk[0].slow = true;
	command28(READ, 30, 1);
	assert_int_equal(ide_in(STATUS), BUSY);
	assert_false(ide_irq());
	ide_out(LOW, 99);
	ide_out(COMMAND, IDENTIFY); /* it does not listen */
	assert_int_equal(in16(&ata.h, DATA), 0xffff);
	ide_answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	assert_int_equal(ide_in(LOW), 30);
	take_sectors(1, 30);
	command28(WRITE, 31, 2);
	give_sectors(1, 0x91);
	assert_int_equal(ide_in(STATUS), BUSY);
	ide_answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	give_sectors(1, 0x92);
	ide_answer(0, 0);
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 31, 0x91) && disk_has(0, 32, 0x92));
	ide_answer(0, 0); /* nobody waits */
	assert_false(ide_irq());
}

static void test_an_answer_after_a_reset(void **state)
{
	struct disk_request first;

	(void)state;
	ata.disk[0].slow = true;
	command28(READ, 30, 1);
	first = ata.disk[0].held;
	ide_out(CONTROL, 0x04);
	ide_out(CONTROL, 0x00);
	command28(READ, 31, 1);
	memset(ata.disk[0].held_bytes, 30, DISK_SECTOR);
	ide_done(ata.ide, 0, first.ticket, 0, ata.disk[0].held_bytes);
	assert_int_equal(ide_in(STATUS), BUSY);
	ide_answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 31);
}

static void test_failures(void **state)
{
	(void)state;
	ata.disk[0].slow = true;
	command28(READ, 30, 4);
	ide_answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 30);
	ide_answer(0, -EIO);
	ide_refused(0x40);
	assert_int_equal(ide_in(LOW), 31); /* where it happened */
	ata.disk[0].slow = false;
	ata.disk[0].fail = -ENOSPC;
	command28(WRITE, 40, 1);
	give_sectors(1, 1);
	assert_int_equal(handle(), READY | FAULT | ERR);
	assert_int_equal(ide_in(ERROR), 0x04);
	assert_int_equal(ide_in(LOW), 40);
	ide_out(COMMAND, FLUSH);
	assert_int_equal(handle(), READY | FAULT | ERR);
	ata.disk[0].fail = 0;
	command28(READ, 40, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 40);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, ide_setup, ide_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_after_reset),
		TEST(test_a_missing_second_drive),
		TEST(test_two_drives),
		TEST(test_soft_reset),
		TEST(test_diagnostic),
		TEST(test_identify),
		TEST(test_identify_of_a_large_disk),
		TEST(test_busy),
		TEST(test_an_answer_after_a_reset),
		TEST(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
