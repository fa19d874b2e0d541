// SPDX-License-Identifier: GPL-3.0-or-later
/* The registers on the screen of a stop, with a star behind those that changed since the stop before. */
#include "monitor/command.h"

#include <inttypes.h>
#include <stdio.h>

/* A blank stands for the prefix that depends on the mode. */
static const char gpr_names[GPR_COUNT][4] = {
	[GPR_RAX] = " ax", [GPR_RBX] = " bx", [GPR_RCX] = " cx", [GPR_RDX] = " dx",
	[GPR_RSI] = " si", [GPR_RDI] = " di", [GPR_RBP] = " bp", [GPR_RSP] = " sp",
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

void registers_note(struct monitor *monitor, int cpu)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_GENERAL);

	if (state)
		look(monitor, cpu, &state->general);
}

static unsigned hex_width(uint64_t value)
{
	unsigned width = 1;

	while (value >>= 4)
		width++;
	return width;
}

#define COLUMNS_MAX 8

/* How the general registers are laid out: each column is as wide as its widest cell. */
struct grid {
	const struct cpu_general *general, *before; /* before may be NULL */
	char prefix;				    /* of the older names: r in 64 bits, else e */
	unsigned count, columns;
	size_t room; /* columns of the screen */
	unsigned width[COLUMNS_MAX];
};

static bool grid_changed(const struct grid *grid, unsigned reg)
{
	return grid->before && grid->before->gpr[reg] != grid->general->gpr[reg];
}

/* "rax 2a*" */
static unsigned cell_width(const struct grid *grid, unsigned reg)
{
	return 4 + hex_width(grid->general->gpr[reg]) + grid_changed(grid, reg);
}

static bool grid_fits(struct grid *grid, unsigned columns)
{
	unsigned total = 0;

	grid->columns = columns;
	for (unsigned column = 0; column < columns; column++) {
		grid->width[column] = 0;
		for (unsigned i = column; i < grid->count; i += columns) {
			unsigned width = cell_width(grid, gpr_order[i]);

			if (width > grid->width[column])
				grid->width[column] = width;
		}
		total += grid->width[column] + 2;
	}
	return total <= grid->room;
}

static void show_cell(const struct grid *grid, unsigned reg, unsigned pad, struct monitor_out *out)
{
	bool changed = grid_changed(grid, reg);
	const char *name = gpr_names[reg];

	out_printf(out, "%c%-2s %s%" PRIx64 "%s%s%*s", *name == ' ' ? grid->prefix : *name,
		   name + 1, changed ? color(out, COLOR_CHANGED) : "", grid->general->gpr[reg],
		   changed ? "*" : "", changed ? color(out, COLOR_OFF) : "", (int)pad, "");
}

/* As many columns as fit, but no more than the lines then need: the last one is not left alone. */
static void choose_columns(struct grid *grid)
{
	unsigned columns = COLUMNS_MAX, lines;

	while (!grid_fits(grid, columns))
		columns--;
	lines = (grid->count + columns - 1) / columns;
	if (!grid_fits(grid, (grid->count + lines - 1) / lines))
		grid_fits(grid, columns);
}

static void show_grid(struct grid *grid, struct monitor_out *out)
{
	grid->room = out_columns(out);
	choose_columns(grid);
	for (unsigned i = 0; i < grid->count; i++) {
		unsigned column = i % grid->columns, reg = gpr_order[i];
		bool last = column == grid->columns - 1 || i == grid->count - 1;

		out_printf(out, "  ");
		show_cell(grid, reg, last ? 0 : grid->width[column] - cell_width(grid, reg), out);
		out_printf(out, "%s", last ? "\n" : "");
	}
}

static void show_ip_and_flags(const struct cpu_general *general, const struct cpu_general *before,
			      char prefix, struct monitor_out *out)
{
	bool ip = before && before->rip != general->rip;
	bool flags = before && before->rflags != general->rflags;
	char names[128];

	register_flags_text("eflags", general->rflags, names, sizeof(names));
	out_printf(out, "  %cip %s%" PRIx64 "%s%s  eflags %s%" PRIx64 "%s%s [%s]\n", prefix,
		   ip ? color(out, COLOR_CHANGED) : "", general->rip, ip ? "*" : "",
		   ip ? color(out, COLOR_OFF) : "", flags ? color(out, COLOR_CHANGED) : "",
		   general->rflags, flags ? "*" : "", flags ? color(out, COLOR_OFF) : "", names);
}

void registers_show(struct monitor *monitor, int cpu, bool mark, struct monitor_out *out)
{
	const struct cpu_state *state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);
	const struct seen *seen;
	struct grid grid;

	if (!state)
		return;
	seen = mark ? look(monitor, cpu, &state->general) : NULL;
	grid = (struct grid){.general = &state->general, .prefix = 'e', .count = 8};
	grid.before = seen && seen->before_valid ? &seen->before : NULL;
	if (cpu_mode_bits(cpu_mode(state)) == 64) {
		grid.prefix = 'r';
		grid.count = GPR_COUNT;
	}
	show_grid(&grid, out);
	show_ip_and_flags(grid.general, grid.before, grid.prefix, out);
}
