// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Pages that follow one another, in linear and in physical memory, are searched as one stretch; of that only what is
 * RAM, in chunks, each behind as many bytes of the one before as a pattern may have in it without having
 * been found there. What nobody has ever touched is not read: it is zeros, of which as many as the pattern is long say
 * all, and reading would make the host find a page for each.
 */
#include "debug/debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK	       0x40000u
#define PATIENCE       3  /* seconds: gdb gives up on an answer soon after */
#define PATIENCE_ASKED 60 /* where somebody can end it before */
#define ASK_AFTER      (1u << 20)
#define UNPAGED	       (1ull << 32)
#define PAGE	       4096

struct stretch {
	uint64_t address, gpa, size;
};

struct searcher {
	struct debug *debug;
	struct memory_search *search;
	struct stretch stretch; /* that still grows */
	uint64_t touched;	/* the last stretch of RAM that somebody has ever touched … */
	uint64_t touched_size;	/* … or that is ahead */
	size_t rarest;		/* of the pattern's bytes */
	int result;		/* 0: nothing found yet */
	time_t end;		/* when patience is */
	uint64_t unasked;	/* bytes that were looked at since somebody was asked */
	uint8_t *buffer;	/* what is kept, and a chunk */
	size_t kept;		/* bytes at its beginning */
	uint64_t kept_before;	/* the address behind them */
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Another so many bytes are to be looked at, from address on; false when there is an end to it. */
static bool may_go_on(struct searcher *s, uint64_t address, uint64_t bytes)
{
	struct memory_search *search = s->search;

	s->unasked += bytes;
	if (s->unasked < ASK_AFTER)
		return true;
	s->unasked = 0;
	if (search->enough && search->enough(search->enough_ctx))
		s->result = -EINTR;
	else if (now() > s->end)
		s->result = -ETIME;
	if (s->result)
		search->at = address;
	return !s->result;
}

static void take_off(struct stretch *stretch, uint64_t size)
{
	stretch->address += size;
	stretch->gpa += size;
	stretch->size -= size;
}

/* ---- bytes ------------------------------------------------------------------------------- */

/* Most frequent first; what is not among them is rare. */
static const char frequent[] = "\0\xff\x48\x01 \x8b\x89\x0f\x02\x08\x10\x24\xe8\x83\x04 etaoinsrl";

/* The index of a byte of the pattern that little else in memory is like. */
static size_t rarest(const uint8_t *pattern, size_t size)
{
	size_t best = 0, best_rank = 0;

	for (size_t i = 0; i < size; i++) {
		const char *known = memchr(frequent, pattern[i], sizeof(frequent) - 1);
		size_t rank = known ? (size_t)(known - frequent) : sizeof(frequent);

		if (rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

#define MISSES_IN 64 /* one in so many bytes, and the byte was not rare at all */

/* memchr() is much faster than memmem(), as long as it finds little. */
static const uint8_t *first_match(const struct searcher *s, const uint8_t *bytes, size_t size)
{
	const uint8_t *pattern = s->search->pattern, *at = bytes + s->rarest, *end = bytes + size;
	size_t behind = s->search->size - s->rarest, misses = size / MISSES_IN;

	for (; (size_t)(end - at) >= behind; at++) {
		at = memchr(at, pattern[s->rarest], (size_t)(end - at) - behind + 1);
		if (!at || !memcmp(at - s->rarest, pattern, s->search->size))
			return at ? at - s->rarest : NULL;
		if (!misses--)
			return memmem(at - s->rarest, (size_t)(end - at) + s->rarest, pattern,
				      s->search->size);
	}
	return NULL;
}

/* One chunk in the buffer, which came from address. */
static void look(struct searcher *s, uint64_t address, size_t size)
{
	struct memory_search *search = s->search;
	size_t all = s->kept + size;
	const uint8_t *found = all < search->size ? NULL : first_match(s, s->buffer, all);

	if (found) {
		search->at = address - s->kept + (uint64_t)(found - s->buffer);
		s->result = 1;
		return;
	}
	s->kept = all < search->size - 1 ? all : search->size - 1;
	memmove(s->buffer, s->buffer + all - s->kept, s->kept);
	s->kept_before = address + size;
}

static void search_chunk(struct searcher *s, struct stretch *ram, uint64_t size)
{
	size_t chunk = size < CHUNK ? size : CHUNK;
	ssize_t done;

	done = debug_read(s->debug, s->search->vcpu, SPACE_PHYSICAL, ram->gpa, s->buffer + s->kept,
			  chunk);
	if (done > 0)
		look(s, ram->address, (size_t)done);
	/* What the host has lost of RAM is passed over, too. */
	take_off(ram, done == (ssize_t)chunk ? chunk : chunk < PAGE ? chunk : PAGE);
}

static void search_zeros(struct searcher *s, struct stretch *ram, uint64_t size)
{
	size_t zeros = s->search->size < CHUNK ? s->search->size : CHUNK;

	if (zeros > size)
		zeros = size;
	memset(s->buffer + s->kept, 0, zeros);
	look(s, ram->address, zeros);
	take_off(ram, zeros < s->search->size ? zeros : size);
	if (!s->result)
		s->kept_before = ram->address; /* zeros are kept */
}

/* Asked for once and kept: the host looks at each page to see where they end. */
static bool is_touched(struct searcher *s, uint64_t gpa)
{
	if (gpa - s->touched >= s->touched_size &&
	    !debug_ram_touched(s->debug, gpa, &s->touched, &s->touched_size)) {
		s->touched = UINT64_MAX;
		s->touched_size = 0;
	}
	return gpa - s->touched < s->touched_size;
}

static void search_ram(struct searcher *s, struct stretch *ram)
{
	while (ram->size && !s->result && may_go_on(s, ram->address, lesser(ram->size, CHUNK))) {
		if (s->kept_before != ram->address)
			s->kept = 0;
		if (is_touched(s, ram->gpa))
			search_chunk(s, ram,
				     lesser(ram->size, s->touched + s->touched_size - ram->gpa));
		else
			search_zeros(s, ram, lesser(ram->size, s->touched - ram->gpa));
	}
}

/* ---- stretches --------------------------------------------------------------------------- */

/* The part of RAM that begins lowest in stretch, which is shortened by it and what lies before; false when there is
 * none. */
static bool take_ram(struct debug *debug, struct stretch *stretch, struct stretch *ram)
{
	uint64_t gpa, size;

	for (unsigned i = 0; stretch->size && debug_ram_range(debug, i, &gpa, &size); i++) {
		uint64_t before = gpa > stretch->gpa ? gpa - stretch->gpa : 0;
		uint64_t into = gpa > stretch->gpa ? 0 : stretch->gpa - gpa;

		if (before >= stretch->size || into >= size)
			continue;
		take_off(stretch, before);
		*ram = *stretch;
		if (ram->size > size - into)
			ram->size = size - into;
		take_off(stretch, ram->size);
		return true;
	}
	return false;
}

/* Cuts it to what is asked for. */
static void clip(const struct memory_search *search, struct stretch *stretch)
{
	uint64_t before = search->from > stretch->address ? search->from - stretch->address : 0;

	take_off(stretch, before < stretch->size ? before : stretch->size);
	if (stretch->address > search->to)
		stretch->size = 0;
	else if (stretch->size && stretch->size - 1 > search->to - stretch->address)
		stretch->size = search->to - stretch->address + 1;
}

static void search_stretch(struct searcher *s)
{
	struct stretch ram;

	clip(s->search, &s->stretch);
	while (!s->result && take_ram(s->debug, &s->stretch, &ram))
		search_ram(s, &ram);
	s->stretch.size = 0;
}

static bool take_page(void *ctx, const struct mapped_page *page)
{
	struct searcher *s = ctx;
	struct stretch *stretch = &s->stretch;

	if (stretch->size && page->linear == stretch->address + stretch->size &&
	    page->gpa == stretch->gpa + stretch->size) {
		stretch->size += page->size;
		return true;
	}
	search_stretch(s);
	*stretch = (struct stretch){page->linear, page->gpa, page->size};
	/* It may be no RAM, and to come here was work, too. */
	return !s->result && page->linear <= s->search->to && may_go_on(s, page->linear, PAGE);
}

static void search_linear(struct searcher *s)
{
	uint64_t from = s->search->from;
	int end = debug_page_map(s->debug, s->search->vcpu, from, take_page, s);

	if (end == PAGE_MAP_UNPAGED)
		s->stretch = (struct stretch){.size = UNPAGED};
	if (end >= 0 && !s->result)
		search_stretch(s);
	if (end < 0)
		s->result = end;
	if (end != PAGE_MAP_TOO_MANY || s->result)
		return;
	s->search->at = s->stretch.address;
	s->result = -ETIME;
}

static void search_physical(struct searcher *s)
{
	s->stretch = (struct stretch){.size = UINT64_MAX};
	search_stretch(s);
}

int debug_search(struct debug *debug, struct memory_search *search)
{
	struct searcher s = {.debug = debug,
			     .search = search,
			     .end = now() + (search->enough ? PATIENCE_ASKED : PATIENCE)};

	if (!search->size || search->to < search->from)
		return -EINVAL;
	if (debug_running(debug))
		return -EBUSY;
	s.rarest = rarest(search->pattern, search->size);
	s.buffer = malloc(search->size + CHUNK);
	if (!s.buffer)
		return -ENOMEM;
	if (search->space == SPACE_LINEAR)
		search_linear(&s);
	else
		search_physical(&s);
	free(s.buffer);
	return s.result;
}
