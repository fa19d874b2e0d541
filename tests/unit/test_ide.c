// SPDX-License-Identifier: GPL-3.0-or-later
/* The IDE channel, as a driver sees it, on a disk in memory that can keep it waiting. */
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DATA = 0x1f0, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS, CONTROL = 0x3f6 };
#define FEATURES ERROR
#define COMMAND	 STATUS

enum { ERR = 0x01, DRQ = 0x08, FAULT = 0x20, READY = 0x50, BUSY = 0x80 };
enum { READ = 0x20, WRITE = 0x30, FLUSH = 0xe7, IDENTIFY = 0xec, SET_FEATURES = 0xef };

#define SECTORS 200

/* A disk in memory. */
struct disk {
	uint8_t bytes[SECTORS * DISK_SECTOR];
	uint64_t run, changed;
	bool slow; /* requests wait in held, the last one's write in bytes_held */
	int fail;
	struct disk_request held;
	uint8_t held_bytes[DISK_REQUEST_MAX * DISK_SECTOR];
	unsigned requests, flushes, unflushed;
};

static struct {
	struct test_host h;
	struct device *ide;
	struct disk disk[2];
} the;

static void perform(struct disk *disk, const struct disk_request *r, uint8_t *bytes)
{
	uint8_t *at = disk->bytes + r->sector * DISK_SECTOR;

	assert_true(r->op == DISK_FLUSH || (r->count >= 1 && r->count <= DISK_REQUEST_MAX));
	assert_true(r->op == DISK_FLUSH || r->sector + r->count <= SECTORS);
	if (r->op == DISK_READ)
		memcpy(bytes, at, (size_t)r->count * DISK_SECTOR);
	else if (r->op == DISK_WRITE)
		memcpy(at, bytes, (size_t)r->count * DISK_SECTOR);
	disk->flushes += r->op == DISK_FLUSH;
	disk->unflushed = r->op == DISK_FLUSH ? 0 : disk->unflushed + (r->op == DISK_WRITE);
}

static int disk_start(void *ctx, const struct disk_request *request)
{
	struct disk *disk = ctx;

	disk->requests++;
	disk->held = *request;
	if (disk->fail)
		return disk->fail;
	if (!disk->slow) {
		perform(disk, request, request->bytes);
		return 0;
	}
	if (request->op == DISK_WRITE)
		memcpy(disk->held_bytes, request->bytes, (size_t)request->count * DISK_SECTOR);
	return -EINPROGRESS;
}

/* The slow disk answers. */
static void answer(unsigned drive, int rc)
{
	struct disk *disk = &the.disk[drive];

	if (rc == 0)
		perform(disk, &disk->held, disk->held_bytes);
	ide_done(the.ide, drive, disk->held.ticket, rc, disk->held_bytes);
}

static void disk_version(void *ctx, uint64_t *run, uint64_t *changed)
{
	const struct disk *disk = ctx;

	*run = disk->run;
	*changed = disk->changed;
}

