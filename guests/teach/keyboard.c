// SPDX-License-Identifier: GPL-3.0-or-later
/* Scan codes of set 1 become characters; what was typed waits in a ring. */
#include "kernel.h"
#include "port.h"

#define DATA	 0x60
#define RELEASED 0x80
#define SHIFT	 0x2a
#define RING	 128

static const char plain[] =
	"\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static char ring[RING];
static unsigned first, count;
static bool shift;

static void put(char c)
{
	if (c && count < RING)
		ring[(first + count++) % RING] = c;
}

void keyboard_interrupt(void)
{
	uint8_t code = inb(DATA);

	if ((code & ~RELEASED) == SHIFT)
		shift = !(code & RELEASED);
	else if (code < sizeof(plain))
		put(shift ? shifted[code] : plain[code]);
	wake_up(WAITS_FOR_KEY);
}

int keyboard_get(void)
{
	char c = ring[first];

	if (!count)
		return -1;
	first = (first + 1) % RING;
	count--;
	return (uint8_t)c;
}
