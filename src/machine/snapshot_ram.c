// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * RAM in snapshots. One invariant carries all of it: RAM is base, but for the pages in `changed` and in the
 * log. Saving copies those pages into base, which then is the picture; restoring copies them, and those
 * where base and the other picture differ, out of that picture into RAM.
 */
#include "machine/snapshot.h"

#include "machine/dirty.h"
#include "machine/memory_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_PAGES 64

static uint64_t page_count(const struct snapshots *s)
{
	return memory_size(s->machine->memory) / TREE_PAGE;
}

static size_t word_count(const struct snapshots *s)
{
	return (page_count(s) + WORD_PAGES - 1) / WORD_PAGES;
}

static uint8_t *page_at(const struct snapshots *s, uint64_t index)
{
	return s->machine->memory->base + index * TREE_PAGE;
}

/* Pages that nobody has touched are zeros, and looking at them would make them. */
static bool is_hole(const struct snapshots *s, uint64_t first)
{
	uint64_t from = first * TREE_PAGE, end = from + WORD_PAGES * TREE_PAGE, offset, size;

	return !ram_touched(s->machine->memory, from, end, &offset, &size);
}

/* ---- the invariant's beginning and end ------------------------------------------------------ */

static void mark_changed(struct snapshots *s, uint64_t index)
{
	s->changed[index / WORD_PAGES] |= 1ull << (index % WORD_PAGES);
}

static int begin(struct snapshots *s, struct error *err)
{
	int rc;

	if (s->logging)
		return 0;
	s->changed = calloc(word_count(s), sizeof(*s->changed));
	if (!s->changed)
		return error_set(err, -ENOMEM, "out of memory");
	rc = dirty_start(s->machine->memory, DIRTY_SNAPSHOTS, err);
	if (rc < 0) {
		free(s->changed);
		s->changed = NULL;
		return rc;
	}
	s->base = page_tree_new(page_count(s));
	dirty_mark_existing(s->machine->memory);
	s->logging = true;
	return 0;
}

void snapshot_ram_forget(struct snapshots *s)
{
	if (!s->logging)
		return;
	dirty_stop(s->machine->memory, DIRTY_SNAPSHOTS);
	page_tree_free(&s->base);
	free(s->changed);
	s->changed = NULL;
	s->logging = false;
}

/* `changed` has all of it then. */
static int learn_changes(struct snapshots *s, struct error *err)
{
	int rc = begin(s, err);

	return rc < 0 ? rc : dirty_take(s->machine->memory, DIRTY_SNAPSHOTS, s->changed, err);
}

/* ---- saving --------------------------------------------------------------------------------- */

/* A page that was written and has its old bytes again keeps its old copy. */
static int save_page(struct snapshots *s, uint64_t index, bool hole, uint64_t *pages)
{
	const uint8_t *old = page_tree_get(&s->base, index);
	uint8_t bytes[TREE_PAGE] = {0};

	if (!hole && sigbus_copy(bytes, page_at(s, index), TREE_PAGE) != TREE_PAGE)
		return -EFAULT;
	if (old ? !memcmp(old, bytes, TREE_PAGE) : page_is_zero(bytes))
		return 0;
	++*pages;
	return page_tree_set(&s->base, index, bytes);
}

/* What has been copied is off the list at once: a failure leaves the invariant whole. */
static int save_word(struct snapshots *s, size_t word, uint64_t *pages)
{
	bool hole = s->changed[word] == UINT64_MAX && is_hole(s, word * WORD_PAGES);

	for (; s->changed[word]; s->changed[word] &= s->changed[word] - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(s->changed[word]);
		int rc = save_page(s, word * WORD_PAGES + bit, hole, pages);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int snapshot_ram_save(struct snapshots *s, uint64_t *pages, struct error *err)
{
	int rc = learn_changes(s, err);

	*pages = 0;
	if (rc < 0)
		return rc;
	for (size_t word = 0; rc == 0 && word < word_count(s); word++)
		rc = save_word(s, word, pages);
	if (rc == -EFAULT)
		return error_set(err, rc, "cannot save RAM: the host lost a page of it");
	return rc < 0 ? error_set(err, rc, "not enough memory for a copy of the guest's RAM") : 0;
}

/* ---- restoring ------------------------------------------------------------------------------ */

static int note_difference(void *ctx, uint64_t index)
{
	mark_changed(ctx, index);
	return 0;
}

/* A page that the host lost is given back to it, and a fresh one taken in its place. */
static int restore_page(struct snapshots *s, uint64_t index, const struct page_tree *ram)
{
	static const uint8_t zeros[TREE_PAGE];
	const uint8_t *bytes = page_tree_get(ram, index);

	if (!bytes)
		bytes = zeros;
	if (sigbus_copy(page_at(s, index), bytes, TREE_PAGE) == TREE_PAGE)
		return 0;
	if (ram_renew(s->machine->memory, index * TREE_PAGE) &&
	    sigbus_copy(page_at(s, index), bytes, TREE_PAGE) == TREE_PAGE)
		return 0;
	return -EFAULT;
}

static bool all_zeros(const struct page_tree *ram, uint64_t first)
{
	for (uint64_t i = first; i < first + WORD_PAGES; i++)
		if (page_tree_get(ram, i))
			return false;
	return true;
}

/* Many zeros at once are cheapest as no pages at all. */
static int restore_word(struct snapshots *s, size_t word, const struct page_tree *ram)
{
	uint64_t first = word * WORD_PAGES;
	int rc = 0;

	if (s->changed[word] == UINT64_MAX && all_zeros(ram, first) &&
	    ram_drop(s->machine->memory, first * TREE_PAGE, WORD_PAGES * TREE_PAGE))
		return 0;
	for (uint64_t left = s->changed[word]; rc == 0 && left; left &= left - 1)
		rc = restore_page(s, first + (unsigned)__builtin_ctzll(left), ram);
	return rc;
}

/* Until all is done every page stays on the list. */
int snapshot_ram_restore(struct snapshots *s, const struct page_tree *ram, struct error *err)
{
	int rc = learn_changes(s, err);

	if (rc < 0)
		return rc;
	page_tree_differences(&s->base, ram, note_difference, s);
	for (size_t word = 0; rc == 0 && word < word_count(s); word++)
		rc = restore_word(s, word, ram);
	if (rc < 0)
		return error_set(err, rc,
				 "the host lost a page of guest RAM: the machine is neither what "
				 "it was nor what the snapshot says; restore again, or reset");
	memset(s->changed, 0, word_count(s) * sizeof(*s->changed));
	page_tree_free(&s->base);
	s->base = page_tree_copy(ram);
	return 0;
}
