// SPDX-License-Identifier: GPL-3.0-or-later
/* Which pages the guest has written since it was last let run. */
#include "debug/core.h"

#include "machine/dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull

static size_t word_count(const struct debug *debug)
{
	return (memory_size(debug->machine->memory) / PAGE + 63) / 64;
}

int debug_track_writes(struct debug *debug, bool on, struct error *err)
{
	int rc;

	if (on == (debug->written != NULL))
		return 0;
	if (debug_running(debug))
		return error_set(err, -EBUSY, "the guest is running; `stop` it first");
	if (!on) {
		core_written_free(debug);
		return 0;
	}
	debug->written = calloc(word_count(debug), sizeof(*debug->written));
	if (!debug->written)
		return error_set(err, -ENOMEM, "out of memory");
	rc = dirty_start(debug->machine->memory, DIRTY_GUEST, err);
	if (rc < 0) {
		free(debug->written);
		debug->written = NULL;
	}
	return rc;
}

bool debug_tracks_writes(const struct debug *debug)
{
	return debug->written != NULL;
}

void core_written_free(struct debug *debug)
{
	if (!debug->written)
		return;
	dirty_stop(debug->machine->memory, DIRTY_GUEST);
	free(debug->written);
	debug->written = NULL;
}

/* What was written until now, by whom ever, is nobody's business. */
void core_forget_written(struct debug *debug)
{
	if (!debug->written)
		return;
	dirty_take(debug->machine->memory, DIRTY_GUEST, debug->written, NULL);
	memset(debug->written, 0, word_count(debug) * sizeof(*debug->written));
}

void core_note_written(struct debug *debug)
{
	if (debug->written)
		dirty_take(debug->machine->memory, DIRTY_GUEST, debug->written, NULL);
}

/* ---- runs of pages ------------------------------------------------------------------------- */

static bool is_written(const struct debug *debug, uint64_t page)
{
	return debug->written[page / 64] >> page % 64 & 1;
}

/* The number of a page of RAM, by its place in RAM's mapping. */
static uint64_t page_of(const struct debug *debug, uint64_t gpa)
{
	struct memory *memory = debug->machine->memory;
	const uint8_t *base = mem_hva(memory, 0, NULL);

	return (uint64_t)((const uint8_t *)mem_hva(memory, gpa, NULL) - base) / PAGE;
}

static bool find_run(const struct debug *debug, uint64_t first, uint64_t last, uint64_t *from,
		     uint64_t *count)
{
	while (first < last && !is_written(debug, first))
		first++;
	*from = first;
	while (first < last && is_written(debug, first))
		first++;
	*count = first - *from;
	return *count > 0;
}

bool debug_written(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	uint64_t start, length, first, count;

	if (!debug->written || debug_running(debug))
		return false;
	for (unsigned i = 0; memory_range(debug->machine->memory, i, &start, &length); i++) {
		uint64_t skip = from > start ? (from - start + PAGE - 1) / PAGE : 0;
		uint64_t base = page_of(debug, start);

		if (skip >= length / PAGE ||
		    !find_run(debug, base + skip, base + length / PAGE, &first, &count))
			continue;
		*gpa = start + (first - base) * PAGE;
		*size = count * PAGE;
		return true;
	}
	return false;
}
