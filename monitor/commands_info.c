// SPDX-License-Identifier: GPL-3.0-or-later
/* Registers, vCPUs, and what the host can do. */
#include "monitor/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- registers ----------------------------------------------------------------------------- */

static void show_number(struct call *call, const struct register_desc *reg, uint64_t value)
{
	char note[128] = "", suffix[96] = "";

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

	out_printf(call->out, "%-14s 0x", reg->name);
	for (unsigned i = size; i--;)
		out_printf(call->out, "%02x%s", bytes[i], i && i % 8 == 0 ? "_" : "");
	out_printf(call->out, "\n");
}

static int show_register(struct call *call, unsigned index)
{
	const struct register_desc *reg = &registers[index];
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};
	uint64_t value;
	int ret;

	if (reg->bits > sizeof(bytes) * 8)
		return 0;
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

static int show_group(struct call *call, enum register_group group)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < register_count; i++)
		if (registers[i].group == group && !is_twin(&registers[i]))
			ret = show_register(call, i);
	return ret;
}

static int show_all(struct call *call)
{
	int ret = 0;

	for (unsigned group = 0; !ret && group < REG_GROUP_COUNT; group++) {
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
			return show_group(call, group);
	ret = monitor_register_get(call->monitor, call->cpu, name, &value, call->err);
	if (!ret)
		out_printf(call->out, "%-14s 0x%-17" PRIx64 " %" PRId64 "\n", name, value,
			   (int64_t)value);
	return ret;
}

static void show_selectors(struct call *call)
{
	static const enum cpu_segment_name order[] = {SEG_CS, SEG_SS, SEG_DS,
						      SEG_ES, SEG_FS, SEG_GS};
	static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, CPU_SYSTEM);

	if (!state)
		return;
	for (unsigned i = 0; i < 6; i++)
		out_printf(call->out, "  %s %x", names[order[i]],
			   state->system.seg[order[i]].selector);
	out_printf(call->out, "  fs_base %" PRIx64 "  gs_base %" PRIx64 "\n",
		   state->system.seg[SEG_FS].base, state->system.seg[SEG_GS].base);
}

int run_info_registers(struct call *call)
{
	if (call->arg[0].given)
		return show_all(call);
	if (call->arg[1].given)
		return show_named(call, call->arg[1].text);
	registers_show(call->monitor, call->cpu, false, call->out);
	show_selectors(call);
	return show_group(call, REG_CONTROL);
}

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
	struct monitor_out *out = ctx;

	out->write(out->ctx, text, size);
}

int run_doctor(struct call *call)
{
	debug_doctor(call->monitor->debug, call->arg[0].given, put_report, call->out);
	return 0;
}
