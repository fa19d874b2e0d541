// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/dirty.h"

#include "machine/memory_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t pages_of(uint64_t size)
{
	return (size + MEMORY_PAGE - 1) / MEMORY_PAGE;
}

static size_t words_of(uint64_t size)
{
	return (pages_of(size) + 63) / 64;
}

/* ---- vitrine's own writes ------------------------------------------------------------------ */

static void mark_page(struct dirty_log *log, enum dirty_reader reader, uint64_t page)
{
	if (log->bits[reader])
		atomic_fetch_or_explicit(&log->bits[reader][page / 64], 1ull << (page % 64),
					 memory_order_relaxed);
}

static void mark(struct memory *memory, unsigned readers, uint64_t offset, uint64_t size)
{
	struct dirty_log *log = &memory->dirty;
	uint64_t last = (offset + size - 1) / MEMORY_PAGE;

	if (!size || !atomic_load_explicit(&log->on, memory_order_acquire))
		return;
	for (uint64_t page = offset / MEMORY_PAGE; page <= last; page++)
		for (enum dirty_reader reader = 0; reader < DIRTY_READERS; reader++)
			if (readers >> reader & 1)
				mark_page(log, reader, page);
}

void dirty_mark(struct memory *memory, uint64_t offset, uint64_t size)
{
	mark(memory, 1 << DIRTY_SNAPSHOTS | 1 << DIRTY_GUEST, offset, size);
}

void dirty_mark_own(struct memory *memory, uint64_t offset, uint64_t size)
{
	mark(memory, 1 << DIRTY_SNAPSHOTS, offset, size);
}

void dirty_mark_existing(struct memory *memory)
{
	uint64_t offset = 0, size = 0;

	while (ram_touched(memory, offset + size, memory->size, &offset, &size))
		dirty_mark(memory, offset, size);
}

/* ---- the guest's writes, slot by slot ------------------------------------------------------ */

/* A slot's first page is anywhere in a word of ours. */
static void add_word(struct dirty_log *log, uint64_t first_page, uint64_t word)
{
	for (; word; word &= word - 1)
		for (enum dirty_reader reader = 0; reader < DIRTY_READERS; reader++)
			mark_page(log, reader, first_page + (uint64_t)__builtin_ctzll(word));
}

int dirty_collect(struct memory *memory, const struct shown *shown)
{
	uint64_t *bitmap;
	int rc;

	if (!atomic_load(&memory->dirty.on))
		return 0;
	bitmap = calloc(words_of(shown->size), sizeof(*bitmap));
	if (!bitmap)
		return -ENOMEM;
	rc = memory->vm->ops->dirty_log(memory->vm, shown->id, bitmap);
	for (size_t i = 0; rc == 0 && i < words_of(shown->size); i++)
		add_word(&memory->dirty, shown->offset / MEMORY_PAGE + 64 * i, bitmap[i]);
	free(bitmap);
	return rc;
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool anybody_reads(const struct dirty_log *log)
{
	for (enum dirty_reader reader = 0; reader < DIRTY_READERS; reader++)
		if (log->reads[reader])
			return true;
	return false;
}

static int open_books(struct memory *memory, bool on, struct error *err)
{
	if (atomic_load(&memory->dirty.on) == on)
		return 0;
	atomic_store(&memory->dirty.on, on);
	return memory_reshow(memory, err);
}

/* What the accelerator knows already concerns those who read before. */
static int collect_all(struct memory *memory, struct error *err)
{
	for (unsigned i = 0; i < memory->shown_count; i++) {
		int rc = dirty_collect(memory, &memory->shown[i]);

		if (rc < 0)
			return error_set(err, rc, "cannot learn which memory the guest changed: %s",
					 strerror(-rc));
	}
	return 0;
}

static int clean_book(struct memory *memory, enum dirty_reader reader, struct error *err)
{
	struct dirty_log *log = &memory->dirty;

	if (!log->bits[reader])
		log->bits[reader] = calloc(words_of(memory->size), sizeof(*log->bits[reader]));
	if (!log->bits[reader])
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < words_of(memory->size); i++)
		atomic_store_explicit(&log->bits[reader][i], 0, memory_order_relaxed);
	return 0;
}

int dirty_start(struct memory *memory, enum dirty_reader reader, struct error *err)
{
	struct dirty_log *log = &memory->dirty;
	int rc;

	if (log->reads[reader])
		return 0;
	rc = collect_all(memory, err);
	if (rc == 0)
		rc = clean_book(memory, reader, err);
	if (rc < 0)
		return rc;
	log->reads[reader] = true;
	rc = open_books(memory, true, err);
	if (rc < 0)
		dirty_stop(memory, reader);
	return rc;
}

void dirty_stop(struct memory *memory, enum dirty_reader reader)
{
	memory->dirty.reads[reader] = false;
	open_books(memory, anybody_reads(&memory->dirty), NULL);
}

int dirty_take(struct memory *memory, enum dirty_reader reader, uint64_t *bits, struct error *err)
{
	int rc = collect_all(memory, err);

	for (size_t i = 0; rc == 0 && i < words_of(memory->size); i++)
		bits[i] |= atomic_exchange(&memory->dirty.bits[reader][i], 0);
	return rc;
}

void dirty_free(struct memory *memory)
{
	for (enum dirty_reader reader = 0; reader < DIRTY_READERS; reader++)
		free((void *)memory->dirty.bits[reader]);
}
