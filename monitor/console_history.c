// SPDX-License-Identifier: GPL-3.0-or-later
/* The lines that were typed, kept between runs. */
#include "monitor/console_private.h"

#include <readline/history.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HISTORY_LINES 1000

/* $XDG_STATE_HOME/vitrine/history, by default in ~/.local/state (XDG base directory
 * specification). */
static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;

	if (state && state[0] == '/')
		return asprintf(&path, "%s/vitrine/history", state) < 0 ? NULL : path;
	if (!home || home[0] != '/')
		return NULL;
	return asprintf(&path, "%s/.local/state/vitrine/history", home) < 0 ? NULL : path;
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
}

void console_load_history(struct console *console)
{
	console->history = history_path();
	using_history();
	stifle_history(HISTORY_LINES);
	if (!console->history)
		return;
	make_parents(console->history);
	read_history(console->history);
}

void console_remember(struct console *console, const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (!line[strspn(line, " \t")] || (last && !strcmp(last->line, line)))
		return;
	add_history(line);
	if (console->history && append_history(1, console->history))
		write_history(console->history);
}

void console_close_history(struct console *console)
{
	if (console->history)
		history_truncate_file(console->history, HISTORY_LINES);
	free(console->history);
	clear_history();
}
