// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/dirty.h"

#include "machine/memory_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t pages_of(uint64_t size)
{
	return (size + MEMORY_PAGE - 1) / MEMORY_PAGE;
}

static size_t words_of(uint64_t size)
{
	return (pages_of(size) + 63) / 64;
}

/* ---- vitrine's own writes ------------------------------------------------------------------ */

static void mark_page(struct dirty_log *log, uint64_t page)
{
	atomic_fetch_or_explicit(&log->bits[page / 64], 1ull << (page % 64), memory_order_relaxed);
}

void dirty_mark(struct memory *memory, uint64_t offset, uint64_t size)
{
	struct dirty_log *log = &memory->dirty;

	if (!size || !atomic_load_explicit(&log->on, memory_order_acquire))
		return;
	for (uint64_t page = offset / MEMORY_PAGE; page <= (offset + size - 1) / MEMORY_PAGE;
	     page++)
		mark_page(log, page);
}

/* The file behind RAM knows; where it does not, all of it is marked. */
void dirty_mark_existing(struct memory *memory)
{
	off_t end = (off_t)memory->size, at = 0, hole;

	while (at < end && (at = lseek(memory->fd, at, SEEK_DATA)) >= 0) {
		hole = lseek(memory->fd, at, SEEK_HOLE);
		if (hole <= at || hole > end)
			hole = end;
		dirty_mark(memory, (uint64_t)at, (uint64_t)(hole - at));
		at = hole;
	}
	if (at < 0 && errno != ENXIO)
		dirty_mark(memory, 0, memory->size);
}

/* ---- the guest's writes, slot by slot ------------------------------------------------------ */

/* A slot's first page is anywhere in a word of ours. */
static void add_word(struct dirty_log *log, uint64_t first_page, uint64_t word)
{
	for (; word; word &= word - 1)
		mark_page(log, first_page + (uint64_t)__builtin_ctzll(word));
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

static int open_books(struct memory *memory, bool on, struct error *err)
{
	atomic_store(&memory->dirty.on, on);
	return memory_reshow(memory, err);
}

int dirty_start(struct memory *memory, struct error *err)
{
	struct dirty_log *log = &memory->dirty;
	int rc;

	if (atomic_load(&log->on))
		return 0;
	free((void *)log->bits);
	log->bits = calloc(words_of(memory->size), sizeof(*log->bits));
	if (!log->bits)
		return error_set(err, -ENOMEM, "out of memory");
	rc = open_books(memory, true, err);
	if (rc < 0)
		open_books(memory, false, NULL);
	return rc;
}

void dirty_stop(struct memory *memory)
{
	if (atomic_load(&memory->dirty.on))
		open_books(memory, false, NULL);
}

int dirty_take(struct memory *memory, uint64_t *bits, struct error *err)
{
	for (unsigned i = 0; i < memory->shown_count; i++) {
		int rc = dirty_collect(memory, &memory->shown[i]);

		if (rc < 0)
			return error_set(err, rc, "cannot learn which memory the guest changed: %s",
					 strerror(-rc));
	}
	for (size_t i = 0; i < words_of(memory->size); i++)
		bits[i] |= atomic_exchange(&memory->dirty.bits[i], 0);
	return 0;
}

void dirty_free(struct memory *memory)
{
	free((void *)memory->dirty.bits);
}