static void start_ide(struct test_host *h, struct device **ide, uint64_t second, bool readonly)
{
	struct disk_backend backends[2] = {
		{.ctx = &the.disk[0], .sectors = SECTORS, .readonly = readonly},
		{.ctx = &the.disk[1], .sectors = second}};

	for (unsigned i = 0; i < 2; i++) {
		backends[i].start = disk_start;
		backends[i].version = disk_version;
	}
	test_host_init(h);
	assert_int_equal(ide_init(&h->host, backends, ide, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < SECTORS; i++)
			memset(the.disk[d].bytes + i * DISK_SECTOR, (int)(i + 100 * d),
			       DISK_SECTOR);
	start_ide(&the.h, &the.ide, 0, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the.ide->destroy(the.ide);
	return 0;
}

/* setup() made one drive that can be written. */
static void another(uint64_t second, bool readonly)
{
	the.ide->destroy(the.ide);
	start_ide(&the.h, &the.ide, second, readonly);
}

static void out(uint16_t port, uint8_t value)
{
	out8(&the.h, port, value);
}

static uint8_t in(uint16_t port)
{
	return in8(&the.h, port);
}

static bool irq(void)
{
	return the.h.level[14];
}

static void command28(uint8_t command, uint32_t sector, uint8_t count)
{
	out(DEVICE, (uint8_t)((in(DEVICE)&0x10) | 0xe0 | sector >> 24));
	out(COUNT, count);
	out(LOW, (uint8_t)sector);
	out(MID, (uint8_t)(sector >> 8));
	out(HIGH, (uint8_t)(sector >> 16));
	out(COMMAND, command);
}

static void command48(uint8_t command, uint64_t sector, uint16_t count)
{
	out(DEVICE, (uint8_t)((in(DEVICE)&0x10) | 0x40));
	for (unsigned half = 0; half < 2; half++) {
		out(COUNT, (uint8_t)(half ? count : count >> 8));
		out(LOW, (uint8_t)(half ? sector : sector >> 24));
		out(MID, (uint8_t)(half ? sector >> 8 : sector >> 32));
		out(HIGH, (uint8_t)(half ? sector >> 16 : sector >> 40));
	}
	out(COMMAND, command);
}

/* The interrupt's handler: reading the status takes the line down. */
static uint8_t handle(void)
{
	uint8_t status;

	assert_true(irq());
	status = in(STATUS);
	assert_false(irq());
	return status;
}

static void take_sectors(unsigned sectors, uint8_t first)
{
	for (unsigned i = 0; i < sectors * DISK_SECTOR / 2; i++)
		assert_int_equal(in16(&the.h, DATA), (uint8_t)(first + i / 256) * 0x0101);
}

static void give_sectors(unsigned sectors, uint8_t value)
{
	for (unsigned i = 0; i < sectors * DISK_SECTOR / 4; i++)
		out32(&the.h, DATA, value * 0x01010101u);
}

static void refused(uint8_t error)
{
	assert_int_equal(handle(), READY | ERR);
	assert_int_equal(in(ERROR), error);
}

static bool disk_has(unsigned drive, unsigned sector, uint8_t value)
{
	const uint8_t *at = the.disk[drive].bytes + sector * DISK_SECTOR;

	for (unsigned i = 0; i < DISK_SECTOR; i++)
		if (at[i] != value)
			return false;
	return true;
}

/* ---- who is there ----------------------------------------------------------------------------- */

static void signature(void)
{
	assert_int_equal(in(ERROR), 1);
	assert_int_equal(in(COUNT), 1);
	assert_int_equal(in(LOW), 1);
	assert_int_equal(in(MID), 0);
	assert_int_equal(in(HIGH), 0);
}

static void test_after_reset(void **state)
{
	(void)state;
	signature();
	assert_int_equal(in(STATUS), READY);
	assert_int_equal(in(CONTROL), READY);
	assert_int_equal(in(DEVICE), 0xa0);
	assert_false(irq());
	assert_int_equal(in16(&the.h, DATA), 0xffff);
	out(COUNT, 0x55);
	out(LOW, 0xaa);
	assert_int_equal(in(COUNT), 0x55);
	assert_int_equal(in(LOW), 0xaa);
}

static void test_a_missing_second_drive(void **state)
{
	(void)state;
	out(DEVICE, 0xf0);
	assert_int_equal(in(STATUS), 0);
	assert_int_equal(in(DEVICE), 0xf0);
	out(COMMAND, IDENTIFY);
	assert_int_equal(in(STATUS), 0);
	assert_false(irq());
	assert_int_equal(the.disk[0].requests + the.disk[1].requests, 0);
	out(DEVICE, 0xe0);
	assert_int_equal(in(STATUS), READY);
}

static void test_two_drives(void **state)
{
	(void)state;
	another(SECTORS, false);
	out(DEVICE, 0xf0);
	command28(READ, 3, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 103);
	out(DEVICE, 0xe0);
	command28(READ, 3, 1);
	/* the line is the selected drive's */
	out(DEVICE, 0xf0);
	assert_false(irq());
	assert_int_equal(in(STATUS), READY);
	out(DEVICE, 0xe0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 3);
}

static void test_soft_reset(void **state)
{
	(void)state;
	command28(READ, 5, 2);
	out(DEVICE, 0xf0);
	out(CONTROL, 0x04);
	assert_int_equal(in(CONTROL), BUSY);
	assert_false(irq());
	out(COMMAND, IDENTIFY); /* not now */
	out(CONTROL, 0x00);
	assert_int_equal(in(STATUS), READY);
	signature();
	assert_int_equal(in(DEVICE), 0xa0);
	command28(READ, 5, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 5);
}

static void test_diagnostic(void **state)
{
	(void)state;
	another(SECTORS, false);
	out(DEVICE, 0xf0);
	out(COMMAND, 0x90);
	assert_int_equal(handle(), READY);
	signature();
	assert_int_equal(in(DEVICE), 0xa0);
}

/* ---- IDENTIFY --------------------------------------------------------------------------------- */

static uint16_t the_words[256];

static void identify(void)
{
	uint8_t sum = 0;

	out(COMMAND, IDENTIFY);
	assert_int_equal(handle(), READY | DRQ);
	for (unsigned i = 0; i < 256; i++) {
		the_words[i] = in16(&the.h, DATA);
		sum += (uint8_t)(the_words[i] + (the_words[i] >> 8));
	}
	assert_int_equal(sum, 0);
	assert_int_equal(in(STATUS), READY);
	assert_false(irq());
}

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
	out(DEVICE, 0xf0);
	identify();
	assert_int_equal(the_words[1], 16383);
	assert_int_equal(the_words[60], 0xffff);
	assert_int_equal(the_words[61], 0x0fff);
	assert_int_equal(the_words[100], 5);
	assert_int_equal(the_words[101], 0);
	assert_int_equal(the_words[102], 0x0100);
	out(COMMAND, 0xf8);
	assert_int_equal(handle(), READY);
	assert_int_equal(in(LOW), 0xff); /* as far as 28 bits reach */
	assert_int_equal(in(DEVICE), 0xff);
	out(DEVICE, 0xf0);
	out(COMMAND, 0x27);
	assert_int_equal(handle(), READY);
	assert_int_equal(in(LOW), 4);
	out(CONTROL, 0x80);
	assert_int_equal(in(HIGH), 1);
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
	assert_int_equal(in(STATUS), READY);
	assert_false(irq());
	assert_int_equal(the.h.edges[14], 3);
	assert_int_equal(in16(&the.h, DATA), 0xffff);
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
	refused(0x10);
	out(DEVICE, 0x00); /* LBA48 is LBA */
	out(COMMAND, 0x24);
	refused(0x10);
}

static void test_read_chs(void **state)
{
	(void)state;
	out(DEVICE, 0xa2);
	out(COUNT, 1);
	out(LOW, 63);
	out(MID, 0);
	out(HIGH, 0);
	out(COMMAND, READ);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 2 * 63 + 62);
	out(LOW, 0); /* sectors begin at 1 */
	out(COMMAND, READ);
	refused(0x10);
	out(LOW, 64);
	out(COMMAND, READ);
	refused(0x10);
	/* another geometry: 4 heads, 10 sectors */
	out(DEVICE, 0xa3);
	out(COUNT, 10);
	out(COMMAND, 0x91);
	assert_int_equal(handle(), READY);
	out(COUNT, 1);
	out(LOW, 1);
	out(MID, 2);
	out(COMMAND, READ);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, (2 * 4 + 3) * 10);
	out(DEVICE, 0xa4);
	out(COMMAND, READ);
	refused(0x10);
	out(DEVICE, 0xa0);
	identify();
	assert_int_equal(the_words[54], 5);
	assert_int_equal(the_words[55], 4);
	assert_int_equal(the_words[57], 200);
	out(COUNT, 0);
	out(COMMAND, 0x91);
	refused(0x04);
}

