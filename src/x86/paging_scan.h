/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that an address space maps, as ranges of pages that are alike: for tables of page tables, and for
 * whoever looks for something in mapped memory alone.
 *
 * Page tables are the guest's: they may lead to each other and to themselves, so that a few pages of them map
 * everything there is. A scan makes a limited number of walks, and then says so.
 */
#ifndef X86_PAGING_SCAN_H
#define X86_PAGING_SCAN_H

#include "x86/paging.h"

struct page_range {
	uint64_t linear, size;
	uint64_t gpa; /* of the first page; PAGING_OK */
	uint64_t
		page_size; /* of each page, the smallest where several are joined by their rights */
	/* PAGING_OK, or what an access comes upon that no guest wants: PAGING_RESERVED, PAGING_NO_TABLE. */
	enum paging_fault fault;
	bool write, user, exec, global;
};

#define PAGING_SCAN_TABLES 6

struct paging_scan {
	struct paging_regs regs;
	paging_read_fn *read;
	void *ctx;
	bool by_rights; /* neighbours with the same rights are one range, wherever they lead to */
	uint64_t walks; /* that may still be made */
	uint64_t at;	/* the next address to look at; 2^64 is 0 and ended */
	bool ended;

	/* Tables that were read. */
	struct {
		bool there;
		uint64_t gpa;
		uint8_t bytes[4096];
	} table[PAGING_SCAN_TABLES];
	unsigned next_table;
};

/* 16 GiB in pages of 4 KiB, or any amount in large ones: about a second. */
#define PAGING_SCAN_WALKS (1ull << 22)

enum paging_scan_result {
	SCAN_RANGE,    /* here is one */
	SCAN_END,      /* there are no more */
	SCAN_TOO_MANY, /* scan->walks is used up; scan->at is where to go on */
};

/* From an address on, with PAGING_SCAN_WALKS. The caller may set by_rights and walks, then. */
void paging_scan_start(struct paging_scan *scan, const struct paging_regs *regs, uint64_t from,
		       paging_read_fn *read, void *ctx);

/* The next range, lowest first. One that the start lies in begins there. Where paging is off, all 4 GiB are one
 * range. */
enum paging_scan_result paging_scan_next(struct paging_scan *scan, struct page_range *range);

#endif
