// SPDX-License-Identifier: GPL-3.0-or-later
/* Setting breakpoints and watches, and changing them. */
#include "monitor/commands.h"
#include "monitor/points.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct point *point_numbered(struct monitor *monitor, int number)
{
	const struct point *point = NULL;

	while ((point = debug_point_next(monitor->debug, point)))
		if (point->number == number)
			return point;
	return NULL;
}

const struct point *point_owned(struct call *call, int number)
{
	const struct point *point = point_numbered(call->monitor, number);

	if (!point)
		error_set(call->err, -ENOENT,
			  "there is no breakpoint %d; `info breakpoints` lists them", number);
	else if (point->owner == OWNER_GDB && call->owner != OWNER_GDB)
		error_set(call->err, -EPERM, "breakpoint %d belongs to gdb; change it there",
			  number);
	else
		return point;
	return NULL;
}

/* ---- a new one ----------------------------------------------------------------------------- */

static void say_caught(struct call *call, const struct point *point)
{
	char what[96];

	debug_catch_text(&point->spec, what, sizeof(what));
	out_printf(call->out, "%scatch %d: %s (%s)\n", point->spec.temporary ? "temporary " : "",
		   point->number, what, point->rung);
}

static void say_created(struct call *call, int number)
{
	const struct point *point = point_numbered(call->monitor, number);
	struct string text = {0};
	char where[160];

	if (!point)
		return;
	point_tell(call, point);
	if (debug_catch_name(point->spec.kind)) {
		say_caught(call, point);
		return;
	}
	string_printf(&text, "%s%s %d at %s0x%" PRIx64, point->spec.temporary ? "temporary " : "",
		      point_kind_name(point->spec.kind), number,
		      point->spec.physical ? "physical " : "", point->spec.address);
	if (point->spec.kind >= POINT_WRITE && point->spec.kind <= POINT_ACCESS)
		string_printf(&text, ", %" PRIu64 " byte%s", point->spec.length,
			      point->spec.length == 1 ? "" : "s");
	if (!point->spec.physical && has_name(call->monitor, point->spec.address))
		string_printf(
			&text, ": %s",
			address_text(call->monitor, point->spec.address, where, sizeof(where)));
	string_printf(&text, " (%s)", point->rung);
	out_sentence(call->out, string_text(&text));
	out_printf(call->out, "\n");
	string_free(&text);
}

/* On a running machine nobody may meet it before it is complete. */
static int complete(struct call *call, int number, struct program *condition,
		    struct point_action *action)
{
	struct debug *debug = call->monitor->debug;
	int ret = 0;

	if (condition)
		ret = debug_point_condition(debug, number, condition, call->err);
	if (ret)
		program_free(condition);
	if (!ret && action)
		ret = debug_point_action(debug, number, action, call->err);
	else if (ret)
		point_action_free(action);
	if (!ret)
		ret = debug_point_enable(debug, number, true, call->err);
	return ret;
}

int point_create(struct call *call, const struct point_spec *spec, struct program *condition,
		 struct point_action *action)
{
	struct point_spec wanted = *spec;
	int number, ret;

	wanted.vcpu = call->cpu;
	wanted.separate = true;
	wanted.disabled = condition || action;
	number = debug_point_add(call->monitor->debug, &wanted, call->owner, call->err);
	if (number < 0) {
		program_free(condition);
		point_action_free(action);
		return number;
	}
	ret = wanted.disabled ? complete(call, number, condition, action) : 0;
	if (ret) {
		debug_point_remove(call->monitor->debug, number, NULL);
		return ret;
	}
	say_created(call, number);
	return number;
}

static int create(struct call *call, struct point_spec *spec, const char *clauses_text)
{
	struct clauses clauses;
	int ret = clauses_parse(call, clauses_text, &clauses);

	if (ret)
		return ret;
	spec->limit = clauses.limit;
	ret = point_create(call, spec, clauses.condition, NULL);
	if (ret > 0 && clauses.commands)
		return point_commands_split(call->monitor, ret, clauses.commands, call->err);
	return ret < 0 ? ret : 0;
}

/* ---- breakpoints --------------------------------------------------------------------------- */

/* args: -p, LOCATION, clauses */
static int add_breakpoint(struct call *call, enum point_kind kind, bool temporary)
{
	struct point_spec spec = {
		.kind = kind, .temporary = temporary, .physical = call->arg[0].given};

	if (!call->arg[1].given && debug_running(call->monitor->debug))
		return error_set(call->err, -EBUSY,
				 "the guest is running: say where, or `stop` it first");
	if (!call->arg[1].given && spec.physical)
		return error_set(call->err, -EINVAL, "-p wants a physical address");
	spec.address = call->arg[1].given ? call->arg[1].value
					  : debug_pc(call->monitor->debug, call->cpu);
	return create(call, &spec, call->arg[2].given ? call->arg[2].text : "");
}

int run_break(struct call *call)
{
	return add_breakpoint(call, POINT_SOFTWARE, false);
}

int run_tbreak(struct call *call)
{
	return add_breakpoint(call, POINT_SOFTWARE, true);
}

int run_hbreak(struct call *call)
{
	return add_breakpoint(call, POINT_HARDWARE, false);
}

/* ---- watches ------------------------------------------------------------------------------- */

#define DEFAULT_LENGTH 8

