/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a function's registers to its caller's, by the tables that Linux carries for its own backtraces: .orc_unwind and
 * .orc_unwind_ip (Linux, Documentation/arch/x86/orc-unwinder.rst). For every stretch of code they say how far above the
 * stack pointer the caller's frame begins; they know the entry code, too, which no compiler has described, and what
 * interrupts have saved there. The words are those of frames.h.
 */
#ifndef MONITOR_ORC_H
#define MONITOR_ORC_H

#include "monitor/frames.h"

#include <stddef.h>

/* Of what a flags word consists has changed twice; tables do not say which they are. */
enum orc_kind {
	ORC_KIND_END,	 /* until Linux 6.2 */
	ORC_KIND_SIGNAL, /* 6.3, and those that have its fixes */
	ORC_KIND_TYPES,	 /* from 6.4 on */
};

#define ORC_ENTRY_SIZE 6

/* Two tables of the same length, in the order of addresses: of where stretches of code begin, each as the distance
 * from its own place, and of rules. They may lie here, or in the guest, whose bytes are whatever it likes. */
struct orc_tables {
	const uint8_t *ips, *entries; /* NULL: in memory, for frame_read_fn */
	uint64_t ips_at, entries_at;  /* their addresses */
	uint32_t count;
	enum orc_kind kind;
};

/* The tables of an image, at the addresses where it is linked; false: it has none, or none that fit each other. */
bool orc_find(Elf *elf, struct orc_tables *tables);
/* Which kind these are, by what most of them say; of tables that lie here. */
enum orc_kind orc_guess_kind(const struct orc_tables *tables);

/* One frame outwards, as frames_step(). FRAME_NO_RULES: the tables know nothing of this code. */
enum frame_result orc_step(const struct orc_tables *tables, uint64_t lookup,
			   struct frame_registers *registers, frame_read_fn *read, void *ctx,
			   struct frame_step *step);

#endif
