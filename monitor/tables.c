// SPDX-License-Identifier: GPL-3.0-or-later
/* Descriptor tables and the task state segment, entry by entry, with handlers by name. */
#include "monitor/command.h"
#include "x86/descriptor_tables.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TABLE_BYTES 65536

/* A table of this vCPU: GDT, LDT or IDT. */
struct table {
	struct call *call;
	const char *name;
	const struct cpu_state *state;
	bool long_mode;
	bool physical;
	uint64_t base;
	uint32_t limit;
	uint8_t bytes[16];  /* of the entry that is looked at; what is not there is 0 */
	struct string line; /* about it */
};

static int get_state(struct call *call, struct table *table)
{
	table->state = debug_state(call->monitor->debug, call->cpu, CPU_GENERAL | CPU_SYSTEM);
	if (!table->state)
		return error_set(call->err, -EIO, "the registers of vCPU %d cannot be read",
				 call->cpu);
	table->long_mode = table->state->system.efer & EFER_LMA;
	return 0;
}

/* How many bytes of the entry at this offset are there. */
static size_t read_entry(struct table *table, uint32_t offset)
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

static void show_head(struct table *table)
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

/* ---- one entry ------------------------------------------------------------------------------ */

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

/* What follows its number. */
static void descriptor_line(struct table *table, const struct table_entry *entry)
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

/* Writes the line, whose first indent columns are the entry's number. */
static void show_line(struct table *table, size_t indent)
{
	out_wrapped(table->call->out, string_text(&table->line), 0, indent);
	string_free(&table->line);
}

/* ---- GDT and LDT ---------------------------------------------------------------------------- */

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
	descriptor_line(table, &entry);
	users_text(table, selector);
	show_line(table, 8);
	fact_end(table->call->out);
	return d->bytes;
}

