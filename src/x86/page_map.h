/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All pages that a set of page tables maps, as a pure function: what `info mem` and its like are made of.
 * It reads and judges entries as paging_walk() does, so the two never disagree.
 */
#ifndef X86_PAGE_MAP_H
#define X86_PAGE_MAP_H

#include "x86/paging.h"

struct mapped_page {
	uint64_t linear, gpa, size; /* both are multiples of size */
	bool write, user, exec, global;
	uint64_t entry;	 /* of the last level */
	unsigned levels; /* how many were looked at */
};

/* False: enough. */
typedef bool mapped_page_fn(void *ctx, const struct mapped_page *page);

enum page_map_end {
	PAGE_MAP_ALL,	  /* every page from `from` on was told */
	PAGE_MAP_STOPPED, /* told() wanted no more */
	PAGE_MAP_TOO_MANY, /* after PAGE_MAP_TABLES tables: tables that contain themselves map much */
	PAGE_MAP_UNPAGED, /* paging is off: nothing was told */
};

#define PAGE_MAP_TABLES 65536

/* Tells each page that holds a linear address from `from` on, lowest first as an unsigned number. */
enum page_map_end page_map(const struct paging_regs *regs, uint64_t from, paging_read_fn *read,
			   void *read_ctx, mapped_page_fn *told, void *ctx);

#endif
