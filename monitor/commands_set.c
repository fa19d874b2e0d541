// SPDX-License-Identifier: GPL-3.0-or-later
/* set: registers, memory, settings; and show. */
#include "monitor/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_VALUES 3

struct setting {
	const char *name;
	const char *also;		/* what gdb calls it, or NULL */
	const char *values[MAX_VALUES]; /* NULL behind the last; the index is the value */
	int (*apply)(struct monitor *monitor, unsigned value, struct error *err);
	unsigned (*read)(const struct monitor *monitor);
};

static int apply_flavor(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->syntax = value ? SYNTAX_INTEL : SYNTAX_ATT;
	return 0;
}

static unsigned read_flavor(const struct monitor *monitor)
{
	return monitor->syntax == SYNTAX_INTEL;
}

static int apply_step_interrupts(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	debug_set_step_interrupts(monitor->debug, value);
	return 0;
}

static unsigned read_step_interrupts(const struct monitor *monitor)
{
	return debug_step_interrupts(monitor->debug);
}

static int apply_locking(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->locking = value;
	return 0;
}

static unsigned read_locking(const struct monitor *monitor)
{
	return monitor->locking;
}

static int apply_trace_pc(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	debug_trace_set_pc(monitor->debug, value);
	return 0;
}

static unsigned read_trace_pc(const struct monitor *monitor)
{
	return debug_trace_pc(monitor->debug);
}

static int apply_track_writes(struct monitor *monitor, unsigned value, struct error *err)
{
	return debug_track_writes(monitor->debug, value, err);
}

static unsigned read_track_writes(const struct monitor *monitor)
{
	return debug_tracks_writes(monitor->debug);
}

static int apply_pager(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->no_pager = !value;
	return 0;
}

static unsigned read_pager(const struct monitor *monitor)
{
	return monitor_wants_pager(monitor);
}

static int apply_gdb_files(struct monitor *monitor, unsigned value, struct error *err)
{
	(void)err;
	monitor->gdb_files = value;
	return 0;
}

static unsigned read_gdb_files(const struct monitor *monitor)
{
	return monitor->gdb_files;
}

bool monitor_wants_pager(const struct monitor *monitor)
{
	return !monitor->no_pager;
}

static const struct setting settings[] = {
	{"disassembly-flavor", NULL, {"att", "intel"}, apply_flavor, read_flavor},
	{"step-interrupts", NULL, {"off", "on"}, apply_step_interrupts, read_step_interrupts},
	{"scheduler-locking", NULL, {"off", "on", "step"}, apply_locking, read_locking},
	{"trace-pc", NULL, {"off", "on"}, apply_trace_pc, read_trace_pc},
	{"track-writes", NULL, {"off", "on"}, apply_track_writes, read_track_writes},
	{"pager", "pagination", {"off", "on"}, apply_pager, read_pager},
	{"gdb-files", NULL, {"auto", "off", "on"}, apply_gdb_files, read_gdb_files},
};
#define SETTING_COUNT (sizeof(settings) / sizeof(*settings))

/* By its name, gdb's name for it, or what no other begins with. */
static const struct setting *find_setting(const char *name)
{
	const struct setting *found = NULL;
	size_t size = strlen(name);
	unsigned count = 0;

	for (const struct setting *s = settings; s < settings + SETTING_COUNT; s++) {
		if (!strcmp(s->name, name) || (s->also && !strcmp(s->also, name)))
			return s;
		if (size && !strncmp(s->name, name, size)) {
			found = s;
			count++;
		}
	}
	return count == 1 ? found : NULL;
}

const char *setting_name(unsigned index)
{
	return index < SETTING_COUNT ? settings[index].name : NULL;
}

const char *setting_value(const char *name, unsigned index)
{
	const struct setting *setting = find_setting(name);

	return setting && index < MAX_VALUES ? setting->values[index] : NULL;
}

