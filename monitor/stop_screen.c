/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The screen of a stop: why, who, where, the source line, the instructions around it, and the registers
 * with a star behind those that changed since the stop before. It fits 80 columns and 24 lines.
 */
#include "monitor/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SCREEN_WIDTH 79

/* ---- registers --------------------------------------------------------------------------------- */

static const char *const gpr_names[GPR_COUNT] = {
	[GPR_RAX] = "rax", [GPR_RBX] = "rbx", [GPR_RCX] = "rcx", [GPR_RDX] = "rdx",
	[GPR_RSI] = "rsi", [GPR_RDI] = "rdi", [GPR_RBP] = "rbp", [GPR_RSP] = "rsp",
	[GPR_R8] = "r8",   [GPR_R9] = "r9",   [GPR_R10] = "r10", [GPR_R11] = "r11",
	[GPR_R12] = "r12", [GPR_R13] = "r13", [GPR_R14] = "r14", [GPR_R15] = "r15",
};

/* In the order in which people read them. */
static const unsigned char gpr_order[GPR_COUNT] = {
	GPR_RAX, GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI, GPR_RBP, GPR_RSP,
	GPR_R8,	 GPR_R9,  GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
};

/* Moves on by one stop when this one has not been seen yet. */
static const struct seen *look(struct monitor *monitor, int cpu, const struct cpu_general *general)
{
	struct seen *seen = &monitor->seen[cpu];

	if (!seen->now_valid || seen->stop != monitor->stop_number) {
		seen->before = seen->now;
		seen->before_valid = seen->now_valid;
		seen->stop = monitor->stop_number;
		seen->now_valid = true;
	}
	seen->now = *general;
	return seen;
}

static unsigned hex_width(uint64_t value)
{
	unsigned width = 1;

	while (value >>= 4)
		width++;
	return width;
}

static unsigned cell_width(const struct cpu_general *general, unsigned count)
{
	unsigned widest = 3;

	for (unsigned i = 0; i < count; i++) {
		unsigned width = hex_width(general->gpr[gpr_order[i]]);

		if (width > widest)
			widest = width;
	}
	return 4 + widest + 2; /* "rax " before; a star and a blank behind */
}

/* pad: blanks up to width follow; the last cell of a line has none. */
static void show_cell(const char *name, uint64_t value, bool changed, unsigned width, bool pad,
		      struct monitor_out *out)
{
	unsigned used = 4 + hex_width(value) + changed;

	out_printf(out, "%-3s %s%" PRIx64 "%s%s%*s", name, changed ? color(out, COLOR_CHANGED) : "",
		   value, changed ? "*" : "", changed ? color(out, COLOR_OFF) : "",
		   pad ? (int)(width - used) : 0, "");
}

static void show_grid(const struct cpu_general *general, const struct cpu_general *before,
		      unsigned count, struct monitor_out *out)
{
	unsigned width = cell_width(general, count), columns = (SCREEN_WIDTH - 2) / width;

	columns = columns > 8 ? 8 : columns;
	for (unsigned i = 0; i < count; i++) {
		bool last = i % columns == columns - 1 || i == count - 1;
		unsigned reg = gpr_order[i];

		out_printf(out, "%s", i % columns ? "" : "  ");
		show_cell(gpr_names[reg], general->gpr[reg],
			  before && before->gpr[reg] != general->gpr[reg], width, !last, out);
		out_printf(out, "%s", last ? "\n" : "");
	}
}

void registers_show(struct monitor *monitor, int cpu, bool mark, struct monitor_out *out)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);
	const struct cpu_general *before = NULL;
	char flags[128];
	bool flags_changed, rip_changed;

	if (!state)
		return;
	if (mark) {
		const struct seen *seen = look(monitor, cpu, &state->general);

		before = seen->before_valid ? &seen->before : NULL;
	}
	flags_changed = before && before->rflags != state->general.rflags;
	rip_changed = before && before->rip != state->general.rip;
	show_grid(&state->general, before, cpu_mode_bits(cpu_mode(state)) == 64 ? GPR_COUNT : 8,
		  out);
	register_flags_text("eflags", state->general.rflags, flags, sizeof(flags));
	out_printf(out, "  rip %" PRIx64 "%s  eflags %" PRIx64 "%s [%s]\n", state->general.rip,
		   rip_changed ? "*" : "", state->general.rflags, flags_changed ? "*" : "", flags);
}

/* Breaks a long text at blanks. column: where the cursor stands. */
static void show_wrapped(const char *text, size_t column, struct monitor_out *out)
{
	while (*text) {
		size_t word = strcspn(text, " "), blanks = strspn(text + word, " ");
		char piece[TEXT_CLEAN_SIZE(240)];

		snprintf(piece, sizeof(piece), "%.*s", (int)word, text);
		if (column + text_width(piece) > SCREEN_WIDTH && column > 4) {
			out_printf(out, "\n  ");
			column = 2;
		}
		out_printf(out, "%s%s", piece, text[word + blanks] ? " " : "");
		column += text_width(piece) + 1;
		text += word + blanks;
	}
	out_printf(out, "\n");
}

/* ---- code -------------------------------------------------------------------------------------- */

#define BEFORE 2
#define AFTER  4
#define FUNCTION_MAX                                                                               \
	4096 /* bytes from a function's start that are decoded to find what lies before pc */

/* Instructions have no fixed length, so what lies before pc is found by decoding from the start of its
 * function. Returns the address to begin with. */
