// SPDX-License-Identifier: GPL-3.0-or-later
/* Tables of the guest's own, as it has them in memory. It chooses what is in them: how much is shown is bounded. */
#include "gdbstub/osdata.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define RANGES_MAX 4096

static const struct cpu_state *state_of(struct osdata *table)
{
	return debug_state(table->debug, table->vcpu, CPU_GENERAL | CPU_SYSTEM);
}

/* ---- vectors -------------------------------------------------------------------- */

static void vector_columns(struct osdata *table, unsigned vector)
{
	osdata_column(table, "vCPU", "%d", table->vcpu);
	osdata_column(table, "Vector", "%u", vector);
	osdata_column(table, "Exception", "%s", vector < 32 ? exception_mnemonic(vector) : "");
}

static void gate_row(struct osdata *table, unsigned vector, const struct table_entry *entry)
{
	const struct descriptor *d = &entry->descriptor;
	char text[80];

	osdata_row(table);
	vector_columns(table, vector);
	osdata_column(table, "Present", "%s", d->present ? "yes" : "NO");
	osdata_column(table, "DPL", "%u", d->dpl);
	osdata_column(table, "IST", "%u", d->bytes == 16 ? d->stack : 0);
	osdata_column(table, "Selector", "0x%x", d->selector);
	if (d->kind == DESCRIPTOR_TASK_GATE)
		osdata_column(table, "Handler", "%s", "");
	else
		osdata_column(table, "Handler", "0x%" PRIx64, entry->target);
	osdata_column(table, "Kind", "%s", descriptor_text(d, text, sizeof(text)));
	osdata_row_end(table);
}

static int gates(struct osdata *table, bool long_mode)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		struct table_entry entry;
		int bytes = debug_table_entry(table->debug, table->vcpu, TABLE_IDT,
					      vector * (long_mode ? 16 : 8), &entry);

		if (bytes == 0)
			break;
		if (bytes < 0 && bytes != -EFAULT)
			return bytes;
		if (bytes > 0 && entry.descriptor.kind != DESCRIPTOR_EMPTY)
			gate_row(table, vector, &entry);
	}
	return 0;
}

static void real_row(struct osdata *table, unsigned vector, const uint16_t far[2])
{
	osdata_row(table);
	vector_columns(table, vector);
	osdata_column(table, "Present", "%s", "yes");
	osdata_column(table, "DPL", "%s", "");
	osdata_column(table, "IST", "%s", "");
	osdata_column(table, "Selector", "0x%x", far[1]);
	osdata_column(table, "Handler", "0x%x", far[1] * 16u + far[0]);
	osdata_column(table, "Kind", "%s", "real mode's vector");
	osdata_row_end(table);
}

static int real_vectors(struct osdata *table, const struct cpu_table *idt)
{
	for (unsigned vector = 0; vector < 256 && vector * 4 + 3 <= idt->limit; vector++) {
		uint16_t far[2];

		if (debug_read(table->debug, table->vcpu, SPACE_LINEAR, idt->base + vector * 4, far,
			       sizeof(far)) == sizeof(far) &&
		    (far[0] || far[1]))
			real_row(table, vector, far);
	}
	return 0;
}

int osdata_idt(struct osdata *table)
{
	const struct cpu_state *state = state_of(table);

	if (!state)
		return -EBUSY;
	if (cpu_mode(state) == MODE_REAL)
		return real_vectors(table, &state->system.idt);
	return gates(table, state->system.efer & EFER_LMA);
}

/* ---- segments ------------------------------------------------------------------- */

/* Which registers hold a selector. */
static void users_column(struct osdata *table, uint16_t selector)
{
	static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds",
						     "fs", "gs", "tr", "ldtr"};
	const struct cpu_state *state = state_of(table);
	char text[40] = "";
	size_t used = 0;

	for (unsigned i = 0; state && i < SEG_COUNT; i++) {
		const struct cpu_segment *segment = &state->system.seg[i];

		if (segment->unusable || (segment->selector & ~3u) != selector)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 names[i]);
	}
	osdata_column(table, "Held by", "%s", text);
}

static void where_columns(struct osdata *table, const struct table_entry *entry)
{
	const struct descriptor *d = &entry->descriptor;
	bool gate = d->kind >= DESCRIPTOR_CALL_GATE && d->kind <= DESCRIPTOR_TRAP_GATE;

	if (gate) {
		osdata_column(table, "Limit", "%s", "");
		osdata_column(table, "Base", "to 0x%x:0x%" PRIx64, d->selector, d->offset);
	} else {
		osdata_column(table, "Limit", "0x%x", d->limit);
		osdata_column(table, "Base", "0x%" PRIx64, d->base);
	}
}

