// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The instructions of a stop's screen: some before the one at the pc, and what comes behind it, which is elsewhere when
 * it jumps or returns. Whether a conditional jump will be taken is read off the flags.
 */
#include "monitor/code_lines.h"

#include <stdio.h>

#define BEFORE 2
#define AFTER  3
#define FUNCTION_MAX                                                                               \
	4096 /* bytes from a function's start that are decoded to find what lies before pc */

/* Instructions have no fixed length, so what lies before pc is found by decoding from the start
 * of its function. Returns how many of the last BEFORE there are; *address is where the first one
 * begins. */
static unsigned look_before(struct monitor *monitor, int cpu, uint64_t pc, uint64_t *address)
{
	uint64_t offset, at, count = 0, starts[BEFORE];
	uint8_t code[FUNCTION_MAX];
	struct disassembler dis;
	struct insn insn;

	*address = pc;
	if (!symbols_name(monitor->symbols, pc, &offset) || offset > sizeof(code))
		return 0;
	if (monitor_read(monitor, cpu, false, pc - offset, code, offset, NULL) < (ssize_t)offset)
		return 0;
	monitor_disassembler(monitor, cpu, &dis);
	for (at = 0; at < offset; at += insn.length) {
		starts[count++ % BEFORE] = pc - offset + at;
		disassemble(&dis, pc - offset + at, code + at, offset - at, &insn);
		if (!insn.valid)
			return 0; /* it reaches over pc, or is none */
	}
	if (at != offset || !count)
		return 0;
	*address = starts[count < BEFORE ? 0 : count % BEFORE];
	return count < BEFORE ? count : BEFORE;
}

/* ---- where it leads --------------------------------------------------------------------------- */

static bool leaves(const struct instruction *insn, enum instruction_taken taken)
{
	return insn->kind == INSN_JUMP || insn->kind == INSN_JUMP_INDIRECT ||
	       insn->kind == INSN_RET || (insn->kind == INSN_BRANCH && taken == TAKEN_YES);
}

/* True: it goes on at *target, and not behind the instruction at pc, whose line is the last that was read. Into other
 * segments nobody is followed: code may be of another kind there. */
static bool find_target(struct code_lines *lines, uint64_t pc, uint64_t *target)
{
	struct code_line *line = &lines->line[lines->count - 1];
	const struct cpu_state *state = debug_state(lines->monitor->debug, lines->cpu,
						    CPU_GENERAL | CPU_SYSTEM);
	struct guest_view view = {lines->monitor, lines->cpu};
	struct instruction insn;
	struct successors next;

	if (!state || !instruction_fetch(state, pc, guest_view_read, &view, &insn))
		return false;
	line->taken = instruction_taken(&insn, state);
	if (!leaves(&insn, line->taken))
		return false;
	instruction_successors(&insn, state, guest_view_read, &view, &next);
	if (next.unknown || !next.count)
		return false;
	*target = next.linear[next.count - 1];
	return *target != pc + insn.length;
}

/* ---- the screen ------------------------------------------------------------------------------- */

/* Reads so many instructions and moves *address behind them. */
static int read_some(struct code_lines *lines, uint64_t *address, unsigned count, struct error *err)
{
	int length = 0;

	for (; count && length >= 0; count--) {
		length = code_lines_read(lines, *address, err);
		*address += length > 0 ? (uint64_t)length : 0;
	}
	return length < 0 ? length : 0;
}

static int read_around(struct code_lines *lines, struct error *err)
{
	uint64_t pc = debug_pc(lines->monitor->debug, lines->cpu), address;
	unsigned before = look_before(lines->monitor, lines->cpu, pc, &address), first;
	int ret = read_some(lines, &address, before + 1, err);
	bool jumps = !ret && find_target(lines, pc, &address);

	first = lines->count;
	if (!ret)
		ret = read_some(lines, &address, AFTER, err);
	if (jumps && lines->count > first)
		lines->line[first].target = true;
	/* Behind code that does not go on there nobody expects any. */
	return !jumps && lines->count > before ? 0 : ret;
}

void stop_code_show(struct monitor *monitor, int cpu, struct monitor_out *out)
{
	struct code_lines lines = {.monitor = monitor, .cpu = cpu, .narrow = true};
	struct error err = {0};
	int ret = read_around(&lines, &err);

	fact_list(out, "instructions");
	code_lines_show(&lines, out);
	fact_end(out);
	if (!ret)
		return;
	out_printf(out, "  ");
	out_wrapped(out, err.text, 2, 2);
}
