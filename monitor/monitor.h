/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor: commands for people. monitor_execute() is the single way in, for the readline
 * console, for scripts, and for gdb's `monitor`. Everything here is for the main thread.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "debug/debug.h"
#include "monitor/host.h"
#include "monitor/symbols.h"

struct monitor;

struct facts;

/* Where answers go. */
struct monitor_out {
	void *ctx;
	void (*write)(void *ctx, const char *text, size_t size);
	bool color;	     /* the reader is a terminal that wants colours */
	bool json;	     /* ... a program: each answer is one line, a JSON object */
	bool asks;	     /* ... a person, who can be asked something */
	unsigned columns;    /* ... a terminal of this width; 0: it is none */
	struct facts *facts; /* monitor/facts.h; NULL, but while a command runs for a program */
};
void out_printf(struct monitor_out *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* symbols may be NULL and stays the caller's. quit is called by the command of that name. NULL when
 * out of memory. */
struct monitor *monitor_new(struct debug *debug, struct symbols *symbols, void (*quit)(void *ctx),
			    void *ctx);
void monitor_free(struct monitor *monitor); /* NULL is fine; before debug_destroy() */

/* What main wires: replaces quit as given to monitor_new(). */
void monitor_set_host(struct monitor *monitor, const struct monitor_host *host);

/* Runs one line for an owner. 0, or -errno after the error has been written to out. An empty line
 * repeats step, x, list or disassemble. */
int monitor_execute(struct monitor *monitor, const char *line, enum debug_owner owner,
		    struct monitor_out *out);

/* A gdb came or went. While one is attached it holds the machine: the console's commands that let
 * the guest run are refused with a sentence; `stop` is not. */
void monitor_set_gdb_attached(struct monitor *monitor, bool attached);
bool monitor_gdb_attached(const struct monitor *monitor);

/* The debugger core's events, without those in the middle of `step N`. One listener; NULL: nobody.
 */
typedef void monitor_event_fn(void *ctx, enum debug_event event, enum debug_owner actor);
void monitor_listen(struct monitor *monitor, monitor_event_fn *fn, void *ctx);

/* Ctrl-C: pauses a running guest, and ends `step N`. */
void monitor_interrupt(struct monitor *monitor);
bool monitor_guest_running(struct monitor *monitor);

/* What stands before the next line: "(vitrine) ", or a question, or ">" while the commands of a point come. */
const char *monitor_prompt(const struct monitor *monitor, enum debug_owner owner);
/* Ctrl-C: nobody answers, and no more lines come. */
void monitor_cancel(struct monitor *monitor, enum debug_owner owner);

/* Lines that a file, or a point, has for the console come this way, to be run before whatever waits there; text
 * is copied. Without a feeder they are run at once. */
typedef int monitor_feed_fn(void *ctx, const char *lines, struct error *err);
void monitor_set_feed(struct monitor *monitor, monitor_feed_fn *feed, void *ctx);
/* Asked in the middle of a long command of the console's: has its user pressed Ctrl-C? NULL: nobody is there. */
typedef bool monitor_enough_fn(void *ctx);
void monitor_set_enough(struct monitor *monitor, monitor_enough_fn *enough, void *ctx);
/* What the point that stopped the guest has to be run now, malloc'd; or NULL. silent: the stop is not to be
 * shown. */
char *monitor_stop_commands(struct monitor *monitor, bool *silent);
/* Runs the file of commands that a user has for every start, if there is one. */
void monitor_run_init(struct monitor *monitor, struct monitor_out *out);

/* The line is `stop`, which is not to wait behind others for the stop that it would cause. */
bool monitor_is_stop(const char *line);

/* A command was given whose stop is still to come: step, continue, stop. A script waits for it. */
bool monitor_expects_stop(const struct monitor *monitor);

/* set pager: long answers are shown a screen at a time. */
bool monitor_wants_pager(const struct monitor *monitor);

/* trace follow: exits that came since it was asked last. */
bool monitor_following(const struct monitor *monitor);
void monitor_follow(struct monitor *monitor, struct monitor_out *out);

/* The screen that a stop shows. */
void monitor_show_stop(struct monitor *monitor, struct monitor_out *out);
/* One line about where the machine stands now: "running (by gdb)", where actor let it, or
 * "■ vCPU 0: paused by gdb at work+0x4 at main.c:124". */
void monitor_show_state(struct monitor *monitor, enum debug_owner actor, struct monitor_out *out);

/* Completions of the word that begins at start and ends the line, malloc'd and NULL-terminated like
 * readline's rl_completion_matches (the longest common beginning comes first); NULL: there are
 * none. */
char **monitor_complete(struct monitor *monitor, const char *line, size_t start);

#endif
