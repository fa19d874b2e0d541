// SPDX-License-Identifier: GPL-3.0-or-later
/* info breakpoints. */
#include "monitor/commands.h"
#include "monitor/points.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARGIN 12

const char *point_kind_name(enum point_kind kind)
{
	static const char *const names[POINT_KIND_COUNT] = {
		[POINT_SOFTWARE] = "breakpoint",
		[POINT_HARDWARE] = "hardware breakpoint",
		[POINT_WRITE] = "write watch",
		[POINT_READ] = "read watch",
		[POINT_ACCESS] = "access watch",
		[POINT_CATCH_EXCEPTION] = "catch exception",
		[POINT_CATCH_IO] = "catch io",
		[POINT_CATCH_MMIO] = "catch mmio",
		[POINT_CATCH_MSR] = "catch msr",
		[POINT_CATCH_MODE] = "catch mode",
		[POINT_CATCH_HLT] = "catch hlt",
		[POINT_CATCH_INT3] = "catch int3",
		[POINT_CATCH_RESET] = "catch reset",
		[POINT_CATCH_SHUTDOWN] = "catch shutdown",
		[POINT_CATCH_ONLINE] = "catch online",
		[POINT_CATCH_TRIPLE_FAULT] = "catch triple-fault",
		[POINT_CATCH_EMULATION] = "catch emulation",
	};

	return kind < POINT_KIND_COUNT && names[kind] ? names[kind] : "point";
}

static bool is_watch(enum point_kind kind)
{
	return kind == POINT_WRITE || kind == POINT_READ || kind == POINT_ACCESS;
}

/* A watch's name is that of an object, for which no line is known. */
static void add_where(struct call *call, const struct point_spec *spec, struct string *text)
{
	char where[160];

	if (debug_catch_name(spec->kind)) {
		debug_catch_place(spec, where, sizeof(where));
		string_printf(text, "%s", where);
		return;
	}
	string_printf(text, "%s0x%" PRIx64, spec->physical ? "physical " : "", spec->address);
	if (is_watch(spec->kind))
		string_printf(text, ", %" PRIu64 " byte%s", spec->length,
			      spec->length == 1 ? "" : "s");
	if (!spec->physical && has_name(call->monitor, spec->address))
		string_printf(text, " %s",
			      address_text(call->monitor, spec->address, where, sizeof(where)));
}

static void show_limits(struct call *call, const struct point_limit *limit)
{
	const char *between = "only";

	if (!limit->by)
		return;
	out_printf(call->out, "%*s", MARGIN, "");
	if (limit->by & LIMIT_VCPU) {
		out_printf(call->out, "%s on vCPU %d", between, limit->vcpu);
		between = ",";
	}
	if (limit->by & LIMIT_RING) {
		out_printf(call->out, "%s in ring %u", between, limit->ring);
		between = ",";
	}
	if (limit->by & LIMIT_CR3)
		out_printf(call->out, "%s where cr3 is 0x%" PRIx64, between, limit->cr3);
	out_printf(call->out, "\n");
}

/* gdb's conditions come as bytecode: nobody here knows their text. */
static void show_condition(struct call *call, const struct point *point)
{
	const char *text = point->condition ? program_text(point->condition) : NULL;

	if (point->condition)
		out_printf(call->out, "%*sonly if %s: come upon %" PRIu64 " time%s\n", MARGIN, "",
			   text ? text : "what gdb said", point->evaluations,
			   point->evaluations == 1 ? "" : "s");
}

/* As it was typed. */
static void show_format(struct call *call, const char *format)
{
	char text[512];

	if (!format || !*format) {
		out_printf(call->out, "%*sprints %s", MARGIN, "",
			   format ? "what it catches" : "nothing");
		return;
	}
	format_string(format, strlen(format), text, sizeof(text));
	out_printf(call->out, "%*sprints %s", MARGIN, "", text);
}

static void show_values(struct call *call, const struct point_action *action)
{
	unsigned unnamed = 0;

	for (unsigned i = 0; i < action->arg_count; i++) {
		const char *text = program_text(action->args[i]);

		if (text)
			out_printf(call->out, ", %s", text);
		else
			unnamed++;
	}
	if (unnamed)
		out_printf(call->out, ", with %u value%s of gdb's", unnamed,
			   unnamed == 1 ? "" : "s");
}

