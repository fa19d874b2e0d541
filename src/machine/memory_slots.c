// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How RAM is shown to the guest. Each stretch of pages with the same access is one slot: a page that is
 * read-only or withdrawn splits the slot around it, and joins it again when it is open. A slot cannot be
 * changed, only deleted and made anew, and deleting one makes KVM forget what it had mapped of it: so the
 * slots that stay as they are are not touched, and nothing is done when nothing changes.
 */
#include "machine/memory_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_ID (~0u) /* not shown yet */

/* ---- which access each page has ---------------------------------------------------------- */

static uint64_t page_count(const struct memory *memory)
{
	return memory->size / MEMORY_PAGE;
}

static const struct ram_range *range_of(const struct memory *memory, uint64_t gpa)
{
	for (unsigned i = 0; i < memory->range_count; i++)
		if (gpa - memory->range[i].gpa < memory->range[i].size)
			return &memory->range[i];
	return NULL;
}

enum memory_access memory_access_at(const struct memory *memory, uint64_t gpa)
{
	const struct ram_range *range = memory->access ? range_of(memory, gpa) : NULL;

	if (!range)
		return MEMORY_OPEN;
	return memory->access[(range->offset + gpa - range->gpa) / MEMORY_PAGE];
}

static void mark_part(const struct ram_range *range, const struct memory_run *run, uint8_t *access)
{
	uint64_t first = run->gpa > range->gpa ? run->gpa - range->gpa : 0;
	uint64_t end = run->gpa + run->size - range->gpa;

	if (run->gpa + run->size <= range->gpa)
		return;
	end = end < range->size ? end : range->size;
	for (uint64_t at = first; at < end; at += MEMORY_PAGE) {
		uint8_t *page = &access[(range->offset + at) / MEMORY_PAGE];

		if (*page < run->access)
			*page = (uint8_t)run->access;
	}
}

/* The stricter access wins where runs overlap. */
static uint8_t *mark(const struct memory *memory, const struct memory_run *runs, unsigned count)
{
	uint8_t *access = calloc(page_count(memory), 1);

	for (unsigned i = 0; access && i < count; i++)
		for (unsigned r = 0; r < memory->range_count; r++)
			mark_part(&memory->range[r], &runs[i], access);
	return access;
}

/* ---- which slots that makes -------------------------------------------------------------- */

/* Bytes from offset on that have the same access. */
static uint64_t stretch(const uint8_t *access, uint64_t offset, uint64_t end)
{
	uint64_t at = offset + MEMORY_PAGE;

	while (at < end && access[at / MEMORY_PAGE] == access[offset / MEMORY_PAGE])
		at += MEMORY_PAGE;
	return at - offset;
}

/* The slots that show RAM so; into list unless it is NULL. How many there are. */
static unsigned cut(const struct memory *memory, const uint8_t *access, struct shown *list)
{
	unsigned n = 0;

	for (unsigned r = 0; r < memory->range_count; r++) {
		const struct ram_range *range = &memory->range[r];
		uint64_t end = range->offset + range->size, size;

		for (uint64_t at = range->offset; at < end; at += size) {
			enum memory_access how = access[at / MEMORY_PAGE];

			size = stretch(access, at, end);
			if (how == MEMORY_WITHDRAWN)
				continue;
			if (list)
				list[n] = (struct shown){.gpa = range->gpa + at - range->offset,
							 .size = size,
							 .offset = at,
							 .readonly = how == MEMORY_READ_ONLY};
			n++;
		}
	}
	return n;
}

/* ---- from one list of slots to another ---------------------------------------------------- */

static struct accel_slot slot_of(const struct memory *memory, const struct shown *shown)
{
	return (struct accel_slot){.id = shown->id,
				   .gpa = shown->gpa,
				   .size = shown->size,
				   .hva = memory->base + shown->offset,
				   .readonly = shown->readonly,
				   .log_dirty = atomic_load(&memory->dirty.on)};
}

static int tell(struct memory *memory, const struct shown *shown, bool present, struct error *err)
{
	struct accel_slot slot = slot_of(memory, shown);
	int rc = present ? 0 : dirty_collect(memory, shown);

	if (rc < 0)
		return error_set(err, rc, "cannot learn which memory the guest changed: %s",
				 strerror(-rc));
	if (!present) {
		slot.size = 0;
		slot.readonly = slot.log_dirty = false;
	}
	rc = memory->vm->ops->slot_set(memory->vm, &slot, err);
	if (rc == 0)
		memory->used[shown->id] = present;
	return rc;
}

static bool same_slot(const struct shown *a, const struct shown *b)
{
	return a->gpa == b->gpa && a->size == b->size && a->readonly == b->readonly;
}

/* Both lists are in order: calls fn for each entry of a that b lacks, and passes ids of the others on. */
static int for_each_lacking(struct memory *memory, const struct shown *a, unsigned a_count,
			    struct shown *b, unsigned b_count,
			    int (*fn)(struct memory *, const struct shown *, struct error *),
			    struct error *err)
{
	unsigned j = 0;

