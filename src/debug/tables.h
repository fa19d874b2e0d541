/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's descriptor tables, entry by entry, of a machine that stands still. Part of debug/debug.h, the only
 * door. */
#ifndef DEBUG_TABLES_H
#define DEBUG_TABLES_H

#include "x86/descriptor_tables.h"

struct debug;

enum descriptor_table { TABLE_GDT, TABLE_LDT, TABLE_IDT };

/* Where a vCPU has a table. limit: the last byte's offset, at most 65535. -ENOENT: LDTR is empty; -EBUSY. */
int debug_table(struct debug *debug, int vcpu, enum descriptor_table table, uint64_t *base,
		uint32_t *limit);

struct table_entry {
	uint64_t address; /* linear, of the entry itself */
	struct descriptor descriptor;
	/* Gates into code: where they lead to, linear, with the base of the segment that they name. */
	uint64_t target;
};

/* The entry at an offset, which is a selector's index * 8, or a vector's * 8 or, in long mode, * 16; not for real
 * mode's vectors. Returns how many bytes it takes; 0: the table ends before; -EFAULT: it is not
 * mapped; -ENOENT, -EBUSY. */
int debug_table_entry(struct debug *debug, int vcpu, enum descriptor_table table, uint32_t offset,
		      struct table_entry *entry);

#endif
