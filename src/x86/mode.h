/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What mode a CPU is in, and what an offset into one of its segments means there. */
#ifndef X86_MODE_H
#define X86_MODE_H

#include "x86/cpu_state.h"

enum cpu_mode { MODE_REAL, MODE_V86, MODE_PROT16, MODE_PROT32, MODE_COMPAT16, MODE_COMPAT32, MODE_LONG };

/* All of these look at CPU_GENERAL and CPU_SYSTEM. */
enum cpu_mode cpu_mode(const struct cpu_state *state);
const char *cpu_mode_name(enum cpu_mode mode); /* "real mode", "long mode", … */
unsigned cpu_mode_bits(enum cpu_mode mode);    /* 16, 32, 64: the size instructions default to */
unsigned cpu_cpl(const struct cpu_state *state);

/* offset as the CPU would use it through segment: base added and wrapped as the mode says
 * (SDM vol. 3A, 3.4; in long mode only FS and GS have a base). */
uint64_t cpu_linear(const struct cpu_state *state, enum cpu_segment_name segment, uint64_t offset);

/* RIP and RSP as linear addresses, and back. Writing an address that CS cannot reach in the
 * present mode (real mode: below base or 64 KiB above it) returns -ERANGE and changes nothing. */
uint64_t cpu_linear_pc(const struct cpu_state *state);
uint64_t cpu_linear_sp(const struct cpu_state *state);
int cpu_set_linear_pc(struct cpu_state *state, uint64_t linear);

/* Loads a segment for real mode (base = selector * 16) or as a flat protected-mode one. */
void cpu_segment_real(struct cpu_segment *segment, uint16_t selector);
void cpu_segment_flat(struct cpu_segment *segment, uint16_t selector, bool code, unsigned bits);

#endif
