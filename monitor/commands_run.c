// SPDX-License-Identifier: GPL-3.0-or-later
/* Run control, the machine, and the monitor itself. */
#include "monitor/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int run_stop(struct call *call)
{
	fact_flag(call->out, "running", debug_running(call->monitor->debug));
	if (debug_running(call->monitor->debug))
		monitor_interrupt(call->monitor);
	else
		out_printf(call->out, "the guest is stopped already\n");
	return 0;
}

int run_reset(struct call *call)
{
	int ret = debug_reset(call->monitor->debug, call->owner, call->err);

	if (!ret)
		fact_flag(call->out, "running", debug_running(call->monitor->debug));
	return ret;
}

int run_cpu(struct call *call)
{
	struct view *view = &call->monitor->view[call->owner];
	char text[128];

	if (call->arg[0].given) {
		view->cpu = call->arg[0].value;
		view->code_known = false;
		view->file = NULL;
	}
	debug_vcpu_text(call->monitor->debug, view->cpu, text, sizeof(text));
	out_printf(call->out, "vCPU %d: %s\n", view->cpu, text);
	fact_count(call->out, "vcpu", (uint64_t)view->cpu);
	fact_text(call->out, "state", text);
	return 0;
}

int run_quit(struct call *call)
{
	if (call->out->asks && call->monitor->gdb_attached)
		call->monitor->view[call->owner].asking = true;
	else
		call->monitor->host.quit(call->monitor->host.ctx);
	return 0;
}

int run_echo(struct call *call)
{
	char text[TEXT_CLEAN_SIZE(LINE_MAX_SIZE)];
	const char *raw = call->arg[0].given ? call->arg[0].text : "";

	text_clean(raw, strlen(raw), false, text, sizeof(text));
	out_printf(call->out, "%s\n", text);
	return 0;
}

int run_json(struct call *call)
{
	struct monitor_out out = *call->out;

	if (facts_wanted(call->out))
		return error_set(call->err, -EINVAL, "answers are JSON here already");
	out.json = true;
	monitor_execute(call->monitor, call->arg[0].text, call->owner, &out);
	return 0;
}
