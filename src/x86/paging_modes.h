/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the paging modes are made of, for paging.c, which follows one address through the tables, and
 * page_map.c, which visits all of them. */
#ifndef X86_PAGING_MODES_H
#define X86_PAGING_MODES_H

#include "x86/paging.h"

#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_WRITE   (1ull << 1)
#define ENTRY_USER    (1ull << 2)
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_GLOBAL  (1ull << 8)
#define ENTRY_XD      (1ull << 63)

enum large { LARGE_NEVER, LARGE_RESERVED, LARGE_PSE, LARGE_ALWAYS };

struct table_level {
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
	struct table_level level[PAGING_MAX_LEVELS];
};

/* NULL: paging is off. */
const struct paging_mode *paging_mode_of(const struct paging_regs *regs);

/* Of an entry at this level of regs' mode: whether it maps a large page, its bits that must be 0, and where
 * the page or the next table lies. */
bool paging_large(const struct paging_regs *regs, const struct table_level *level, uint64_t entry);
uint64_t paging_reserved(const struct paging_regs *regs, const struct table_level *level,
			 bool large);
uint64_t paging_frame(const struct paging_regs *regs, const struct table_level *level,
		      uint64_t entry, bool large);

/* What one entry allows; a page allows what all of its levels do. */
struct paging_rights {
	bool write, user, exec;
};
struct paging_rights paging_rights(const struct paging_regs *regs, const struct table_level *level,
				   uint64_t entry);

/* The last level's entries are pages, large or not. */
bool paging_is_global(const struct paging_regs *regs, uint64_t entry);

#endif
