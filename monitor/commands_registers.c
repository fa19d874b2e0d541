// SPDX-License-Identifier: GPL-3.0-or-later
/* info registers: all of them, by name, by group. decoded.c shows what their bits mean. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void show_number(struct call *call, const struct register_desc *reg, uint64_t value)
{
	char note[128] = "", suffix[96] = "";

	fact_hex(call->out, reg->name, value);
	register_flags_text(reg->name, value, note, sizeof(note));
	if (!strcmp(reg->gdb_type, "code_ptr") || !strcmp(reg->gdb_type, "data_ptr"))
		address_suffix(call->monitor, value, suffix, sizeof(suffix));
	out_printf(call->out, "%-14s 0x%-17" PRIx64, reg->name, value);
	if (note[0])
		out_printf(call->out, " [%s]\n", note);
	else
		out_printf(call->out, " %" PRId64 "%s\n", (int64_t)value, suffix);
}

/* Most significant byte first, an underscore between each eight. */
static void show_vector(struct call *call, const struct register_desc *reg, const uint8_t *bytes)
{
	unsigned size = reg->bits / 8;
	char hex[2 + 2 * REGISTER_MAX_BYTES + 1] = "0x";

	out_printf(call->out, "%-14s 0x", reg->name);
	for (unsigned i = size; i--;) {
		out_printf(call->out, "%02x%s", bytes[i], i && i % 8 == 0 ? "_" : "");
		snprintf(hex + 2 + 2 * (size - 1 - i), 3, "%02x", bytes[i]);
	}
	out_printf(call->out, "\n");
	fact_text(call->out, reg->name, hex);
}

/* Why it has no value, or NULL. */
static const char *missing(struct call *call, const struct register_desc *reg)
{
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, reg->state);

	return state ? register_missing(reg, state) : NULL;
}

static int show_register(struct call *call, unsigned index)
{
	const struct register_desc *reg = &registers[index];
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};
	uint64_t value;
	int ret;

	if (missing(call, reg)) {
		out_printf(call->out, "%-14s unavailable: %s\n", reg->name, missing(call, reg));
		return 0;
	}
	ret = debug_reg_get(call->monitor->debug, call->cpu, index, bytes);
	if (ret)
		return error_set(call->err, ret, "$%s cannot be read: %s", reg->name,
				 strerror(-ret));
	memcpy(&value, bytes, sizeof(value));
	if (reg->bits > 64)
		show_vector(call, reg, bytes);
	else
		show_number(call, reg, value);
	return 0;
}

/* Plain twins of flags registers are for gdb's conditions; here one row says both. */
static bool is_twin(const struct register_desc *reg)
{
	size_t size = strlen(reg->name);

	return size > 6 && !strcmp(reg->name + size - 6, "_value");
}

static bool is_there(struct call *call, const struct register_desc *reg)
{
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, reg->state);

	return !state || register_exists(reg, state);
}

static int show_group(struct call *call, enum register_group group)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < register_count; i++)
		if (registers[i].group == group && !is_twin(&registers[i]) &&
		    is_there(call, &registers[i]))
			ret = show_register(call, i);
	return ret;
}

static bool group_is_there(struct call *call, enum register_group group)
{
	for (unsigned i = 0; i < register_count; i++)
		if (registers[i].group == group && is_there(call, &registers[i]))
			return true;
	return false;
}

static int show_all(struct call *call)
{
	int ret = 0;

	for (unsigned group = 0; !ret && group < REG_GROUP_COUNT; group++) {
		if (!group_is_there(call, group))
			continue;
		out_printf(call->out, "%s%s:%s\n", color(call->out, COLOR_NAME),
			   register_group_name(group), color(call->out, COLOR_OFF));
		ret = show_group(call, group);
	}
	return ret;
}

/* A register, a part of one (eax), or a group. */
static int show_named(struct call *call, const char *name)
{
	uint64_t value;
	int reg, ret;

	name += *name == '$';
	reg = register_find(name);
	if (reg >= 0)
		return show_register(call, reg);
	for (unsigned group = 0; group < REG_GROUP_COUNT; group++)
		if (!strcmp(register_group_name(group), name))
			return group_is_there(call, group)
				       ? show_group(call, group)
				       : error_set(call->err, -ENOENT,
						   "this CPU has no %s registers", name);
	ret = monitor_register_get(call->monitor, call->cpu, name, &value, call->err);
	if (!ret)
		out_printf(call->out, "%-14s 0x%-17" PRIx64 " %" PRId64 "\n", name, value,
			   (int64_t)value);
	if (!ret)
		fact_hex(call->out, name, value);
	return ret;
}

static void show_selectors(struct call *call)
{
	static const char *const order[] = {"cs", "ss", "ds", "es", "fs", "gs"};
	uint64_t value, base[2];

	for (unsigned i = 0; i < 6; i++) {
		if (monitor_register_get(call->monitor, call->cpu, order[i], &value, NULL))
			return;
		out_printf(call->out, "  %s %" PRIx64, order[i], value);
		fact_hex(call->out, order[i], value);
	}
	if (monitor_register_get(call->monitor, call->cpu, "fs_base", &base[0], NULL) ||
	    monitor_register_get(call->monitor, call->cpu, "gs_base", &base[1], NULL))
		return;
	out_printf(call->out, "  fs_base %" PRIx64 "  gs_base %" PRIx64 "\n", base[0], base[1]);
	fact_hex(call->out, "fs_base", base[0]);
	fact_hex(call->out, "gs_base", base[1]);
}

/* What registers_show() has shown. */
static void tell_general(struct call *call)
{
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu,
						    CPU_GENERAL | CPU_SYSTEM);

	for (unsigned i = 0; state && i < register_count; i++) {
		uint64_t value = 0;

		if (registers[i].state != CPU_GENERAL || is_twin(&registers[i]))
			continue;
		registers[i].get(&registers[i], state, &value);
		fact_hex(call->out, registers[i].name, value);
	}
}

static int show_overview(struct call *call)
{
	registers_show(call->monitor, call->cpu, false, call->out);
	tell_general(call);
	show_selectors(call);
	return show_group(call, REG_CONTROL);
}

int run_info_registers(struct call *call)
{
	int ret;

	fact_count(call->out, "vcpu", (uint64_t)call->cpu);
	fact_object(call->out, "registers");
	if (call->arg[0].given)
		ret = show_all(call);
	else if (call->arg[1].given)
		ret = show_named(call, call->arg[1].text);
	else
		ret = show_overview(call);
	fact_end(call->out);
	return ret;
}
