// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The primary IDE channel: two drives on one cable (ATA/ATAPI-6 chapter 7, "device 0" and "device 1"). Both hear
 * what is written to the registers; the one that the device register selects answers, executes, and drives the
 * interrupt line. Where a drive is missing the other answers for it, with a status of 0.
 */
#include "devices/ide_drive.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

#define IDE_PORTS   0x1f0
#define IDE_CONTROL 0x3f6
#define IDE_IRQ	    14
#define DIAGNOSTIC  0x90

enum { CONTROL_NO_IRQ = 0x02, CONTROL_RESET = 0x04, CONTROL_PREVIOUS = 0x80 };

struct ide {
	struct device device;
	const struct device_host *host;
	struct bus_region command_region, control_region;
	struct disk_backend backend[2];
	bool level; /* of the interrupt line */
	uint8_t control;
	uint8_t selected;
	struct ide_drive drive[2];
};

static struct ide *ide_of(struct device *device)
{
	return (struct ide *)device;
}

static struct ide_drive *selected(struct ide *ide)
{
	return &ide->drive[ide->selected];
}

static bool interrupts(const struct ide *ide)
{
	return ide->drive[ide->selected].r.irq && !(ide->control & CONTROL_NO_IRQ);
}

static void update_irq(struct ide *ide)
{
	bool level = interrupts(ide);

	if (level == ide->level)
		return;
	ide->level = level;
	ide->host->irq(ide->host->ctx, IDE_IRQ, level);
}

/* ---- registers -------------------------------------------------------------------------------- */

/* Both drives do it, and the first one tells. */
static void diagnose(struct ide *ide)
{
	for (unsigned i = 0; i < 2; i++)
		ide_drive_reset(&ide->drive[i]);
	ide->selected = 0;
	ide->drive[0].r.irq = ide->backend[0].sectors;
}

static void write_register(struct ide *ide, enum ide_register reg, uint8_t value)
{
	if (ide->control & CONTROL_RESET)
		return;
	if (reg == IDE_STATUS && value == DIAGNOSTIC) {
		diagnose(ide);
		return;
	}
	if (reg == IDE_STATUS) {
		ide_drive_command(selected(ide), value);
		return;
	}
	if (reg == IDE_DEVICE)
		ide->selected = value & DEVICE_SECOND ? 1 : 0;
	ide->control &= (uint8_t)~CONTROL_PREVIOUS;
	for (unsigned i = 0; i < 2; i++)
		ide_drive_write(&ide->drive[i], reg, value);
}

static uint8_t status(struct ide *ide)
{
	const struct ide_drive *d = selected(ide);

	if (ide->control & CONTROL_RESET)
		return d->backend->sectors ? STATUS_BUSY : 0;
	return ide_drive_read(d, IDE_STATUS, false);
}

/* The device register reads as it was written, though a busy drive has not taken it. */
static uint8_t read_register(struct ide *ide, enum ide_register reg)
{
	struct ide_drive *d = selected(ide);
	const struct ide_drive *answers = d->backend->sectors ? d : &ide->drive[!ide->selected];
	uint8_t value;

	if (reg == IDE_STATUS) {
		d->r.irq = false;
		return status(ide);
	}
	value = ide_drive_read(answers, reg, ide->control & CONTROL_PREVIOUS);
	if (reg != IDE_DEVICE)
		return value;
	value = (value | DEVICE_ONES) & (uint8_t)~DEVICE_SECOND;
	return value | (ide->selected ? DEVICE_SECOND : 0);
}

static void access_bytes(struct ide *ide, struct bus_access *access)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < access->size; i++) {
		enum ide_register reg = (enum ide_register)(access->offset + i);

		if (access->write)
			write_register(ide, reg, (uint8_t)(access->value >> 8 * i));
		else
			value |= (uint64_t)read_register(ide, reg) << 8 * i;
	}
	if (!access->write)
		access->value = value;
}