static void test_beyond_the_end(void **state)
{
	(void)state;
	command28(READ, SECTORS, 1);
	refused(0x10);
	command28(READ, SECTORS - 1, 2);
	refused(0x10);
	command28(READ, 0, 0); /* 256 */
	refused(0x10);
	command28(WRITE, SECTORS, 0);
	refused(0x10);
	command28(0x40, SECTORS - 1, 2);
	refused(0x10);
	command28(0x40, SECTORS - 1, 1);
	assert_int_equal(handle(), READY);
	command28(READ, 0x0fffffff, 255);
	refused(0x10);
	assert_int_equal(the.disk[0].requests, 0);
	assert_int_equal(in(STATUS), READY | ERR);
}

static void test_odd_accesses_to_the_data_port(void **state)
{
	(void)state;
	command28(READ, 9, 2);
	assert_int_equal(in8(&the.h, DATA), 9);
	for (unsigned i = 0; i < 127; i++)
		assert_int_equal(in32(&the.h, DATA), 0x09090909);
	assert_int_equal(in32(&the.h, DATA),
			 0xff090909); /* the block ends, and the next is there */
	take_sectors(1, 10);
	assert_int_equal(in16(&the.h, 0x1f6), (in(STATUS) & ~0x50) | 0x50e0);
}

