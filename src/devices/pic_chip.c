// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/pic_chip.h"

#include <errno.h>

#define NOTHING 8 /* a priority lower than all */

enum { ICW1_ICW4 = 0x01, ICW1_SINGLE = 0x02, ICW1_LEVEL = 0x08, ICW1 = 0x10 };
enum { ICW4_AUTO_EOI = 0x02, ICW4_NESTED = 0x10 };
enum { OCW3 = 0x08, OCW3_READ = 0x02, OCW3_READ_ISR = 0x01, OCW3_POLL = 0x04 };
enum { OCW3_MASK = 0x40, OCW3_MASK_ON = 0x20 };

/* What the data port takes next. */
enum { EXPECT_MASK, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4, EXPECT_COUNT };

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

/* What keeps others out: lines in service, in special mask mode only those that are not masked. */
static uint8_t blockers(const struct pic_chip *c, uint8_t nested)
{
	uint8_t isr = c->isr;

	if (c->special_mask)
		isr &= (uint8_t)~c->imr;
	if (c->nested)
		isr &= (uint8_t)~nested;
	return isr;
}

int pic_chip_requested(const struct pic_chip *c, uint8_t nested)
{
	unsigned best = highest(c, c->irr & ~c->imr);

	if (best == NOTHING || best >= highest(c, blockers(c, nested)))
		return -1;
	return (int)line_at(c, best);
}

/* ---- lines and acknowledge -------------------------------------------------------------------- */

void pic_chip_set_line(struct pic_chip *c, unsigned line, bool level)
{
	uint8_t bit = (uint8_t)(1 << line);

	if (c->elcr & bit)
		c->irr = (uint8_t)(level ? c->irr | bit : c->irr & ~bit);
	else if (level && !(c->lines & bit))
		c->irr |= bit;
	c->lines = (uint8_t)(level ? c->lines | bit : c->lines & ~bit);
}

/* A line that asks by level asks for as long as its level is high, and no longer. */
void pic_chip_set_elcr(struct pic_chip *c, uint8_t value)
{
	c->elcr = value;
	c->irr = (uint8_t)((c->irr & ~c->elcr) | (c->elcr & c->lines));
}

unsigned pic_chip_acknowledge(struct pic_chip *c, int requested)
{
	uint8_t bit;

	if (requested < 0)
		return PIC_SPURIOUS;
	bit = (uint8_t)(1 << requested);
	if (!(c->elcr & bit))
		c->irr &= (uint8_t)~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate_on_auto_eoi)
		c->lowest = (uint8_t)requested;
	return (unsigned)requested;
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

void pic_chip_write_command(struct pic_chip *c, uint8_t value)
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

void pic_chip_write_data(struct pic_chip *c, uint8_t value)
{
	data_writes[c->expect](c, value);
}

uint8_t pic_chip_read(const struct pic_chip *c, bool data)
{
	if (data)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

/* ---- reset and saving ------------------------------------------------------------------------- */

void pic_chip_reset(struct pic_chip *c)
{
	*c = (struct pic_chip){.lines = c->lines, .lowest = 7};
}

void pic_chip_save(const struct pic_chip *c, struct device_stream *out)
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

void pic_chip_load(struct pic_chip *c, struct device_stream *in)
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
