// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/monitor.h"

#include "monitor/answer.h"
#include "monitor/commands.h"
#include "monitor/instruction_trace.h"
#include "monitor/points.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events -------------------------------------------------------------------------------- */

/* `step N` is N steps: each stop but the last is only a station, unless a breakpoint is there. */
static bool step_again(struct monitor *monitor)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	if (!monitor->steps_left || !stop || stop->reason != STOP_STEP || stop->point ||
	    stop->vcpu != monitor->step_cpu)
		return false;
	monitor->steps_left--;
	monitor->stepping_on = true;
	instruction_trace_next(monitor);
	if (!monitor_resume(monitor, monitor->step_cpu, &monitor->step_plan, OWNER_CONSOLE, NULL))
		return true;
	monitor->stepping_on = false;
	return false;
}

/* The vCPU that stopped is the one that commands are about from now on. */
static void note_stop(struct monitor *monitor)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	monitor->stop_number++;
	/* The one that stopped is shown; the others may be looked at some stops later. */
	for (int i = 0; i < (int)debug_vcpu_count(monitor->debug); i++)
		if (!stop || i != stop->vcpu)
			registers_note(monitor, i);
	for (unsigned i = 0; stop && stop->vcpu >= 0 && i < OWNER_COUNT; i++) {
		monitor->view[i].cpu = stop->vcpu;
		monitor->view[i].code_known = false;
		monitor->view[i].file = NULL;
	}
	if (stop)
		kaslr_follow(monitor, stop);
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct monitor *monitor = ctx;

	if (event == DEBUG_STOPPED)
		instruction_trace_done(monitor);
	if (event == DEBUG_STOPPED && step_again(monitor))
		return;
	if (event == DEBUG_RESUMED && monitor->stepping_on) {
		monitor->stepping_on = false;
		return;
	}
	if (event == DEBUG_STOPPED || event == DEBUG_EXITED) {
		monitor->expects_stop = false;
		instruction_trace_end(monitor);
	}
	if (event == DEBUG_STOPPED) {
		monitor->steps_left = 0;
		note_stop(monitor);
	}
	if (event == DEBUG_RESET) {
		kaslr_begin(monitor);
		modules_forget(monitor);
	}
	if (monitor->listener)
		monitor->listener(monitor->listener_ctx, event, actor);
}

void monitor_listen(struct monitor *monitor, monitor_event_fn *fn, void *ctx)
{
	monitor->listener = fn;
	monitor->listener_ctx = ctx;
}

void monitor_interrupt(struct monitor *monitor)
{
	monitor->expects_stop = monitor_guest_running(monitor);
	monitor->steps_left = 0;
	debug_pause(monitor->debug, OWNER_CONSOLE);
}

bool monitor_is_stop(const char *line)
{
	const char *rest;
	const struct command *command = command_lookup(line, &rest, NULL);

	return command && command->run == run_stop;
}

bool monitor_expects_stop(const struct monitor *monitor)
{
	return monitor->expects_stop;
}

/* Between two of `step N' the machine stands still, and goes on when that news is heard. */
bool monitor_guest_running(struct monitor *monitor)
{
	return monitor->steps_left > 0 || debug_running(monitor->debug);
}

void monitor_set_gdb_attached(struct monitor *monitor, bool attached)
{
	monitor->gdb_attached = attached;
	monitor->steps_left = 0;
}

bool monitor_gdb_attached(const struct monitor *monitor)
{
	return monitor->gdb_attached;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void init_views(struct monitor *monitor)
{
	for (unsigned i = 0; i < OWNER_COUNT; i++)
		monitor->view[i].format = (struct format){.count = 1, .letter = 'x', .size = 8};
}

struct monitor *monitor_new(struct debug *debug, struct symbols *symbols, void (*quit)(void *ctx),
			    void *ctx)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor)
		return NULL;
	monitor->debug = debug;
	monitor->symbols = symbols;
	monitor->host = (struct monitor_host){.ctx = ctx, .quit = quit};
	monitor->locking = LOCKING_STEP;
	monitor->seen = calloc(debug_vcpu_count(debug), sizeof(*monitor->seen));
	monitor->plans = calloc(debug_vcpu_count(debug), sizeof(*monitor->plans));
	init_views(monitor);
	kaslr_begin(monitor);
	modules_attach(monitor);
	for (unsigned i = 0; monitor->seen && i < debug_vcpu_count(debug); i++)
		registers_note(monitor, i);
	if (monitor->seen && monitor->plans && !debug_listen(debug, on_event, monitor))
		return monitor;
	free(monitor->plans);
	free(monitor->seen);
	free(monitor);
	return NULL;
}

