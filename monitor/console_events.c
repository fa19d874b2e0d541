// SPDX-License-Identifier: GPL-3.0-or-later
/* What happens to the guest, as the console tells it, and the timers that wait for it. */
#include "monitor/console_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* gdb steps and runs through its own stops many times a second; a person is told where it let the
 * machine stand for this long. */
#define QUIET_NS  100000000
#define FOLLOW_NS 100000000

/* What the guest has begun to print stands on a line of its own. */
static void end_partial(struct console *console)
{
	if (console->partial.size && !console->partial_above && !console->paging &&
	    !console->gathering)
		console_put(console, "\n", 1);
}

struct monitor_out *console_news(struct console *console)
{
	if (console->out.json && !answer_begin(&console->news))
		return &console->news.out;
	console_begin(console);
	end_partial(console);
	return &console->out;
}

/* What nothing was said of is no news. */
void console_told(struct console *console, const char *event)
{
	struct monitor_out head = {.facts = NULL};

	if (!console->news.out.facts) {
		console_end(console);
		return;
	}
	head.facts = console->news.text.size ? facts_new() : NULL;
	fact_text(&head, "event", event);
	console_begin(console);
	answer_end(&console->news, head.facts, &console->out);
	console->news = (struct answer){0};
	console_end(console);
}

static void announce_state(struct console *console)
{
	monitor_show_state(console->monitor, OWNER_GDB, console_news(console));
	console_told(console, "state");
}

void console_quiet_over(void *ctx, int fd, short revents)
{
	struct console *console = ctx;
	bool running = monitor_guest_running(console->monitor);

	(void)revents;
	console_drain(fd);
	if (!running || !console->told_running)
		announce_state(console);
	console->told_running = running;
}

void console_patience_over(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	console_drain(fd);
	console->waiting = false;
	console_prompt(console);
}

static void show_followed(struct console *console)
{
	if (!monitor_following(console->monitor))
		return;
	monitor_follow(console->monitor, console_news(console));
	console_told(console, "exits");
}

void console_follow_looks(void *ctx, int fd, short revents)
{
	(void)revents;
	console_drain(fd);
	show_followed(ctx);
	console_follow(ctx);
}

void console_follow(struct console *console)
{
	bool wanted = monitor_following(console->monitor) &&
		      monitor_guest_running(console->monitor);

	console_set_timer(console->follow_timer, wanted ? FOLLOW_NS : 0);
}

void console_woken(void *ctx, int fd, short revents)
{
	(void)revents;
	console_drain(fd);
	console_prompt(ctx);
}

/* Lines that wait are run from the loop, not from inside an event. */
void console_wake(struct console *console)
{
	uint64_t one = 1;

	if (write(console->wake_fd, &one, sizeof(one)) < 0)
		console_prompt(console);
}

static void no_more_waiting(struct console *console)
{
	console->waiting = false;
	console_set_timer(console->wait_timer, 0);
	console_wake(console);
}

static void on_stopped(struct console *console, enum debug_owner actor)
{
	char *commands;
	bool silent;

	if (monitor_gdb_attached(console->monitor) || actor == OWNER_GDB) {
		console_set_timer(console->quiet_timer, QUIET_NS);
		return;
	}
	commands = monitor_stop_commands(console->monitor, &silent);
	if (!silent) {
		monitor_show_stop(console->monitor, console_news(console));
		console_told(console, "stopped");
	}
	console->told_running = false;
	if (commands)
		console_take_script(console, commands, NULL);
	free(commands);
}

static void on_resumed(struct console *console, enum debug_owner actor)
{
	if (actor == OWNER_GDB)
		console_set_timer(console->quiet_timer, QUIET_NS);
	else
		console->told_running = true;
}

static void on_reset(struct console *console, enum debug_owner actor)
{
	static const char *const by[OWNER_COUNT] = {"", " by gdb", ""};

	out_printf(console_news(console), "■ reset%s: the guest is back at its start%s\n",
		   by[actor], monitor_guest_running(console->monitor) ? " and runs" : "");
	console_told(console, "reset");
}

static void on_restored(struct console *console, enum debug_owner actor)
{
	if (actor == OWNER_CONSOLE)
		return; /* the command has said so */
	out_printf(console_news(console), "■ %s: the guest is what it was then%s\n",
		   actor == OWNER_GDB ? "gdb restored a snapshot" : "a snapshot was restored",
		   monitor_guest_running(console->monitor) ? ", and runs" : "");
	console_told(console, "restored");
}

static void on_exited(struct console *console)
{
	const struct stop *stop = debug_last_stop(console->debug);
	char text[TEXT_CLEAN_SIZE(sizeof(stop->text))] = "";
	struct monitor_out *out;

	if (stop)
		text_clean(stop->text, strnlen(stop->text, sizeof(stop->text)), false, text,
			   sizeof(text));
	out = console_news(console);
	out_printf(out, "■ the guest has ended%s%s, exit status %d\n", text[0] ? ": " : "", text,
		   stop ? stop->exit_status : 0);
	fact_count(out, "status", stop ? (unsigned)stop->exit_status : 0);
	console_told(console, "ended");
}

static size_t without_newlines(const char *text)
{
	size_t size = strlen(text);

	while (size && text[size - 1] == '\n')
		size--;
	return size;
}

/* What points print, and go on; the guest may have chosen a part of it. gdb shows what its own print. */
static void on_output(struct console *console, enum debug_owner actor)
{
	const char *line = debug_output(console->debug);
	size_t size = without_newlines(line);
	bool is_gdbs = actor == OWNER_GDB && monitor_gdb_attached(console->monitor);
	char *text = is_gdbs ? NULL : malloc(TEXT_CLEAN_SIZE(size));

	if (!text)
		return;
	text_clean(line, size, true, text, TEXT_CLEAN_SIZE(size));
	out_printf(console_news(console), "%s\n", text);
	console_told(console, "output");
	free(text);
}

void console_on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct console *console = ctx;

	if (event == DEBUG_STOPPED)
		show_followed(console);
	switch (event) {
	case DEBUG_STOPPED: on_stopped(console, actor); break;
	case DEBUG_RESUMED: on_resumed(console, actor); break;
	case DEBUG_RESET: on_reset(console, actor); break;
	case DEBUG_RESTORED: on_restored(console, actor); break;
	case DEBUG_EXITED: on_exited(console); break;
	case DEBUG_OUTPUT: on_output(console, actor); break;
	}
	console_follow(console);
	if (console->waiting && !monitor_expects_stop(console->monitor))
		no_more_waiting(console);
}
