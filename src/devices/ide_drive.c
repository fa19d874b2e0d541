// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How a command moves its blocks: PIO data-in and data-out, ATA/ATAPI-6 9.5 and 9.6. A block is in the
 * buffer whole before the guest may touch it, and goes to the image whole; so no sector is ever half one thing.
 *
 * What is simpler than a drive: while it is busy, writes to its registers are lost.
 */
#include "devices/ide_drive.h"

#include <errno.h>
#include <string.h>

#define COUNT_MAX 65536 /* sectors of a command */

static bool is_busy(const struct ide_drive *d)
{
	return d->r.status & (STATUS_BUSY | STATUS_DRQ);
}

/* ---- how commands end ------------------------------------------------------------------------ */

static void end(struct ide_drive *d, uint8_t status, uint8_t error)
{
	d->r.phase = PHASE_IDLE;
	d->r.left = 0;
	d->r.status = STATUS_READY | STATUS_SEEK | status;
	d->r.error = error;
	d->r.irq = true;
}

void ide_finish(struct ide_drive *d)
{
	end(d, 0, 0);
}

void ide_fail(struct ide_drive *d, uint8_t error)
{
	end(d, STATUS_ERR, error);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static uint64_t low_bytes(const uint8_t *file)
{
	return file[IDE_LOW] | (uint64_t)file[IDE_MID] << 8 | (uint64_t)file[IDE_HIGH] << 16;
}

/* A sector's number on its track begins at 1. */
static bool chs_address(const struct ide_registers *r, uint64_t *sector)
{
	uint8_t number = r->file[IDE_LOW], head = r->file[IDE_DEVICE] & 0xf;
	uint64_t cylinder = r->file[IDE_MID] | (uint64_t)r->file[IDE_HIGH] << 8;

	*sector = (cylinder * r->heads + head) * r->track + number - 1;
	return number >= 1 && number <= r->track && head < r->heads;
}

bool ide_address(const struct ide_drive *d, bool lba48, uint64_t *sector, uint32_t *count)
{
	const struct ide_registers *r = &d->r;
	bool valid = true;

	*count = r->file[IDE_COUNT] ? r->file[IDE_COUNT] : 256;
	if (lba48) {
		*count = (uint32_t)(r->previous[IDE_COUNT] << 8 | r->file[IDE_COUNT]);
		*count = *count ? *count : COUNT_MAX;
		*sector = low_bytes(r->previous) << 24 | low_bytes(r->file);
		valid = r->file[IDE_DEVICE] & DEVICE_LBA;
	} else if (r->file[IDE_DEVICE] & DEVICE_LBA) {
		*sector = (uint64_t)(r->file[IDE_DEVICE] & 0xf) << 24 | low_bytes(r->file);
	} else {
		valid = chs_address(r, sector);
	}
	return valid && *sector < d->backend->sectors && *count <= d->backend->sectors - *sector;
}

static void put_low_bytes(uint8_t *file, uint64_t value)
{
	file[IDE_LOW] = (uint8_t)value;
	file[IDE_MID] = (uint8_t)(value >> 8);
	file[IDE_HIGH] = (uint8_t)(value >> 16);
}

static void put_chs(struct ide_registers *r, uint64_t sector)
{
	uint64_t cylinder = sector / r->track / r->heads;

	r->file[IDE_LOW] = (uint8_t)(sector % r->track + 1);
	r->file[IDE_MID] = (uint8_t)cylinder;
	r->file[IDE_HIGH] = (uint8_t)(cylinder >> 8);
	r->file[IDE_DEVICE] &= 0xf0;
	r->file[IDE_DEVICE] |= (uint8_t)(sector / r->track % r->heads);
}

void ide_set_address(struct ide_drive *d, bool lba48, uint64_t sector)
{
	struct ide_registers *r = &d->r;

	if (!(r->file[IDE_DEVICE] & DEVICE_LBA)) {
		put_chs(r, sector);
		return;
	}
	put_low_bytes(r->file, sector);
	if (lba48) {
		put_low_bytes(r->previous, sector >> 24);
	} else {
		r->file[IDE_DEVICE] &= 0xf0;
		r->file[IDE_DEVICE] |= (uint8_t)(sector >> 24 & 0xf);
	}
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static uint32_t block_sectors(const struct ide_registers *r)
{
	return r->left < r->block ? r->left : r->block;
}

static void completed(struct ide_drive *d, int rc);

/* Asks the image. */
static void submit(struct ide_drive *d, enum disk_op op, enum ide_phase phase)
{
	struct disk_request request = {.op = op,
				       .sector = d->r.sector,
				       .count = op == DISK_FLUSH ? 0 : block_sectors(&d->r),
				       .bytes = d->r.buffer,
				       .ticket = ++d->ticket};
	int rc;

	d->r.phase = phase;
	d->r.status = STATUS_BUSY;
	rc = d->backend->start(d->backend->ctx, &request);
	if (rc != -EINPROGRESS)
		completed(d, rc);
}

static void want_data(struct ide_drive *d, enum ide_phase phase, uint32_t size)
{
	d->r.phase = phase;
	d->r.status = STATUS_READY | STATUS_SEEK | STATUS_DRQ;
	d->r.position = 0;
	d->r.size = size;
}

static void want_block(struct ide_drive *d, enum ide_phase phase)
{
	want_data(d, phase, block_sectors(&d->r) * DISK_SECTOR);
}

void ide_offer(struct ide_drive *d)
{
	want_data(d, PHASE_DATA_IN, DISK_SECTOR);
	d->r.irq = true;
}

void ide_flush(struct ide_drive *d)
{
	d->r.left = 0;
	submit(d, DISK_FLUSH, PHASE_FLUSHING);
}

static void next_block(struct ide_drive *d)
{
	uint32_t sectors = block_sectors(&d->r);

	d->r.sector += sectors;
	d->r.left -= sectors;
}

static void block_read(struct ide_drive *d)
{
	want_block(d, PHASE_DATA_IN);
	d->r.irq = true;
}

/* Without a write cache "written" means that no loss of power takes it back. */
static void block_written(struct ide_drive *d)
{
	next_block(d);
	if (d->r.left) {
		want_block(d, PHASE_DATA_OUT);
		d->r.irq = true;
	} else if (!d->r.write_cache) {
		ide_flush(d);
	} else {
		ide_finish(d);
	}
}

/* The address registers tell where it failed. */
static void image_failed(struct ide_drive *d)
{
	bool reading = d->r.phase == PHASE_READING;

	if (d->r.phase != PHASE_FLUSHING)
		ide_set_address(d, d->r.sector >> 28, d->r.sector);
	end(d, reading ? STATUS_ERR : STATUS_ERR | STATUS_FAULT,
	    reading ? ERROR_UNREADABLE : ERROR_ABORT);
}

static void completed(struct ide_drive *d, int rc)
{
	static void (*const next[])(struct ide_drive *) = {[PHASE_READING] = block_read,
							   [PHASE_WRITING] = block_written,
							   [PHASE_FLUSHING] = ide_finish};

	if (rc < 0)
		image_failed(d);
	else
		next[d->r.phase](d);
}

void ide_drive_done(struct ide_drive *d, uint64_t ticket, int rc, const uint8_t *bytes)
{
	if (ticket != d->ticket || d->r.phase < PHASE_READING)
		return;
	if (rc == 0 && d->r.phase == PHASE_READING)
		memcpy(d->r.buffer, bytes, block_sectors(&d->r) * (size_t)DISK_SECTOR);
	completed(d, rc);
}

void ide_ask_again(struct ide_drive *d)
{
	static const enum disk_op ops[] = {[PHASE_READING] = DISK_READ,
					   [PHASE_WRITING] = DISK_WRITE,
					   [PHASE_FLUSHING] = DISK_FLUSH};

	submit(d, ops[d->r.phase], d->r.phase);
}

void ide_transfer(struct ide_drive *d, enum disk_op op, bool lba48, uint8_t block)
{
	uint64_t sector;
	uint32_t count;

	if (op == DISK_WRITE && d->backend->readonly) {
		ide_fail(d, ERROR_ABORT);
		return;
	}
	if (!ide_address(d, lba48, &sector, &count)) {
		ide_fail(d, ERROR_NO_SECTOR);
		return;
	}
	d->r.sector = sector;
	d->r.left = count;
	d->r.block = block;
	if (op == DISK_READ)
		submit(d, DISK_READ, PHASE_READING);
	else
		want_block(d, PHASE_DATA_OUT);
}

/* ---- the data port --------------------------------------------------------------------------- */

static void block_taken(struct ide_drive *d)
{
	next_block(d);
	if (d->r.left) {
		submit(d, DISK_READ, PHASE_READING);
		return;
	}
	d->r.phase = PHASE_IDLE;
	d->r.status = STATUS_READY | STATUS_SEEK;
}

static void block_given(struct ide_drive *d)
{
	d->writes++;
	submit(d, DISK_WRITE, PHASE_WRITING);
}

/* Bytes that an access has too many of are lost, or read as ones. */
void ide_drive_data(struct ide_drive *d, struct bus_access *access)
{
	struct ide_registers *r = &d->r;
	uint8_t *at = r->buffer + r->position;
	uint32_t rest = r->size - r->position;
	size_t size = access->size < rest ? access->size : rest;

	if (r->phase != (access->write ? PHASE_DATA_OUT : PHASE_DATA_IN))
		return;
	if (access->write)
		memcpy(at, &access->value, size);
	else
		memcpy(&access->value, at, size);
	r->position += (uint32_t)size;
	if (r->position < r->size)
		return;
	if (access->write)
		block_given(d);
	else
		block_taken(d);
}

/* ---- registers ------------------------------------------------------------------------------- */

void ide_drive_write(struct ide_drive *d, enum ide_register reg, uint8_t value)
{
	if (is_busy(d))
		return;
	if (reg == IDE_ERROR) {
		d->r.features = value;
		return;
	}
	d->r.previous[reg] = d->r.file[reg];
	d->r.file[reg] = value;
}

uint8_t ide_drive_read(const struct ide_drive *d, enum ide_register reg, bool previous)
{
	if (reg == IDE_STATUS)
		return d->r.status;
	if (reg == IDE_ERROR)
		return d->r.error;
	return previous && reg != IDE_DEVICE ? d->r.previous[reg] : d->r.file[reg];
}

void ide_drive_command(struct ide_drive *d, uint8_t command)
{
	ide_command_fn *run = ide_find_command(command);

	if (!d->backend->sectors || is_busy(d))
		return;
	d->r.irq = false;
	d->r.error = 0;
	if (run)
		run(d, command);
	else
		ide_fail(d, ERROR_ABORT);
}

/* ---- resets ---------------------------------------------------------------------------------- */

void ide_drive_reset(struct ide_drive *d)
{
	struct ide_registers *r = &d->r;

	d->ticket++;
	memset(r->file, 0, sizeof(r->file));
	memset(r->previous, 0, sizeof(r->previous));
	r->file[IDE_COUNT] = r->file[IDE_LOW] = 1;
	r->error = 1; /* no fault was found */
	r->status = d->backend->sectors ? STATUS_READY | STATUS_SEEK : 0;
	r->irq = false;
	r->phase = PHASE_IDLE;
	r->left = 0;
}

void ide_drive_power_on(struct ide_drive *d)
{
	d->r = (struct ide_registers){.write_cache = true, .heads = 16, .track = 63};
	ide_drive_reset(d);
}