void monitor_set_host(struct monitor *monitor, const struct monitor_host *host)
{
	monitor->host = *host;
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	debug_unlisten(monitor->debug, on_event, monitor);
	instruction_trace_end(monitor);
	monitor_unfollow(monitor);
	modules_forget(monitor);
	symbol_file_free(monitor->symbol_file);
	point_commands_free(monitor);
	for (unsigned i = 0; i < OWNER_COUNT; i++)
		string_free(&monitor->view[i].collected);
	free(monitor->plans);
	free(monitor->seen);
	free(monitor);
}

/* ---- one line ------------------------------------------------------------------------------ */

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

/* gdb must hear of every resume, or its picture of the guest is wrong from then on. */
static int check_holder(const struct call *call)
{
	if (!(call->command->flags & COMMAND_RUNS))
		return 0;
	if (call->owner == OWNER_GDB)
		return error_set(call->err, -EPERM,
				 "gdb would not notice that the guest runs: use gdb's own `%s` "
				 "instead of `monitor %s`",
				 call->command->name, call->command->name);
	if (call->monitor->gdb_attached)
		return error_set(call->err, -EPERM,
				 "a gdb is attached and holds the machine: continue there, or type "
				 "`detach` in gdb "
				 "to hold it here");
	return 0;
}

/* A unix socket is its owner's, and standard input was given by whoever started vitrine. What comes over TCP or a
 * serial line may be anybody's. */
static bool gdb_may_open_files(const struct monitor *monitor)
{
	const struct monitor_host *host = &monitor->host;
	const char *where = host->gdb_address ? host->gdb_address(host->ctx) : "";

	if (monitor->gdb_files != GDB_FILES_AUTO)
		return monitor->gdb_files == GDB_FILES_ON;
	return !strncmp(where, "unix:", 5) || !strcmp(where, "stdio");
}

static int check_files(const struct call *call)
{
	if (call->owner != OWNER_GDB || !(call->command->flags & COMMAND_FILES) ||
	    gdb_may_open_files(call->monitor))
		return 0;
	return error_set(call->err, -EPERM,
			 "`%s` opens files of this host, and anybody may be at the other end of "
			 "gdb's connection: type it at vitrine's console, or there `set gdb-files "
			 "on` (-ex does it, too), or take gdb at -gdb unix:PATH",
			 call->command->name);
}

static int check_state(const struct call *call)
{
	if (!(call->command->flags & COMMAND_STOPPED) || !debug_running(call->monitor->debug))
		return 0;
	return error_set(call->err, -EBUSY,
			 "the guest is running; `stop` (or Ctrl-C) pauses it first");
}

/* What an empty line will do: the same again, or the same command going on where it ended. */
static void remember(struct view *view, const struct command *command, const char *line)
{
	if (command->flags & COMMAND_REPEAT)
		snprintf(view->last_line, sizeof(view->last_line), "%s", line);
	else if (command->flags & COMMAND_REPEAT_NEXT)
		snprintf(view->last_line, sizeof(view->last_line), "%s", command->name);
	else
		view->last_line[0] = 0;
}

