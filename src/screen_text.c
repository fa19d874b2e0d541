// SPDX-License-Identifier: GPL-3.0-or-later
#include "screen_text.h"

#include <string.h>

#define ROWS	SCREEN_TEXT_ROWS
#define COLUMNS SCREEN_TEXT_COLUMNS

typedef uint8_t rows_of[ROWS][COLUMNS];

/* Without attributes; a zero is a blank, too. */
static void take(rows_of to, const uint8_t *cells)
{
	for (unsigned i = 0; i < ROWS * COLUMNS; i++)
		to[i / COLUMNS][i % COLUMNS] = cells[2 * i] ? cells[2 * i] : ' ';
}

static unsigned width_of(const uint8_t row[COLUMNS])
{
	unsigned width = COLUMNS;

	while (width && row[width - 1] == ' ')
		width--;
	return width;
}

/* How many rows there are down to the last one that is not blank. */
static unsigned height_of(rows_of rows)
{
	unsigned height = ROWS;

	while (height && !width_of(rows[height - 1]))
		height--;
	return height;
}

static void begin(struct screen_text *t)
{
	if (t->begun)
		return;
	memset(t->shown, ' ', sizeof(t->shown));
	t->begun = true;
}

/* The last row may have got longer; those above it are as they were. */
static bool has_scrolled(const struct screen_text *t, rows_of now, unsigned height, unsigned by)
{
	unsigned last = height - 1;

	return memcmp(t->shown[by], now[0], (size_t)(last - by) * COLUMNS) == 0 &&
	       memcmp(t->shown[last], now[last - by], width_of(t->shown[last])) == 0;
}

static void end_line(struct screen_text *t, const struct screen_text_out *out)
{
	if (t->in_line)
		out->newline(out->ctx);
	t->in_line = t->elsewhere = false;
}

static void put(struct screen_text *t, const uint8_t *row, unsigned from,
		const struct screen_text_out *out)
{
	unsigned width = width_of(row);

	if (width > from)
		out->text(out->ctx, row + from, width - from);
	t->in_line = true;
}

/* The first row of a screen that was blank. */
static unsigned first_row(rows_of now, unsigned height)
{
	unsigned row = 0;

	while (row < height && !width_of(now[row]))
		row++;
	return row;
}

static void put_below(struct screen_text *t, rows_of now, unsigned row,
		      const struct screen_text_out *out)
{
	for (unsigned end = height_of(now); row < end; row++) {
		end_line(t, out);
		put(t, now[row], 0, out);
	}
}

bool screen_text_grow(struct screen_text *t, const uint8_t *cells,
		      const struct screen_text_out *out)
{
	rows_of now;
	unsigned height, by = 0;

	begin(t);
	take(now, cells);
	height = height_of(t->shown);
	while (height && by < height && !has_scrolled(t, now, height, by))
		by++;
	if (height && by == height)
		return false;
	if (height && width_of(now[height - 1 - by]) > width_of(t->shown[height - 1])) {
		if (t->elsewhere)
			end_line(t, out);
		put(t, now[height - 1 - by], width_of(t->shown[height - 1]), out);
	}
	put_below(t, now, height ? height - by : first_row(now, height_of(now)), out);
	memcpy(t->shown, now, sizeof(now));
	return true;
}

static bool is_row(const struct screen_text *t, unsigned row, const uint8_t now[COLUMNS])
{
	return row < ROWS && memcmp(t->shown[row], now, COLUMNS) == 0;
}

/* Rows at the top have moved up already, those below have not yet, and one may be on its way. */
static bool is_scrolling(const struct screen_text *t, rows_of now)
{
	unsigned others = 0;

	for (unsigned row = 0; row < ROWS; row++)
		others += !is_row(t, row + 1, now[row]) && !is_row(t, row, now[row]);
	return others <= 1 && is_row(t, 1, now[0]) && !is_row(t, 0, now[0]);
}

void screen_text_change(struct screen_text *t, const uint8_t *cells,
			const struct screen_text_out *out)
{
	rows_of now;

	begin(t);
	take(now, cells);
	if (is_scrolling(t, now))
		return;
	for (unsigned row = 0; row < ROWS; row++) {
		if (!width_of(now[row]) || memcmp(now[row], t->shown[row], COLUMNS) == 0)
			continue;
		end_line(t, out);
		put(t, now[row], 0, out);
		t->elsewhere = row + 1 < height_of(now);
	}
	memcpy(t->shown, now, sizeof(now));
}
