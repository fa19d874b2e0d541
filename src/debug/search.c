// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory comes in stretches: addresses that follow one another and lead to RAM that does, too. Each is read in
 * chunks, behind as many bytes of the one before as a pattern may have in it without being found there.
 */
#include "debug/debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK	 0x40000u
#define PATIENCE 3 /* seconds: gdb gives up on an answer soon after */

struct stretch {
	uint64_t address, gpa, size;
};

struct searcher {
	struct debug *debug;
	struct memory_search *search;
	struct paging_scan scan;
	struct page_range range; /* what is left of the one that stretches are being cut from */
	uint64_t end;		 /* when patience is */
	uint8_t *buffer;	 /* what is kept, and a chunk */
	size_t kept;		 /* bytes at its beginning */
	uint64_t kept_before;	 /* the address behind them */
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec;
}

/* ---- stretches --------------------------------------------------------------------------- */

/* The part of RAM that begins lowest in gpa … gpa + size - 1; false when there is none. */
static bool find_ram(struct debug *debug, uint64_t gpa, uint64_t size, struct stretch *part)
{
	uint64_t ram, length;

	for (unsigned i = 0; debug_ram_range(debug, i, &ram, &length); i++) {
		uint64_t first = gpa > ram ? gpa : ram;
		uint64_t last = gpa + (size - 1) < ram + (length - 1) ? gpa + (size - 1)
								      : ram + (length - 1);

		if (first > last)
			continue;
		*part = (struct stretch){.gpa = first, .size = last - first + 1};
		return true;
	}
	return false;
}

/* Takes what lies before and in a part off a range. */
static void consume(struct page_range *range, uint64_t size)
{
	range->linear += size;
	range->gpa += size;
	range->size -= size;
}

static bool cut_stretch(struct searcher *s, struct stretch *stretch)
{
	uint64_t before;

	if (!s->range.size || !find_ram(s->debug, s->range.gpa, s->range.size, stretch))
		return false;
	before = stretch->gpa - s->range.gpa;
	stretch->address = s->range.linear + before;
	consume(&s->range, before + stretch->size);
	return true;
}

/* 1, 0 at the end, -ETIME. */
static int next_stretch(struct searcher *s, struct stretch *stretch)
{
	while (!cut_stretch(s, stretch)) {
		switch (paging_scan_next(&s->scan, &s->range)) {
		case SCAN_END: return 0;
		case SCAN_TOO_MANY: s->search->at = s->scan.at; return -ETIME;
		case SCAN_RANGE: break;
		}
		if (s->range.linear > s->search->to)
			return 0;
		if (s->range.fault != PAGING_OK)
			s->range.size = 0;
	}
	if (stretch->address > s->search->to)
		return 0;
	if (stretch->size - 1 > s->search->to - stretch->address)
		stretch->size = s->search->to - stretch->address + 1;
	return 1;
}

/* Physical memory is one range, mapped to itself. */
static int begin(struct searcher *s)
{
	const struct memory_search *search = s->search;

	if (search->space == SPACE_LINEAR)
		return debug_scan_pages(s->debug, search->vcpu, search->from, &s->scan);
	s->scan.ended = true;
	s->range = (struct page_range){
		.linear = search->from, .gpa = search->from, .size = search->to - search->from + 1};
	if (!s->range.size)
		s->range.size = UINT64_MAX;
	return debug_running(s->debug) ? -EBUSY : 0;
}

/* ---- bytes ------------------------------------------------------------------------------- */

/* One chunk at address; true when the pattern ends in it. */
static bool look(struct searcher *s, uint64_t address, size_t size)
{
	struct memory_search *search = s->search;
	size_t all = s->kept + size;
	const uint8_t *found = memmem(s->buffer, all, search->pattern, search->size);
	if (found) {
		search->at = address - s->kept + (uint64_t)(found - s->buffer);
		return true;
	}
	s->kept = all < search->size - 1 ? all : search->size - 1;
	memmove(s->buffer, s->buffer + all - s->kept, s->kept);
	s->kept_before = address + size;
	return false;
}

static int search_stretch(struct searcher *s, struct stretch *stretch)
{
	while (stretch->size) {
		size_t chunk = stretch->size < CHUNK ? stretch->size : CHUNK;
		ssize_t got;
		size_t done;

		if (now() > s->end) {
			s->search->at = stretch->address;
			return -ETIME;
		}
		if (s->kept_before != stretch->address)
			s->kept = 0;
		got = debug_read(s->debug, s->search->vcpu, SPACE_PHYSICAL, stretch->gpa,
				 s->buffer + s->kept, chunk);
		done = got > 0 ? (size_t)got : 0;
		if (look(s, stretch->address, done))
			return 1;
		if (done < chunk) /* the host has lost a page */
			done += done + 4096 <= stretch->size ? 4096 : stretch->size - done;
		stretch->address += done;
		stretch->gpa += done;
		stretch->size -= done;
	}
	return 0;
}

static int search_all(struct searcher *s)
{
	struct stretch stretch;
	int rc = begin(s);

	while (rc == 0 && (rc = next_stretch(s, &stretch)) > 0)
		rc = search_stretch(s, &stretch);
	return rc;
}

int debug_search(struct debug *debug, struct memory_search *search)
{
	struct searcher *s;
	int rc = -ENOMEM;

	if (!search->size || search->to < search->from)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s)
		s->buffer = malloc(search->size + CHUNK);
	if (s && s->buffer) {
		s->debug = debug;
		s->search = search;
		s->end = now() + PATIENCE;
		rc = search_all(s);
	}
	if (s)
		free(s->buffer);
	free(s);
	return rc;
}
