// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A walk is the same in every paging mode: index a table with some bits of the address, read an
 * entry, stop at the one that maps a page. The modes differ in what paging_modes.c says.
 */
#include "x86/paging_modes.h"

static bool address_exists(const struct paging_mode *mode, uint64_t linear)
{
	unsigned unused = 64 - mode->linear_bits;

	if (mode->canonical)
		return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
	return linear >> mode->linear_bits == 0;
}

/* What stays the same during one walk. */
struct walker {
	const struct paging_regs *regs;
	const struct paging_mode *mode;
	paging_read_fn *read;
	void *ctx;
	uint64_t linear;
};

static enum paging_fault read_entry(const struct walker *w, const struct table_level *level,
				    uint64_t table, struct paging_level *seen)
{
	unsigned bytes = w->mode->entry_bytes;
	uint64_t entry = 0;

	seen->name = level->name;
	seen->index = w->linear >> level->shift & ((1u << level->index_bits) - 1);
	seen->entry_bytes = bytes;
	seen->entry_gpa = table + (uint64_t)seen->index * bytes;
	if (w->read(w->ctx, seen->entry_gpa, &entry, bytes) != bytes)
		return PAGING_NO_TABLE;
	seen->entry = entry;
	if (!(entry & ENTRY_PRESENT))
		return PAGING_NOT_PRESENT;
	if (entry & paging_reserved(w->regs, level, paging_large(w->regs, level, entry)))
		return PAGING_RESERVED;
	return PAGING_OK;
}

static void join_rights(struct paging_walk *walk, const struct walker *w,
			const struct table_level *level, uint64_t entry)
{
	struct paging_rights rights = paging_rights(w->regs, level, entry);

	walk->write = walk->write && rights.write;
	walk->user = walk->user && rights.user;
	walk->exec = walk->exec && rights.exec;
}

static void map_page(struct paging_walk *walk, const struct walker *w,
		     const struct table_level *level, uint64_t entry, uint64_t frame)
{
	walk->page_size = 1ull << level->shift;
	walk->gpa = frame | (w->linear & (walk->page_size - 1));
	walk->global = paging_is_global(w->regs, entry);
}

/* Ends at the latest with the last level, whose entries are pages. */
static enum paging_fault walk_tables(const struct walker *w, struct paging_walk *walk)
{
	uint64_t table = w->regs->cr3 & w->mode->cr3_mask;

	for (unsigned i = 0;; i++) {
		const struct table_level *level = &w->mode->level[i];
		struct paging_level *seen = &walk->level[walk->levels++];
		enum paging_fault fault = read_entry(w, level, table, seen);
		bool large = paging_large(w->regs, level, seen->entry);

		if (fault != PAGING_OK)
			return fault;
		join_rights(walk, w, level, seen->entry);
		table = paging_frame(w->regs, level, seen->entry, large);
		if (large || walk->levels == w->mode->levels) {
			map_page(walk, w, level, seen->entry, table);
			return PAGING_OK;
		}
	}
}

static enum paging_fault walk_unpaged(uint64_t linear, struct paging_walk *walk)
{
	if (linear >> 32)
		return PAGING_NOT_CANONICAL;
	walk->gpa = linear;
	walk->page_size = 4096;
	return PAGING_OK;
}

enum paging_fault paging_walk(const struct paging_regs *regs, uint64_t linear, paging_read_fn *read,
			      void *ctx, struct paging_walk *walk)
{
	struct walker w = {regs, paging_mode_of(regs), read, ctx, linear};

	*walk = (struct paging_walk){.write = true, .user = true, .exec = true};
	if (!w.mode)
		walk->fault = walk_unpaged(linear, walk);
	else if (!address_exists(w.mode, linear))
		walk->fault = PAGING_NOT_CANONICAL;
	else
		walk->fault = walk_tables(&w, walk);
	return walk->fault;
}

const char *paging_fault_name(enum paging_fault fault)
{
	static const char *const names[] = {
		[PAGING_OK] = "mapped",
		[PAGING_NOT_CANONICAL] = "no such address in this mode",
		[PAGING_NOT_PRESENT] = "not present",
		[PAGING_RESERVED] = "reserved bit set",
		[PAGING_NO_TABLE] = "page table outside RAM",
	};

	return fault < sizeof(names) / sizeof(names[0]) ? names[fault] : "unknown";
}
