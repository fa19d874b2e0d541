// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A walk is the same in every paging mode: index a table with some bits of the address, read an
 * entry, stop at the one that maps a page. The modes differ in what struct level says, one row per
 * level.
 */
#include "x86/paging.h"

#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_WRITE   (1ull << 1)
#define ENTRY_USER    (1ull << 2)
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_GLOBAL  (1ull << 8)
#define ENTRY_XD      (1ull << 63)

#define PHYS_BITS_MAX 52

/* The bits low … high. */
#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))

enum large { LARGE_NEVER, LARGE_RESERVED, LARGE_PSE, LARGE_ALWAYS };

struct level {
	const char *name;
	unsigned shift, index_bits;
	enum large large;	 /* what bit 7 means here */
	uint64_t reserved;	 /* in an entry that points to a table, or to a 4 KiB page */
	uint64_t reserved_large; /* in an entry that maps a large page */
	bool no_rights;		 /* the entry has no R/W and U/S bits */
};

struct paging_mode {
	unsigned levels, entry_bytes, linear_bits;
	bool canonical; /* addresses are sign-extended to 64 bits, not limited to linear_bits */
	uint64_t cr3_mask, reserved;
	struct level level[PAGING_MAX_LEVELS];
};

/* SDM vol. 3A, tables 4-3 to 4-6. */
static const struct paging_mode mode_32bit = {
	.levels = 2,
	.entry_bytes = 4,
	.linear_bits = 32,
	.cr3_mask = BITS(31, 12),
	.level = {{.name = "PD",
		   .shift = 22,
		   .index_bits = 10,
		   .large = LARGE_PSE,
		   .reserved_large = BITS(21, 21)},
		  {.name = "PT", .shift = 12, .index_bits = 10}},
};

/* SDM vol. 3A, tables 4-7 to 4-11. */
static const struct paging_mode mode_pae = {
	.levels = 3,
	.entry_bytes = 8,
	.linear_bits = 32,
	.cr3_mask = BITS(31, 5),
	.reserved = BITS(62, 52),
	.level = {{.name = "PDPT",
		   .shift = 30,
		   .index_bits = 2,
		   .reserved = BITS(63, 63) | BITS(8, 5) | BITS(2, 1),
		   .no_rights = true},
		  {.name = "PD",
		   .shift = 21,
		   .index_bits = 9,
		   .large = LARGE_ALWAYS,
		   .reserved_large = BITS(20, 13)},
		  {.name = "PT", .shift = 12, .index_bits = 9}},
};

/* SDM vol. 3A, tables 4-14 to 4-20. */
#define LEVEL_PML5                                                                                 \
	{                                                                                          \
		.name = "PML5", .shift = 48, .index_bits = 9, .large = LARGE_RESERVED              \
	}
#define LEVEL_PML4                                                                                 \
	{                                                                                          \
		.name = "PML4", .shift = 39, .index_bits = 9, .large = LARGE_RESERVED              \
	}
#define LEVEL_PDPT                                                                                 \
	{                                                                                          \
		.name = "PDPT", .shift = 30, .index_bits = 9, .large = LARGE_ALWAYS,               \
		.reserved_large = BITS(29, 13)                                                     \
	}
#define LEVEL_PD                                                                                   \
	{                                                                                          \
		.name = "PD", .shift = 21, .index_bits = 9, .large = LARGE_ALWAYS,                 \
		.reserved_large = BITS(20, 13)                                                     \
	}
#define LEVEL_PT                                                                                   \
	{                                                                                          \
		.name = "PT", .shift = 12, .index_bits = 9                                         \
	}

static const struct paging_mode mode_4level = {
	.levels = 4,
	.entry_bytes = 8,
	.linear_bits = 48,
	.canonical = true,
	.cr3_mask = BITS(51, 12),
	.level = {LEVEL_PML4, LEVEL_PDPT, LEVEL_PD, LEVEL_PT},
};

static const struct paging_mode mode_5level = {
	.levels = 5,
	.entry_bytes = 8,
	.linear_bits = 57,
	.canonical = true,
	.cr3_mask = BITS(51, 12),
	.level = {LEVEL_PML5, LEVEL_PML4, LEVEL_PDPT, LEVEL_PD, LEVEL_PT},
};

