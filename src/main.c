// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From options to a running guest. wiring.c puts the parts together; nothing below these two prints an
 * error or ends the process.
 */
#include "checkup.h"
#include "event_loop.h"
#include "log.h"
#include "monitor/console.h"
#include "serial_ports.h"
#include "wiring.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATUS_ERROR 1
#define STATUS_USAGE 2

/* -ex and -batch say themselves when the guest starts. */
static void run_commands(struct vitrine *v)
{
	const struct options *o = &v->options;

	for (unsigned i = 0; i < o->command_count; i++)
		console_feed(v->console, o->command[i], strlen(o->command[i]), false);
	if (o->batch)
		console_feed(v->console, v->batch.bytes, v->batch.size, true);
}

/* Without a terminal there is no console of itself, and without -gdb no gdb. */
static void warn_if_held(const struct vitrine *v)
{
	if (!v->console && !v->server)
		log_warn("start",
			 "-S holds the guest, and nobody can let it run: give -s or -gdb "
			 "for gdb, or -monitor stdio or -monitor unix:PATH for the console");
}

static void start(struct vitrine *v)
{
	struct error err = {0};

	if (v->console && !v->options.no_init)
		console_run_init(v->console);
	if (v->options.command_count || v->options.batch)
		run_commands(v);
	else if (v->options.paused)
		warn_if_held(v);
	else if (debug_continue(v->debug, OWNER_NONE, &err) < 0)
		log_error("start", "%s", err.text);
}

/* On standard input and output. */
static bool wants_console(const struct options *o)
{
	if (o->gdb.kind == NET_STDIO)
		return false;
	if (o->monitor != MONITOR_DEFAULT)
		return o->monitor == MONITOR_STDIO;
	if (serial_ports_share_terminal(o) || o->command_count || o->batch)
		return true;
	return isatty(STDIN_FILENO) && !serial_ports_take_terminal(o);
}

static bool reader_has_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) > 0 && out.revents & POLLERR;
}

/* The status of a run that may have lost what it said. A reader who has gone, such as head, has had enough. */
static int with_output(int status)
{
	bool lost = fflush(stdout) != 0 || ferror(stdout);

	if (!lost || reader_has_gone())
		return status;
	fprintf(stderr, "vitrine: standard output takes no more; some of what was said is lost\n");
	return status ? status : STATUS_ERROR;
}

int main(int argc, char **argv)
{
	struct vitrine v = {.signal_fd = -1};
	struct error err = {0};
	int status;

	switch (options_parse(argc, argv, &v.options, &err)) {
	case OPTIONS_DONE: return with_output(0);
	case OPTIONS_USAGE: fprintf(stderr, "vitrine: %s\n", err.text); return STATUS_USAGE;
	case OPTIONS_RUN: break;
	}
	if (v.options.doctor)
		return with_output(checkup(&v.options));
	status = wiring_build(&v, wants_console(&v.options), &err) < 0 ? -1 : 0;
	if (status == 0) {
		start(&v);
		status = event_loop_run(v.loop);
	}
	wiring_tear_down(&v);
	if (err.code)
		fprintf(stderr, "vitrine: %s\n", err.text);
	return with_output(status < 0 ? STATUS_ERROR : status);
}
