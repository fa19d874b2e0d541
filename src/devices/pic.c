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
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CASCADE	 2 /* the first chip's line that the second sits on */
#define SPURIOUS 7
#define NOTHING	 8 /* a priority lower than all */

enum { ICW1_ICW4 = 0x01, ICW1_SINGLE = 0x02, ICW1_LEVEL = 0x08, ICW1 = 0x10 };
enum { ICW4_AUTO_EOI = 0x02, ICW4_NESTED = 0x10 };
enum { OCW3 = 0x08, OCW3_READ = 0x02, OCW3_READ_ISR = 0x01, OCW3_POLL = 0x04 };
enum { OCW3_MASK = 0x40, OCW3_MASK_ON = 0x20 };
enum { POLL_PENDING = 0x80 };

/* What the data port takes next. */
enum { EXPECT_MASK, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4, EXPECT_COUNT };

struct pic_chip {
	uint8_t irr, imr, isr; /* requested, masked, in service */
	uint8_t lines;	       /* the pins' levels */
	uint8_t elcr;	       /* lines that are level-triggered */
	uint8_t base;	       /* vector of line 0 */
	uint8_t lowest;	       /* the line of lowest priority; the next one is highest */
	uint8_t expect;	       /* EXPECT_… */
	uint8_t icw1;
	bool auto_eoi, rotate_on_auto_eoi, nested, special_mask, read_isr, poll;
};

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

/* ---- priorities ------------------------------------------------------------------------------- */

/* 0 is highest; NOTHING when no bit is set. */
static unsigned highest(const struct pic_chip *c, uint8_t lines)
{
	for (unsigned priority = 0; priority < 8; priority++)
		if (lines & 1 << ((c->lowest + 1 + priority) & 7))
			return priority;
	return NOTHING;
}

static unsigned line_at(const struct pic_chip *c, unsigned priority)
{
	return (c->lowest + 1 + priority) & 7;
}

/* What keeps others out: lines in service; in special mask mode only those that are not masked; in
 * special fully nested mode the cascade does not keep out its own second request. */
static uint8_t blockers(const struct pic_chip *c, bool first)
{
	uint8_t isr = c->isr;

	if (c->special_mask)
		isr &= (uint8_t)~c->imr;
	if (c->nested && first)
		isr &= (uint8_t) ~(1 << CASCADE);
	return isr;
}