static uint64_t begin_before(struct monitor *monitor, int cpu, uint64_t pc)
{
	uint64_t offset, at, last[BEFORE] = {pc, pc};
	uint8_t code[FUNCTION_MAX];
	struct disassembler dis;
	struct insn insn;
	ssize_t done;

	if (!symbols_name(monitor->symbols, pc, &offset) || !offset || offset > sizeof(code))
		return pc;
	done = monitor_read(monitor, cpu, false, pc - offset, code, offset, NULL);
	if (done < (ssize_t)offset)
		return pc;
	monitor_disassembler(monitor, cpu, &dis);
	for (at = 0; at < offset; at += insn.length) {
		last[0] = last[1];
		last[1] = pc - offset + at;
		disassemble(&dis, pc - offset + at, code + at, offset - at, &insn);
	}
	if (at != offset)
		return pc;
	return last[0] == pc ? last[1] : last[0];
}

static void show_code(struct monitor *monitor, int cpu, struct monitor_out *out)
{
	uint64_t pc = debug_pc(monitor->debug, cpu), address = begin_before(monitor, cpu, pc);
	struct error err = {0};
	unsigned behind = 0;

	while (behind < AFTER) {
		int length = monitor_show_insn(monitor, cpu, address, address == pc, out, &err);

		if (length < 0 && address <= pc) {
			out_printf(out, "  ");
			show_wrapped(err.text, 2, out);
		}
		if (length < 0)
			return;
		behind += address >= pc;
		address += length;
	}
}

static void show_source(struct monitor *monitor, uint64_t pc, struct monitor_out *out)
{
	const char *file;
	int line;

	if (!symbols_line(monitor->symbols, pc, &file, &line))
		source_show(file, line, line, 0, out, NULL);
}

/* ---- the head ---------------------------------------------------------------------------------- */

/* Puts parts on a line with " · " between, and begins a new line where one would be too long. */
struct joined {
	struct monitor_out *out;
	size_t column;
};

static void join(struct joined *joined, const char *part)
{
	size_t width = text_width(part);

	if (!*part)
		return;
	if (joined->column && joined->column + 3 + width <= SCREEN_WIDTH) {
		out_printf(joined->out, " · %s", part);
		joined->column += 3 + width;
		return;
	}
	out_printf(joined->out, "%s  %s", joined->column ? "\n" : "", part);
	joined->column = 2 + width;
}

static void show_where(struct monitor *monitor, int cpu, struct monitor_out *out)
{
	struct joined joined = {.out = out};
	unsigned others = debug_vcpu_count(monitor->debug) - 1;
	char text[192];

	join(&joined, address_text(monitor, debug_pc(monitor->debug, cpu), text, sizeof(text)));
	debug_vcpu_text(monitor->debug, cpu, text, sizeof(text));
	join(&joined, text);
	snprintf(text, sizeof(text), "%u other%s held", others, others == 1 ? "" : "s");
	join(&joined, others ? text : "");
	out_printf(out, "\n");
}

static void stop_text(const struct stop *stop, char *buf, size_t size)
{
	const char *text = stop->text[0] ? stop->text : stop_reason_name(stop->reason);

	text_clean(text, strnlen(text, sizeof(stop->text)), false, buf, size);
}

static void show_reason(const struct stop *stop, struct monitor_out *out)
{
	char text[TEXT_CLEAN_SIZE(sizeof(stop->text))], head[32];

	stop_text(stop, text, sizeof(text));
	snprintf(head, sizeof(head), "■ vCPU %d: ", stop->vcpu < 0 ? 0 : stop->vcpu);
	out_printf(out, "%s%s%s", color(out, COLOR_STOP), head, color(out, COLOR_OFF));
	show_wrapped(text, text_width(head), out);
}

void context_show(struct monitor *monitor, int cpu, bool reason, struct monitor_out *out)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	if (reason && stop)
		show_reason(stop, out);
	show_where(monitor, cpu, out);
	show_source(monitor, debug_pc(monitor->debug, cpu), out);
	show_code(monitor, cpu, out);
	registers_show(monitor, cpu, true, out);
}

void monitor_show_stop(struct monitor *monitor, struct monitor_out *out)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	if (stop)
		context_show(monitor, stop->vcpu < 0 ? 0 : stop->vcpu, true, out);
}

/* ---- one line ---------------------------------------------------------------------------------- */

void monitor_show_state(struct monitor *monitor, enum debug_owner actor, struct monitor_out *out)
{
	static const char *const by[OWNER_COUNT] = {"", " (by gdb)", " (by the console)"};
	const struct stop *stop = debug_running(monitor->debug) ? NULL
								: debug_last_stop(monitor->debug);
	char where[160], text[TEXT_CLEAN_SIZE(sizeof(stop->text))] = "stopped";

	if (debug_running(monitor->debug)) {
		out_printf(out, "running%s\n", by[actor]);
		return;
	}
	if (stop && stop->reason == STOP_PAUSE)
		snprintf(text, sizeof(text), "stopped%s", actor == OWNER_GDB ? " by gdb" : "");
	else if (stop)
		stop_text(stop, text, sizeof(text));
	address_text(monitor, debug_pc(monitor->debug, stop ? stop->vcpu : 0), where,
		     sizeof(where));
	out_printf(out, "%s■%s vCPU %d: %s at %s\n", color(out, COLOR_STOP), color(out, COLOR_OFF),
		   stop ? stop->vcpu : 0, text, where);
}