static int show_selectors(struct call *call, bool local, struct table *table)
{
	bool real = cpu_mode(table->state) == MODE_REAL;

	if (table->limit >= TABLE_BYTES)
		table->limit = TABLE_BYTES - 1;
	show_head(table);
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
	int ret = get_state(call, &table);

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
	int ret = get_state(call, &table);

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

/* ---- IDT ------------------------------------------------------------------------------------ */

/* Gates that are not worth a line each: empty, or not there. */
struct quiet {
	unsigned first, count;
	const char *what;
};

static void show_quiet(struct call *call, struct quiet *quiet)
{
	if (quiet->count == 1)
		out_printf(call->out, "  %3u      %s\n", quiet->first, quiet->what);
	else if (quiet->count)
		out_printf(call->out, "  %3u-%-3u  %s\n", quiet->first,
			   quiet->first + quiet->count - 1, quiet->what);
	quiet->count = 0;
}

static void keep_quiet(struct call *call, struct quiet *quiet, unsigned vector, const char *what)
{
	if (quiet->count && quiet->what != what)
		show_quiet(call, quiet);
	if (!quiet->count++)
		quiet->first = vector;
	quiet->what = what;
}

static void show_gate(struct table *table, unsigned vector, const struct table_entry *entry)
{
	struct monitor_out *out = table->call->out;
	const char *name = vector < 32 ? exception_mnemonic(vector) : "";

	fact_object(out, NULL);
	fact_count(out, "vector", vector);
	if (strchr(name, ' '))
		name = "";
	fact_text(out, "exception", name);
	string_printf(&table->line, "  %3u %-4s ", vector, name);
	descriptor_line(table, entry);
	show_line(table, 11);
	fact_end(out);
}

static void show_vector(struct table *table, unsigned vector, struct quiet *quiet)
{
	struct table_entry entry;
	int bytes = debug_table_entry(table->call->monitor->debug, table->call->cpu, TABLE_IDT,
				      vector * (table->long_mode ? 16 : 8), &entry);

	if (bytes == 0) {
		keep_quiet(table->call, quiet, vector, "beyond the limit");
		return;
	}
	if (bytes < 0) {
		keep_quiet(table->call, quiet, vector, "not mapped");
		return;
	}
	if (entry.descriptor.kind == DESCRIPTOR_EMPTY) {
		keep_quiet(table->call, quiet, vector, "empty");
		return;
	}
	show_quiet(table->call, quiet);
	show_gate(table, vector, &entry);
}

static int check_vector(struct call *call)
{
	if (call->arg[0].given && call->arg[0].value > 255)
		return error_set(call->err, -EINVAL, "vectors are 0 to 255");
	return 0;
}

int run_info_idt(struct call *call)
{
	struct table table = {.call = call, .name = "idt"};
	unsigned first = call->arg[0].value, last = call->arg[0].given ? first : 255;
	struct quiet quiet = {0};
	int ret = check_vector(call);

	if (!ret)
		ret = get_state(call, &table);
	if (!ret && cpu_mode(table.state) == MODE_REAL)
		ret = error_set(call->err, -EINVAL,
				"real mode has vectors instead of gates: info ivt shows them");
	if (ret)
		return ret;
	table.base = table.state->system.idt.base;
	table.limit = table.state->system.idt.limit;
	show_head(&table);
	fact_list(call->out, "entries");
	for (unsigned vector = first; vector <= last; vector++)
		show_vector(&table, vector, &quiet);
	show_quiet(call, &quiet);
	fact_end(call->out);
	return 0;
}

/* ---- real mode's vectors -------------------------------------------------------------------- */

static void show_far(struct table *table, unsigned first, unsigned last, uint32_t entry)
{
	struct monitor_out *out = table->call->out;
	unsigned segment = entry >> 16, offset = entry & 0xffff;
	char suffix[96], span[12] = "";

	if (last != first)
		snprintf(span, sizeof(span), "-%u", last);
	out_printf(out, "  %3u%-4s  %04x:%04x%s\n", first, span, segment, offset,
		   address_suffix(table->call->monitor, segment * 16ull + offset, suffix,
				  sizeof(suffix)));
	fact_object(out, NULL);
	fact_count(out, "vector", first);
	fact_count(out, "last", last);
	fact_hex(out, "segment", segment);
	fact_hex(out, "offset", offset);
	fact_hex(out, "handler", segment * 16ull + offset);
	fact_end(out);
}

static bool read_far(struct table *table, unsigned vector, uint32_t *entry)
{
	size_t size = vector * 4 + 3 <= table->limit ? read_entry(table, vector * 4) : 0;

	memcpy(entry, table->bytes, sizeof(*entry));
	return size >= sizeof(*entry);
}

/* Neighbours that are alike share a line. */
static void show_vectors(struct table *table, unsigned first, unsigned last)
{
	while (first <= last) {
		uint32_t entry, next;
		unsigned end = first;

		if (!read_far(table, first, &entry)) {
			out_printf(table->call->out, "  %3u      nothing is there\n", first);
			return;
		}
		while (end < last && read_far(table, end + 1, &next) && next == entry)
			end++;
		show_far(table, first, end, entry);
		first = end + 1;
	}
}

/* Outside real mode what a return to it would find. */
int run_info_ivt(struct call *call)
{
	struct table table = {.call = call, .name = "ivt", .limit = 0x3ff};
	unsigned first = call->arg[0].value, last = call->arg[0].given ? first : 255;
	int ret = check_vector(call);

	if (!ret)
		ret = get_state(call, &table);
	if (ret)
		return ret;
	table.physical = cpu_mode(table.state) != MODE_REAL;
	if (!table.physical) {
		table.base = table.state->system.idt.base;
		table.limit = table.state->system.idt.limit;
	}
	show_head(&table);
	fact_list(call->out, "entries");
	show_vectors(&table, first, last);
	fact_end(call->out);
	return 0;
}

/* ---- the task state segment ----------------------------------------------------------------- */

static void show_field(struct table *table, const struct tss_field *field)
{
	struct monitor_out *out = table->call->out;
	uint64_t value = 0;
	char suffix[96];

	if (field->offset + field->bytes - 1 > table->limit ||
	    read_entry(table, field->offset) < field->bytes) {
		out_printf(out, "  %-7s is not there\n", field->name);
		return;
	}
	memcpy(&value, table->bytes, field->bytes);
	fact_hex(out, field->name, value);
	out_printf(out, "  %-7s 0x%" PRIx64 "%s\n", field->name, value,
		   field->bytes > 2 && value
			   ? address_suffix(table->call->monitor, value, suffix, sizeof(suffix))
			   : "");
}

/* SDM vol. 1, 19.5.2: a bit per port, from the offset in the TSS up to its limit. */
static void show_port_map(struct table *table, unsigned bits)
{
	uint16_t offset;

	if (bits == 16 || table->limit < 103 || read_entry(table, 102) < 2)
		return;
	memcpy(&offset, table->bytes, sizeof(offset));
	if (offset > table->limit)
		out_printf(table->call->out,
			   "  no map of ports: ring 3 reaches them by IOPL alone\n");
}

int run_info_tss(struct call *call)
{
	struct table table = {.call = call, .name = "tss"};
	const struct tss_field *fields;
	const struct cpu_segment *tr;
	unsigned count, bits;
	int ret = get_state(call, &table);

	if (ret)
		return ret;
	tr = &table.state->system.seg[SEG_TR];
	if (tr->unusable || !(tr->selector & ~3u))
		return error_set(call->err, -ENOENT, "there is no TSS: TR holds 0x%x",
				 tr->selector);
	table.base = tr->base;
	table.limit = tr->limit;
	bits = tss_bits(&table.state->system);
	fields = tss_fields(bits, &count);
	out_printf(call->out, "TR 0x%x, %u bits, %s: ", tr->selector, bits,
		   tr->type & 2 ? "busy" : "available");
	fact_hex(call->out, "selector", tr->selector);
	show_head(&table);
	for (unsigned i = 0; i < count; i++)
		show_field(&table, &fields[i]);
	show_port_map(&table, bits);
	return 0;
}
