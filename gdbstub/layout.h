/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which registers gdb is told of, under which names, numbers and widths.
 *
 * gdb believes three sources of what architecture it debugs: first its user (`set architecture`), then
 * the file that it has loaded, then the target. The target description must have the registers of
 * whichever wins: `eax` for i386 and i8086, `rax` for x86-64. Otherwise gdb rejects the description,
 * falls back on registers that it has by itself, and every stop is answered with "Remote 'g' packet
 * reply is too long". So:
 *
 *   guest is in     the description has       and gdb takes
 *   long mode       64-bit names              x86-64, whatever file it has loaded (<compatible>)
 *   anything else   64-bit and 32-bit names   what its user says, or its file, or else what the guest's
 *                                             mode is: `set architecture` works at any time
 *   (by option)     those of that mode        that, whatever file it has loaded (<compatible>)
 *
 * With both names nothing may have a type whose size depends on gdb's choice, as pointers have: gdb
 * would misread `g`, and write beyond its own buffers in `p`. So addresses are plain numbers there.
 *
 * Numbers are the rows of the register table; the 32-bit names that stand beside 64-bit ones follow
 * behind. A layout holds until gdb reads the description anew, which it does when it connects, after
 * `run`, and at `unset tdesc filename`.
 */
#ifndef GDBSTUB_LAYOUT_H
#define GDBSTUB_LAYOUT_H

#include "gdbstub/session.h"

enum layout_names { NAMES_64, NAMES_32, NAMES_BOTH };

struct layout_register {
	uint8_t bytes;	/* 0: this layout does not have it */
	bool narrow;	/* shows the low half of a 64-bit register, by its 32-bit name */
	uint16_t row;	/* of the register table */
	int16_t beside; /* number of the 32-bit name that stands beside this one, or -1 */
};

struct layout {
	enum gdb_arch arch; /* what the description says; never GDB_ARCH_AUTO */
	bool chosen;	    /* by option: the guest's mode does not matter */
	enum layout_names names;
	unsigned count;	  /* numbers are below this, in every layout */
	unsigned g_count; /* those below this travel in g and G */
	struct layout_register *reg;
};

/* Finds out what is right for this vCPU now; a running one leaves the vector registers out. program: the
 * file that gdb has loaded in all likelihood, or NULL. wish: GDB_ARCH_AUTO, or what the description
 * shall say. -ENOMEM: the layout is as it was; zero it before the first time. */
int layout_make(struct layout *layout, struct debug *debug, unsigned vcpu, enum gdb_arch wish,
		const struct gdb_file *program);
/* The same without asking anybody. cpu: CPU_FPU, for the vector registers, or NULL. */
int layout_set(struct layout *layout, enum gdb_arch arch, enum layout_names names,
	       const struct cpu_state *cpu);
void layout_free(struct layout *layout);

/* The row of the register table behind a number below layout->count. */
unsigned layout_row(const struct layout *layout, unsigned number);
/* gdb's number for a row's 32-bit name beside the 64-bit one, or -1. */
int layout_narrow(const struct layout *layout, unsigned row);

const char *layout_type(const struct layout *layout, unsigned number);
const char *layout_feature(const struct layout *layout, enum register_group group);
#define LAYOUT_NAME_MAX 24
void layout_name(const struct layout *layout, unsigned number, char name[LAYOUT_NAME_MAX]);

/* "i8086", "i386", "i386:x86-64": gdb's name of an architecture, as in `set architecture`. */
const char *gdb_arch_name(enum gdb_arch arch);
/* The one that disassembles this mode. */
enum gdb_arch gdb_arch_of(enum cpu_mode mode);

#endif
