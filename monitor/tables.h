/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of a processor, as info shows them: tables.c (GDT, LDT), vectors.c (IDT, and real mode's), tss.c. */
#ifndef MONITOR_TABLES_H
#define MONITOR_TABLES_H

#include "monitor/command.h"
#include "x86/descriptor_tables.h"

/* A table of this vCPU: GDT, LDT or IDT. */
struct table {
	struct call *call;
	const char *name;
	const struct cpu_state *state;
	bool long_mode;
	bool physical;
	uint64_t base;
	uint32_t limit;
	uint8_t bytes[16];  /* of the entry that is looked at; what is not there is 0 */
	struct string line; /* about it */
};

int table_state(struct call *call, struct table *table);
/* How many bytes of the entry at this offset are there. */
size_t table_read(struct table *table, uint32_t offset);
void table_head(struct table *table);
/* What follows its number. */
void table_descriptor(struct table *table, const struct table_entry *entry);
/* Writes the line, whose first indent columns are the entry's number. */
void table_line(struct table *table, size_t indent);

#endif
