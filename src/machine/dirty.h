/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which pages of guest RAM changed since somebody last asked. Two books are kept: the accelerator's, of
 * what the guest writes, for each slot; and one here, of what vitrine writes itself. A slot that goes
 * has its book emptied into ours first, so slots may be cut and joined at will.
 *
 * Page n is the n-th 4 KiB of RAM's mapping.
 */
#ifndef MACHINE_DIRTY_H
#define MACHINE_DIRTY_H

#include "machine/memory.h"

#include <stdatomic.h>

/* ---- for whoever asks: main thread, every vCPU parked ------------------------------------- */

/* Begins the books, all pages clean. Does nothing when they are kept already. -ENOMEM, or the
 * accelerator's error: then they are not kept. */
int dirty_start(struct memory *memory, struct error *err);
void dirty_stop(struct memory *memory);
/* Adds the pages that changed since the last call, or since the start, to bits: one per page of RAM's
 * mapping, in 64-bit words. After an error nothing is lost, and the next call tells it. */
int dirty_take(struct memory *memory, uint64_t *bits, struct error *err);

/* ---- for memory*.c ------------------------------------------------------------------------- */

struct shown;

struct dirty_log {
	atomic_bool on;
	_Atomic uint64_t *bits; /* what vitrine wrote, and what slots that are gone had */
};

/* vitrine wrote size bytes at this offset of the mapping; from any thread. */
void dirty_mark(struct memory *memory, uint64_t offset, uint64_t size);
/* As if vitrine had written every page that was ever touched; the others are zeros. */
void dirty_mark_existing(struct memory *memory);
/* Before a slot is deleted, or shown anew. */
int dirty_collect(struct memory *memory, const struct shown *shown);
void dirty_free(struct memory *memory);

#endif