	for (unsigned i = 0; i < a_count; i++) {
		int rc = 0;

		while (j < b_count && b[j].gpa < a[i].gpa)
			j++;
		if (j < b_count && same_slot(&a[i], &b[j]))
			b[j].id = a[i].id;
		else
			rc = fn(memory, &a[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int remove_slot(struct memory *memory, const struct shown *shown, struct error *err)
{
	return tell(memory, shown, false, err);
}

/* ids that for_each_lacking() has passed on are in use by the same slot still. */
static bool is_there(const struct memory *memory, const struct shown *shown)
{
	return shown->id != NO_ID && memory->used[shown->id];
}

static int add_slots(struct memory *memory, struct shown *list, unsigned count, struct error *err)
{
	unsigned id = 0;

	for (unsigned i = 0; i < count; i++) {
		int rc;

		if (is_there(memory, &list[i]))
			continue;
		while (memory->used[id])
			id++;
		list[i].id = id;
		rc = tell(memory, &list[i], true, err);
		if (rc < 0) {
			list[i].id = NO_ID;
			return rc;
		}
	}
	return 0;
}

/* All deletions come first: slots must not overlap at any time. */
static int change(struct memory *memory, struct shown *from, unsigned from_count, struct shown *to,
		  unsigned to_count, struct error *err)
{
	int rc;

	for (unsigned i = 0; i < to_count; i++)
		to[i].id = NO_ID;
	rc = for_each_lacking(memory, from, from_count, to, to_count, remove_slot, err);
	return rc < 0 ? rc : add_slots(memory, to, to_count, err);
}

/* After a failure: away with everything, and the old slots again. */
static void change_back(struct memory *memory, struct shown *to, unsigned to_count)
{
	for (unsigned i = 0; i < to_count; i++)
		if (is_there(memory, &to[i]))
			tell(memory, &to[i], false, NULL);
	for (unsigned i = 0; i < memory->shown_count; i++) {
		if (is_there(memory, &memory->shown[i]))
			tell(memory, &memory->shown[i], false, NULL);
		memory->shown[i].id = NO_ID;
	}
	add_slots(memory, memory->shown, memory->shown_count, NULL);
}

static int too_many(const struct memory *memory, unsigned count, struct error *err)
{
	return error_set(err, -ENOSPC,
			 "the protected pages are so scattered that RAM needs %u memory slots, and "
			 "this host's KVM has %u: watch fewer places",
			 count, memory->vm->slots);
}

static int show(struct memory *memory, const uint8_t *access, struct error *err)
{
	unsigned count = cut(memory, access, NULL);
	struct shown *list;
	int rc;

	if (count > memory->vm->slots)
		return too_many(memory, count, err);
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return error_set(err, -ENOMEM, "out of memory");
	cut(memory, access, list);
	rc = change(memory, memory->shown, memory->shown_count, list, count, err);
	if (rc < 0) {
		change_back(memory, list, count);
		free(list);
		return rc;
	}
	free(memory->shown);
	memory->shown = list;
	memory->shown_count = count;
	return 0;
}

/* ---- what others ask for ----------------------------------------------------------------- */

static bool same_runs(const struct memory *memory, const struct memory_run *runs, unsigned count)
{
	if (count != memory->wanted_count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (runs[i].gpa != memory->wanted[i].gpa ||
		    runs[i].size != memory->wanted[i].size ||
		    runs[i].access != memory->wanted[i].access)
			return false;
	return true;
}

static void remember(struct memory *memory, struct memory_run *wanted, unsigned count,
		     uint8_t *access)
{
	free(memory->wanted);
	free(memory->access);
	memory->wanted = wanted;
	memory->wanted_count = count;
	memory->access = access;
}

int memory_protect(struct memory *memory, const struct memory_run *runs, unsigned count,
		   struct error *err)
{
	struct memory_run *wanted;
	uint8_t *access;
	int rc;

	if (same_runs(memory, runs, count))
		return 0;
	wanted = malloc((count ? count : 1) * sizeof(*wanted));
	access = mark(memory, runs, count);
	rc = wanted && access ? show(memory, access, err)
			      : error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		free(wanted);
		free(access);
		return rc;
	}
	if (count)
		memcpy(wanted, runs, count * sizeof(*wanted));
	remember(memory, wanted, count, access);
	return 0;
}

int memory_reshow(struct memory *memory, struct error *err)
{
	for (unsigned i = 0; i < memory->shown_count; i++) {
		int rc = tell(memory, &memory->shown[i], true, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

unsigned memory_slot_count(const struct memory *memory)
{
	return memory->shown_count;
}

bool memory_slot_at(const struct memory *memory, unsigned index, struct accel_slot *slot)
{
	if (index >= memory->shown_count)
		return false;
	*slot = slot_of(memory, &memory->shown[index]);
	return true;
}

int memory_show(struct memory *memory, struct error *err)
{
	uint8_t *access = calloc(page_count(memory), 1);
	int rc;

	memory->used = calloc(memory->vm->slots, 1);
	rc = access && memory->used ? show(memory, access, err)
				    : error_set(err, -ENOMEM, "out of memory");
	free(access);
	return rc;
}

void memory_slots_free(struct memory *memory)
{
	free(memory->shown);
	free(memory->used);
	remember(memory, NULL, 0, NULL);
}
