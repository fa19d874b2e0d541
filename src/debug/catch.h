/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catches: points without an instruction address, of the kinds POINT_CATCH_*. What each sees, when it
 * stops, and by what means, is told in docs/catching.md. Part of debug/debug.h, the only door.
 */
#ifndef DEBUG_CATCH_H
#define DEBUG_CATCH_H

#include "debug/points.h"

/* What `catch` calls a kind: "exception", "io", …; NULL for a point that is no catch. */
const char *debug_catch_name(enum point_kind kind);
/* The kind of that name; POINT_KIND_COUNT: there is none such. */
enum point_kind debug_catch_kind(const char *name);
/* Whether a kind takes addresses (ports, physical addresses, MSRs, a vector), and a direction. */
bool debug_catch_ranged(enum point_kind kind);
bool debug_catch_directed(enum point_kind kind);

/* "0x60-0x64 r", "14 #PF", "". */
void debug_catch_place(const struct point_spec *spec, char *buf, size_t size);
/* The same behind the name: "io 0x60-0x64 r", "exception 14 #PF", "hlt". */
void debug_catch_text(const struct point_spec *spec, char *buf, size_t size);

/* How a vCPU came to a triple fault, as far as its registers and memory tell: one line for each fault, the
 * first one first. Of a stopped machine. Returns how many lines; 0 when that cannot be known. */
#define FAULT_CHAIN 4
struct fault_line {
	char text[160];
};
unsigned debug_fault_chain(struct debug *debug, int vcpu, struct fault_line line[FAULT_CHAIN]);

#endif
