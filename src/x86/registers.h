/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one register table. The target description, gdb's g/G/p/P packets, expedited registers,
 * `info registers`, `$name` in expressions and the round-trip test are all read off it.
 *
 * What writing a register means: what the CPU's own instruction for it would do, and a refusal
 * where that instruction would fault, so that a slip of the finger never leaves a vCPU that cannot
 * be entered. Writing back what was read always succeeds. Beyond that:
 *  - Bits that the CPU holds at 1 (RFLAGS bit 1, CR0.ET, the fixed ones of DR6 and DR7) become 1.
 *  - CR0 carries EFER.LMA along: LMA = LME and PG, as in the CPU.
 *  - RFLAGS.VM cannot be changed by hand: every segment would have to change with it.
 *  - A selector (cs … gs) takes its base along in real and virtual-8086 mode, base = selector * 16.
 *    In protected mode another selector is refused: what it stands for is written in the guest's
 *    GDT, and a selector that disagrees with the hidden part (cs_base, cs_limit, cs_attr) is a
 *    state that no instruction can make. Bases and limits can be written by themselves.
 *  - The hidden attributes, tr, ldtr, tsc and tsc_deadline can be read only.
 *  - rip is an offset into CS, in real mode too; x86/mode.h has the linear address.
 *  - x87 and vector registers are read as their initial values while their XSTATE_BV bit is 0, and
 *    writing one sets it, so that the value takes effect (SDM vol. 1, 13.6).
 *  - A vector register that XCR0 has switched off cannot be written: an instruction that would do it
 *    faults.
 */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#include "x86/cpu_state.h"

#include <stddef.h>

/* Where a register belongs: for gdb a feature of the target description (gdb manual, "i386
 * Features"), for the console a heading. */
enum register_group {
	REG_CORE,	/* org.gnu.gdb.i386.core: rax…gs, st0-7, FPU control */
	REG_SSE,	/* org.gnu.gdb.i386.sse: xmm0-15, mxcsr */
	REG_SEGMENTS,	/* org.gnu.gdb.i386.segments: fs_base, gs_base */
	REG_AVX,	/* org.gnu.gdb.i386.avx: the upper halves of ymm0-15 */
	REG_AVX512,	/* org.gnu.gdb.i386.avx512: k0-7, the rest of zmm0-31 */
	REG_PKEYS,	/* org.gnu.gdb.i386.pkeys: pkru */
	REG_CONTROL,	/* cr0 cr2 cr3 cr4 cr8 efer xcr0 apic_base k_gs_base, and plain twins */
	REG_DESCRIPTOR, /* base, limit and attributes of segments; tables */
	REG_DEBUG,	/* dr0-3, dr6, dr7 */
	REG_MSR,	/* the rows of x86/msr.h */
	REG_GROUP_COUNT
};

struct register_desc {
	const char *name;
	enum register_group group;
	unsigned bits; /* as gdb sees it; a multiple of 8, 256 at most */
	/* gdb's own: "int64", "uint64", "code_ptr", "data_ptr", "int", "i387_ext", …; described by the
	 * stub: "vec128", "v2ui128"; or the id of a register_flags_type. */
	const char *gdb_type;
	/* Where it lives: must be valid for get. Valid for set must be CPU_GENERAL and CPU_SYSTEM
	 * as well, since what a register may hold depends on the mode; set changes this group
	 * alone. */
	enum cpu_group state;
	bool writable;
	/* Copies the register, little-endian and bits/8 bytes long, out of or into state. set
	 * returns -EINVAL for a value that the CPU would refuse, -EPERM for a register that cannot
	 * be written; the state is unchanged then. */
	void (*get)(const struct register_desc *reg, const struct cpu_state *state, void *value);
	int (*set)(const struct register_desc *reg, struct cpu_state *state, const void *value);
	/* For get and set: offset into struct cpu_state; with a component, into that one, which lies
	 * where each CPU has it. */
	size_t offset;
	unsigned size; /* bytes stored there */
	enum xsave_component component;
};

#define REGISTER_MAX_BYTES 32

/* A register's index in the table is its number in gdb's protocol, in every mode. */
extern const struct register_desc registers[];
extern const unsigned register_count;

/* Index, or -1. Knows the names that people type as well: eax, ax and al are not rows, but pc, sp,
 * fp, flags and rflags are aliases of rip, rsp, rbp and eflags. */
int register_find(const char *name);

/* False for an MSR that this host's accelerator does not know, and for a vector register that the
 * CPU lacks or XCR0 has switched off: get gives 0 then, set -EINVAL. For gdb such a register is
 * "unavailable". Looks at reg->state. */
bool register_available(const struct register_desc *reg, const struct cpu_state *state);

/* Why it is not available, in words that go on with the register's name; NULL when it is. */
const char *register_missing(const struct register_desc *reg, const struct cpu_state *state);

/* False for a register of a feature that CPUID does not have, whatever the guest will do: it need not be
 * mentioned. Looks at reg->state. */
bool register_exists(const struct register_desc *reg, const struct cpu_state *state);

const char *register_group_name(enum register_group group);	   /* "core", "control", … */
const char *register_group_gdb_feature(enum register_group group); /* "org.gnu.gdb.i386.core", … */

/* ---- bits with names ------------------------------------------------------------------------- */

/* bit_lo … bit_hi of a flags type. An empty name is filler: bits that say nothing. */
struct register_flag {
	const char *name;
	const char *meaning; /* what a 1 says, or what the field's number is; NULL for filler */
	unsigned bit_lo, bit_hi;
};

/* One <flags> element of a target description. */
struct register_flags_type {
	const char *id; /* what register_desc.gdb_type says: "i386_eflags", "vitrine_cr0", … */
	unsigned bytes; /* 4 or 8 */
	const struct register_flag *fields; /* lowest bit first; they do not overlap */
	unsigned field_count;
};

extern const struct register_flags_type register_flags_types[];
extern const unsigned register_flags_type_count;

/* NULL when id is the name of another type. */
const struct register_flags_type *register_flags_type_find(const char *id);

/* For bits with names: writes "PE MP ET NE WP PG" of value for the register called name, fields of
 * more than one bit as "IOPL=3" (hexadecimal, left out when 0), "" for a register without named
 * bits. Cut off at size. Returns buf. */
char *register_flags_text(const char *name, uint64_t value, char *buf, size_t size);

#endif