static void command_io(void *device, struct bus_access *access)
{
	struct ide *ide = device;

	if (access->offset == IDE_DATA && !(ide->control & CONTROL_RESET))
		ide_drive_data(selected(ide), access);
	else if (access->offset != IDE_DATA)
		access_bytes(ide, access);
	update_irq(ide);
}

/* SRST holds both drives in reset while it is on. */
static void write_control(struct ide *ide, uint8_t value)
{
	if (value & ~ide->control & CONTROL_RESET) {
		for (unsigned i = 0; i < 2; i++)
			ide_drive_reset(&ide->drive[i]);
		ide->selected = 0;
	}
	ide->control = value;
}

static void control_io(void *device, struct bus_access *access)
{
	struct ide *ide = device;

	if (access->write)
		write_control(ide, (uint8_t)access->value);
	else
		access->value = status(ide); /* and the interrupt stays */
	update_irq(ide);
}

void ide_done(struct device *device, unsigned drive, uint64_t ticket, int rc, const uint8_t *bytes)
{
	struct ide *ide = ide_of(device);

	ide_drive_done(&ide->drive[drive & 1], ticket, rc, bytes);
	update_irq(ide);
}

/* ---- the other verbs -------------------------------------------------------------------------- */

static void ide_reset(struct device *device)
{
	struct ide *ide = ide_of(device);

	ide->control = ide->selected = 0;
	for (unsigned i = 0; i < 2; i++)
		ide_drive_power_on(&ide->drive[i]);
	update_irq(ide);
}

static void ide_save(const struct device *device, struct device_stream *out)
{
	const struct ide *ide = (const struct ide *)device;

	for (unsigned i = 0; i < 2; i++)
		ide_drive_save(&ide->drive[i], out);
	stream_put_u64(out, ide->control);
	stream_put_u64(out, ide->selected);
}

static int ide_fits(const struct device *device, struct device_stream *in, struct error *err)
{
	const struct ide *ide = (const struct ide *)device;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = ide_drive_fits(&ide->drive[i], in, err);
	return rc;
}

static int ide_load(struct device *device, struct device_stream *in)
{
	struct ide *ide = ide_of(device);
	struct ide_registers r[2];
	uint8_t control, which;
	bool valid = true;

	for (unsigned i = 0; i < 2; i++)
		valid &= ide_drive_get(&ide->drive[i], &r[i], in);
	control = stream_get_u8(in);
	which = stream_get_u8(in);
	if (!valid || in->error || which > 1)
		return -EINVAL;
	ide->control = control;
	ide->selected = which;
	for (unsigned i = 0; i < 2; i++)
		ide_drive_take(&ide->drive[i], &r[i]);
	ide->level = !interrupts(ide);
	update_irq(ide);
	return 0;
}

static void ide_destroy(struct device *device)
{
	free(device);
}

int ide_init(const struct device_host *host, const struct disk_backend backends[2],
	     struct device **device, struct error *err)
{
	struct ide *ide = calloc(1, sizeof(*ide));
	struct device_region regions[2];

	if (!ide)
		return error_set(err, -ENOMEM, "out of memory");
	ide->device = (struct device){.name = "ide",
				      .reset = ide_reset,
				      .save = ide_save,
				      .fits = ide_fits,
				      .load = ide_load,
				      .destroy = ide_destroy};
	ide->host = host;
	for (unsigned i = 0; i < 2; i++) {
		ide->backend[i] = backends[i];
		ide->drive[i].backend = &ide->backend[i];
		ide->drive[i].number = i;
	}
	ide->command_region = (struct bus_region){.name = "ide",
						  .base = IDE_PORTS,
						  .size = 8,
						  .max_size = 4,
						  .io = command_io,
						  .device = ide};
	ide->control_region = (struct bus_region){.name = "ide control",
						  .base = IDE_CONTROL,
						  .size = 1,
						  .max_size = 1,
						  .io = control_io,
						  .device = ide};
	regions[0] = (struct device_region){host->ports, &ide->command_region};
	regions[1] = (struct device_region){host->ports, &ide->control_region};
	return device_attach(&ide->device, regions, 2, device, err);
}
