// SPDX-License-Identifier: GPL-3.0-or-later
/* What stands in a PC's text memory, as text: its characters are those of code page 437. */
#include "monitor/screen.h"

#include "monitor/commands.h"
#include "monitor/facts.h"
#include "monitor/text.h"

#include <string.h>

/* 0x00 to 0x1f, 0x7f, and 0x80 to 0xff as a PC's display draws them. */
static const char low[] = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
static const char high[] =
	"⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩"
	"╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\xc2\xa0";

static const char *nth(const char *text, unsigned index, size_t *length)
{
	size_t left = strlen(text);
	bool partial;

	for (;; index--) {
		*length = text_utf8_length(text, left, &partial);
		if (index == 0)
			return text;
		text += *length;
		left -= *length;
	}
}

void screen_add_character(struct string *line, uint8_t c)
{
	const char ascii = (char)c, *text = &ascii;
	size_t length = 1;

	if (c < 0x20)
		text = nth(low, c, &length);
	else if (c >= 0x7f)
		text = nth(high, c - 0x7fu, &length);
	string_add(line, text, length);
}

/* A row without the blanks at its end. Returns its width. */
static unsigned row_text(const uint8_t *cells, struct string *line)
{
	unsigned width = SCREEN_COLUMNS;

	while (width && (cells[2 * width - 2] == ' ' || !cells[2 * width - 2]))
		width--;
	for (unsigned i = 0; i < width; i++)
		screen_add_character(line, cells[2 * i]);
	return width;
}

static void show_row(struct call *call, const uint8_t *cells, unsigned *blank)
{
	struct string line = {0};

	if (row_text(cells, &line) == 0) {
		++*blank;
		return;
	}
	for (; *blank; --*blank) {
		out_printf(call->out, "\n");
		fact_text(call->out, NULL, "");
	}
	out_printf(call->out, "%s\n", string_text(&line));
	fact_text(call->out, NULL, string_text(&line));
	string_free(&line);
}

static void show_cursor(struct call *call, const struct screen_info *screen)
{
	unsigned row = (unsigned)screen->cursor / SCREEN_COLUMNS + 1,
		 column = (unsigned)screen->cursor % SCREEN_COLUMNS + 1;

	if (screen->cursor < 0)
		return;
	out_printf(call->out, "%s-- the cursor is in row %u, column %u --%s\n",
		   color(call->out, COLOR_DIM), row, column, color(call->out, COLOR_OFF));
	fact_object(call->out, "cursor");
	fact_count(call->out, "row", row);
	fact_count(call->out, "column", column);
	fact_end(call->out);
}

int run_screen(struct call *call)
{
	struct screen_info screen;
	unsigned blank = 0;

	debug_screen(call->monitor->debug, &screen);
	fact_list(call->out, "rows");
	for (unsigned row = 0; row < SCREEN_ROWS; row++)
		show_row(call, screen.cells + (size_t)2 * SCREEN_COLUMNS * row, &blank);
	fact_end(call->out);
	if (blank == SCREEN_ROWS)
		out_printf(call->out, "the screen is blank\n");
	show_cursor(call, &screen);
	return 0;
}
