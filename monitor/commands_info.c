// SPDX-License-Identifier: GPL-3.0-or-later
/* vCPUs, and what the host can do. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- vCPUs --------------------------------------------------------------------------------- */

static void show_place(struct call *call, uint64_t pc)
{
	char where[160];

	out_printf(call->out, "          %s\n",
		   address_text(call->monitor, pc, where, sizeof(where)));
	fact_hex(call->out, "pc", pc);
	fact_text(call->out, "name", address_name(call->monitor, pc, where, sizeof(where)));
}

int run_info_cpus(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	bool running = debug_running(debug);
	char text[128];

	fact_list(call->out, "cpus");
	for (unsigned i = 0; i < debug_vcpu_count(debug); i++) {
		debug_vcpu_text(debug, i, text, sizeof(text));
		out_printf(call->out, "%c vCPU %u: %s\n", (int)i == call->cpu ? '*' : ' ', i, text);
		fact_object(call->out, NULL);
		fact_count(call->out, "vcpu", i);
		fact_flag(call->out, "current", (int)i == call->cpu);
		fact_text(call->out, "state", text);
		if (!running)
			show_place(call, debug_pc(debug, i));
		fact_end(call->out);
	}
	fact_end(call->out);
	return 0;
}

int run_info_status(struct call *call)
{
	const struct stop *stop;

	out_printf(call->out, "VM status: %s%s\n",
		   debug_running(call->monitor->debug) ? "running" : "paused",
		   call->monitor->gdb_attached ? ", held by gdb" : "");
	stop = debug_running(call->monitor->debug) ? NULL : debug_last_stop(call->monitor->debug);
	fact_flag(call->out, "running", debug_running(call->monitor->debug));
	fact_flag(call->out, "gdb", call->monitor->gdb_attached);
	if (stop)
		stop_facts(stop, call->out);
	if (stop && stop->text[0]) {
		char text[TEXT_CLEAN_SIZE(sizeof(stop->text))];

		text_clean(stop->text, strlen(stop->text), false, text, sizeof(text));
		out_printf(call->out, "vCPU %d: %s\n", stop->vcpu, text);
	}
	return 0;
}

/* ---- capabilities -------------------------------------------------------------------------- */

static const char *answer(const struct debug_capabilities *caps, unsigned question,
			  enum capability_mode mode)
{
	const struct capability_question *asked = capability_question(question);

	return capability_answer(caps, asked, mode)->title;
}

static void show_cell(struct call *call, const char *text, bool last)
{
	out_printf(call->out, " %-*s%s", last ? 0 : 12, text, last ? "\n" : "");
}

/* Every question but the first three, which have the table above to themselves. */
static void show_more_capabilities(struct call *call, const struct debug_capabilities *caps,
				   unsigned first)
{
	const struct capability_question *asked;

	out_printf(call->out, "  %-26s", "in detail");
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		show_cell(call, capability_mode_id(mode), mode + 1 == CAP_MODE_COUNT);
	for (unsigned i = first; (asked = capability_question(i)); i++) {
		unsigned columns = asked->modes ? CAP_MODE_COUNT : 1;

		out_printf(call->out, "  %-26s", asked->title);
		for (enum capability_mode mode = 0; mode < columns; mode++)
			show_cell(call, capability_answer(caps, asked, mode)->brief,
				  mode + 1 == columns);
	}
}

/* By the names that `doctor -j` has for questions and answers. */
static void tell_capabilities(struct call *call, const struct debug_capabilities *caps)
{
	const struct capability_question *asked;

	fact_list(call->out, "answers");
	for (unsigned i = 0; (asked = capability_question(i)); i++)
		for (enum capability_mode mode = 0; mode < (asked->modes ? CAP_MODE_COUNT : 1);
		     mode++) {
			fact_object(call->out, NULL);
			fact_text(call->out, "question", asked->name);
			fact_text(call->out, "mode",
				  asked->modes ? capability_mode_id(mode) : NULL);
			fact_text(call->out, "answer", capability_answer(caps, asked, mode)->name);
			fact_end(call->out);
		}
	fact_end(call->out);
}

int run_info_capabilities(struct call *call)
{
	const struct debug_capabilities *caps = debug_capabilities(call->monitor->debug);

	if (!caps)
		return error_set(call->err, -ENOENT, "this host's KVM has not been probed");
	out_printf(call->out, "%-26s %-13s %-22s %s\n", "found on this host", "single step", "int3",
		   "execution slot");
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		out_printf(call->out, "  %-24s %-13s %-22s %s\n", capability_mode_name(mode),
			   answer(caps, 0, mode), answer(caps, 1, mode), answer(caps, 2, mode));
	out_printf(call->out, "  watch by debug register: %s\n",
		   caps->watch_write[CAP_LONG] ? "yes" : "NO");
	if (caps->slot_ignores_rf)
		out_printf(call->out,
			   "  RFLAGS.RF is ignored: an execution slot is stepped off by vitrine\n");
	if (caps->interrupt_rf)
		out_printf(call->out, "  interrupts push RF: an execution slot that one returns to "
				      "is silent once\n");
	show_more_capabilities(call, caps, 3);
	tell_capabilities(call, caps);
	return 0;
}

static void put_report(void *ctx, const char *text, size_t size)
{
	out_text(ctx, text, size);
}

static void gather_report(void *ctx, const char *text, size_t size)
{
	string_add(ctx, text, size);
}

int run_doctor(struct call *call)
{
	struct string report = {0};

	debug_doctor(call->monitor->debug, call->arg[0].given, put_report, call->out);
	if (facts_wanted(call->out))
		debug_doctor(call->monitor->debug, true, gather_report, &report);
	fact_json(call->out, "report", string_text(&report));
	string_free(&report);
	return 0;
}
