/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keyboard behind the 8042, from IBM's PS/2 hardware interface reference ("keyboard, commands from the
 * system"). Its bytes are as the controller translates them: scan codes of set 1.
 */
#ifndef DEVICES_KEYBOARD_H
#define DEVICES_KEYBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_stream;

#define KEYBOARD_KEYS	 512 /* scan codes that wait; a line of text fits */
#define KEYBOARD_ANSWERS 4

struct keyboard {
	uint8_t codes[KEYBOARD_KEYS + KEYBOARD_ANSWERS]; /* answers go in front of keys */
	uint16_t count;
	uint8_t parameter; /* the command whose parameter comes next; 0: none */
	uint8_t last;	   /* for whoever wants it again */
	bool scanning;
};

void keyboard_power_on(struct keyboard *k);
/* The next byte for the controller; false: there is none. */
bool keyboard_next(struct keyboard *k, uint8_t *byte);
/* A byte from the controller. */
void keyboard_take(struct keyboard *k, uint8_t byte);
/* Keys are pressed and let go: size when there was room for all of them, else 0. While the guest has scanning switched
 * off nothing comes of it. */
size_t keyboard_press(struct keyboard *k, const uint8_t *codes, size_t size);
void keyboard_save(const struct keyboard *k, struct device_stream *out);
bool keyboard_load(struct keyboard *k, struct device_stream *in); /* false: no keyboard can be so */

#endif
