// SPDX-License-Identifier: GPL-3.0-or-later
/* Instructions, source lines, names. */
#include "monitor/command.h"

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

#define CODE_LINES 16

struct code_line {
	uint64_t address;
	char name[96];
	char where[128]; /* "0x200a34 <add_one+0x14>" */
	char text[160];
};

static int read_code_line(struct monitor *monitor, int cpu, uint64_t address,
			  struct code_line *line, struct error *err)
{
	struct disassembler dis;
	uint8_t bytes[INSN_MAX_BYTES];
	struct insn insn;
	char suffix[96];
	ssize_t done = monitor_read(monitor, cpu, false, address, bytes, sizeof(bytes), err);

	if (done < 0)
		return done;
	monitor_disassembler(monitor, cpu, &dis);
	disassemble(&dis, address, bytes, done, &insn);
	address_suffix(monitor, address, suffix, sizeof(suffix));
	line->address = address;
	snprintf(line->where, sizeof(line->where), "0x%" PRIx64 "%s", address, suffix);
	address_name(monitor, address, line->name, sizeof(line->name));
	snprintf(line->text, sizeof(line->text), "%s", insn.text);
	return insn.length;
}

static void tell_code(const struct code_line *line, bool current, struct monitor_out *out)
{
	fact_object(out, NULL);
	fact_hex(out, "address", line->address);
	fact_text(out, "name", line->name);
	fact_text(out, "text", line->text);
	fact_flag(out, "current", current);
	fact_end(out);
}

static void print_code(const struct code_line *lines, unsigned count, uint64_t pc,
		       struct monitor_out *out)
{
	size_t widest = 0;

	for (unsigned i = 0; i < count; i++)
		if (text_width(lines[i].where) > widest)
			widest = text_width(lines[i].where);
	for (unsigned i = 0; i < count; i++) {
		const struct code_line *line = &lines[i];
		bool current = line->address == pc;

		out_printf(out, "%s %s %s%*s  %s%s\n", current ? color(out, COLOR_CURRENT) : "",
			   current ? "→" : " ", line->where,
			   (int)(widest - text_width(line->where)), "", line->text,
			   current ? color(out, COLOR_OFF) : "");
		tell_code(line, current, out);
	}
}

int code_show(struct monitor *monitor, int cpu, uint64_t *address, unsigned count,
	      struct monitor_out *out, struct error *err)
{
	uint64_t pc = debug_pc(monitor->debug, cpu);
	struct code_line lines[CODE_LINES];
	unsigned used = 0;
	int length = 1;

	fact_list(out, "instructions");
	for (; count && length > 0; count--) {
		length = read_code_line(monitor, cpu, *address, &lines[used], err);
		if (length > 0) {
			*address += length;
			used++;
		}
		if (length < 0 || used == CODE_LINES || count == 1) {
			print_code(lines, used, pc, out);
			used = 0;
		}
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
	const char *file;
	char name[96];
	int line;

	if (symbols_line(call->monitor->symbols, address, &file, &line))
		return error_set(call->err, -ENOENT, "no source line is known for 0x%" PRIx64,
				 address);
	out_printf(call->out, "line %d of %s: 0x%" PRIx64 " %s\n", line, file, address,
		   address_name(call->monitor, address, name, sizeof(name)));
	fact_text(call->out, "file", file);
	fact_count(call->out, "line", (uint64_t)line);
	fact_hex(call->out, "address", address);
	fact_text(call->out, "name", name);
	return 0;
}
