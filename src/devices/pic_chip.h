/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One 8259A, without its place in the cascade. The PIC's own; pic.c says what differs from the chip. */
#ifndef DEVICES_PIC_CHIP_H
#define DEVICES_PIC_CHIP_H

#include "devices/stream.h"

#include <stdbool.h>
#include <stdint.h>

#define PIC_SPURIOUS 7

struct pic_chip {
	uint8_t irr, imr, isr; /* requested, masked, in service */
	uint8_t lines;	       /* the pins' levels */
	uint8_t elcr;	       /* lines that are level-triggered */
	uint8_t base;	       /* vector of line 0 */
	uint8_t lowest;	       /* the line of lowest priority; the next one is highest */
	uint8_t expect;	       /* what the data port takes next: enum in pic_chip.c */
	uint8_t icw1;
	bool auto_eoi, rotate_on_auto_eoi, nested, special_mask, read_isr, poll;
};

void pic_chip_reset(struct pic_chip *c); /* the pins keep their levels */
void pic_chip_set_line(struct pic_chip *c, unsigned line, bool level);
void pic_chip_set_elcr(struct pic_chip *c, uint8_t value);

/* The line to be acknowledged next, or -1. In special fully nested mode the lines of `nested` do not keep out
 * their own second request. */
int pic_chip_requested(const struct pic_chip *c, uint8_t nested);
/* The end of an acknowledge cycle for what pic_chip_requested() said: the line; PIC_SPURIOUS, without a
 * trace, for -1. */
unsigned pic_chip_acknowledge(struct pic_chip *c, int requested);

void pic_chip_write_command(struct pic_chip *c, uint8_t value);
void pic_chip_write_data(struct pic_chip *c, uint8_t value);
uint8_t pic_chip_read(const struct pic_chip *c, bool data); /* not for a poll */

void pic_chip_save(const struct pic_chip *c, struct device_stream *out);
void pic_chip_load(struct pic_chip *c, struct device_stream *in); /* nonsense: in->error */

#endif
