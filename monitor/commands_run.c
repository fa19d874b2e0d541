// SPDX-License-Identifier: GPL-3.0-or-later
/* Run control, the machine, and the monitor itself. */
#include "monitor/commands.h"

#include <ctype.h>
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

/* ---- set ----------------------------------------------------------------------------------- */

struct setting {
	const char *name;
	const char *values[3]; /* NULL behind the last; the index is the value */
	int (*apply)(struct monitor *monitor, unsigned value, struct error *err);
};

static int apply_flavor(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->syntax = value ? SYNTAX_INTEL : SYNTAX_ATT;
	return 0;
}

static int apply_step_interrupts(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	debug_set_step_interrupts(monitor->debug, value);
	return 0;
}

static int apply_locking(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->locking = value;
	return 0;
}

static int apply_trace_pc(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	debug_trace_set_pc(monitor->debug, value);
	return 0;
}

static int apply_track_writes(struct monitor *monitor, unsigned value, struct error *err)
{
	return debug_track_writes(monitor->debug, value, err);
}

static int apply_pager(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->no_pager = !value;
	return 0;
}

static int apply_gdb_files(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->gdb_files = value;
	return 0;
}

bool monitor_wants_pager(const struct monitor *monitor)
{
	return !monitor->no_pager;
}

static const struct setting settings[] = {
	{"disassembly-flavor", {"att", "intel"}, apply_flavor},
	{"step-interrupts", {"off", "on"}, apply_step_interrupts},
	{"scheduler-locking", {"off", "on", "step"}, apply_locking},
	{"trace-pc", {"off", "on"}, apply_trace_pc},
	{"track-writes", {"off", "on"}, apply_track_writes},
	{"pager", {"off", "on"}, apply_pager},
	{"gdb-files", {"auto", "off", "on"}, apply_gdb_files},
};
#define SETTING_COUNT (sizeof(settings) / sizeof(*settings))

const char *setting_name(unsigned index)
{
	return index < SETTING_COUNT ? settings[index].name : NULL;
}

const char *setting_value(const char *setting, unsigned index)
{
	for (unsigned i = 0; i < SETTING_COUNT; i++)
		if (!strcmp(settings[i].name, setting))
			return index < 3 ? settings[i].values[index] : NULL;
	return NULL;
}

static int set_setting(struct call *call, const struct setting *setting, const char *value)
{
	if (setting->apply == apply_gdb_files && call->owner == OWNER_GDB)
		return error_set(call->err, -EPERM, "that is for vitrine's console to allow");
	for (unsigned i = 0; i < 3 && setting->values[i]; i++) {
		if (strcmp(setting->values[i], value))
			continue;
		fact_text(call->out, "setting", setting->name);
		fact_text(call->out, "value", value);
		return setting->apply(call->monitor, i, call->err);
	}
	return error_set(call->err, -EINVAL, "%s may be %s%s%s or %s", setting->name,
			 setting->values[0], setting->values[2] ? ", " : "",
			 setting->values[2] ? setting->values[1] : "",
			 setting->values[setting->values[2] ? 2 : 1]);
}

static int set_register(struct call *call, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t size = strcspn(text, " \t=");
	uint64_t value;
	char name[64];
	int ret;

	if (!equals || !size || size >= sizeof(name))
		return error_set(call->err, -EINVAL,
				 "write: set $REGISTER = EXPR, as in set $rax = 5");
	memcpy(name, text, size);
	name[size] = 0;
	ret = monitor_evaluate(call->monitor, call->cpu, equals + 1, &value, NULL, call->err);
	if (!ret)
		ret = monitor_register_set(call->monitor, call->cpu, name, value, call->err);
	if (ret)
		return ret;
	fact_text(call->out, "register", name);
	fact_hex(call->out, "value", value);
	if (call->monitor->gdb_attached)
		out_printf(call->out, "gdb remembers the old value until it is told: "
				      "`maintenance flush register-cache`\n");
	return 0;
}

int run_set(struct call *call)
{
	const char *text = call->arg[0].text;
	char name[64], value[64] = "";

	if ((*text == '$' || *text == '*') && debug_running(call->monitor->debug))
		return error_set(call->err, -EBUSY, "the guest is running; `stop` it first");
	if (*text == '$')
		return set_register(call, text + 1);
	if (*text == '*')
		return memory_set(call, text + 1);
	if (sscanf(text, "%63s %63s", name, value) < 1)
		name[0] = 0;
	for (unsigned i = 0; i < SETTING_COUNT; i++)
		if (!strcmp(settings[i].name, name))
			return set_setting(call, &settings[i], value);
	return error_set(
		call->err, -EINVAL,
		"there is no setting `%s`; a register is written with $, as in set $rax = 5, "
		"memory with *, as in set *(u32 *)counter = 5, and `help set` lists the settings",
		name);
}
