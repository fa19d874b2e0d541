/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one register table. The target description, gdb's g/G/p/P packets, expedited registers,
 * `info registers`, `$name` in expressions and the round-trip test are all read off it.
 */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#include "x86/cpu_state.h"

#include <stddef.h>

/* Where a register belongs: for gdb a feature of the target description (gdb manual, "i386
 * Features"), for the console a heading. */
enum register_group {
	REG_CORE,     /* org.gnu.gdb.i386.core: rax…gs, st0-7, FPU control */
	REG_SSE,      /* org.gnu.gdb.i386.sse: xmm0-15, mxcsr */
	REG_SEGMENTS, /* org.gnu.gdb.i386.segments: fs_base, gs_base */
	REG_CONTROL,  /* cr0 cr2 cr3 cr4 cr8 efer apic_base xcr0 */
	REG_DESCRIPTOR, /* base and limit of segments and tables */
	REG_DEBUG,    /* dr0-3, dr6, dr7 */
	REG_MSR,      /* the rows of x86/msr.h */
	REG_GROUP_COUNT
};

struct register_desc {
	const char *name;
	enum register_group group;
	unsigned bits;        /* as gdb sees it */
	const char *gdb_type; /* "int64", "code_ptr", "data_ptr", "i386_eflags", "i387_ext", "vec128", … */
	enum cpu_group state; /* which group of cpu_state must be valid */
	bool writable;
	/* Copies the register, little-endian and bits/8 bytes long, out of or into state. set returns
	 * -EINVAL for a value no CPU can hold (the state is unchanged then). */
	void (*get)(const struct register_desc *reg, const struct cpu_state *state, void *value);
	int (*set)(const struct register_desc *reg, struct cpu_state *state, const void *value);
	size_t offset; /* for get and set: offset into struct cpu_state */
	unsigned size; /* for get and set: bytes stored there */
};

/* A register's index in the table is its number in gdb's protocol, in every mode. */
extern const struct register_desc registers[];
extern const unsigned register_count;

/* Index, or -1. Knows the names that people type as well: pc, sp, fp, flags, eax, ax, al are not
 * rows, but pc, sp, fp and flags are aliases of rip, rsp, rbp and eflags. */
int register_find(const char *name);

const char *register_group_name(enum register_group group);        /* "core", "control", … */
const char *register_group_gdb_feature(enum register_group group); /* "org.gnu.gdb.i386.core", … */

/* For bits with names: writes "PE MP ET NE WP PG" of value for the register called name, "" for a
 * register without named bits. Returns buf. */
char *register_flags_text(const char *name, uint64_t value, char *buf, size_t size);

#endif
