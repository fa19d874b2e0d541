// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two Intel 8259A interrupt controllers, cascaded as on a PC: the second one's output is line 2 of the
 * first. From the 8259A datasheet ("initialization command words", "operation command words"), with the
 * edge/level registers of Intel's PIIX3 (0x4d0, 0x4d1).
 *
 * An edge stays latched when its line falls again before the acknowledge, as in QEMU and KVM; the chip
 * itself would answer with a spurious interrupt 7. Other ways to a spurious one (masked or cleared in
 * between) are the chip's. MCS-80/85 mode, and the buffered modes, which only move a pin, do nothing.
 */
#include "devices/devices.h"
#include "devices/pic_chip.h"
#include "devices/stream.h"
#include "x86/pc_chips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CASCADE 2 /* the first chip's line that the second sits on */

enum { POLL_PENDING = 0x80 };

struct pic {
	struct device device;
	struct bus_region command_region[2], elcr_region;
	void (*intr)(void *ctx, bool level);
	void *ctx;
	bool level; /* of INTR */
	struct pic_chip chip[2];
};

/* Lines whose trigger cannot be chosen: timer, keyboard, cascade; clock, coprocessor. */
static const uint8_t elcr_writable[2] = {0xf8, 0xde};

static struct pic *pic_of(struct device *device)
{
	return (struct pic *)device;
}

/* ---- the cascade ------------------------------------------------------------------------------ */

/* Special fully nested mode is about the cascade's line. */
static int requested(const struct pic *pic, unsigned which)
{
	return pic_chip_requested(&pic->chip[which], which == 0 ? 1 << CASCADE : 0);
}

/* The cascade's request follows the second chip's output; it is no edge that could be missed. */
static void update(struct pic *pic)
{
	bool level;

	pic->chip[0].irr &= (uint8_t) ~(1 << CASCADE);
	if (requested(pic, 1) >= 0)
		pic->chip[0].irr |= 1 << CASCADE;
	level = requested(pic, 0) >= 0;
	if (level == pic->level)
		return;
	pic->level = level;
	pic->intr(pic->ctx, level);
}

void pic_set(struct device *device, unsigned line, bool level)
{
	struct pic *pic = pic_of(device);

	if (line > 15 || line == CASCADE)
		return;
	pic_chip_set_line(&pic->chip[line / 8], line % 8, level);
	update(pic);
}

bool pic_pending(const struct device *device)
{
	return requested((const struct pic *)device, 0) >= 0;
}

static unsigned acknowledge(struct pic *pic, unsigned which)
{
	return pic_chip_acknowledge(&pic->chip[which], requested(pic, which));
}

uint8_t pic_acknowledge(struct device *device)
{
	struct pic *pic = pic_of(device);
	bool cascade = requested(pic, 0) == CASCADE;
	unsigned line = acknowledge(pic, 0);
	uint8_t vector = (uint8_t)(pic->chip[0].base + line);

	if (cascade)
		vector = (uint8_t)(pic->chip[1].base + acknowledge(pic, 1));
	update(pic);
	return vector;
}

/* ---- ports ------------------------------------------------------------------------------------ */

/* A poll is an acknowledge by read, from either port. */
static uint8_t read_poll(struct pic *pic, unsigned which)
{
	bool pending = requested(pic, which) >= 0;
	unsigned line = acknowledge(pic, which);

	pic->chip[which].poll = false;
	return (uint8_t)(pending ? POLL_PENDING | line : line);
}

static uint8_t read_port(struct pic *pic, unsigned which, uint64_t offset)
{
	const struct pic_chip *c = &pic->chip[which];

	return c->poll ? read_poll(pic, which) : pic_chip_read(c, offset == 1);
}

static void chip_io(struct pic *pic, unsigned which, struct bus_access *access)
{
	struct pic_chip *c = &pic->chip[which];

	if (!access->write)
		access->value = read_port(pic, which, access->offset);
	else if (access->offset == 0)
		pic_chip_write_command(c, (uint8_t)access->value);
	else
		pic_chip_write_data(c, (uint8_t)access->value);
	update(pic);
}

static void first_io(void *device, struct bus_access *access)
{
	chip_io(device, 0, access);
}

static void second_io(void *device, struct bus_access *access)
{
	chip_io(device, 1, access);
}

static void elcr_io(void *device, struct bus_access *access)
{
	struct pic *pic = device;
	struct pic_chip *c = &pic->chip[access->offset];

	if (!access->write) {
		access->value = c->elcr;
		return;
	}
	pic_chip_set_elcr(c, access->value & elcr_writable[access->offset]);
	update(pic);
}

/* ---- the other verbs -------------------------------------------------------------------------- */

static void pic_reset(struct device *device)
{
	struct pic *pic = pic_of(device);

	for (unsigned i = 0; i < 2; i++)
		pic_chip_reset(&pic->chip[i]);
	update(pic);
}

static void pic_save(const struct device *device, struct device_stream *out)
{
	const struct pic *pic = (const struct pic *)device;

	for (unsigned i = 0; i < 2; i++)
		pic_chip_save(&pic->chip[i], out);
}

static int pic_load(struct device *device, struct device_stream *in)
{
	struct pic *pic = pic_of(device);
	struct pic_chip chip[2] = {0};

	for (unsigned i = 0; i < 2; i++)
		pic_chip_load(&chip[i], in);
	if (in->error)
		return -EINVAL;
	memcpy(pic->chip, chip, sizeof(chip));
	update(pic);
	return 0;
}

static void pic_destroy(struct device *device)
{
	free(device);
}

static void name_regions(struct pic *pic)
{
	static const struct bus_region rows[] = {
		{.name = "pic0", .base = 0x20, .io = first_io},
		{.name = "pic1", .base = 0xa0, .io = second_io},
		{.name = "elcr", .base = 0x4d0, .io = elcr_io},
	};
	struct bus_region *const regions[] = {&pic->command_region[0], &pic->command_region[1],
					      &pic->elcr_region};

	for (unsigned i = 0; i < 3; i++) {
		*regions[i] = rows[i];
		regions[i]->size = 2;
		regions[i]->max_size = 1;
		regions[i]->device = pic;
	}
}

int pic_init(const struct device_host *host, void (*intr)(void *ctx, bool level), void *ctx,
	     struct device **device, struct error *err)
{
	struct pic *pic = calloc(1, sizeof(*pic));

	if (!pic)
		return error_set(err, -ENOMEM, "out of memory");
	pic->device = (struct device){.name = "pic",
				      .reset = pic_reset,
				      .save = pic_save,
				      .load = pic_load,
				      .destroy = pic_destroy};
	pic->intr = intr;
	pic->ctx = ctx;
	name_regions(pic);
	return device_attach(&pic->device,
			     (struct device_region[]){{host->ports, &pic->command_region[0]},
						      {host->ports, &pic->command_region[1]},
						      {host->ports, &pic->elcr_region}},
			     3, device, err);
}

/* ---- looking ---------------------------------------------------------------------------------- */

void pic_look(const struct device *device, unsigned chip, struct pc_pic *view)
{
	const struct pic_chip *c = &((const struct pic *)device)->chip[chip & 1];

	*view = (struct pc_pic){.base = c->base,
				.irr = c->irr,
				.imr = c->imr,
				.isr = c->isr,
				.lines = c->lines,
				.level = c->elcr,
				.highest = (c->lowest + 1) & 7,
				.auto_eoi = c->auto_eoi,
				.special_mask = c->special_mask};
}
