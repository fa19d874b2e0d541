/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instructions as lines: read some, of one place or of several, then print them in common columns. */
#ifndef MONITOR_CODE_LINES_H
#define MONITOR_CODE_LINES_H

#include "monitor/command.h"
#include "x86/instruction.h"

#define CODE_LINES 16

struct code_line {
	uint64_t address;
	char name[96];
	char where[128]; /* "0x200a34 <add_one+0x14>" */
	char text[192];
	bool target; /* the instruction before it leads here, and not to what lies behind it */
	enum instruction_taken taken; /* of a conditional jump at the pc; else TAKEN_UNKNOWN */
};

struct code_lines {
	struct monitor *monitor;
	int cpu;
	bool narrow; /* each fits a line of the terminal: what is too long ends in "…" */
	unsigned count;
	struct code_line line[CODE_LINES];
};

/* Adds the instruction at address, when there is room: its length; -errno with a sentence when nothing is there. */
int code_lines_read(struct code_lines *lines, uint64_t address, struct error *err);
/* Prints them and tells them as facts, into the list that is open; the one at the pc is marked. Then there are none. */
void code_lines_show(struct code_lines *lines, struct monitor_out *out);

#endif
