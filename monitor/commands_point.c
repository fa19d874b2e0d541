// SPDX-License-Identifier: GPL-3.0-or-later
/* Breakpoints. */
#include "monitor/command.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const struct point *point_of(struct monitor *monitor, int number)
{
	const struct point *point = NULL;

	while ((point = debug_point_next(monitor->debug, point)))
		if (point->number == number)
			return point;
	return NULL;
}

static const char *kind_name(const struct point_spec *spec)
{
	static const char *const names[] = {
		[POINT_SOFTWARE] = "breakpoint", [POINT_HARDWARE] = "hardware breakpoint",
		[POINT_WRITE] = "write watch",	 [POINT_READ] = "read watch",
		[POINT_ACCESS] = "access watch",
	};

	return names[spec->kind];
}

static int add_point(struct call *call, enum point_kind kind, bool temporary)
{
	struct monitor *monitor = call->monitor;
	struct point_spec spec = {.kind = kind, .vcpu = call->cpu, .temporary = temporary};
	const struct point *point;
	char where[160];
	int number;

	spec.address = call->arg[0].given ? call->arg[0].value
					  : debug_pc(monitor->debug, call->cpu);
	number = debug_point_add(monitor->debug, &spec, call->owner, call->err);
	if (number < 0)
		return number;
	point = point_of(monitor, number);
	out_printf(call->out, "%s%s %d at 0x%" PRIx64 ": %s%s%s%s\n", temporary ? "temporary " : "",
		   kind_name(&spec), number, spec.address,
		   address_text(monitor, spec.address, where, sizeof(where)), point ? " (" : "",
		   point ? point->rung : "", point ? ")" : "");
	return 0;
}

int run_break(struct call *call)
{
	return add_point(call, POINT_SOFTWARE, false);
}

int run_tbreak(struct call *call)
{
	return add_point(call, POINT_SOFTWARE, true);
}

int run_hbreak(struct call *call)
{
	return add_point(call, POINT_HARDWARE, false);
}

/* ---- delete -------------------------------------------------------------------------------- */

static int delete_point(struct call *call, int number)
{
	const struct point *point = point_of(call->monitor, number);

	if (!point)
		return error_set(call->err, -ENOENT,
				 "there is no breakpoint %d; `info breakpoints` lists them",
				 number);
	if (point->owner == OWNER_GDB && call->owner != OWNER_GDB)
		return error_set(call->err, -EPERM, "breakpoint %d belongs to gdb; delete it there",
				 number);
	return debug_point_remove(call->monitor->debug, number, call->err);
}

static int delete_listed(struct call *call, const char *text)
{
	int ret = 0;

	while (!ret && *text) {
		char *end;
		long number = strtol(text, &end, 10);

		if (end == text || (*end && !isspace((unsigned char)*end)) || number < 1 ||
		    number > INT32_MAX)
			return error_set(call->err, -EINVAL,
					 "delete wants numbers of breakpoints, as in delete 1 3");
		ret = delete_point(call, number);
		for (text = end; isspace((unsigned char)*text); text++)
			;
	}
	return ret;
}

/* Removing one may move the others: the search begins anew each time. */
static const struct point *first_owned(struct call *call)
{
	const struct point *point = NULL;

	while ((point = debug_point_next(call->monitor->debug, point)))
		if (point->owner == call->owner)
			return point;
	return NULL;
}

int run_delete(struct call *call)
{
	const struct point *point;
	unsigned count = 0;
	int ret = 0;

	if (call->arg[0].given)
		return delete_listed(call, call->arg[0].text);
	for (; !ret && (point = first_owned(call)); count++)
		ret = debug_point_remove(call->monitor->debug, point->number, call->err);
	if (!ret)
		out_printf(call->out, "%u deleted\n", count);
	return ret;
}

int run_info_breakpoints(struct call *call)
{
	static const char *const owners[OWNER_COUNT] = {"-", "gdb", "console"};
	const struct point *point = NULL;
	char where[160];

	if (!debug_point_next(call->monitor->debug, NULL)) {
		out_printf(call->out, "no breakpoints; `break LOCATION` sets one\n");
		return 0;
	}
	out_printf(call->out, "Num Owner   Kind                Hits  Where\n");
	while ((point = debug_point_next(call->monitor->debug, point)))
		out_printf(call->out,
			   "%-3d %-7s %-19s %-5" PRIu64 " 0x%" PRIx64 " %s\n%12sthrough %s%s\n",
			   point->number, owners[point->owner], kind_name(&point->spec),
			   point->hits, point->spec.address,
			   address_text(call->monitor, point->spec.address, where, sizeof(where)),
			   "", point->rung, point->spec.temporary ? ", deleted when hit" : "");
	return 0;
}