/* "off, on or step" */
static void list_values(const struct setting *setting, char *buf, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < MAX_VALUES && setting->values[i] && used < size; i++) {
		const char *between = i + 1 < MAX_VALUES && setting->values[i + 1] ? ", " : " or ";

		used += snprintf(buf + used, size - used, "%s%s", i ? between : "",
				 setting->values[i]);
	}
}

static const char *present_value(const struct monitor *monitor, const struct setting *setting)
{
	return setting->values[setting->read(monitor)];
}

/* ---- show ---------------------------------------------------------------------------------- */

static void show_setting(struct call *call, const struct setting *setting)
{
	const char *value = present_value(call->monitor, setting);
	char values[32];

	list_values(setting, values, sizeof(values));
	out_printf(call->out, "  %-18s  %-5s  %s\n", setting->name, value, values);
	fact_object(call->out, NULL);
	fact_text(call->out, "setting", setting->name);
	fact_text(call->out, "value", value);
	fact_list(call->out, "values");
	for (unsigned i = 0; i < MAX_VALUES && setting->values[i]; i++)
		fact_text(call->out, NULL, setting->values[i]);
	fact_end(call->out);
	fact_end(call->out);
}

static int no_setting(struct call *call, const char *name)
{
	return error_set(call->err, -EINVAL, "there is no setting `%s`; `show` lists them", name);
}

int run_show(struct call *call)
{
	const struct setting *only = NULL;

	if (call->arg[0].given) {
		only = find_setting(call->arg[0].text);
		if (!only)
			return no_setting(call, call->arg[0].text);
	}
	fact_list(call->out, "settings");
	for (unsigned i = 0; i < SETTING_COUNT; i++)
		if (!only || only == &settings[i])
			show_setting(call, &settings[i]);
	fact_end(call->out);
	return 0;
}

/* ---- set ----------------------------------------------------------------------------------- */

static int set_setting(struct call *call, const struct setting *setting, const char *value)
{
	char values[32];

	if (setting->apply == apply_gdb_files && call->owner == OWNER_GDB)
		return error_set(call->err, -EPERM, "that is for vitrine's console to allow");
	for (unsigned i = 0; i < MAX_VALUES && setting->values[i]; i++) {
		if (strcmp(setting->values[i], value))
			continue;
		fact_text(call->out, "setting", setting->name);
		fact_text(call->out, "value", value);
		return setting->apply(call->monitor, i, call->err);
	}
	list_values(setting, values, sizeof(values));
	return error_set(call->err, -EINVAL, "%s may be %s; it is %s", setting->name, values,
			 present_value(call->monitor, setting));
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

/* gdb's `set var` and `set variable`: what follows is no setting. Moves *text behind it. */
static bool take_var(const char **text)
{
	size_t size = strcspn(*text, " \t");

	if ((size != 3 && size != 8) || strncmp(*text, "variable", size))
		return false;
	*text += size + strspn(*text + size, " \t");
	return true;
}

int run_set(struct call *call)
{
	const char *text = call->arg[0].text;
	const struct setting *setting;
	char name[64], value[64] = "";
	bool var;

	if (!call->arg[0].given)
		return run_show(call);
	var = take_var(&text);
	if ((var || *text == '$' || *text == '*') && debug_running(call->monitor->debug))
		return error_set(call->err, -EBUSY, "the guest is running; `stop` it first");
	if (*text == '$')
		return set_register(call, text + 1);
	if (var || *text == '*')
		return memory_set(call, text + (*text == '*'));
	if (sscanf(text, "%63s %63s", name, value) < 1)
		name[0] = 0;
	setting = find_setting(name);
	if (setting)
		return set_setting(call, setting, value);
	return error_set(
		call->err, -EINVAL,
		"there is no setting `%s`; a register is written with $, as in set $rax = 5, "
		"memory with *, as in set *(u32 *)counter = 5, and `show` lists the settings",
		name);
}
