/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor: commands for people. monitor_execute() is the single way in, for the readline console,
 * for scripts, and for gdb's `monitor`.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "debug/debug.h"
#include "monitor/symbols.h"

struct monitor;

struct monitor_out {
	void *ctx;
	void (*write)(void *ctx, const char *text, size_t size);
	bool color;
};
void out_printf(struct monitor_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* symbols may be NULL and stays the caller's. quit is called by the command of that name. */
struct monitor *monitor_new(struct debug *debug, struct symbols *symbols, void (*quit)(void *ctx), void *ctx);
void monitor_free(struct monitor *monitor);

/* Runs one line for an owner. 0, or -errno after the error has been written to out. */
int monitor_execute(struct monitor *monitor, const char *line, enum debug_owner owner, struct monitor_out *out);

/* The screen that a stop shows. */
void monitor_show_stop(struct monitor *monitor, struct monitor_out *out);

/* Completions of the word at the end of line, malloc'd and NULL-terminated like readline's
 * rl_completion_matches; NULL when there are none. start: offset of that word. */
char **monitor_complete(struct monitor *monitor, const char *line, size_t start);

#endif