/* The line to be acknowledged next, or -1. */
static int requested(const struct pic *pic, unsigned which)
{
	const struct pic_chip *c = &pic->chip[which];
	unsigned best = highest(c, c->irr & ~c->imr);

	if (best == NOTHING || best >= highest(c, blockers(c, which == 0)))
		return -1;
	return (int)line_at(c, best);
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

/* ---- lines and acknowledge -------------------------------------------------------------------- */

static void set_line(struct pic_chip *c, uint8_t bit, bool level)
{
	if (c->elcr & bit)
		c->irr = (uint8_t)(level ? c->irr | bit : c->irr & ~bit);
	else if (level && !(c->lines & bit))
		c->irr |= bit;
	c->lines = (uint8_t)(level ? c->lines | bit : c->lines & ~bit);
}

void pic_set(struct device *device, unsigned line, bool level)
{
	struct pic *pic = pic_of(device);

	if (line > 15 || line == CASCADE)
		return;
	set_line(&pic->chip[line / 8], (uint8_t)(1 << line % 8), level);
	update(pic);
}

bool pic_pending(const struct device *device)
{
	return requested((const struct pic *)device, 0) >= 0;
}

/* The end of one chip's acknowledge cycle: its line, or SPURIOUS, which leaves no trace. */
static unsigned acknowledge_chip(struct pic *pic, unsigned which)
{
	struct pic_chip *c = &pic->chip[which];
	int line = requested(pic, which);

	if (line < 0)
		return SPURIOUS;
	if (!(c->elcr & 1 << line))
		c->irr &= (uint8_t) ~(1 << line);
	if (!c->auto_eoi)
		c->isr |= (uint8_t)(1 << line);
	else if (c->rotate_on_auto_eoi)
		c->lowest = (uint8_t)line;
	return (unsigned)line;
}

uint8_t pic_acknowledge(struct device *device)
{
	struct pic *pic = pic_of(device);
	bool cascade = requested(pic, 0) == CASCADE;
	unsigned line = acknowledge_chip(pic, 0);
	uint8_t vector = (uint8_t)(pic->chip[0].base + line);

	if (cascade)
		vector = (uint8_t)(pic->chip[1].base + acknowledge_chip(pic, 1));
	update(pic);
	return vector;
}

/* ---- operation command words ------------------------------------------------------------------ */

static void end_line(struct pic_chip *c, unsigned line, bool rotate)
{
	c->isr &= (uint8_t) ~(1 << line);
	if (rotate)
		c->lowest = (uint8_t)line;
}

/* In special mask mode the highest in service may be masked; then it is not the one that ends. */
static void end_highest(struct pic_chip *c, bool rotate)
{
	unsigned priority = highest(c, c->special_mask ? c->isr & ~c->imr : c->isr);

	if (priority != NOTHING)
		end_line(c, line_at(c, priority), rotate);
}

static void write_ocw2(struct pic_chip *c, uint8_t value)
{
	unsigned line = value & 7;

	switch (value >> 5) {
	case 0: c->rotate_on_auto_eoi = false; break;
	case 1: end_highest(c, false); break;
	case 2: break;
	case 3: end_line(c, line, false); break;
	case 4: c->rotate_on_auto_eoi = true; break;
	case 5: end_highest(c, true); break;
	case 6: c->lowest = (uint8_t)line; break;
	case 7: end_line(c, line, true); break;
	}
}

static void write_ocw3(struct pic_chip *c, uint8_t value)
{
	c->poll = value & OCW3_POLL;
	if (value & OCW3_READ)
		c->read_isr = value & OCW3_READ_ISR;
	if (value & OCW3_MASK)
		c->special_mask = value & OCW3_MASK_ON;
}

/* Starts over. Edges are forgotten; lines that ask by level go on asking. */
static void write_icw1(struct pic_chip *c, uint8_t value)
{
	struct pic_chip fresh = {.lines = c->lines,
				 .elcr = c->elcr,
				 .base = c->base,
				 .irr = c->lines & c->elcr,
				 .lowest = 7,
				 .icw1 = value,
				 .expect = EXPECT_ICW2};

	*c = fresh;
}

static void write_command(struct pic_chip *c, uint8_t value)
{
	if (value & ICW1)
		write_icw1(c, value);
	else if (value & OCW3)
		write_ocw3(c, value);
	else
		write_ocw2(c, value);
}

/* ---- the data port ---------------------------------------------------------------------------- */

static void write_mask(struct pic_chip *c, uint8_t value)
{
	c->imr = value;
}

static void write_icw2(struct pic_chip *c, uint8_t value)
{
	c->base = value & 0xf8;
	if (!(c->icw1 & ICW1_SINGLE))
		c->expect = EXPECT_ICW3;
	else
		c->expect = c->icw1 & ICW1_ICW4 ? EXPECT_ICW4 : EXPECT_MASK;
}

/* How the chips are wired is not the guest's to say. */
static void write_icw3(struct pic_chip *c, uint8_t value)
{
	(void)value;
	c->expect = c->icw1 & ICW1_ICW4 ? EXPECT_ICW4 : EXPECT_MASK;
}

static void write_icw4(struct pic_chip *c, uint8_t value)
{
	c->auto_eoi = value & ICW4_AUTO_EOI;
	c->nested = value & ICW4_NESTED;
	c->expect = EXPECT_MASK;
}

static void (*const data_writes[EXPECT_COUNT])(struct pic_chip *, uint8_t) = {
	[EXPECT_MASK] = write_mask,
	[EXPECT_ICW2] = write_icw2,
	[EXPECT_ICW3] = write_icw3,
	[EXPECT_ICW4] = write_icw4,
};

/* A poll is an acknowledge by read, from either port. */
static uint8_t read_poll(struct pic *pic, unsigned which)
{
	bool pending = requested(pic, which) >= 0;
	unsigned line = acknowledge_chip(pic, which);

	pic->chip[which].poll = false;
	return (uint8_t)(pending ? POLL_PENDING | line : line);
}

static uint8_t read_port(struct pic *pic, unsigned which, uint64_t offset)
{
	const struct pic_chip *c = &pic->chip[which];

	if (c->poll)
		return read_poll(pic, which);
	if (offset == 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static void chip_io(struct pic *pic, unsigned which, struct bus_access *access)
{
	struct pic_chip *c = &pic->chip[which];

	if (!access->write)
		access->value = read_port(pic, which, access->offset);
	else if (access->offset == 0)
		write_command(c, (uint8_t)access->value);
	else
		data_writes[c->expect](c, (uint8_t)access->value);
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
	uint8_t levels;

	if (!access->write) {
		access->value = c->elcr;
		return;
	}
	c->elcr = access->value & elcr_writable[access->offset];
	levels = c->elcr & (uint8_t)~c->lines;
	c->irr = (uint8_t)((c->irr & ~levels) | (c->elcr & c->lines));
	update(pic);
}

/* ---- the other verbs -------------------------------------------------------------------------- */

/* The pins keep the levels that other devices give them. */
static void pic_reset(struct device *device)
{
	struct pic *pic = pic_of(device);

	for (unsigned i = 0; i < 2; i++)
		pic->chip[i] = (struct pic_chip){.lines = pic->chip[i].lines, .lowest = 7};
	update(pic);
}

static void save_chip(const struct pic_chip *c, struct device_stream *out)
{
	const uint8_t bytes[] = {c->irr,  c->imr,    c->isr,	c->lines, c->elcr,
				 c->base, c->lowest, c->expect, c->icw1};
	const bool flags[] = {c->auto_eoi,     c->rotate_on_auto_eoi, c->nested,
			      c->special_mask, c->read_isr,	      c->poll};

	for (size_t i = 0; i < sizeof(bytes); i++)
		stream_put_u64(out, bytes[i]);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		stream_put_u64(out, flags[i]);
}

static void load_chip(struct pic_chip *c, struct device_stream *in)
{
	uint8_t *const bytes[] = {&c->irr,  &c->imr,	&c->isr,    &c->lines, &c->elcr,
				  &c->base, &c->lowest, &c->expect, &c->icw1};
	bool *const flags[] = {&c->auto_eoi,	 &c->rotate_on_auto_eoi, &c->nested,
			       &c->special_mask, &c->read_isr,		 &c->poll};

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		*bytes[i] = stream_get_u8(in);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		*flags[i] = stream_get_u64(in);
	if (c->lowest > 7 || c->expect >= EXPECT_COUNT)
		in->error = -EINVAL;
}

static void pic_save(const struct device *device, struct device_stream *out)
{
	const struct pic *pic = (const struct pic *)device;

	for (unsigned i = 0; i < 2; i++)
		save_chip(&pic->chip[i], out);
}

static int pic_load(struct device *device, struct device_stream *in)
{
	struct pic *pic = pic_of(device);
	struct pic_chip chip[2] = {0};

	for (unsigned i = 0; i < 2; i++)
		load_chip(&chip[i], in);
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
