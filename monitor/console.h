/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The readline console on a terminal, or on a plain pipe, without editing. readline and signal
 * handlers belong to the process, so there is at most one console. Everything here is for the
 * main thread.
 *
 * On a pipe each line is echoed behind a prompt, so that the output reads like a session, and a
 * command that lets the guest run is waited for: the next line is read when the guest has
 * stopped.
 *
 * On a socket there is a prompt, and no editing. One client at a time. What is said while nobody is
 * there waits for the next one, and nothing that clients have set is lost with them.
 */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include "event_loop.h"
#include "monitor/monitor.h"
#include "net_address.h"

struct console;

struct console_config {
	bool json; /* for a program: each answer and all news are a line of JSON */
	const struct net_address *address; /* a unix socket's; NULL: standard input and output */
	/* Called once at the end of input; must not free the console. failed: some line of it did. */
	void (*end)(void *ctx, bool failed);
	void *ctx;
};

/* Reads stdin, writes stdout, and takes SIGINT (Ctrl-C: pauses a running guest, else clears the
 * line); or listens on a socket. Takes the monitor's events (monitor_listen); stops are announced.
 * -EBUSY for a second console, -ENOMEM, or what the loop or listening says. */
int console_new(struct monitor *monitor, struct debug *debug, struct event_loop *loop,
		const struct console_config *config, struct console **console, struct error *err);
/* Restores the terminal and SIGINT. NULL is fine; before monitor_free() and event_loop_free(). */
void console_free(struct console *console);

/* Prints text above the line being edited; for the log and for serial output on the same
 * terminal. The text may be the guest's: control characters come out as \xNN. A line may come in
 * pieces. */
void console_print(struct console *console, const char *text, size_t size);

/* What comes next begins a line, if the guest is in the middle of one. */
void console_end_line(struct console *console);

/* While paused, the console neither reads nor prompts: somebody else has the terminal (-serial
 * mon:stdio). What it says then ends in "\r\n". The line being edited comes back. */
void console_set_active(struct console *console, bool active);

/* Runs these lines before anything that is typed, from the event loop; each waits for the stop that
 * the one before it expects. last: nothing is read behind them, and the input ends with them. For
 * -ex and -batch. */
void console_feed(struct console *console, const char *lines, size_t size, bool last);

/* The file of commands that the user has for every start, before anything else is run. */
void console_run_init(struct console *console);

/* Ctrl-A followed by c or x, as QEMU's users know them; key is that letter. Called from the event
 * loop; it may call console_set_active(). Without this, Ctrl-A goes to the line's beginning. */
void console_set_escape(struct console *console, void (*escape)(void *ctx, char key), void *ctx);

#endif
