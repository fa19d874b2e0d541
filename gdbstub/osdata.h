/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `info os`: tables that gdb shows without knowing what is in them (gdb manual, "Operating System Information").
 * osdata.c has their list and makes the XML; osdata_machine.c and osdata_guest.c fill in the rows.
 */
#ifndef GDBSTUB_OSDATA_H
#define GDBSTUB_OSDATA_H

#include "gdbstub/stub.h"

struct osdata {
	struct gdb_session *s;
	struct debug *debug;
	struct text *text;
	bool given;	   /* the user has typed an argument behind the table's name */
	uint64_t argument; /* it, or 0 */
	int vcpu; /* of tables that are about one: the argument, or the one that gdb looks at */
};

void osdata_row(struct osdata *table);
/* value: printf's; what XML wants written otherwise is. Each row of a table has the same columns. */
void osdata_column(struct osdata *table, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void osdata_row_end(struct osdata *table);

/* Fills in rows; -errno, with a sentence in s->error where there is more to say. */
typedef int osdata_fn(struct osdata *table);

osdata_fn osdata_vcpus, osdata_exits, osdata_breakpoints, osdata_memory_slots, osdata_devices,
	osdata_lapic, osdata_idt, osdata_gdt, osdata_pagetable;

#endif