static void test_no_interrupts(void **state)
{
	(void)state;
	out(CONTROL, 0x02);
	command28(READ, 9, 1);
	assert_false(irq());
	assert_int_equal(in(CONTROL), READY | DRQ);
	out(CONTROL, 0x00);
	assert_true(irq());
	assert_int_equal(in(CONTROL), READY | DRQ); /* the alternate status leaves it */
	assert_int_equal(handle(), READY | DRQ);
}

static void test_multiple(void **state)
{
	(void)state;
	command28(0xc4, 0, 8);
	refused(0x04); /* not set up */
	out(COUNT, 3);
	out(COMMAND, 0xc6);
	refused(0x04);
	out(COUNT, 32);
	out(COMMAND, 0xc6);
	refused(0x04);
	out(COUNT, 16);
	out(COMMAND, 0xc6);
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
	assert_int_equal(in(STATUS), READY);
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
	assert_false(irq()); /* the first block is asked for without */
	assert_int_equal(in(STATUS), READY | DRQ);
	give_sectors(1, 0xd1);
	assert_int_equal(handle(), READY | DRQ);
	give_sectors(1, 0xd2);
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 10, 10) && disk_has(0, 11, 0xd1) && disk_has(0, 12, 0xd2) &&
		    disk_has(0, 13, 13));
	assert_int_equal(the.disk[0].flushes, 0);
	out(COMMAND, FLUSH);
	assert_int_equal(handle(), READY);
	assert_int_equal(the.disk[0].flushes, 1);
}

/* What was not given whole is not written at all. */
static void test_a_sector_is_written_whole(void **state)
{
	(void)state;
	command28(WRITE, 11, 1);
	for (unsigned i = 0; i < 255; i++)
		out16(&the.h, DATA, 0xeeee);
	out(CONTROL, 0x04);
	out(CONTROL, 0x00);
	out16(&the.h, DATA, 0xeeee);
	assert_int_equal(the.disk[0].requests, 0);
	assert_true(disk_has(0, 11, 11));
}

static void test_readonly(void **state)
{
	(void)state;
	another(0, true);
	command28(WRITE, 11, 1);
	refused(0x04);
	give_sectors(1, 0xd1);
	assert_true(disk_has(0, 11, 11));
	command28(READ, 11, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 11);
}

