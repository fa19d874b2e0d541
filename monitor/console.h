/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The readline console on a terminal (or on a plain pipe, without editing). */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include "event_loop.h"
#include "monitor/monitor.h"

struct console;

/* Reads in, writes out; announces stops; Ctrl-C pauses a running guest. end is called at end of input. */
int console_new(struct monitor *monitor, struct debug *debug, struct event_loop *loop, void (*end)(void *ctx), void *ctx,
		struct console **console, struct error *err);
void console_free(struct console *console); /* restores the terminal, saves the history */

/* Prints text above the line being edited; for the log and for serial output on the same terminal. */
void console_print(struct console *console, const char *text, size_t size);

/* While paused, the console neither reads nor prompts: somebody else has the terminal (-serial mon:stdio). */
void console_set_active(struct console *console, bool active);

#endif
