// SPDX-License-Identifier: GPL-3.0-or-later
#include "ide_rig.h"
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct controller ata;

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

void ide_answer(unsigned drive, int rc)
{
	struct disk *disk = &ata.disk[drive];

	if (rc == 0)
		perform(disk, &disk->held, disk->held_bytes);
	ide_done(ata.ide, drive, disk->held.ticket, rc, disk->held_bytes);
}

static void disk_version(void *ctx, uint64_t *run, uint64_t *changed)
{
	const struct disk *disk = ctx;

	*run = disk->run;
	*changed = disk->changed;
}

void start_ide(struct test_host *h, struct device **ide, uint64_t second, bool readonly)
{
	struct disk_backend backends[2] = {
		{.ctx = &ata.disk[0], .sectors = SECTORS, .readonly = readonly},
		{.ctx = &ata.disk[1], .sectors = second}};

	for (unsigned i = 0; i < 2; i++) {
		backends[i].start = disk_start;
		backends[i].version = disk_version;
	}
	test_host_init(h);
	assert_int_equal(ide_init(&h->host, backends, ide, NULL), 0);
}

int ide_setup(void **state)
{
	(void)state;
	memset(&ata, 0, sizeof(ata));
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < SECTORS; i++)
			memset(ata.disk[d].bytes + i * DISK_SECTOR, (int)(i + 100 * d),
			       DISK_SECTOR);
	start_ide(&ata.h, &ata.ide, 0, false);
	return 0;
}

int ide_teardown(void **state)
{
	(void)state;
	ata.ide->destroy(ata.ide);
	return 0;
}

void another(uint64_t second, bool readonly)
{
	ata.ide->destroy(ata.ide);
	start_ide(&ata.h, &ata.ide, second, readonly);
}

void ide_out(uint16_t port, uint8_t value)
{
	out8(&ata.h, port, value);
}

uint8_t ide_in(uint16_t port)
{
	return in8(&ata.h, port);
}

bool ide_irq(void)
{
	return ata.h.level[14];
}

void command28(uint8_t command, uint32_t sector, uint8_t count)
{
	ide_out(DEVICE, (uint8_t)((ide_in(DEVICE) & 0x10) | 0xe0 | sector >> 24));
	ide_out(COUNT, count);
	ide_out(LOW, (uint8_t)sector);
	ide_out(MID, (uint8_t)(sector >> 8));
	ide_out(HIGH, (uint8_t)(sector >> 16));
	ide_out(COMMAND, command);
}

uint8_t handle(void)
{
	uint8_t status;

	assert_true(ide_irq());
	status = ide_in(STATUS);
	assert_false(ide_irq());
	return status;
}

void take_sectors(unsigned sectors, uint8_t first)
{
	for (unsigned i = 0; i < sectors * DISK_SECTOR / 2; i++)
		assert_int_equal(in16(&ata.h, DATA), (uint8_t)(first + i / 256) * 0x0101);
}

void give_sectors(unsigned sectors, uint8_t value)
{
	for (unsigned i = 0; i < sectors * DISK_SECTOR / 4; i++)
		out32(&ata.h, DATA, value * 0x01010101u);
}

void ide_refused(uint8_t error)
{
	assert_int_equal(handle(), READY | ERR);
	assert_int_equal(ide_in(ERROR), error);
}

bool disk_has(unsigned drive, unsigned sector, uint8_t value)
{
	const uint8_t *at = ata.disk[drive].bytes + sector * DISK_SECTOR;

	for (unsigned i = 0; i < DISK_SECTOR; i++)
		if (at[i] != value)
			return false;
	return true;
}

uint16_t the_words[256];

void identify(void)
{
	uint8_t sum = 0;

	ide_out(COMMAND, IDENTIFY);
	assert_int_equal(handle(), READY | DRQ);
	for (unsigned i = 0; i < 256; i++) {
		the_words[i] = in16(&ata.h, DATA);
		sum += (uint8_t)(the_words[i] + (the_words[i] >> 8));
	}
	assert_int_equal(sum, 0);
	assert_int_equal(ide_in(STATUS), READY);
	assert_false(ide_irq());
}
