// SPDX-License-Identifier: GPL-3.0-or-later
/* A line being edited on a terminal, by readline. */
#include "monitor/console_private.h"

#include <errno.h>
#include <poll.h>
#include <readline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* readline's callbacks carry no context, and it can edit one line at a time in a process. */
static struct console *readline_owner;

/* Called by readline with a malloc'd line, or NULL at the end of input. The handler goes away while
 * the line runs, so that the prompt comes back when console_prompt() says so. */
static void take_line(char *line)
{
	struct console *console = readline_owner;

	console->editing = false;
	rl_callback_handler_remove();
	if (!line) {
		printf("\n");
		console_end_of_input(console);
		return;
	}
	console_remember(console, line);
	console_run_line(console, line);
	free(line);
}

void console_edit(struct console *console)
{
	if (console->partial.size)
		printf("\n");
	string_free(&console->partial);
	fflush(stdout);
	rl_callback_handler_install(monitor_prompt(console->monitor, OWNER_CONSOLE), take_line);
	console->editing = true;
	if (!console->saved_line)
		return;
	rl_insert_text(console->saved_line);
	rl_point = console->saved_point;
	rl_redisplay();
	free(console->saved_line);
	console->saved_line = NULL;
}

/* An escape is answered here, outside readline: the answer may take the terminal away. */
static void answer_escape(struct console *console)
{
	char key = console->escape_key;

	console->escape_key = 0;
	if (key && console->escape)
		console->escape(console->escape_ctx, key);
}

void console_read_terminal(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)fd;
	if (!(revents & (POLLIN | POLLHUP)))
		return;
	if (!console->editing || !console_keys_ready())
		return;
	rl_callback_read_char();
	/* The Delete key in an empty line sets it, and every line would end twice. */
	rl_eof_found = 0;
	answer_escape(console);
	if (!console->ended)
		console_prompt(console);
}

void console_suspend(struct console *console)
{
	if (!console->editing)
		return;
	free(console->saved_line);
	console->saved_line = rl_copy_text(0, rl_end);
	console->saved_point = rl_point;
	rl_clear_visible_line();
	rl_callback_handler_remove();
	fflush(rl_outstream);
	console->editing = false;
}

void console_clear_line(struct console *console)
{
	if (!console->editing)
		return;
	rl_callback_sigcleanup();
	printf("^C\n");
	monitor_cancel(console->monitor, OWNER_CONSOLE);
	rl_set_prompt(monitor_prompt(console->monitor, OWNER_CONSOLE));
	rl_replace_line("", 1);
	rl_on_new_line();
	rl_redisplay();
}

static int escape_c(int count, int key)
{
	(void)count;
	(void)key;
	readline_owner->escape_key = 'c';
	return 0;
}

static int escape_x(int count, int key)
{
	(void)count;
	(void)key;
	readline_owner->escape_key = 'x';
	return 0;
}

void console_set_escape(struct console *console, void (*escape)(void *ctx, char key), void *ctx)
{
	console->escape = escape;
	console->escape_ctx = ctx;
	if (!console->interactive)
		return;
	rl_bind_keyseq("\\C-ac", escape_c);
	rl_bind_keyseq("\\C-ax", escape_x);
}

static char **complete(const char *text, int start, int end)
{
	char *line = strndup(rl_line_buffer, end), **matches;

	(void)text;
	rl_attempted_completion_over = 1; /* no file names */
	matches = line ? monitor_complete(readline_owner->monitor, line, start) : NULL;
	free(line);
	if (matches && matches[0][0] && strchr("/:", matches[0][strlen(matches[0]) - 1]))
		rl_completion_append_character = 0; /* a folder, "unix:": the path goes on */
	return matches;
}

#define SHOWN_MATCHES 100

/* readline's own way would stop the event loop with a question, or with a pager. */
static void show_matches(char **matches, int count, int longest)
{
	rl_crlf();
	rl_display_match_list(matches, count < SHOWN_MATCHES ? count : SHOWN_MATCHES, longest);
	if (count > SHOWN_MATCHES)
		fprintf(rl_outstream, "... and %d more\n", count - SHOWN_MATCHES);
	rl_on_new_line();
	rl_redisplay();
}

int console_start_editing(struct console *console, struct error *err)
{
	if (readline_owner)
		return error_set(err, -EBUSY, "there is a console already");
	readline_owner = console;
	if (!console->interactive)
		return 0;
	rl_readline_name = "vitrine";
	rl_catch_signals = 0; /* SIGINT is ours */
	console_keys_start(console);
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = show_matches;
	rl_variable_bind("page-completions", "off");
	rl_completer_word_break_characters = (char *)(uintptr_t) " \t\n+-*/()&|<>=,:";
	rl_basic_quote_characters = "";
	console_load_history(console);
	return 0;
}

void console_stop_editing(struct console *console)
{
	if (console->editing) {
		rl_clear_visible_line();
		rl_callback_handler_remove();
	}
	if (console->interactive)
		console_close_history(console);
	readline_owner = NULL;
	free(console->saved_line);
}
