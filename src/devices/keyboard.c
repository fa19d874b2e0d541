// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/keyboard.h"

#include "devices/stream.h"

#include <string.h>

enum { ACK = 0xfa, RESEND = 0xfe, ECHO = 0xee, TEST_PASSED = 0xaa };
enum { SCAN_SET = 0xf0, SCAN_SET_2 = 2, SCAN_SET_2_TRANSLATED = 0x41 };

/* What does not fit is lost: it is for a guest that asks and never reads. */
static void answer(struct keyboard *k, const uint8_t *bytes, uint16_t size)
{
	if (k->count + size > sizeof(k->codes))
		return;
	memmove(k->codes + size, k->codes, k->count);
	memcpy(k->codes, bytes, size);
	k->count = (uint16_t)(k->count + size);
}

static void answer_byte(struct keyboard *k, uint8_t byte)
{
	answer(k, &byte, 1);
}

/* ---- commands --------------------------------------------------------------------------------- */

static void acknowledge(struct keyboard *k, uint8_t command)
{
	(void)command;
	answer_byte(k, ACK);
}

static void want_parameter(struct keyboard *k, uint8_t command)
{
	k->parameter = command;
	answer_byte(k, ACK);
}

static void echo(struct keyboard *k, uint8_t command)
{
	answer_byte(k, command);
}

static void identify(struct keyboard *k, uint8_t command)
{
	static const uint8_t id[] = {ACK, 0xab, 0x41}; /* 0x83, translated */

	(void)command;
	answer(k, id, sizeof(id));
}

static void scan(struct keyboard *k, uint8_t command)
{
	k->scanning = command != 0xf5;
	answer_byte(k, ACK);
}

static void again(struct keyboard *k, uint8_t command)
{
	(void)command;
	answer_byte(k, k->last);
}

static void reset(struct keyboard *k, uint8_t command)
{
	static const uint8_t passed[] = {ACK, TEST_PASSED};

	(void)command;
	keyboard_power_on(k);
	answer(k, passed, sizeof(passed));
}

/* Lamps and repetition change nothing here; the scan code set is 2, which the controller translates. */
static void take_parameter(struct keyboard *k, uint8_t byte)
{
	static const uint8_t set[] = {ACK, SCAN_SET_2_TRANSLATED};
	uint8_t command = k->parameter;

	k->parameter = 0;
	if (command != SCAN_SET || byte == SCAN_SET_2)
		answer_byte(k, ACK);
	else if (byte == 0)
		answer(k, set, sizeof(set));
	else
		answer_byte(k, RESEND);
}

static const struct {
	uint8_t first, last;
	void (*run)(struct keyboard *k, uint8_t command);
} commands[] = {
	{0xed, 0xed, want_parameter},
	{ECHO, ECHO, echo},
	{SCAN_SET, SCAN_SET, want_parameter},
	{0xf2, 0xf2, identify},
	{0xf3, 0xf3, want_parameter},
	{0xf4, 0xf6, scan},
	{0xf7, 0xfa, acknowledge},
	{RESEND, RESEND, again},
	{0xff, 0xff, reset},
};

/* A command in place of a parameter ends the wait for it. */
void keyboard_take(struct keyboard *k, uint8_t byte)
{
	if (k->parameter && byte < 0x80) {
		take_parameter(k, byte);
		return;
	}
	k->parameter = 0;
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].first <= byte && byte <= commands[i].last) {
			commands[i].run(k, byte);
			return;
		}
	answer_byte(k, RESEND);
}

/* ---- keys ------------------------------------------------------------------------------------- */

void keyboard_power_on(struct keyboard *k)
{
	*k = (struct keyboard){.scanning = true};
}

bool keyboard_next(struct keyboard *k, uint8_t *byte)
{
	if (!k->count)
		return false;
	*byte = k->last = k->codes[0];
	memmove(k->codes, k->codes + 1, --k->count);
	return true;
}

size_t keyboard_press(struct keyboard *k, const uint8_t *codes, size_t size)
{
	if (!k->scanning)
		return size;
	if (k->count > KEYBOARD_KEYS || size > (size_t)KEYBOARD_KEYS - k->count)
		return 0;
	memcpy(k->codes + k->count, codes, size);
	k->count = (uint16_t)(k->count + size);
	return size;
}

/* ---- snapshots -------------------------------------------------------------------------------- */

void keyboard_save(const struct keyboard *k, struct device_stream *out)
{
	stream_put_u64(out, k->count);
	stream_put_u64(out, k->parameter);
	stream_put_u64(out, k->last);
	stream_put_u64(out, k->scanning);
	stream_put(out, k->codes, k->count);
}

bool keyboard_load(struct keyboard *k, struct device_stream *in)
{
	uint64_t count = stream_get_u64(in);

	*k = (struct keyboard){0};
	k->parameter = stream_get_u8(in);
	k->last = stream_get_u8(in);
	k->scanning = stream_get_u64(in);
	if (count > sizeof(k->codes))
		return false;
	k->count = (uint16_t)count;
	stream_get(in, k->codes, k->count);
	return !in->error;
}
