/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Page tables in a small memory. */
#ifndef TESTS_PAGING_CASE_H
#define TESTS_PAGING_CASE_H

#include "x86/paging.h"

#define RAM_SIZE 0x10000
#define ROOT	 0x1000
#define P	 1ull
#define W	 2ull
#define U	 4ull
#define PS	 0x80ull
#define XD	 (1ull << 63)

extern uint8_t ram[RAM_SIZE];
extern unsigned reads;

int clear(void **unused);
void put_entry(uint64_t table, unsigned index, uint64_t entry);

static const struct paging_regs level4 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};

struct paging_walk walk(const struct paging_regs *regs, uint64_t linear);
struct paging_walk expect_gpa(const struct paging_regs *regs, uint64_t linear, uint64_t gpa,
			      uint64_t page_size);
struct paging_walk expect_fault(const struct paging_regs *regs, uint64_t linear,
				enum paging_fault fault, unsigned levels);
void expect_level(const struct paging_walk *result, unsigned i, const char *name, unsigned index,
		  uint64_t entry_gpa, uint64_t entry);
void expect_rights(const struct paging_walk *result, bool write, bool user, bool exec);

#endif
