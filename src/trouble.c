// SPDX-License-Identifier: GPL-3.0-or-later
#include "trouble.h"

#include <stdio.h>

bool trouble_is(enum stop_reason reason)
{
	return reason == STOP_TRIPLE_FAULT || reason == STOP_EMULATION_FAILURE ||
	       reason == STOP_HOST_ERROR;
}

/* How it came to this: the sums, and the tail of what was recorded. */
static void show_flight(struct monitor *monitor, struct monitor_out *out)
{
	monitor_execute(monitor, "info exits", OWNER_NONE, out);
	monitor_execute(monitor, "trace", OWNER_NONE, out);
}

static void write_console(void *ctx, const char *text, size_t size)
{
	console_print(ctx, text, size);
}

void trouble_tell_console(struct monitor *monitor, struct console *console)
{
	struct monitor_out out = {.ctx = console, .write = write_console};

	show_flight(monitor, &out);
}

static void write_stderr(void *ctx, const char *text, size_t size)
{
	(void)ctx;
	fwrite(text, 1, size, stderr);
}

void trouble_tell_stderr(struct monitor *monitor)
{
	struct monitor_out out = {.write = write_stderr};

	monitor_show_stop(monitor, &out);
	monitor_execute(monitor, "info registers", OWNER_NONE, &out);
	show_flight(monitor, &out);
}