/* NULL: paging is off. */
static const struct paging_mode *mode_of(const struct paging_regs *regs)
{
	if (!(regs->cr0 & CR0_PG) || !(regs->cr0 & CR0_PE))
		return NULL;
	if (regs->efer & EFER_LMA)
		return regs->cr4 & CR4_LA57 ? &mode_5level : &mode_4level;
	return regs->cr4 & CR4_PAE ? &mode_pae : &mode_32bit;
}

static bool address_exists(const struct paging_mode *mode, uint64_t linear)
{
	unsigned unused = 64 - mode->linear_bits;

	if (mode->canonical)
		return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
	return linear >> mode->linear_bits == 0;
}

static unsigned phys_bits(const struct paging_regs *regs)
{
	if (!regs->phys_bits || regs->phys_bits > PHYS_BITS_MAX)
		return PHYS_BITS_MAX;
	return regs->phys_bits;
}

/* What stays the same during one walk. */
struct walker {
	const struct paging_regs *regs;
	const struct paging_mode *mode;
	paging_read_fn *read;
	void *ctx;
	uint64_t linear;
};

static bool is_large(const struct walker *w, const struct level *level, uint64_t entry)
{
	bool enabled = level->large == LARGE_ALWAYS ||
		       (level->large == LARGE_PSE && w->regs->cr4 & CR4_PSE);

	return enabled && entry & ENTRY_LARGE;
}

static uint64_t reserved_bits(const struct walker *w, const struct level *level, bool large)
{
	uint64_t reserved = w->mode->reserved | (large ? level->reserved_large : level->reserved);

	if (level->large == LARGE_RESERVED)
		reserved |= ENTRY_LARGE;
	if (w->mode->entry_bytes == 4)
		return reserved;
	if (phys_bits(w->regs) < PHYS_BITS_MAX)
		reserved |= BITS(PHYS_BITS_MAX - 1, phys_bits(w->regs));
	return w->regs->efer & EFER_NXE ? reserved : reserved | ENTRY_XD;
}

/* Where a page or the next table lies. PSE-36 puts address bits 32 … 39 of a 4 MiB page into bits
 * 13 … 20 of its entry. */
static uint64_t frame_of(const struct walker *w, const struct level *level, uint64_t entry,
			 bool large)
{
	if (w->mode->entry_bytes == 8)
		return entry & BITS(PHYS_BITS_MAX - 1, large ? level->shift : 12);
	if (large)
		return (entry & BITS(31, 22)) | (entry & BITS(20, 13)) << 19;
	return entry & BITS(31, 12);
}

static enum paging_fault read_entry(const struct walker *w, const struct level *level,
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
	if (entry & reserved_bits(w, level, is_large(w, level, entry)))
		return PAGING_RESERVED;
	return PAGING_OK;
}

static void join_rights(struct paging_walk *walk, const struct walker *w, const struct level *level,
			uint64_t entry)
{
	if (level->no_rights)
		return;
	walk->write = walk->write && entry & ENTRY_WRITE;
	walk->user = walk->user && entry & ENTRY_USER;
	walk->exec = walk->exec && !(w->regs->efer & EFER_NXE && entry & ENTRY_XD);
}

static void map_page(struct paging_walk *walk, const struct walker *w, const struct level *level,
		     uint64_t entry, uint64_t frame)
{
	walk->page_size = 1ull << level->shift;
	walk->gpa = frame | (w->linear & (walk->page_size - 1));
	walk->global = entry & ENTRY_GLOBAL && w->regs->cr4 & CR4_PGE;
}

/* Ends at the latest with the last level, whose entries are pages. */
static enum paging_fault walk_tables(const struct walker *w, struct paging_walk *walk)
{
	uint64_t table = w->regs->cr3 & w->mode->cr3_mask;

	for (unsigned i = 0;; i++) {
		const struct level *level = &w->mode->level[i];
		struct paging_level *seen = &walk->level[walk->levels++];
		enum paging_fault fault = read_entry(w, level, table, seen);
		bool large = is_large(w, level, seen->entry);

		if (fault != PAGING_OK)
			return fault;
		join_rights(walk, w, level, seen->entry);
		table = frame_of(w, level, seen->entry, large);
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
	struct walker w = {regs, mode_of(regs), read, ctx, linear};

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
