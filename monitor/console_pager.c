// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Long answers, a screen at a time. A command's output is gathered while it runs; what does not fit on the screen
 * waits for keys, which come through the event loop: the guest runs on, and what it prints waits, too.
 */
#include "monitor/console_private.h"

#include <poll.h>
#include <readline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MORE	    "-- more: Space for a screen, Enter for a line, q to leave it --"
#define MORE_NARROW "-- more: Space, Enter, q --"

struct screen {
	size_t rows, columns;
};

static struct screen screen_size(void)
{
	struct screen screen = {24, 80};
	int rows, columns;

	rl_get_screen_size(&rows, &columns);
	if (rows > 2)
		screen.rows = (size_t)rows;
	if (columns > 1)
		screen.columns = (size_t)columns;
	return screen;
}

/* Columns of a line, without the escapes of colours. */
static size_t visible_width(const char *line, size_t size)
{
	size_t width = 0;

	for (size_t i = 0; i < size; i++) {
		if (line[i] == '\033')
			while (i < size && line[i] != 'm')
				i++;
		else
			width += ((unsigned char)line[i] & 0xc0) != 0x80;
	}
	return width;
}

/* Bytes of as many lines as fit into so many rows; at least one line. */
static size_t fitting(const char *text, size_t size, size_t rows, size_t columns)
{
	size_t taken = 0, used = 0;

	while (taken < size) {
		const char *newline = memchr(text + taken, '\n', size - taken);
		size_t length = newline ? (size_t)(newline - text) - taken + 1 : size - taken;
		size_t width = visible_width(text + taken, length - (newline != NULL));

		used += width ? (width + columns - 1) / columns : 1;
		if (used > rows && taken)
			break;
		taken += length;
	}
	return taken;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void take_keys(struct console *console)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &console->cooked) < 0)
		return;
	raw = console->cooked;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0; /* console_keys.c */
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static void show_part(struct console *console, size_t rows)
{
	struct string *page = &console->page;
	size_t size = fitting(page->text, page->size, rows, screen_size().columns);

	printf("\r\033[K");
	console_put(console, page->text, size);
	memmove(page->text, page->text + size, page->size - size + 1);
	page->size -= size;
	if (page->size)
		printf("%s", screen_size().columns < sizeof(MORE) ? MORE_NARROW : MORE);
	fflush(stdout);
}

static void end_paging(struct console *console)
{
	struct string behind = console->behind;

	console->paging = false;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &console->cooked);
	event_loop_forget(console->loop, STDIN_FILENO);
	string_free(&console->page);
	console->behind = (struct string){0};
	console_begin(console);
	if (behind.size)
		console_write(console, behind.text, behind.size);
	console_end(console);
	string_free(&behind);
	console_wake(console);
}

void console_stop_paging(struct console *console)
{
	if (!console->paging)
		return;
	printf("\r\033[K");
	fflush(stdout);
	end_paging(console);
}

static void read_key(void *ctx, int fd, short revents)
{
	struct console *console = ctx;
	unsigned char key;
	int got = console_take_key(&key);

	(void)fd;
	(void)revents;
	if (!got)
		return;
	if (got < 0 || strchr("qQ\004\033", key)) {
		console_stop_paging(console);
		return;
	}
	show_part(console, key == '\r' || key == '\n' || key == 'j' ? 1 : screen_size().rows - 1);
	if (!console->page.size)
		end_paging(console);
}

void console_watch_keys(struct console *console)
{
	event_loop_watch(console->loop, STDIN_FILENO, POLLIN, read_key, console);
}

/* ---- a command's output --------------------------------------------------------------------- */

void console_gather(struct console *console)
{
	console->gathering = console->interactive && console->active && console->smart &&
			     monitor_wants_pager(console->monitor);
}

void console_gathered(struct console *console)
{
	struct screen screen = screen_size();
	struct string page = console->page;

	if (!console->gathering)
		return;
	console->gathering = false;
	if (fitting(string_text(&page), page.size, screen.rows - 1, screen.columns) == page.size) {
		console->page = (struct string){0};
		if (page.size)
			console_write(console, page.text, page.size);
		string_free(&page);
		return;
	}
	console->paging = true;
	take_keys(console);
	show_part(console, screen.rows - 1);
}
