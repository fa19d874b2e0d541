// SPDX-License-Identifier: GPL-3.0-or-later
/* Descriptor tables, entry by entry, with handlers by name. */
#include "monitor/tables.h"
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TABLE_BYTES 65536

int table_state(struct call *call, struct table *table)
{
	table->state = debug_state(call->monitor->debug, call->cpu, CPU_GENERAL | CPU_SYSTEM);
	if (!table->state)
		return error_set(call->err, -EIO, "the registers of vCPU %d cannot be read",
				 call->cpu);
	table->long_mode = table->state->system.efer & EFER_LMA;
	return 0;
}

size_t table_read(struct table *table, uint32_t offset)
{
	size_t room = (size_t)table->limit + 1 - offset, size = sizeof(table->bytes);
	ssize_t done;

	memset(table->bytes, 0, sizeof(table->bytes));
	if (offset > table->limit)
		return 0;
	done = debug_read(table->call->monitor->debug, table->call->cpu,
			  table->physical ? SPACE_PHYSICAL : SPACE_LINEAR, table->base + offset,
			  table->bytes, room < size ? room : size);
	return done < 0 ? 0 : (size_t)done;
}

void table_head(struct table *table)
{
	struct monitor_out *out = table->call->out;
	char suffix[96] = "";

	if (!table->physical)
		address_suffix(table->call->monitor, table->base, suffix, sizeof(suffix));
	out_printf(out, "%s at %s0x%" PRIx64 "%s, limit 0x%x\n", table->name,
		   table->physical ? "physical " : "", table->base, suffix, table->limit);
	fact_hex(out, "base", table->base);
	fact_hex(out, "limit", table->limit);
}

/* ---- one entry ----------------------------------------------------------------------------------- */

static bool is_gate(const struct descriptor *d)
{
	return d->kind >= DESCRIPTOR_CALL_GATE && d->kind <= DESCRIPTOR_TRAP_GATE;
}

static void gate_text(struct table *table, const struct table_entry *entry)
{
	const struct descriptor *d = &entry->descriptor;
	struct monitor_out *out = table->call->out;
	uint64_t handler = entry->target;
	char suffix[96], symbol[96];

	if (d->kind == DESCRIPTOR_TASK_GATE) {
		string_printf(&table->line, " to the TSS 0x%x", d->selector);
		fact_hex(out, "selector", d->selector);
		return;
	}
	string_printf(&table->line, " 0x%x:0x%" PRIx64 "%s", d->selector, d->offset,
		      address_suffix(table->call->monitor, handler, suffix, sizeof(suffix)));
	fact_hex(out, "selector", d->selector);
	fact_hex(out, "offset", d->offset);
	fact_hex(out, "handler", handler);
	if (suffix[0])
		fact_text(out, "symbol",
			  address_name(table->call->monitor, handler, symbol, sizeof(symbol)));
	if (!d->stack)
		return;
	string_printf(&table->line, table->long_mode ? ", stack ist%u" : ", copies %u words",
		      d->stack);
	fact_count(out, table->long_mode ? "ist" : "words", d->stack);
}

/* 64-bit code has neither base nor limit. */
static void segment_text(struct table *table, const struct descriptor *d)
{
	struct monitor_out *out = table->call->out;

	if (!d->base && d->limit == UINT32_MAX)
		string_printf(&table->line, " flat");
	else if (d->bits != 64 || d->kind != DESCRIPTOR_CODE)
		string_printf(&table->line, " base 0x%" PRIx64 " limit 0x%x", d->base, d->limit);
	fact_hex(out, "base", d->base);
	fact_hex(out, "limit", d->limit);
}

void table_descriptor(struct table *table, const struct table_entry *entry)
{
	const struct descriptor *d = &entry->descriptor;
	struct monitor_out *out = table->call->out;
	char text[80];

	string_printf(&table->line, "%s", descriptor_text(d, text, sizeof(text)));
	fact_text(out, "kind", text);
	if (!d->kind)
		return;
	string_printf(&table->line, ", dpl %u%s", d->dpl, d->present ? "," : ", NOT PRESENT,");
	fact_count(out, "dpl", d->dpl);
	fact_flag(out, "present", d->present);
	if (is_gate(d))
		gate_text(table, entry);
	else
		segment_text(table, d);
}

void table_line(struct table *table, size_t indent)
{
	out_wrapped(table->call->out, string_text(&table->line), 0, indent);
	string_free(&table->line);
}

/* ---- GDT and LDT --------------------------------------------------------------------------------- */

/* "← cs": registers that hold this selector. */
static void users_text(struct table *table, uint16_t selector)
{
	static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds",
						     "fs", "gs", "tr", "ldtr"};
	const char *arrow = "   ←";

	fact_list(table->call->out, "held_by");
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		const struct cpu_segment *segment = &table->state->system.seg[i];

		if ((segment->selector & ~3u) != selector || segment->unusable)
			continue;
		string_printf(&table->line, "%s %s", arrow, names[i]);
		fact_text(table->call->out, NULL, names[i]);
		arrow = "";
	}
	fact_end(table->call->out);
}

/* Returns the bytes that the entry takes. */
static unsigned show_selector(struct table *table, uint32_t offset, bool local)
{
	uint16_t selector = (uint16_t)(offset | (local ? 4 : 0));
	struct table_entry entry;
	const struct descriptor *d = &entry.descriptor;
	int bytes = debug_table_entry(table->call->monitor->debug, table->call->cpu,
				      local ? TABLE_LDT : TABLE_GDT, offset, &entry);

	if (bytes <= 0) {
		out_printf(table->call->out, "  from 0x%x on nothing is mapped\n", offset);
		return TABLE_BYTES;
	}
	if (d->kind == DESCRIPTOR_EMPTY)
		return d->bytes;
	fact_object(table->call->out, NULL);
	fact_hex(table->call->out, "selector", selector);
	string_printf(&table->line, "  0x%02x  ", selector);
	table_descriptor(table, &entry);
	users_text(table, selector);
	table_line(table, 8);
	fact_end(table->call->out);
	return d->bytes;
}

static int show_selectors(struct call *call, bool local, struct table *table)
{
	bool real = cpu_mode(table->state) == MODE_REAL;

	if (table->limit >= TABLE_BYTES)
		table->limit = TABLE_BYTES - 1;
	table_head(table);
	if (real)
		out_printf(call->out, "real mode does not use it\n");
	if (real && !table->base && table->limit == TABLE_BYTES - 1)
		return 0; /* as at power-on: nobody has made one yet */
	fact_list(call->out, "entries");
	for (uint32_t offset = 0; offset + 7 <= table->limit;)
		offset += show_selector(table, offset, local);
	fact_end(call->out);
	return 0;
}

int run_info_gdt(struct call *call)
{
	struct table table = {.call = call, .name = "gdt"};
	int ret = table_state(call, &table);

	if (ret)
		return ret;
	table.base = table.state->system.gdt.base;
	table.limit = table.state->system.gdt.limit;
	return show_selectors(call, false, &table);
}

int run_info_ldt(struct call *call)
{
	struct table table = {.call = call, .name = "ldt"};
	const struct cpu_segment *ldt;
	int ret = table_state(call, &table);

	if (ret)
		return ret;
	ldt = &table.state->system.seg[SEG_LDTR];
	if (ldt->unusable || !(ldt->selector & ~3u))
		return error_set(call->err, -ENOENT, "there is no LDT: LDTR holds 0x%x",
				 ldt->selector);
	table.base = ldt->base;
	table.limit = ldt->limit;
	return show_selectors(call, true, &table);
}
