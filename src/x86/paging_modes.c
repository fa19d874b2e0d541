// SPDX-License-Identifier: GPL-3.0-or-later
/* The paging modes as tables, one row per level, and what the bits of an entry mean in each. */
#include "x86/paging_modes.h"

#define PHYS_BITS_MAX 52

/* The bits low … high. */
#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))

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

const struct paging_mode *paging_mode_of(const struct paging_regs *regs)
{
	if (!(regs->cr0 & CR0_PG) || !(regs->cr0 & CR0_PE))
		return NULL;
	if (regs->efer & EFER_LMA)
		return regs->cr4 & CR4_LA57 ? &mode_5level : &mode_4level;
	return regs->cr4 & CR4_PAE ? &mode_pae : &mode_32bit;
}

/* Without paging as if it were about to be switched on. */
bool paging_same_tables(const struct paging_regs *regs, uint64_t cr3, uint64_t other)
{
	const struct paging_mode *mode = paging_mode_of(regs);

	return ((cr3 ^ other) & (mode ? mode : &mode_4level)->cr3_mask) == 0;
}

static unsigned phys_bits(const struct paging_regs *regs)
{
	if (!regs->phys_bits || regs->phys_bits > PHYS_BITS_MAX)
		return PHYS_BITS_MAX;
	return regs->phys_bits;
}

bool paging_large(const struct paging_regs *regs, const struct table_level *level, uint64_t entry)
{
	bool enabled = level->large == LARGE_ALWAYS ||
		       (level->large == LARGE_PSE && regs->cr4 & CR4_PSE);

	return enabled && entry & ENTRY_LARGE;
}

uint64_t paging_reserved(const struct paging_regs *regs, const struct table_level *level,
			 bool large)
{
	const struct paging_mode *mode = paging_mode_of(regs);
	uint64_t reserved = mode->reserved | (large ? level->reserved_large : level->reserved);

	if (level->large == LARGE_RESERVED)
		reserved |= ENTRY_LARGE;
	if (mode->entry_bytes == 4)
		return reserved;
	if (phys_bits(regs) < PHYS_BITS_MAX)
		reserved |= BITS(PHYS_BITS_MAX - 1, phys_bits(regs));
	return regs->efer & EFER_NXE ? reserved : reserved | ENTRY_XD;
}

/* PSE-36 puts address bits 32 … 39 of a 4 MiB page into bits 13 … 20 of its entry. */
uint64_t paging_frame(const struct paging_regs *regs, const struct table_level *level,
		      uint64_t entry, bool large)
{
	if (paging_mode_of(regs)->entry_bytes == 8)
		return entry & BITS(PHYS_BITS_MAX - 1, large ? level->shift : 12);
	if (large)
		return (entry & BITS(31, 22)) | (entry & BITS(20, 13)) << 19;
	return entry & BITS(31, 12);
}

struct paging_rights paging_rights(const struct paging_regs *regs, const struct table_level *level,
				   uint64_t entry)
{
	if (level->no_rights)
		return (struct paging_rights){true, true, true};
	return (struct paging_rights){.write = entry & ENTRY_WRITE,
				      .user = entry & ENTRY_USER,
				      .exec = !(regs->efer & EFER_NXE && entry & ENTRY_XD)};
}

bool paging_is_global(const struct paging_regs *regs, uint64_t entry)
{
	return entry & ENTRY_GLOBAL && regs->cr4 & CR4_PGE;
}
