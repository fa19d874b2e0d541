// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The screen, with a line being edited at its bottom. Everything printed goes above that line: it
 * is wiped, the text is written, it is drawn again. Serial output comes in pieces of lines; an
 * unfinished line stands above the prompt, and is continued there when the next piece comes.
 */
#include "monitor/console_private.h"

#include <readline/readline.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* While somebody else has the terminal it may be raw: then a newline needs its carriage return. */
static void put(struct console *console, const char *text, size_t size)
{
	if (console->socket) {
		console_socket_write(console, text, size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' && console->interactive && !console->active)
			putchar('\r');
		putchar(text[i]);
	}
}

static void forget_partial(struct console *console)
{
	string_free(&console->partial);
	console->partial_above = false;
}

static size_t terminal_width(void)
{
	int rows, columns;

	rl_get_screen_size(&rows, &columns);
	return columns > 1 ? columns : 80;
}

/* Keeps what stands behind the last newline, as long as it fits on one line of the screen: only
 * then can the cursor find back to it. */
static void keep_partial(struct console *console, const char *text, size_t size)
{
	const char *newline = memrchr(text, '\n', size);

	if (newline) {
		forget_partial(console);
		size -= newline + 1 - text;
		text = newline + 1;
	}
	string_add(&console->partial, text, size);
}

void console_put(struct console *console, const char *text, size_t size)
{
	put(console, text, size);
	keep_partial(console, text, size);
}

/* What waits behind a page is bounded: a guest may print for hours. */
#define BEHIND_MAX (1u << 20)

void console_write(void *ctx, const char *text, size_t size)
{
	struct console *console = ctx;

	if (console->gathering)
		string_add(&console->page, text, size);
	else if (!console->paging)
		console_put(console, text, size);
	else if (console->behind.size + size < BEHIND_MAX)
		string_add(&console->behind, text, size);
}

void console_begin(struct console *console)
{
	if (console->output_depth++)
		return;
	console->out.columns = console->terminal ? (unsigned)terminal_width() : 0;
	if (console->socket)
		console_socket_leave_prompt(console);
	if (!console->editing)
		return;
	rl_clear_visible_line();
	fflush(rl_outstream);
}

static bool fits(struct console *console)
{
	return text_width(string_text(&console->partial)) < terminal_width();
}

void console_end(struct console *console)
{
	if (--console->output_depth || console->paging)
		return;
	if (console->socket)
		console_wake(console); /* for the prompt */
	if (console->editing && console->partial.size) {
		put(console, "\n", 1);
		console->partial_above = true;
		if (!console->smart || !fits(console) ||
		    strchr(string_text(&console->partial), '\033'))
			forget_partial(console);
	}
	fflush(stdout);
	if (!console->editing)
		return;
	rl_on_new_line();
	rl_redisplay();
}

/* The cursor goes back to the end of the unfinished line above. */
static void continue_partial(struct console *console)
{
	if (!console->partial_above || console->paging)
		return;
	printf("\033[A\r%s", string_text(&console->partial));
	console->partial_above = false;
}

void console_end_line(struct console *console)
{
	if (!console->partial.size || console->paging)
		return;
	if (console->partial_above)
		forget_partial(console);
	else
		console_put(console, "\n", 1);
}

/* The text in pieces of whole UTF-8 characters, cleaned. Carriage returns go: they would let the
 * guest write over what stands there. */
static void write_clean(struct console *console, const char *text, size_t size)
{
	char clean[TEXT_CLEAN_SIZE(256)];

	while (size) {
		size_t length = size < 256 ? size : 256;
		const char *cr = memchr(text, '\r', length);

		if (cr)
			length = cr - text;
		console_write(console, clean, text_clean(text, length, true, clean, sizeof(clean)));
		length += cr != NULL;
		text += length;
		size -= length;
	}
}

/* How many bytes at the end are the beginning of a character that is still to come. */
static size_t unfinished(const char *text, size_t size)
{
	bool partial = false;

	for (size_t back = 1; back <= 3 && back <= size; back++) {
		text_utf8_length(text + size - back, back, &partial);
		if (partial)
			return back;
	}
	return 0;
}

static void print(struct console *console, const char *text, size_t size)
{
	if (console->out.json) {
		out_text(console_news(console), text, size);
		console_told(console, "print");
		return;
	}
	console_begin(console);
	continue_partial(console);
	write_clean(console, text, size);
	console_end(console);
}

void console_print(struct console *console, const char *text, size_t size)
{
	struct string all = {0};
	size_t rest;

	string_add(&all, console->pending, console->pending_size);
	string_add(&all, text, size);
	rest = unfinished(string_text(&all), all.size);
	print(console, string_text(&all), all.size - rest);
	memcpy(console->pending, string_text(&all) + all.size - rest, rest);
	console->pending_size = rest;
	string_free(&all);
}

void console_output_free(struct console *console)
{
	forget_partial(console);
	string_free(&console->page);
	string_free(&console->behind);
	fflush(stdout);
}