static void show_action(struct call *call, const struct point_action *action)
{
	bool go_on = action && action->go_on;

	for (; action; action = action->next) {
		show_format(call, action->format);
		show_values(call, action);
		out_printf(call->out, "%s\n", go_on ? " and goes on" : "");
	}
}

static void show_commands(struct call *call, const char *text)
{
	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		char line[TEXT_CLEAN_SIZE(200)];
		size_t size = strcspn(text, "\n");

		text_clean(text, size < 200 ? size : 200, false, line, sizeof(line));
		out_printf(call->out, "%*sdo %s\n", MARGIN, "", line);
	}
}

static const char *const owners[OWNER_COUNT] = {"-", "gdb", "console"};

static void tell_place(struct call *call, const struct point_spec *spec)
{
	struct monitor_out *out = call->out;
	char where[160];

	if (debug_catch_name(spec->kind)) {
		debug_catch_place(spec, where, sizeof(where));
		fact_text(out, "what", where);
		return;
	}
	fact_hex(out, "address", spec->address);
	fact_flag(out, "physical", spec->physical);
	if (is_watch(spec->kind))
		fact_count(out, "length", spec->length);
	if (!spec->physical)
		fact_text(out, "name",
			  address_name(call->monitor, spec->address, where, sizeof(where)));
}

static void tell_limit(struct call *call, const struct point_limit *limit)
{
	if (limit->by & LIMIT_VCPU)
		fact_count(call->out, "only_vcpu", (uint64_t)limit->vcpu);
	if (limit->by & LIMIT_RING)
		fact_count(call->out, "only_ring", limit->ring);
	if (limit->by & LIMIT_CR3)
		fact_hex(call->out, "only_cr3", limit->cr3);
}

void point_tell(struct call *call, const struct point *point)
{
	struct monitor_out *out = call->out;

	fact_count(out, "number", (uint64_t)point->number);
	fact_text(out, "kind", point_kind_name(point->spec.kind));
	fact_text(out, "owner", owners[point->owner]);
	tell_place(call, &point->spec);
	fact_text(out, "rung", point->rung);
	fact_flag(out, "enabled", point->enabled);
	fact_flag(out, "temporary", point->spec.temporary);
	fact_count(out, "hits", point->hits);
	fact_count(out, "ignore", point->ignore);
	tell_limit(call, &point->spec.limit);
	if (point->condition)
		fact_text(out, "condition", program_text(point->condition));
	fact_text(out, "commands", point_commands(call->monitor, point->number));
}

static void show_point(struct call *call, const struct point *point)
{
	struct string row = {0};

	string_printf(&row, "%-3d %-7s %-19s %-5" PRIu64 " ", point->number, owners[point->owner],
		      point_kind_name(point->spec.kind), point->hits);
	add_where(call, &point->spec, &row);
	out_wrapped(call->out, string_text(&row), 0, MARGIN);
	string_free(&row);
	out_printf(call->out, "%*sthrough %s%s%s\n", MARGIN, "", point->rung,
		   point->spec.temporary ? ", deleted when hit" : "",
		   point->enabled ? "" : ", disabled");
	show_limits(call, &point->spec.limit);
	show_condition(call, point);
	if (point->ignore)
		out_printf(call->out, "%*sthe next %" PRIu64 " hit%s\n", MARGIN, "", point->ignore,
			   point->ignore == 1 ? " passes" : "s pass");
	show_action(call, point->action);
	show_commands(call, point_commands(call->monitor, point->number));
}

int run_info_breakpoints(struct call *call)
{
	const struct point *point = NULL;

	if (!debug_point_next(call->monitor->debug, NULL)) {
		out_printf(call->out, "no breakpoints; `break LOCATION` sets one\n");
		return 0;
	}
	out_printf(call->out, "Num Owner   Kind                Hits  Where\n");
	fact_list(call->out, "points");
	while ((point = debug_point_next(call->monitor->debug, point))) {
		show_point(call, point);
		fact_object(call->out, NULL);
		point_tell(call, point);
		fact_end(call->out);
	}
	fact_end(call->out);
	return 0;
}
