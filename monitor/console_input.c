// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines, wherever they come from: the terminal, a pipe, -ex and -batch, files of commands, and points. */
#include "monitor/console_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A command that lets the guest run gets this long to stop it again before the prompt comes
 * back. */
#define PATIENCE_NS 150000000

/* ---- running a line ------------------------------------------------------------------------ */

static void stop_reading(struct console *console)
{
	if (!console->socket)
		event_loop_forget(console->loop, STDIN_FILENO);
}

void console_end_of_input(struct console *console)
{
	if (console->ended)
		return;
	console->ended = true;
	if (console->active)
		stop_reading(console);
	console->config.end(console->config.ctx, console->failed);
}

/* A pipe waits as long as it takes, a person only for what is quick. */
static void wait_for_stop(struct console *console)
{
	bool person = console->interactive || console->socket;

	console->waiting = monitor_expects_stop(console->monitor);
	if (console->waiting && person && !console->input.size && !console->script.size &&
	    !console->input_ended)
		console_set_timer(console->wait_timer, PATIENCE_NS);
}

void console_run_line(struct console *console, const char *line)
{
	string_free(&console->partial);
	console->partial_above = false;
	console_begin(console);
	console_gather(console);
	console->failed |= monitor_execute(console->monitor, line, OWNER_CONSOLE, &console->out) <
			   0;
	console_gathered(console);
	console_end(console);
	wait_for_stop(console);
	console_follow(console);
}

/* ---- lines that were not typed ------------------------------------------------------------- */

/* Behind a prompt, as if it had been typed. Whoever types into a socket sees it already. */
static void echo(struct console *console, const char *line)
{
	if (!console->out.json && (!console->socket || console->fed))
		out_printf(&console->out, "%s%s\n", monitor_prompt(console->monitor, OWNER_CONSOLE),
			   line);
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

static bool next_input(struct console *console)
{
	size_t before = console->input.size, taken;
	char *line = cut_line(&console->input, console->input_ended);

	if (!line)
		return false;
	console_suspend(console);
	echo(console, line);
	taken = before - console->input.size;
	console->fed -= taken < console->fed ? taken : console->fed;
	console_run_line(console, line);
	free(line);
	return true;
}

/* Lines of files and points first: these are not echoed. */
static bool next_line(struct console *console)
{
	char *line = cut_line(&console->script, true);

	if (line) {
		console_suspend(console);
		console_run_line(console, line);
		free(line);
		return true;
	}
	console->scripts = 0;
	return next_input(console);
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

/* A line that never ends would fill the memory. */
#define LINE_SIZE_MAX 65536

/* A NUL would hide what is behind it. */
void console_take_input(struct console *console, const char *bytes, size_t size)
{
	size_t used = console->input.size;

	string_add(&console->input, bytes, size);
	for (size_t i = used; i < console->input.size; i++)
		if (!console->input.text[i] || console->input.text[i] == '\r')
			console->input.text[i] = ' ';
	if (console->input.size > LINE_SIZE_MAX && !strchr(console->input.text, '\n')) {
		string_free(&console->input);
		console->fed = 0;
	}
}

bool console_has_lines(const struct console *console)
{
	return console->script.size || strchr(string_text(&console->input), '\n');
}

/* The newline is for a last line that has none, so that the next feed does not continue it. */
void console_feed(struct console *console, const char *lines, size_t size, bool last)
{
	console_take_input(console, lines, size);
	if (size && lines[size - 1] != '\n')
		console_take_input(console, "\n", 1);
	console->fed = console->input.size;
	console->input_ended |= last;
	console_wake(console);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void read_pipe(void *ctx, int fd, short revents)
{
	struct console *console = ctx;
	char bytes[4096];
	ssize_t size = read(fd, bytes, sizeof(bytes));

	(void)revents;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0)
		console_take_input(console, bytes, size);
	else
		console->input_ended = true;
	console_prompt(console);
}

static void start_reading(struct console *console)
{
	if (console->socket)
		console_socket_ready(console);
	else
		event_loop_watch(console->loop, STDIN_FILENO, POLLIN,
				 console->interactive ? console_read_terminal : read_pipe, console);
}

void console_prompt(struct console *console)
{
	while (!console->waiting && !console->ended && !console->paging && next_line(console))
		;
	if (console->paging) {
		console_watch_keys(console);
		return;
	}
	if (!console->waiting && console->input_ended && !console->script.size)
		console_end_of_input(console);
	if (!console->active)
		return;
	if (console->waiting || console->ended) {
		stop_reading(console);
		return;
	}
	if (console->interactive && !console->editing)
		console_edit(console);
	start_reading(console);
}

int console_input_start(struct console *console, struct error *err)
{
	const struct net_address *address = console->config.address;
	int ret = console_start_editing(console, err);

	if (!ret && address)
		ret = console_socket_new(console, address, err);
	if (ret)
		return ret;
	monitor_set_feed(console->monitor, console_take_script, console);
	console_wake(console);
	return 0;
}

void console_input_stop(struct console *console)
{
	console_stop_paging(console);
	if (!console->ended)
		stop_reading(console);
	console_stop_editing(console);
	console_socket_free(console);
	string_free(&console->input);
	string_free(&console->script);
	monitor_set_feed(console->monitor, NULL, NULL);
}