static void test_without_write_cache(void **state)
{
	(void)state;
	out(FEATURES, 0x82);
	out(COMMAND, SET_FEATURES);
	assert_int_equal(handle(), READY);
	identify();
	assert_int_equal(the_words[85] & 0x20, 0);
	command48(0x34, 11, 1);
	give_sectors(1, 0xd1);
	assert_int_equal(handle(), READY);
	assert_int_equal(the.disk[0].unflushed, 0);
	out(FEATURES, 0x02);
	out(COMMAND, SET_FEATURES);
	assert_int_equal(handle(), READY);
	command28(WRITE, 11, 1);
	give_sectors(1, 0xd2);
	assert_int_equal(handle(), READY);
	assert_int_equal(the.disk[0].unflushed, 1);
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
		out(FEATURES, rows[i].feature);
		out(COUNT, rows[i].count);
		out(COMMAND, SET_FEATURES);
		assert_int_equal(handle(), rows[i].known ? READY : READY | ERR);
		assert_int_equal(in(ERROR), rows[i].known ? 0 : 0x04);
	}
}

static void test_other_commands(void **state)
{
	static const uint8_t aborted[] = {0x00, 0x08, 0x25, 0x35, 0xa0, 0xa1, 0xc8, 0xca, 0xff};
	static const uint8_t fine[] = {0x10, 0x1f, 0x70, 0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6};

	(void)state;
	for (unsigned i = 0; i < sizeof(aborted); i++) {
		out(COMMAND, aborted[i]);
		refused(0x04);
	}
	for (unsigned i = 0; i < sizeof(fine); i++) {
		out(COMMAND, fine[i]);
		assert_int_equal(handle(), READY);
	}
	assert_int_equal(the.disk[0].requests, 0);
}

/* ---- an image that is slow, or fails ----------------------------------------------------------- */

static void test_busy(void **state)
{
	(void)state;
	the.disk[0].slow = true;
	command28(READ, 30, 1);
	assert_int_equal(in(STATUS), BUSY);
	assert_false(irq());
	out(LOW, 99);
	out(COMMAND, IDENTIFY); /* it does not listen */
	assert_int_equal(in16(&the.h, DATA), 0xffff);
	answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	assert_int_equal(in(LOW), 30);
	take_sectors(1, 30);
	command28(WRITE, 31, 2);
	give_sectors(1, 0x91);
	assert_int_equal(in(STATUS), BUSY);
	answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	give_sectors(1, 0x92);
	answer(0, 0);
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 31, 0x91) && disk_has(0, 32, 0x92));
	answer(0, 0); /* nobody waits */
	assert_false(irq());
}

static void test_an_answer_after_a_reset(void **state)
{
	struct disk_request first;

	(void)state;
	the.disk[0].slow = true;
	command28(READ, 30, 1);
	first = the.disk[0].held;
	out(CONTROL, 0x04);
	out(CONTROL, 0x00);
	command28(READ, 31, 1);
	memset(the.disk[0].held_bytes, 30, DISK_SECTOR);
	ide_done(the.ide, 0, first.ticket, 0, the.disk[0].held_bytes);
	assert_int_equal(in(STATUS), BUSY);
	answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 31);
}

static void test_failures(void **state)
{
	(void)state;
	the.disk[0].slow = true;
	command28(READ, 30, 4);
	answer(0, 0);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 30);
	answer(0, -EIO);
	refused(0x40);
	assert_int_equal(in(LOW), 31); /* where it happened */
	the.disk[0].slow = false;
	the.disk[0].fail = -ENOSPC;
	command28(WRITE, 40, 1);
	give_sectors(1, 1);
	assert_int_equal(handle(), READY | FAULT | ERR);
	assert_int_equal(in(ERROR), 0x04);
	assert_int_equal(in(LOW), 40);
	out(COMMAND, FLUSH);
	assert_int_equal(handle(), READY | FAULT | ERR);
	the.disk[0].fail = 0;
	command28(READ, 40, 1);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 40);
}

