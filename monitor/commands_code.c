// SPDX-License-Identifier: GPL-3.0-or-later
/* Instructions, source lines, names. */
#include "monitor/code_lines.h"
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

void monitor_disassembler(struct monitor *monitor, int cpu, struct disassembler *dis)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);

	*dis = (struct disassembler){
		.syntax = monitor->syntax, .bits = 64, .symbols = monitor->symbols};
	if (!state)
		return;
	dis->bits = cpu_mode_bits(cpu_mode(state));
	dis->base = cpu_linear(state, SEG_CS, 0);
}

int code_show(struct monitor *monitor, int cpu, uint64_t *address, unsigned count,
	      struct monitor_out *out, struct error *err)
{
	struct code_lines lines = {.monitor = monitor, .cpu = cpu};
	int length = 1;

	fact_list(out, "instructions");
	for (; count && length > 0; count--) {
		length = code_lines_read(&lines, *address, err);
		*address += length > 0 ? (uint64_t)length : 0;
		if (length < 0 || lines.count == CODE_LINES || count == 1)
			code_lines_show(&lines, out);
	}
	fact_end(out);
	return length < 0 ? length : 0;
}

#define DISASSEMBLE_DEFAULT 10
#define DISASSEMBLE_MAX	    10000

static uint64_t disassemble_start(struct call *call, const struct view *view)
{
	if (call->arg[0].given)
		return call->arg[0].value;
	return call->repeated && view->code_known ? view->code
						  : debug_pc(call->monitor->debug, call->cpu);
}

int run_disassemble(struct call *call)
{
	struct view *view = &call->monitor->view[call->owner];
	uint64_t count = call->arg[1].given ? call->arg[1].value : DISASSEMBLE_DEFAULT;

	if (!count || count > DISASSEMBLE_MAX)
		return error_set(call->err, -EINVAL, "the number of instructions is from 1 to %d",
				 DISASSEMBLE_MAX);
	view->code = disassemble_start(call, view);
	view->code_known = true;
	return code_show(call->monitor, call->cpu, &view->code, count, call->out, call->err);
}

/* ---- source -------------------------------------------------------------------------------- */

#define LIST_LINES 10

static int list_start(struct call *call, struct view *view, int *current)
{
	uint64_t address = call->arg[0].given ? call->arg[0].value
					      : debug_pc(call->monitor->debug, call->cpu);
	const char *file;
	int line;

	*current = 0;
	if (call->repeated && view->file)
		return 0;
	if (symbols_line(call->monitor->symbols, address, &file, &line))
		return error_set(call->err, -ENOENT, "no source line is known for 0x%" PRIx64,
				 address);
	*current = line;
	view->file = file;
	view->line = line > LIST_LINES / 2 ? line - LIST_LINES / 2 : 1;
	return 0;
}

int run_list(struct call *call)
{
	struct view *view = &call->monitor->view[call->owner];
	int current, shown, ret = list_start(call, view, &current);

	if (ret)
		return ret;
	fact_text(call->out, "file", view->file);
	shown = source_show(view->file, view->line, view->line + LIST_LINES - 1, current, call->out,
			    call->err);
	if (shown < 0)
		return shown;
	if (!shown)
		return error_set(call->err, -ENOENT, "%s has fewer than %d lines",
				 file_part(view->file), view->line);
	view->line += shown;
	return 0;
}

int run_context(struct call *call)
{
	context_show(call->monitor, call->cpu, true, call->out);
	return 0;
}

/* ---- names --------------------------------------------------------------------------------- */

int run_info_symbol(struct call *call)
{
	uint64_t address = call->arg[0].value, offset, start = 0, size = 0;
	const char *name = symbols_name(call->monitor->symbols, address, &offset);
	char where[160];

	if (!name)
		return error_set(call->err, -ENOENT, "no symbol covers 0x%" PRIx64, address);
	address_text(call->monitor, address, where, sizeof(where));
	fact_text(call->out, "name", name);
	fact_hex(call->out, "start", address - offset);
	fact_hex(call->out, "offset", offset);
	if (!symbols_find(call->monitor->symbols, name, &start, &size) &&
	    start == address - offset && size)
		fact_count(call->out, "size", size);
	if (size && start == address - offset)
		out_printf(call->out, "%s (%.60s: 0x%" PRIx64 ", %" PRIu64 " bytes)\n", where, name,
			   start, size);
	else
		out_printf(call->out, "%s\n", where);
	return 0;
}

int run_info_line(struct call *call)
{
	uint64_t address = call->arg[0].given ? call->arg[0].value
					      : debug_pc(call->monitor->debug, call->cpu);
	struct string text = {0};
	const char *file;
	char name[96];
	int line;

	if (symbols_line(call->monitor->symbols, address, &file, &line))
		return error_set(call->err, -ENOENT, "no source line is known for 0x%" PRIx64,
				 address);
	address_name(call->monitor, address, name, sizeof(name));
	string_printf(&text, "line %d of %s: 0x%" PRIx64 " %s", line, file, address, name);
	out_sentence(call->out, string_text(&text));
	out_printf(call->out, "\n");
	string_free(&text);
	fact_text(call->out, "file", file);
	fact_count(call->out, "line", (uint64_t)line);
	fact_hex(call->out, "address", address);
	fact_text(call->out, "name", name);
	return 0;
}
