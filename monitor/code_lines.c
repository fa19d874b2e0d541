// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/code_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NARROW_WHERE                                                                               \
	36 /* columns of a line that has to be narrow; the instruction needs the others */

int code_lines_read(struct code_lines *lines, uint64_t address, struct error *err)
{
	struct code_line *line = &lines->line[lines->count];
	struct disassembler dis;
	uint8_t bytes[INSN_MAX_BYTES];
	struct insn insn;
	char suffix[96];
	ssize_t done = monitor_read(lines->monitor, lines->cpu, false, address, bytes,
				    sizeof(bytes), err);

	if (done < 0)
		return (int)done;
	monitor_disassembler(lines->monitor, lines->cpu, &dis);
	disassemble(&dis, address, bytes, (size_t)done, &insn);
	*line = (struct code_line){.address = address, .taken = TAKEN_UNKNOWN};
	address_suffix(lines->monitor, address, suffix, sizeof(suffix));
	snprintf(line->where, sizeof(line->where), "0x%" PRIx64 "%s", address, suffix);
	address_name(lines->monitor, address, line->name, sizeof(line->name));
	snprintf(line->text, sizeof(line->text), "%s", insn.text);
	lines->count++;
	return (int)insn.length;
}

/* Takes columns out of the middle of a name: "0x200a34 <_RNvNtCs5l0…+0x14>". */
static void narrow_where(char *where, size_t size)
{
	char *end = strrchr(where, '+'), tail[32];

	snprintf(tail, sizeof(tail), "…%s", end ? end : ">");
	text_cut(where, size, NARROW_WHERE, tail);
}

/* A name alone says as much as "# 0x203010 <counter>". */
static void narrow_text(char *text, size_t size, size_t columns)
{
	char *number = strstr(text, "  # 0x"), *name = number ? strstr(number, " <") : NULL;

	if (name && text_width(text) > columns)
		memmove(number + 4, name + 1, strlen(name + 1) + 1);
	text_cut(text, size, columns, "…");
}

static void tell(const struct code_line *line, bool current, struct monitor_out *out)
{
	fact_object(out, NULL);
	fact_hex(out, "address", line->address);
	fact_text(out, "name", line->name);
	fact_text(out, "text", line->text);
	fact_flag(out, "current", current);
	if (line->taken != TAKEN_UNKNOWN)
		fact_flag(out, "taken", line->taken == TAKEN_YES);
	if (line->target)
		fact_flag(out, "target", true);
	fact_end(out);
}

static const char *note_of(const struct code_line *line)
{
	static const char *const notes[] = {
		[TAKEN_NO] = "  # not taken", [TAKEN_YES] = "  # taken", [TAKEN_UNKNOWN] = ""};

	return notes[line->taken];
}

static void print(const struct code_line *line, size_t widest, bool current,
		  struct monitor_out *out)
{
	const char *mark = current ? "→" : line->target ? "↳" : " ";

	out_printf(out, "%s %s %s%*s  %s%s%s\n", current ? color(out, COLOR_CURRENT) : "", mark,
		   line->where, (int)(widest - text_width(line->where)), "", line->text,
		   note_of(line), current ? color(out, COLOR_OFF) : "");
}

void code_lines_show(struct code_lines *lines, struct monitor_out *out)
{
	uint64_t pc = debug_pc(lines->monitor->debug, lines->cpu);
	size_t widest = 0;

	for (unsigned i = 0; i < lines->count; i++)
		tell(&lines->line[i], lines->line[i].address == pc, out);
	for (unsigned i = 0; i < lines->count; i++) {
		if (lines->narrow)
			narrow_where(lines->line[i].where, sizeof(lines->line[i].where));
		if (text_width(lines->line[i].where) > widest)
			widest = text_width(lines->line[i].where);
	}
	for (unsigned i = 0; i < lines->count; i++) {
		struct code_line *line = &lines->line[i];

		if (lines->narrow)
			narrow_text(line->text, sizeof(line->text),
				    TEXT_COLUMNS - 5 - widest - text_width(note_of(line)));
		print(line, widest, line->address == pc, out);
	}
	lines->count = 0;
}
