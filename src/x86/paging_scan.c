// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/paging_scan.h"

#include <string.h>

void paging_scan_start(struct paging_scan *scan, const struct paging_regs *regs, uint64_t from,
		       paging_read_fn *read, void *ctx)
{
	scan->regs = *regs;
	scan->read = read;
	scan->ctx = ctx;
	scan->by_rights = scan->ended = false;
	scan->walks = PAGING_SCAN_WALKS;
	scan->at = from;
	scan->next_table = 0;
	for (unsigned i = 0; i < PAGING_SCAN_TABLES; i++)
		scan->table[i].there = false;
}

/* ---- tables, whole, since their entries are wanted one after the other -------------------- */

static const uint8_t *find_table(struct paging_scan *scan, uint64_t gpa)
{
	unsigned i;

	for (i = 0; i < PAGING_SCAN_TABLES; i++)
		if (scan->table[i].there && scan->table[i].gpa == gpa)
			return scan->table[i].bytes;
	i = scan->next_table++ % PAGING_SCAN_TABLES;
	scan->table[i].gpa = gpa;
	scan->table[i].there = scan->read(scan->ctx, gpa, scan->table[i].bytes, 4096) == 4096;
	return scan->table[i].there ? scan->table[i].bytes : NULL;
}

/* Entries are aligned: none goes over the end of a page. */
static size_t read_entry(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	struct paging_scan *scan = ctx;
	const uint8_t *table = find_table(scan, gpa & ~0xfffull);

	if (!table)
		return scan->read(scan->ctx, gpa, buf, len);
	memcpy(buf, table + (gpa & 0xfff), len);
	return len;
}

/* ---- ranges ------------------------------------------------------------------------------ */

/* Behind the block that a walk was about. */
static void move_on(struct paging_scan *scan, const struct paging_walk *walk)
{
	uint64_t to = walk->fault == PAGING_NOT_CANONICAL
			      ? scan->at + walk->span
			      : (scan->at & ~(walk->span - 1)) + walk->span;

	scan->ended = to <= scan->at;
	scan->at = to;
}

static bool is_range(const struct paging_walk *walk)
{
	return walk->fault != PAGING_NOT_CANONICAL && walk->fault != PAGING_NOT_PRESENT;
}

static uint64_t bytes_left(const struct paging_scan *scan, const struct paging_walk *walk)
{
	return walk->span - (scan->at & (walk->span - 1));
}

static void begin(struct page_range *range, const struct paging_scan *scan,
		  const struct paging_walk *walk)
{
	*range = (struct page_range){.linear = scan->at,
				     .size = bytes_left(scan, walk),
				     .gpa = walk->fault == PAGING_OK ? walk->gpa : 0,
				     .page_size = walk->page_size,
				     .fault = walk->fault,
				     .write = walk->write,
				     .user = walk->user,
				     .exec = walk->exec,
				     .global = walk->global};
}

static bool same_rights(const struct page_range *range, const struct paging_walk *walk)
{
	return range->write == walk->write && range->user == walk->user &&
	       range->exec == walk->exec && range->global == walk->global;
}

static bool goes_on(const struct paging_scan *scan, const struct page_range *range,
		    const struct paging_walk *walk)
{
	if (range->linear + range->size != scan->at || range->fault != walk->fault)
		return false;
	if (walk->fault != PAGING_OK)
		return true;
	if (!same_rights(range, walk))
		return false;
	return scan->by_rights ||
	       (range->page_size == walk->page_size && range->gpa + range->size == walk->gpa);
}

static void extend(struct page_range *range, const struct paging_scan *scan,
		   const struct paging_walk *walk)
{
	range->size += bytes_left(scan, walk);
	if (walk->page_size < range->page_size)
		range->page_size = walk->page_size;
}

enum paging_scan_result paging_scan_next(struct paging_scan *scan, struct page_range *range)
{
	struct paging_walk walk;
	bool begun = false;

	for (; !scan->ended && scan->walks; move_on(scan, &walk), scan->walks--) {
		paging_walk(&scan->regs, scan->at, read_entry, scan, &walk);
		if (begun && !(is_range(&walk) && goes_on(scan, range, &walk)))
			return SCAN_RANGE;
		if (begun)
			extend(range, scan, &walk);
		else if (is_range(&walk))
			begin(range, scan, &walk);
		begun |= is_range(&walk);
	}
	if (begun)
		return SCAN_RANGE;
	return scan->ended ? SCAN_END : SCAN_TOO_MANY;
}
