// SPDX-License-Identifier: GPL-3.0-or-later
/* The text screen. Every access to it exits, so it does not scroll: moving 24 lines up would cost 4000
 * exits. After the last line comes the first again. */
#include "print.h"

#include <stdbool.h>

enum { COLUMNS = 80, ROWS = 25, ATTRIBUTE = 0x07 };

static bool on;
static unsigned row, column;

static volatile uint16_t *cell(unsigned r, unsigned c)
{
	return (volatile uint16_t *)0xb8000 + r * COLUMNS + c;
}

void text_screen_on(void)
{
	on = true;
}

static void blank_rest(void)
{
	while (column < COLUMNS)
		*cell(row, column++) = ATTRIBUTE << 8 | ' ';
}

void text_screen_put(char c)
{
	if (!on)
		return;
	if (c == '\n' || column == COLUMNS) {
		blank_rest();
		column = 0;
		row = (row + 1) % ROWS;
	}
	if (c != '\n')
		*cell(row, column++) = (uint16_t)(ATTRIBUTE << 8 | (uint8_t)c);
}
