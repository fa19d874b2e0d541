// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines: edited by readline on a terminal, or read from a pipe. */
#include "monitor/console_private.h"

#include <errno.h>
#include <poll.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define HISTORY_LINES 1000
/* A command that lets the guest run gets this long to stop it again before the prompt comes
 * back. */
#define PATIENCE_NS 150000000

/* readline's callbacks carry no context, and it can edit one line at a time in a process. */
static struct console *readline_owner;

static void read_terminal(void *ctx, int fd, short revents);
static void read_pipe(void *ctx, int fd, short revents);

static void watch_input(struct console *console)
{
	event_loop_watch(console->loop, STDIN_FILENO, POLLIN,
			 console->interactive ? read_terminal : read_pipe, console);
}

/* ---- history ------------------------------------------------------------------------------- */

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

static void load_history(struct console *console)
{
	console->history = history_path();
	using_history();
	stifle_history(HISTORY_LINES);
	if (!console->history)
		return;
	make_parents(console->history);
	read_history(console->history);
}

/* Each line goes to the file at once: a vitrine that is killed loses none. */
static void remember_line(struct console *console, const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (!line[strspn(line, " \t")] || (last && !strcmp(last->line, line)))
		return;
	add_history(line);
	if (console->history && append_history(1, console->history))
		write_history(console->history);
}

static void close_history(struct console *console)
{
	if (console->history)
		history_truncate_file(console->history, HISTORY_LINES);
	free(console->history);
	clear_history();
}

/* ---- running a line ------------------------------------------------------------------------ */

static void end_of_input(struct console *console)
{
	if (console->ended)
		return;
	console->ended = true;
	if (console->active)
		event_loop_forget(console->loop, STDIN_FILENO);
	console->end(console->end_ctx);
}

static void set_timer(int fd, long ns)
{
	struct itimerspec when = {.it_value.tv_nsec = ns};

	timerfd_settime(fd, 0, &when, NULL);
}

/* A pipe waits as long as it takes, a person only for what is quick. */
static void wait_for_stop(struct console *console)
{
	console->waiting = monitor_expects_stop(console->monitor);
	if (console->waiting && console->interactive && !console->input.size &&
	    !console->script.size && !console->input_ended)
		set_timer(console->wait_timer, PATIENCE_NS);
}

static void run_line(struct console *console, const char *line)
{
	string_free(&console->partial);
	console->partial_above = false;
	console_begin(console);
	console_gather(console);
	monitor_execute(console->monitor, line, OWNER_CONSOLE, &console->out);
	console_gathered(console);
	console_end(console);
	wait_for_stop(console);
	console_follow(console);
}

/* ---- the terminal -------------------------------------------------------------------------- */

/* Called by readline with a malloc'd line, or NULL at the end of input. The handler goes away while
 * the line runs, so that the prompt comes back when console_prompt() says so. */
static void take_line(char *line)
{
	struct console *console = readline_owner;

	console->editing = false;
	rl_callback_handler_remove();
	if (!line) {
		printf("\n");
		end_of_input(console);
		return;
	}
	remember_line(console, line);
	run_line(console, line);
	free(line);
}

static void install(struct console *console)
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

static void read_terminal(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)fd;
	if (!(revents & (POLLIN | POLLHUP)))
		return;
	if (!console->editing)
		return;
	rl_callback_read_char();
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

/* Leaves searches and half-typed commands as well. */
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
	if (matches && !matches[1] && matches[0][0] && matches[0][strlen(matches[0]) - 1] == '/')
		rl_completion_append_character = 0; /* a folder: the path goes on */
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

static void start_readline(struct console *console)
{
	rl_readline_name = "vitrine";
	rl_catch_signals = 0; /* SIGINT is ours */
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = show_matches;
	rl_variable_bind("page-completions", "off");
	rl_completer_word_break_characters = (char *)(uintptr_t) " \t\n+-*/()&|<>=,:";
	rl_basic_quote_characters = "";
	load_history(console);
}

/* ---- lines that were not typed ------------------------------------------------------------- */

/* Echoed behind a prompt, as if they had been. */
static void run_echoed(struct console *console, const char *line)
{
	console_suspend(console);
	out_printf(&console->out, "%s%s\n", monitor_prompt(console->monitor, OWNER_CONSOLE), line);
	run_line(console, line);
}

