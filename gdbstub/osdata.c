// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/osdata.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX 256 /* of a column's text */

static const struct kind {
	const char *name, *title, *description;
	enum { NO_ARGUMENT, A_VCPU, AN_ADDRESS } argument;
	osdata_fn *make;
} kinds[] = {
	{"vcpus", "vCPUs", "Mode, ring and place of each vCPU", NO_ARGUMENT, osdata_vcpus},
	{"exits", "Exits", "Why vCPUs left the guest, and where their time went", NO_ARGUMENT,
	 osdata_exits},
	{"breakpoints", "Breakpoints", "All points, gdb's and the console's, and how they are made",
	 NO_ARGUMENT, osdata_breakpoints},
	{"memory-slots", "Memory slots", "RAM as the accelerator has it", NO_ARGUMENT,
	 osdata_memory_slots},
	{"devices", "Devices", "Ports and memory that devices answer", NO_ARGUMENT, osdata_devices},
	{"lapic", "Local APIC", "Registers of a vCPU's local APIC [VCPU]", A_VCPU, osdata_lapic},
	{"idt", "IDT", "Interrupt descriptor table, or real mode's vectors [VCPU]", A_VCPU,
	 osdata_idt},
	{"gdt", "GDT", "Global and local descriptor tables [VCPU]", A_VCPU, osdata_gdt},
	{"pagetable", "Page tables", "What is mapped, where to, with which rights [FROM]",
	 AN_ADDRESS, osdata_pagetable},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* ---- rows ------------------------------------------------------------------------ */

void osdata_row(struct osdata *table)
{
	text_printf(table->text, "<item>\n");
}

void osdata_column(struct osdata *table, const char *name, const char *fmt, ...)
{
	char cell[CELL_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(cell, sizeof(cell), fmt, args);
	va_end(args);
	text_printf(table->text, "<column name=\"%s\">", name);
	text_xml(table->text, cell);
	text_printf(table->text, "</column>\n");
}

void osdata_row_end(struct osdata *table)
{
	text_printf(table->text, "</item>\n");
}

/* ---- the list, and the tables ---------------------------------------------------- */

/* gdb prints the list without its last column, which is for front-ends. */
static void list_kinds(struct osdata *table)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		osdata_row(table);
		osdata_column(table, "Type", "%s", kinds[i].name);
		osdata_column(table, "Description", "%s", kinds[i].description);
		osdata_column(table, "Title", "%s", kinds[i].title);
		osdata_row_end(table);
	}
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* text: what stands behind the table's name. */
static int take_argument(struct osdata *table, const struct kind *kind, const char *text)
{
	char *end;

	if (!*text)
		return 0;
	errno = 0;
	table->given = true;
	table->argument = strtoull(text, &end, 0);
	if (errno || end == text || *end || kind->argument == NO_ARGUMENT)
		return error_set(&table->s->error, -EINVAL, "info os %s takes %s", kind->name,
				 kind->argument == A_VCPU	? "the number of a vCPU"
				 : kind->argument == AN_ADDRESS ? "an address"
								: "no argument");
	if (kind->argument != A_VCPU)
		return 0;
	if (table->argument >= debug_vcpu_count(table->debug))
		return error_set(&table->s->error, -EINVAL, "there is no vCPU %s", text);
	table->vcpu = (int)table->argument;
	return 0;
}

static int make_table(struct osdata *table, char *annex)
{
	char *argument = annex + strcspn(annex, " ");
	const struct kind *kind;
	int ret;

	if (*argument)
		*argument++ = '\0';
	kind = find_kind(annex);
	if (!kind)
		return error_set(&table->s->error, -ENOENT, "there is no table of that name");
	ret = take_argument(table, kind, argument + strspn(argument, " "));
	if (ret)
		return ret;
	text_printf(table->text, "<osdata type=\"%s\">\n", kind->name);
	return kind->make(table);
}

int document_osdata(struct gdb_session *s, const char *annex, size_t size, struct text *text)
{
	struct osdata table = {.s = s, .debug = s->debug, .text = text, .vcpu = (int)s->general};
	char name[ANNEX_MAX + 1];
	int ret = 0;

	memcpy(name, annex, size);
	name[size] = '\0';
	text_printf(text, "<?xml version=\"1.0\"?>\n<!DOCTYPE osdata SYSTEM \"osdata.dtd\">\n");
	if (size) {
		ret = make_table(&table, name);
	} else {
		text_printf(text, "<osdata type=\"types\">\n");
		list_kinds(&table);
	}
	text_printf(text, "</osdata>\n");
	return ret;
}