static int run_line(struct call *call, const char *line)
{
	struct view *view = &call->monitor->view[call->owner];
	char text[LINE_MAX_SIZE];
	const char *rest;
	int ret;

	if (!call->repeated)
		view->last_line[0] = 0;
	call->command = command_lookup(line, &rest, call->err);
	if (!call->command)
		return call->err->code;
	ret = check_holder(call);
	if (!ret)
		ret = check_files(call);
	if (!ret)
		ret = check_state(call);
	snprintf(text, sizeof(text), "%s", rest);
	if (!ret)
		ret = arguments_parse(call, text);
	if (!ret)
		ret = call->command->run(call);
	if (!ret && !call->repeated)
		remember(view, call->command, line);
	return ret;
}

/* Nobody in particular asks about the vCPU that stopped, even before its stop has been told here.
 * */
static int stopped_cpu(struct monitor *monitor)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	return stop && stop->vcpu > 0 ? stop->vcpu : 0;
}

/* Anything but a yes is a no. */
static void take_answer(struct call *call, const char *line)
{
	struct monitor *monitor = call->monitor;

	monitor->view[call->owner].asking = false;
	line += strspn(line, " \t");
	if (*line == 'y' || *line == 'Y')
		monitor->host.quit(monitor->host.ctx);
}

int call_execute(struct call *call, const char *line)
{
	struct view *view = &call->monitor->view[call->owner];
	char last[LINE_MAX_SIZE];

	if (strlen(line) >= LINE_MAX_SIZE)
		return error_set(call->err, -E2BIG, "a line has fewer than %d characters",
				 LINE_MAX_SIZE);
	if (view->asking) {
		take_answer(call, line);
		return 0;
	}
	if (view->collecting)
		return commands_collect(call, line);
	call->cpu = call->owner == OWNER_NONE ? stopped_cpu(call->monitor) : view->cpu;
	if (!is_blank(line))
		return line[strspn(line, " \t")] == '#' ? 0 : run_line(call, line);
	if (!view->last_line[0] || debug_running(call->monitor->debug))
		return 0;
	call->repeated = true;
	snprintf(last, sizeof(last), "%s", view->last_line);
	return run_line(call, last);
}

/* The sentence may quote what was typed. */
static void show_error(const struct error *err, struct monitor_out *out)
{
	char text[TEXT_CLEAN_SIZE(sizeof(err->text))];

	text_clean(err->text, strlen(err->text), false, text, sizeof(text));
	out_printf(out, "%s", color(out, COLOR_ERROR));
	out_sentence(out, text);
	out_printf(out, "%s\n", color(out, COLOR_OFF));
}

const char *monitor_prompt(const struct monitor *monitor, enum debug_owner owner)
{
	const struct view *view = &monitor->view[owner];

	if (view->asking)
		return "a gdb is attached, and would lose the guest: quit all the same? (y or n) ";
	return view->collecting ? "> " : "(vitrine) ";
}

void monitor_cancel(struct monitor *monitor, enum debug_owner owner)
{
	monitor->view[owner].asking = false;
	monitor->view[owner].collecting = 0;
	string_free(&monitor->view[owner].collected);
}

void monitor_set_feed(struct monitor *monitor, monitor_feed_fn *feed, void *ctx)
{
	monitor->feed = feed;
	monitor->feed_ctx = ctx;
}

void monitor_set_enough(struct monitor *monitor, monitor_enough_fn *enough, void *ctx)
{
	monitor->enough = enough;
	monitor->enough_ctx = ctx;
}

int check_enough(struct call *call)
{
	const struct monitor *monitor = call->monitor;

	if (call->owner != OWNER_CONSOLE || !monitor->enough ||
	    !monitor->enough(monitor->enough_ctx))
		return 0;
	return error_set(call->err, -EINTR, "interrupted");
}

static int execute_text(struct monitor *monitor, const char *line, enum debug_owner owner,
			struct monitor_out *out)
{
	struct error err = {0};
	struct call call = {.monitor = monitor, .owner = owner, .out = out, .err = &err};
	int ret = call_execute(&call, line);

	if (ret)
		show_error(&err, out);
	return ret;
}

int monitor_execute(struct monitor *monitor, const char *line, enum debug_owner owner,
		    struct monitor_out *out)
{
	return out->json ? answer_line(monitor, line, owner, out)
			 : execute_text(monitor, line, owner, out);
}
