/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page walk, as a pure function: it reads entries through a callback, sets no accessed or dirty
 * bit, and reports every level it saw. gdb's memory reads, the console's picture of a walk, and the
 * unit tests all use this one. SDM vol. 3A, chapter 4.
 *
 * Where processors differ, the walk takes Intel's view and the richer model: 1 GiB pages exist, and
 * bit 8 of an entry that points to a table is ignored (AMD reserves it above the PD).
 *
 * Two things differ from what any processor does. PAE: a processor reads the four PDPT entries when
 * CR3 is loaded and keeps them; the walk reads them from memory, which is where a guest changes
 * them. And nothing is cached, so a change of the tables shows before the guest invalidates its
 * TLB.
 */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include "x86/cpu_state.h"

#include <stddef.h>

struct paging_regs {
	uint64_t cr0, cr3, cr4, efer;
	/* The width of a physical address, 32 … 52: bits from there up to 51 are reserved in
	 * entries. 0: not known; 52 is taken then. */
	unsigned phys_bits;
};

static inline struct paging_regs paging_regs_of(const struct cpu_state *state)
{
	return (struct paging_regs){.cr0 = state->system.cr0,
				    .cr3 = state->system.cr3,
				    .cr4 = state->system.cr4,
				    .efer = state->system.efer};
}

/* Reads guest physical memory; returns the number of bytes read, fewer than len in a hole. */
typedef size_t paging_read_fn(void *ctx, uint64_t gpa, void *buf, size_t len);

#define PAGING_MAX_LEVELS 5

struct paging_level {
	const char *name;     /* "PML5", "PML4", "PDPT", "PD", "PT" */
	unsigned index;	      /* which entry of the table */
	uint64_t entry_gpa;   /* where it lies */
	uint64_t entry;	      /* what it says; 0 where it could not be read */
	unsigned entry_bytes; /* 4 or 8 */
};

enum paging_fault {
	PAGING_OK,
	PAGING_NOT_CANONICAL, /* the address is impossible; above 4 GiB outside long mode, too */
	PAGING_NOT_PRESENT,   /* the last level's entry has P = 0 */
	PAGING_RESERVED,      /* a reserved bit is set in the last level's entry */
	PAGING_NO_TABLE,      /* the last level's entry lies outside RAM */
};

struct paging_walk {
	enum paging_fault fault;
	uint64_t gpa;	    /* valid when fault is PAGING_OK */
	uint64_t page_size; /* bytes; 4 KiB … 1 GiB; 4 KiB where paging is off */
	/* The rights of all levels together, down to the last one seen; a kernel's write with
	 * CR0.WP = 0 may do more. All but global are true where paging is off. */
	bool write, user, exec, global;
	unsigned levels; /* how many of level[] were seen; 0 where paging is off */
	struct paging_level level[PAGING_MAX_LEVELS];
};

/* Translates linear. Fills *walk, whatever comes out, and returns walk->fault. gpa need not be RAM.
 */
enum paging_fault paging_walk(const struct paging_regs *regs, uint64_t linear, paging_read_fn *read,
			      void *ctx, struct paging_walk *walk);

/* Whether two values of CR3 lead to the same tables in regs' mode; regs->cr3 is not looked at. What else is in CR3
 * (cache control, PCID, whether pointers carry tags) does not matter. */
bool paging_same_tables(const struct paging_regs *regs, uint64_t cr3, uint64_t other);

/* "not present", "reserved bit set", … */
const char *paging_fault_name(enum paging_fault fault);

#endif
