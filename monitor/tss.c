// SPDX-License-Identifier: GPL-3.0-or-later
/* The task state segment, field by field. */
#include "monitor/commands.h"
#include "monitor/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void show_field(struct table *table, const struct tss_field *field)
{
	struct monitor_out *out = table->call->out;
	uint64_t value = 0;
	char suffix[96];

	if (field->offset + field->bytes - 1 > table->limit ||
	    table_read(table, field->offset) < field->bytes) {
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

	if (bits == 16 || table->limit < 103 || table_read(table, 102) < 2)
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
	int ret = table_state(call, &table);

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
	table_head(&table);
	for (unsigned i = 0; i < count; i++)
		show_field(&table, &fields[i]);
	show_port_map(&table, bits);
	return 0;
}
