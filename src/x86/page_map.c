// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/page_map.h"

#include "x86/paging_modes.h"

#include <string.h>

#define TABLE_BYTES 4096

struct mapper {
	const struct paging_regs *regs;
	const struct paging_mode *mode;
	uint64_t from;
	paging_read_fn *read;
	void *read_ctx;
	mapped_page_fn *told;
	void *ctx;
	unsigned tables;
	enum page_map_end end; /* PAGE_MAP_ALL as long as it goes on */
};

/* A table that is being looked at: which addresses it is about, and what its parents allow. */
struct table {
	unsigned level;
	uint64_t gpa, linear;
	struct paging_rights rights;
};

static void visit_table(struct mapper *m, const struct table *table);

static uint64_t sign_extended(const struct paging_mode *mode, uint64_t linear)
{
	unsigned unused = 64 - mode->linear_bits;

	return mode->canonical ? (uint64_t)((int64_t)(linear << unused) >> unused) : linear;
}

static struct paging_rights both(struct paging_rights a, struct paging_rights b)
{
	return (struct paging_rights){a.write && b.write, a.user && b.user, a.exec && b.exec};
}

static void tell(struct mapper *m, const struct table *table, uint64_t linear, uint64_t entry,
		 bool large)
{
	const struct table_level *level = &m->mode->level[table->level];
	struct paging_rights rights = both(table->rights, paging_rights(m->regs, level, entry));
	struct mapped_page page = {.linear = linear,
				   .gpa = paging_frame(m->regs, level, entry, large),
				   .size = 1ull << level->shift,
				   .write = rights.write,
				   .user = rights.user,
				   .exec = rights.exec,
				   .global = paging_is_global(m->regs, entry),
				   .entry = entry,
				   .levels = table->level + 1};

	if (!m->told(m->ctx, &page))
		m->end = PAGE_MAP_STOPPED;
}

static void visit_entry(struct mapper *m, const struct table *table, uint64_t linear,
			uint64_t entry)
{
	const struct table_level *level = &m->mode->level[table->level];
	bool large = paging_large(m->regs, level, entry);
	struct table next = {.level = table->level + 1, .linear = linear};

	if (!(entry & ENTRY_PRESENT) || entry & paging_reserved(m->regs, level, large))
		return;
	if (large || next.level == m->mode->levels) {
		tell(m, table, linear, entry, large);
		return;
	}
	next.gpa = paging_frame(m->regs, level, entry, false);
	next.rights = both(table->rights, paging_rights(m->regs, level, entry));
	visit_table(m, &next);
}

/* What lies outside RAM is not there; entries are naturally aligned, so none is half there. */
static void visit_table(struct mapper *m, const struct table *table)
{
	const struct table_level *level = &m->mode->level[table->level];
	unsigned bytes = m->mode->entry_bytes, count = 1u << level->index_bits;
	uint64_t span = 1ull << level->shift;
	uint8_t entries[TABLE_BYTES];
	size_t size;

	if (m->tables++ == PAGE_MAP_TABLES) {
		m->end = PAGE_MAP_TOO_MANY;
		return;
	}
	size = m->read(m->read_ctx, table->gpa, entries, (size_t)count * bytes);
	for (unsigned i = 0; i < size / bytes && m->end == PAGE_MAP_ALL; i++) {
		uint64_t linear = sign_extended(m->mode, table->linear + i * span), entry = 0;

		memcpy(&entry, entries + (size_t)i * bytes, bytes);
		if (linear + (span - 1) >= m->from)
			visit_entry(m, table, linear, entry);
	}
}

enum page_map_end page_map(const struct paging_regs *regs, uint64_t from, paging_read_fn *read,
			   void *read_ctx, mapped_page_fn *told, void *ctx)
{
	struct mapper m = {regs, paging_mode_of(regs), from, read, read_ctx, told, ctx,
			   0,	 PAGE_MAP_ALL};
	struct table top = {.rights = {true, true, true}};

	if (!m.mode)
		return PAGE_MAP_UNPAGED;
	top.gpa = regs->cr3 & m.mode->cr3_mask;
	visit_table(&m, &top);
	return m.end;
}
