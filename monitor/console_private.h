/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the console: console.c (life, Ctrl-C), console_events.c (what happens to the guest),
 * console_output.c (what is printed, and the line being edited below it), console_pager.c (long answers),
 * console_input.c (lines), console_editing.c (readline), console_keys.c (the terminal's keys), console_history.c,
 * console_socket.c. */
#ifndef MONITOR_CONSOLE_PRIVATE_H
#define MONITOR_CONSOLE_PRIVATE_H

#include "monitor/answer.h"
#include "monitor/console.h"
#include "monitor/text.h"

#include <signal.h>
#include <termios.h>

struct console {
	struct monitor *monitor;
	struct debug *debug;
	struct event_loop *loop;
	struct console_config config;
	struct console_socket *socket; /* or NULL: standard input and output */
	void (*escape)(void *ctx, char key);
	void *escape_ctx;
	struct monitor_out out;

	bool interactive; /* readline edits; else stdin or stdout is no terminal */
	bool terminal;	  /* answers go to one */
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
	size_t fed;	      /* so many bytes of them were not typed by anybody */
	unsigned scripts;     /* so many were taken without running dry */
	bool input_ended;
	bool failed;	  /* a line of it did */
	char *saved_line; /* what was being edited when the console became inactive */
	int saved_point;
	char *history; /* path, or NULL */

	bool told_running;  /* what was announced last */
	struct answer news; /* being told to a program */
};

/* ---- console.c */

void console_drain(int fd);
void console_set_timer(int fd, long ns); /* 0: off */

/* ---- console_events.c */

/* Around news: where to tell them, and how a program knows them. */
struct monitor_out *console_news(struct console *console);
void console_told(struct console *console, const char *event);
void console_on_event(void *ctx, enum debug_event event, enum debug_owner actor);
/* event_fn, of wait_timer, quiet_timer, follow_timer and wake_fd */
void console_patience_over(void *ctx, int fd, short revents);
void console_quiet_over(void *ctx, int fd, short revents);
void console_follow_looks(void *ctx, int fd, short revents);
void console_woken(void *ctx, int fd, short revents);
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

/* Bytes that were read, to be run as lines. */
void console_take_input(struct console *console, const char *bytes, size_t size);
/* There are lines to be run. */
bool console_has_lines(const struct console *console);
/* monitor_feed_fn */
int console_take_script(void *ctx, const char *lines, struct error *err);
int console_input_start(struct console *console, struct error *err);
void console_input_stop(struct console *console);
/* Runs the lines that wait, then shows the prompt or reads a pipe, unless there is something to
 * wait for. */
void console_prompt(struct console *console);
void console_run_line(struct console *console, const char *line);
void console_end_of_input(struct console *console);

/* ---- console_editing.c */

/* -EBUSY when readline has a console already. */
int console_start_editing(struct console *console, struct error *err);
void console_stop_editing(struct console *console);
/* Shows the prompt, and the line that was being edited. */
void console_edit(struct console *console);
void console_read_terminal(void *ctx, int fd, short revents); /* event_fn */
/* Takes the edited line off the screen and keeps it. */
void console_suspend(struct console *console);
/* Leaves searches and half-typed commands as well. */
void console_clear_line(struct console *console);

/* ---- console_keys.c */

/* Of a terminal whose VMIN is 0; never waits. 1; 0: there is none; -1: there will be none. */
int console_take_key(unsigned char *key);
/* readline takes its keys so, too. */
void console_keys_start(struct console *console);
/* Whether there is something for rl_callback_read_char(): a key, or the end of them. */
bool console_keys_ready(void);

/* ---- console_socket.c */

/* The client has sent a Ctrl-C that is not read yet. */
bool console_socket_wants_stop(const struct console *console);
int console_socket_new(struct console *console, const struct net_address *address,
		       struct error *err);
void console_socket_free(struct console *console); /* without one nothing happens */
void console_socket_write(struct console *console, const char *text, size_t size);
/* All lines are run: the prompt, or the end of a client that has said all. */
void console_socket_ready(struct console *console);
/* Before something is printed. */
void console_socket_leave_prompt(struct console *console);

/* ---- console_history.c */

void console_load_history(struct console *console);
/* Each line goes to the file at once: a vitrine that is killed loses none. */
void console_remember(struct console *console, const char *line);
void console_close_history(struct console *console);

#endif
