/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between program.c, which checks programs, and program_run.c, which runs them. */
#ifndef DEBUG_PROGRAM_OPS_H
#define DEBUG_PROGRAM_OPS_H

#include "debug/program.h"

struct program {
	char *text;
	unsigned groups;
	unsigned count;
	struct program_insn insn[];
};

struct program_machine;

struct program_operation {
	const char *name;
	unsigned takes, gives; /* words; of PROGRAM_PICK without what it reaches for */
	/* False ends the run: a fault, or the end. */
	bool (*run)(struct program_machine *machine, uint64_t arg);
};

extern const struct program_operation program_operations[PROGRAM_OP_COUNT];

#endif