/* Cuts the first line off, malloc'd. all: the rest counts as one. NULL: there is none. */
static char *cut_line(struct string *queue, bool all)
{
	char *text = queue->text, *newline = text ? strchr(text, '\n') : NULL;
	size_t size = newline ? (size_t)(newline - text) : queue->size;
	size_t taken = newline ? size + 1 : size;
	char *line;

	if (!queue->size || (!newline && !all))
		return NULL;
	line = strndup(text, size);
	memmove(text, text + taken, queue->size - taken + 1);
	queue->size -= taken;
	return line;
}

/* Lines of files and points first: these are not echoed. */
static bool next_line(struct console *console)
{
	char *line = cut_line(&console->script, true);

	if (line) {
		console_suspend(console);
		run_line(console, line);
		free(line);
		return true;
	}
	console->scripts = 0;
	line = cut_line(&console->input, console->input_ended);
	if (!line)
		return false;
	run_echoed(console, line);
	free(line);
	return true;
}

#define SCRIPT_MAX (4u << 20)
/* A file that sources itself would never end. */
#define SCRIPTS_MAX 256

int console_take_script(void *ctx, const char *lines, struct error *err)
{
	struct console *console = ctx;
	struct string all = {0};

	if (console->scripts++ >= SCRIPTS_MAX ||
	    console->script.size + strlen(lines) > SCRIPT_MAX) {
		string_free(&console->script);
		return error_set(err, -ELOOP,
				 "too many lines wait to be run: does a file source itself?");
	}
	string_printf(&all, "%s%s", lines, *lines && lines[strlen(lines) - 1] != '\n' ? "\n" : "");
	string_printf(&all, "%s", string_text(&console->script));
	string_free(&console->script);
	console->script = all;
	console_wake(console);
	return 0;
}

/* A NUL would hide what is behind it. */
static void take_input(struct console *console, const char *bytes, size_t size)
{
	size_t used = console->input.size;

	string_add(&console->input, bytes, size);
	for (size_t i = used; i < console->input.size; i++)
		if (!console->input.text[i] || console->input.text[i] == '\r')
			console->input.text[i] = ' ';
}

/* The newline is for a last line that has none, so that the next feed does not continue it. */
void console_feed(struct console *console, const char *lines, size_t size, bool last)
{
	take_input(console, lines, size);
	if (size && lines[size - 1] != '\n')
		take_input(console, "\n", 1);
	console->input_ended |= last;
	console_wake(console);
}

/* A line that never ends would fill the memory. */
#define PIPE_LINE_MAX 65536

static void read_pipe(void *ctx, int fd, short revents)
{
	struct console *console = ctx;
	char bytes[4096];
	ssize_t size = read(fd, bytes, sizeof(bytes));

	(void)revents;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0)
		take_input(console, bytes, size);
	else
		console->input_ended = true;
	if (console->input.size > PIPE_LINE_MAX && !strchr(console->input.text, '\n'))
		string_free(&console->input);
	console_prompt(console);
}

/* ---- both ---------------------------------------------------------------------------------- */

void console_prompt(struct console *console)
{
	while (!console->waiting && !console->ended && !console->paging && next_line(console))
		;
	if (console->paging) {
		console_watch_keys(console);
		return;
	}
	if (!console->waiting && console->input_ended && !console->script.size)
		end_of_input(console);
	if (!console->active)
		return;
	if (console->waiting || console->ended) {
		event_loop_forget(console->loop, STDIN_FILENO);
		return;
	}
	if (console->interactive && !console->editing)
		install(console);
	watch_input(console);
}

int console_input_start(struct console *console, struct error *err)
{
	if (readline_owner)
		return error_set(err, -EBUSY, "there is a console already");
	if (console->interactive)
		start_readline(console);
	readline_owner = console;
	monitor_set_feed(console->monitor, console_take_script, console);
	console_wake(console);
	return 0;
}

void console_input_stop(struct console *console)
{
	console_stop_paging(console);
	if (!console->ended)
		event_loop_forget(console->loop, STDIN_FILENO);
	if (console->editing) {
		rl_clear_visible_line();
		rl_callback_handler_remove();
	}
	if (console->interactive)
		close_history(console);
	readline_owner = NULL;
	free(console->saved_line);
	string_free(&console->input);
	string_free(&console->script);
	monitor_set_feed(console->monitor, NULL, NULL);
}