static void segment_row(struct osdata *table, uint16_t selector, const struct table_entry *entry)
{
	char text[80];

	osdata_row(table);
	osdata_column(table, "vCPU", "%d", table->vcpu);
	osdata_column(table, "Selector", "0x%02x", selector);
	osdata_column(table, "Present", "%s", entry->descriptor.present ? "yes" : "NO");
	osdata_column(table, "DPL", "%u", entry->descriptor.dpl);
	where_columns(table, entry);
	users_column(table, selector);
	osdata_column(table, "Kind", "%s", descriptor_text(&entry->descriptor, text, sizeof(text)));
	osdata_row_end(table);
}

static int segments(struct osdata *table, enum descriptor_table which, unsigned indicator)
{
	struct table_entry entry;
	int bytes;

	for (uint32_t offset = 0;; offset += (uint32_t)bytes) {
		bytes = debug_table_entry(table->debug, table->vcpu, which, offset, &entry);
		if (bytes <= 0)
			return bytes == -EBUSY ? bytes : 0;
		if (entry.descriptor.kind != DESCRIPTOR_EMPTY)
			segment_row(table, (uint16_t)(offset | indicator), &entry);
	}
}

int osdata_gdt(struct osdata *table)
{
	int ret = segments(table, TABLE_GDT, 0);

	return ret < 0 ? ret : segments(table, TABLE_LDT, 4);
}

/* ---- pages ---------------------------------------------------------------------- */

struct page_run {
	struct mapped_page first;
	uint64_t size; /* of all; 0: none yet */
};

struct page_lister {
	struct osdata *table;
	struct page_run run;
	unsigned shown;
};

static void page_row(struct osdata *table, const char *start, const char *end, const char *physical,
		     const char *page, const char *rights)
{
	osdata_row(table);
	osdata_column(table, "vCPU", "%d", table->vcpu);
	osdata_column(table, "Start", "%s", start);
	osdata_column(table, "End", "%s", end);
	osdata_column(table, "Physical", "%s", physical);
	osdata_column(table, "Page", "%s", page);
	osdata_column(table, "Rights", "%s", rights);
	osdata_row_end(table);
}

static const char *page_size_text(uint64_t size)
{
	return size >> 30 ? "1G" : size >> 22 ? "4M" : size >> 21 ? "2M" : "4K";
}

static void show_run(struct page_lister *lister)
{
	const struct mapped_page *first = &lister->run.first;
	char start[20], end[20], physical[20], rights[40];

	if (!lister->run.size)
		return;
	snprintf(start, sizeof(start), "0x%" PRIx64, first->linear);
	snprintf(end, sizeof(end), "0x%" PRIx64, first->linear + (lister->run.size - 1));
	snprintf(physical, sizeof(physical), "0x%" PRIx64, first->gpa);
	snprintf(rights, sizeof(rights), "r%c%c %s%s", first->write ? 'w' : '-',
		 first->exec ? 'x' : '-', first->user ? "user" : "kernel",
		 first->global ? " global" : "");
	page_row(lister->table, start, end, physical, page_size_text(first->size), rights);
	lister->run.size = 0;
	lister->shown++;
}

static bool goes_on(const struct page_run *run, const struct mapped_page *page)
{
	const struct mapped_page *first = &run->first;

	return run->size && page->linear == first->linear + run->size &&
	       page->gpa == first->gpa + run->size && page->size == first->size &&
	       page->write == first->write && page->user == first->user &&
	       page->exec == first->exec && page->global == first->global;
}

static bool take_page(void *ctx, const struct mapped_page *page)
{
	struct page_lister *lister = ctx;

	if (goes_on(&lister->run, page)) {
		lister->run.size += page->size;
		return true;
	}
	show_run(lister);
	lister->run = (struct page_run){*page, page->size};
	return lister->shown < RANGES_MAX;
}

static void show_end(struct page_lister *lister, int end)
{
	char more[80];

	if (end == PAGE_MAP_STOPPED) {
		snprintf(more, sizeof(more), "and more: info os pagetable 0x%" PRIx64,
			 lister->run.first.linear);
		page_row(lister->table, more, "", "", "", "");
		return;
	}
	show_run(lister);
	if (end == PAGE_MAP_TOO_MANY)
		page_row(lister->table, "too many page tables: do they contain themselves?", "", "",
			 "", "");
	if (end == PAGE_MAP_UNPAGED)
		page_row(lister->table, "0x0", "0xffffffff", "0x0", "", "paging is off");
}

int osdata_pagetable(struct osdata *table)
{
	struct page_lister lister = {.table = table};
	int end = debug_page_map(table->debug, table->vcpu, table->argument, take_page, &lister);

	if (end < 0)
		return end;
	show_end(&lister, end);
	return 0;
}
