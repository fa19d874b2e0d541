/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the console: console.c (life, events, Ctrl-C), console_output.c (what is printed,
 * and the line being edited below it), console_input.c (lines, by readline or from a pipe). */
#ifndef MONITOR_CONSOLE_PRIVATE_H
#define MONITOR_CONSOLE_PRIVATE_H

#include "monitor/console.h"
#include "monitor/text.h"

#include <signal.h>
#include <termios.h>

struct console {
	struct monitor *monitor;
	struct debug *debug;
	struct event_loop *loop;
	void (*end)(void *ctx);
	void *end_ctx;
	void (*escape)(void *ctx, char key);
	void *escape_ctx;
	struct monitor_out out;

	bool interactive; /* readline edits; else stdin or stdout is no terminal */
	bool smart;	  /* the terminal moves its cursor and has colours */
	bool active;
	bool ended;
	bool editing;	  /* a prompt stands on the screen */
	bool waiting;	  /* for a stop: no prompt, and a pipe is not read */
	char escape_key;  /* Ctrl-A was followed by this; 0: no */
	int interrupt_fd; /* eventfd: SIGINT came */
	int continue_fd;  /* eventfd: SIGCONT came */
	int wake_fd;	  /* eventfd: there are lines in input to go on with */
	int wait_timer;	  /* timerfd: gives the prompt back while the guest runs on */
	int follow_timer; /* timerfd: looks for exits, for `trace follow` */
	int quiet_timer;  /* timerfd: says where gdb has let the machine stand */
	struct sigaction old_sigint, old_sigcont;

	bool gathering; /* a command runs, and its output goes into page */
	bool paging;	/* page is being read; what else comes goes behind */
	struct string page, behind;
	struct termios cooked; /* the terminal as it is without a pager */

	struct string partial; /* the unfinished line that was printed last */
	bool partial_above;    /* it stands on the line above the prompt */
	char pending[4];       /* the beginning of a UTF-8 character */
	size_t pending_size;
	unsigned output_depth;

	struct string script; /* lines that files and points have, run before those of input */
	struct string input;  /* queued lines, and a pipe's bytes that are no line yet */
	unsigned scripts;     /* so many were taken without running dry */
	bool input_ended;
	char *saved_line; /* what was being edited when the console became inactive */
	int saved_point;
	char *history; /* path, or NULL */

	bool told_running; /* what was announced last */
};

/* ---- console.c */

/* console_prompt(), from the loop. */
void console_wake(struct console *console);
/* Looks for exits from now on, if somebody wants to follow them. */
void console_follow(struct console *console);

/* ---- console_output.c */

/* Output goes between these: the edited line disappears and comes back. They nest. */
void console_begin(struct console *console);
void console_end(struct console *console);
/* monitor_out's write. */
void console_write(void *ctx, const char *text, size_t size);
void console_output_free(struct console *console);

/* The same at once, whatever is being gathered or read. */
void console_put(struct console *console, const char *text, size_t size);

/* ---- console_pager.c */

/* Around a command: what it prints is shown a screen at a time when it is long. */
void console_gather(struct console *console);
void console_gathered(struct console *console);
void console_watch_keys(struct console *console);
void console_stop_paging(struct console *console); /* nothing happens when nobody reads */

/* ---- console_input.c */

/* monitor_feed_fn */
int console_take_script(void *ctx, const char *lines, struct error *err);
int console_input_start(struct console *console, struct error *err);
void console_input_stop(struct console *console);
/* Runs the lines that wait, then shows the prompt or reads a pipe, unless there is something to
 * wait for. */
void console_prompt(struct console *console);
/* Takes the edited line off the screen and keeps it. */
void console_suspend(struct console *console);
void console_clear_line(struct console *console);

#endif