/* ---- snapshots --------------------------------------------------------------------------------- */

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
	assert_int_equal(in16(&the.h, DATA), 51 * 0x0101);
	check_save_load(the.ide, copy);
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
	the.disk[0].slow = true;
	command28(READ, 50, 1);
	the.ide->save(the.ide, &reading);
	answer(0, 0);
	handle();
	take_sectors(1, 50);
	the.disk[0].slow = false;
	reload(&reading, the.ide);
	assert_int_equal(handle(), READY | DRQ);
	take_sectors(1, 50);

	the.disk[0].slow = true;
	command28(WRITE, 51, 1);
	give_sectors(1, 0xc1);
	the.ide->save(the.ide, &writing);
	answer(0, 0);
	handle();
	the.disk[0].slow = false;
	reload(&writing, the.ide);
	assert_int_equal(handle(), READY);
	reload(&writing, the.ide); /* and any number of times */
	assert_int_equal(handle(), READY);
	assert_true(disk_has(0, 51, 0xc1));
	stream_free(&reading);
	stream_free(&writing);
}

static void unfit(struct device_stream *saved, const char *why)
{
	struct error err = {0};

	saved->position = 0;
	assert_int_equal(the.ide->fits(the.ide, saved, &err), -EINVAL);
	assert_non_null(strstr(err.text, why));
}

static void test_a_disk_that_was_written_since(void **state)
{
	struct device_stream saved = {0};

	(void)state;
	the.ide->save(the.ide, &saved);
	command28(READ, 50, 1);
	take_sectors(1, 50);
	reload(&saved, the.ide);
	command28(WRITE, 51, 1);
	reload(&saved, the.ide); /* nothing was written yet */
	command28(WRITE, 51, 1);
	give_sectors(1, 0xc1);
	unfit(&saved, "drive 0 was written since");
	the.ide->reset(the.ide);
	unfit(&saved, "drive 0 was written since");
	stream_free(&saved);
}

static void test_a_disk_of_another_run(void **state)
{
	struct device_stream saved = {0};

	(void)state;
	the.disk[0].run = 1;
	the.disk[0].changed = 1000;
	the.ide->save(the.ide, &saved);
	another(0, false);
	the.disk[0].run = 2;
	reload(&saved, the.ide);
	the.disk[0].changed = 1001;
	unfit(&saved, "was written since");
	the.disk[0].changed = 1000;
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
	the.ide->save(the.ide, &good);
	bad = good;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t copy[sizeof(the.disk[0].held_bytes)];
		size_t used = good.size < sizeof(copy) ? good.size : 256, at;

		memcpy(copy, good.bytes, used);
		seed = seed * 1103515245 + 12345;
		at = 32 + (seed >> 8) % 130;
		good.bytes[at] = (uint8_t)(seed >> 24);
		good.bytes[at + 1] ^= (uint8_t)(seed & 1 ? seed >> 16 : 0);
		bad.position = 0;
		bad.error = 0;
		if (the.ide->load(the.ide, &bad) == 0) {
			for (unsigned i = 0; i < 40; i++) {
				give_sectors(1, 1);
				in32(&the.h, DATA);
				in(STATUS);
			}
		}
		memcpy(good.bytes, copy, used);
	}
	stream_free(&good);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_after_reset),
		TEST(test_a_missing_second_drive),
		TEST(test_two_drives),
		TEST(test_soft_reset),
		TEST(test_diagnostic),
		TEST(test_identify),
		TEST(test_identify_of_a_large_disk),
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
		TEST(test_busy),
		TEST(test_an_answer_after_a_reset),
		TEST(test_failures),
		TEST(test_save_and_load_in_the_middle),
		TEST(test_load_of_a_busy_drive),
		TEST(test_a_disk_that_was_written_since),
		TEST(test_a_disk_of_another_run),
		TEST(test_hostile_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