static int read_length(struct call *call, const char **text, struct point_spec *spec)
{
	int ret = monitor_evaluate(call->monitor, call->cpu, *text + 1, &spec->length, text,
				   call->err);

	if (!ret && !spec->length)
		return error_set(call->err, -EINVAL, "a watch has at least one byte");
	return ret;
}

/* "*(u32 *)0x1000", as gdb spells it, watches what would be read; so does the address alone. */
static int read_place(struct call *call, const char **text, struct point_spec *spec)
{
	struct program *program;
	uint64_t size;
	int ret;

	*text += **text == '*';
	ret = monitor_compile(call->monitor, *text, &program, &size, text, call->err);
	if (ret)
		return ret;
	spec->length = size ? size : DEFAULT_LENGTH;
	ret = monitor_run(call->monitor, call->cpu, program, &spec->address, call->err);
	program_free(program);
	if (!ret && **text == ',')
		ret = read_length(call, text, spec);
	return ret;
}

/* args: -p, EXPR[,LEN] and clauses */
static int add_watch(struct call *call, enum point_kind kind)
{
	struct point_spec spec = {.kind = kind, .physical = call->arg[0].given};
	const char *text = call->arg[1].text;
	int ret = read_place(call, &text, &spec);

	return ret ? ret : create(call, &spec, text);
}

int run_watch(struct call *call)
{
	return add_watch(call, POINT_WRITE);
}

int run_rwatch(struct call *call)
{
	return add_watch(call, POINT_READ);
}

int run_awatch(struct call *call)
{
	return add_watch(call, POINT_ACCESS);
}

/* ---- by number ----------------------------------------------------------------------------- */

typedef int point_fn(struct call *call, int number);

static int for_listed(struct call *call, const char *text, point_fn *change)
{
	int ret = 0;

	while (!ret && *text) {
		char *end;
		long number = strtol(text, &end, 10);

		if (end == text || (*end && !isspace((unsigned char)*end)) || number < 1 ||
		    number > INT32_MAX)
			return error_set(call->err, -EINVAL,
					 "%s wants numbers of breakpoints, as in %s 1 3",
					 call->command->name, call->command->name);
		ret = point_owned(call, (int)number) ? change(call, (int)number) : call->err->code;
		if (!ret)
			fact_count(call->out, NULL, (uint64_t)number);
		for (text = end; isspace((unsigned char)*text); text++)
			;
	}
	return ret;
}

/* The next of the caller's own behind this number; removing points does not confuse it. */
static const struct point *next_owned(struct call *call, int number)
{
	const struct point *point = NULL;

	while ((point = debug_point_next(call->monitor->debug, point)))
		if (point->owner == call->owner && point->number > number)
			return point;
	return NULL;
}

static int for_all(struct call *call, point_fn *change, const char *done)
{
	const struct point *point;
	unsigned count = 0;
	int ret = 0, number = 0;

	for (; !ret && (point = next_owned(call, number)); count++) {
		number = point->number;
		ret = change(call, number);
		if (!ret)
			fact_count(call->out, NULL, (uint64_t)number);
	}
	if (!ret)
		out_printf(call->out, "%u %s\n", count, done);
	return ret;
}

/* Those that are listed, or all of the caller's. */
static int for_points(struct call *call, point_fn *change, const char *done)
{
	int ret;

	fact_list(call->out, "numbers");
	ret = call->arg[0].given ? for_listed(call, call->arg[0].text, change)
				 : for_all(call, change, done);
	fact_end(call->out);
	return ret;
}

static int delete_one(struct call *call, int number)
{
	return debug_point_remove(call->monitor->debug, number, call->err);
}

static int enable_one(struct call *call, int number)
{
	return debug_point_enable(call->monitor->debug, number, true, call->err);
}

static int disable_one(struct call *call, int number)
{
	return debug_point_enable(call->monitor->debug, number, false, call->err);
}

int run_delete(struct call *call)
{
	return for_points(call, delete_one, "deleted");
}

int run_enable(struct call *call)
{
	return for_points(call, enable_one, "enabled");
}

int run_disable(struct call *call)
{
	return for_points(call, disable_one, "disabled");
}

int run_condition(struct call *call)
{
	int number = (int)call->arg[0].value, ret;
	struct program *condition = NULL;

	if (!point_owned(call, number))
		return call->err->code;
	ret = call->arg[1].given ? monitor_compile(call->monitor, call->arg[1].text, &condition,
						   NULL, NULL, call->err)
				 : 0;
	if (ret)
		return ret;
	ret = debug_point_condition(call->monitor->debug, number, condition, call->err);
	if (ret)
		program_free(condition);
	else if (!condition)
		out_printf(call->out, "%d stops unconditionally now\n", number);
	if (!ret)
		point_tell(call, point_numbered(call->monitor, number));
	return ret;
}

int run_ignore(struct call *call)
{
	int number = (int)call->arg[0].value, ret;
	uint64_t count = call->arg[1].value;

	if (!point_owned(call, number))
		return call->err->code;
	if (count > INT64_MAX)
		return error_set(call->err, -EINVAL, "a count of hits is not negative");
	ret = debug_point_ignore(call->monitor->debug, number, count, call->err);
	if (!ret && count)
		out_printf(call->out, "the next %" PRIu64 " hit%s of %d pass%s\n", count,
			   count == 1 ? "" : "s", number, count == 1 ? "es" : "");
	else if (!ret)
		out_printf(call->out, "%d stops at its next hit\n", number);
	if (!ret)
		point_tell(call, point_numbered(call->monitor, number));
	return ret;
}
