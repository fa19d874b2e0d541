// SPDX-License-Identifier: GPL-3.0-or-later
/* Where interrupts lead: the IDT, and real mode's vectors. */
#include "monitor/commands.h"
#include "monitor/tables.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- IDT ----------------------------------------------------------------------------------------- */

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
	table_descriptor(table, entry);
	table_line(table, 11);
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
		ret = table_state(call, &table);
	if (!ret && cpu_mode(table.state) == MODE_REAL)
		ret = error_set(call->err, -EINVAL,
				"real mode has vectors instead of gates: info ivt shows them");
	if (ret)
		return ret;
	table.base = table.state->system.idt.base;
	table.limit = table.state->system.idt.limit;
	table_head(&table);
	fact_list(call->out, "entries");
	for (unsigned vector = first; vector <= last; vector++)
		show_vector(&table, vector, &quiet);
	show_quiet(call, &quiet);
	fact_end(call->out);
	return 0;
}

/* ---- real mode's vectors ------------------------------------------------------------------------- */

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
	size_t size = vector * 4 + 3 <= table->limit ? table_read(table, vector * 4) : 0;

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
		ret = table_state(call, &table);
	if (ret)
		return ret;
	table.physical = cpu_mode(table.state) != MODE_REAL;
	if (!table.physical) {
		table.base = table.state->system.idt.base;
		table.limit = table.state->system.idt.limit;
	}
	table_head(&table);
	fact_list(call->out, "entries");
	show_vectors(&table, first, last);
	fact_end(call->out);
	return 0;
}
