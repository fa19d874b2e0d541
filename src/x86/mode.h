/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What mode a CPU is in, and what an offset into one of its segments means there.
 *
 * Address line 20 is taken to be open: real-mode addresses reach up to 0x10ffef and do not wrap at
 * 1 MiB.
 */
#ifndef X86_MODE_H
#define X86_MODE_H

#include "x86/cpu_state.h"

enum cpu_mode {
	MODE_REAL,
	MODE_V86,
	MODE_PROT16,
	MODE_PROT32,
	MODE_COMPAT16,
	MODE_COMPAT32,
	MODE_LONG
};

/* All of these look at CPU_GENERAL and CPU_SYSTEM. */
enum cpu_mode cpu_mode(const struct cpu_state *state);
const char *cpu_mode_name(enum cpu_mode mode); /* "real mode", "long mode", … */
unsigned cpu_mode_bits(enum cpu_mode mode);    /* 16, 32, 64: the size instructions default to */

/* The ring: 0 in real mode, 3 in virtual-8086 mode, else what SS says (SDM vol. 3A, 5.5). */
unsigned cpu_cpl(const struct cpu_state *state);

/* Whether an address has equal bits above the 47th, or the 56th with CR4.LA57 (SDM vol.
 * 1, 3.3.7.1). Looks at CPU_SYSTEM. */
bool cpu_canonical(const struct cpu_state *state, uint64_t linear);

/* offset as the CPU would use it through segment: base added and wrapped as the mode says
 * (SDM vol. 3A, 3.4; in long mode only FS and GS have a base). In real mode offsets wrap at 64 KiB,
 * unless the segment's limit was raised in protected mode before ("unreal mode"). */
uint64_t cpu_linear(const struct cpu_state *state, enum cpu_segment_name segment, uint64_t offset);

/* RIP and RSP as linear addresses, and back. Writing an address that CS cannot reach in the present
 * mode (below its base, beyond its limit, not canonical in long mode) returns -ERANGE and changes
 * nothing. */
uint64_t cpu_linear_pc(const struct cpu_state *state);
uint64_t cpu_linear_sp(const struct cpu_state *state);
int cpu_set_linear_pc(struct cpu_state *state, uint64_t linear);

/* Makes a segment what loading it in real mode leads to: base = selector * 16, limit 64 KiB,
 * present, writable. Code stays code (what CS is after reset), anything else becomes data. */
void cpu_segment_real(struct cpu_segment *segment, uint16_t selector);

/* Makes a segment flat: base 0, limit 4 GiB, DPL = the selector's RPL. bits: 16, 32, or 64, which
 * says for code what instructions default to, for a stack how wide its pointer is (64 counts as 32
 * there). */
void cpu_segment_flat(struct cpu_segment *segment, uint16_t selector, bool code, unsigned bits);

#endif
