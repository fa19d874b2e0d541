// SPDX-License-Identifier: GPL-3.0-or-later
/* Registers bit by bit, and what segment registers keep of their descriptors. */
#include "monitor/commands.h"
#include "x86/descriptor_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int read_register(struct call *call, const char *name, uint64_t *value)
{
	return monitor_register_get(call->monitor, call->cpu, name, value, call->err);
}

/* ---- bits ----------------------------------------------------------------------------------- */

static uint64_t field_of(const struct register_flag *flag, uint64_t value)
{
	return value >> flag->bit_lo & ~0ull >> (63 - (flag->bit_hi - flag->bit_lo));
}

static void show_flag(struct monitor_out *out, const struct register_flag *flag, uint64_t value)
{
	uint64_t field = field_of(flag, value);
	char bits[12];

	snprintf(bits, sizeof(bits), flag->bit_lo == flag->bit_hi ? "%u" : "%u-%u", flag->bit_hi,
		 flag->bit_lo);
	out_printf(out, "%s  %5s  %-10s %s%" PRIx64 "  %s%s\n", field ? "" : color(out, COLOR_DIM),
		   bits, flag->name, field > 9 ? "0x" : "", field, flag->meaning,
		   field ? "" : color(out, COLOR_OFF));
	fact_hex(out, flag->name, field);
}

/* What DR7 says of breakpoint n goes together. */
static bool is_slots(const struct register_flag *flag)
{
	size_t size = strlen(flag->name);

	return !strncmp(flag->meaning, "breakpoint ", 11) && size && flag->name[0] != 'B';
}

static void show_flags(struct call *call, const char *name, uint64_t value)
{
	int index = register_find(name);
	const struct register_flags_type *type = index < 0 ? NULL
							   : register_flags_type_find(
								     registers[index].gdb_type);

	fact_object(call->out, "bits");
	for (unsigned i = 0; type && i < type->field_count; i++)
		if (type->fields[i].meaning && !is_slots(&type->fields[i]))
			show_flag(call->out, &type->fields[i], value);
	fact_end(call->out);
}

/* SDM vol. 3B, 18.2.4. */
static void show_slot(struct call *call, unsigned slot, uint64_t dr7)
{
	static const char *const kinds[] = {"execution", "write", "port", "access"};
	static const unsigned lengths[] = {1, 2, 8, 4};
	unsigned kind = dr7 >> (16 + 4 * slot) & 3, length = lengths[dr7 >> (18 + 4 * slot) & 3];
	unsigned on = dr7 >> 2 * slot & 3;
	char name[8], where[160];
	uint64_t address = 0;

	snprintf(name, sizeof(name), "dr%u", slot);
	read_register(call, name, &address);
	out_printf(call->out, "  breakpoint %u  %s", slot, on ? kinds[kind] : "off");
	if (on && kind)
		out_printf(call->out, ", %u byte%s", length, length == 1 ? "" : "s");
	if (on)
		out_printf(call->out, " at 0x%" PRIx64 "%s%s", address,
			   address_suffix(call->monitor, address, where, sizeof(where)),
			   on & 2 ? "" : ", for this task");
	out_printf(call->out, "\n");
	fact_object(call->out, NULL);
	fact_flag(call->out, "on", on);
	fact_text(call->out, "kind", kinds[kind]);
	fact_count(call->out, "size", length);
	fact_hex(call->out, "address", address);
	fact_end(call->out);
}

static void show_slots(struct call *call, uint64_t dr7)
{
	fact_list(call->out, "breakpoints");
	for (unsigned slot = 0; slot < 4; slot++)
		show_slot(call, slot, dr7);
	fact_end(call->out);
}

/* The command is "info NAME". */
int run_info_bits(struct call *call)
{
	const char *name = strchr(call->command->name, ' ') + 1;
	uint64_t value;
	int ret = read_register(call, name, &value);

	if (ret)
		return ret;
	out_printf(call->out, "%s = 0x%" PRIx64 "\n", name, value);
	fact_hex(call->out, "value", value);
	if (!strcmp(name, "dr7"))
		show_slots(call, value);
	show_flags(call, name, value);
	return 0;
}

/* ---- segments ------------------------------------------------------------------------------- */

static void segment_text(const struct cpu_segment *segment, bool long_mode, struct string *line)
{
	struct descriptor d;
	char text[80];

	if (segment->unusable) {
		string_printf(line, segment->base ? "unusable, base 0x%" PRIx64 : "unusable",
			      segment->base);
		return;
	}
	descriptor_of_segment(segment, long_mode, &d);
	string_printf(line, "%s, dpl %u%s", descriptor_text(&d, text, sizeof(text)), d.dpl,
		      d.present ? "" : ", NOT PRESENT");
	if (!segment->base && segment->limit == UINT32_MAX)
		string_printf(line, ", flat");
	else
		string_printf(line, ", base 0x%" PRIx64 " limit 0x%x", segment->base,
			      segment->limit);
}

static void show_segment(struct monitor_out *out, const char *name,
			 const struct cpu_segment *segment, bool long_mode)
{
	struct string line = {0};

	string_printf(&line, "  %-4s 0x%04x  ", name, segment->selector);
	segment_text(segment, long_mode, &line);
	out_wrapped(out, string_text(&line), 0, 15);
	fact_object(out, NULL);
	fact_text(out, "name", name);
	fact_hex(out, "selector", segment->selector);
	fact_hex(out, "base", segment->base);
	fact_hex(out, "limit", segment->limit);
	fact_flag(out, "usable", !segment->unusable);
	fact_text(out, "text", string_text(&line) + 15);
	fact_end(out);
	string_free(&line);
}

static void show_table(struct call *call, const char *name, const struct cpu_table *table)
{
	char suffix[96];

	out_printf(call->out, "  %-4s         base 0x%" PRIx64 "%s limit 0x%x\n", name, table->base,
		   address_suffix(call->monitor, table->base, suffix, sizeof(suffix)),
		   table->limit);
	fact_object(call->out, name);
	fact_hex(call->out, "base", table->base);
	fact_hex(call->out, "limit", table->limit);
	fact_end(call->out);
}

int run_info_segments(struct call *call)
{
	static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds",
						     "fs", "gs", "tr", "ldtr"};
	static const unsigned char order[] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES,
					      SEG_FS, SEG_GS, SEG_TR, SEG_LDTR};
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu, CPU_SYSTEM);

	if (!state)
		return error_set(call->err, -EIO, "the segments of vCPU %d cannot be read",
				 call->cpu);
	fact_list(call->out, "segments");
	for (unsigned i = 0; i < sizeof(order); i++)
		show_segment(call->out, names[order[i]], &state->system.seg[order[i]],
			     state->system.efer & EFER_LMA);
	fact_end(call->out);
	show_table(call, "gdt", &state->system.gdt);
	show_table(call, "idt", &state->system.idt);
	return 0;
}
