// SPDX-License-Identifier: GPL-3.0-or-later
/* vCPUs, and what the host can do. */
#include "monitor/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- vCPUs --------------------------------------------------------------------------------- */

int run_info_cpus(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	bool running = debug_running(debug);
	char text[128], where[160];

	for (unsigned i = 0; i < debug_vcpu_count(debug); i++) {
		debug_vcpu_text(debug, i, text, sizeof(text));
		out_printf(call->out, "%c vCPU %u: %s\n", (int)i == call->cpu ? '*' : ' ', i, text);
		if (!running)
			out_printf(call->out, "          %s\n",
				   address_text(call->monitor, debug_pc(debug, i), where,
						sizeof(where)));
	}
	return 0;
}

int run_info_status(struct call *call)
{
	const struct stop *stop;

	out_printf(call->out, "VM status: %s%s\n",
		   debug_running(call->monitor->debug) ? "running" : "paused",
		   call->monitor->gdb_attached ? ", held by gdb" : "");
	stop = debug_running(call->monitor->debug) ? NULL : debug_last_stop(call->monitor->debug);
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

/* Every question but the first three, which have the table above to themselves. */
static void show_more_capabilities(struct call *call, const struct debug_capabilities *caps,
				   unsigned first)
{
	const struct capability_question *asked;

	out_printf(call->out, "  %-26s", "in detail");
	for (enum capability_mode mode = 0; mode < CAP_MODE_COUNT; mode++)
		out_printf(call->out, " %-12s", capability_mode_id(mode));
	for (unsigned i = first; (asked = capability_question(i)); i++) {
		out_printf(call->out, "\n  %-26s", asked->title);
		for (enum capability_mode mode = 0; mode < (asked->modes ? CAP_MODE_COUNT : 1);
		     mode++)
			out_printf(call->out, " %-12s",
				   capability_answer(caps, asked, mode)->brief);
	}
	out_printf(call->out, "\n");
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
	show_more_capabilities(call, caps, 3);
	return 0;
}

static void put_report(void *ctx, const char *text, size_t size)
{
	out_text(ctx, text, size);
}

int run_doctor(struct call *call)
{
	debug_doctor(call->monitor->debug, call->arg[0].given, put_report, call->out);
	return 0;
}
