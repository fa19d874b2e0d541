/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which pages of guest RAM changed since somebody last asked. The accelerator keeps a book of what the guest
 * writes, for each slot; here there is one for each reader, with what vitrine writes itself. A slot that goes
 * has its book emptied into these first, so slots may be cut and joined at will.
 *
 * Page n is the n-th 4 KiB of RAM's mapping.
 */
#ifndef MACHINE_DIRTY_H
#define MACHINE_DIRTY_H

#include "machine/memory.h"

#include <stdatomic.h>

/* ---- for whoever asks: main thread, every vCPU parked ------------------------------------- */

enum dirty_reader {
	DIRTY_SNAPSHOTS, /* every change */
	DIRTY_GUEST,	 /* what the guest and its devices did: int3s of ours are no change */
	DIRTY_READERS
};

/* Begins a reader's book, all pages clean. Does nothing when it is kept already. -ENOMEM, or the
 * accelerator's error: then it is not kept. */
int dirty_start(struct memory *memory, enum dirty_reader reader, struct error *err);
void dirty_stop(struct memory *memory, enum dirty_reader reader);
/* Adds the pages that changed since the reader's last call, or since its start, to bits: one per page of RAM's
 * mapping, in 64-bit words. After an error nothing is lost, and the next call tells it. */
int dirty_take(struct memory *memory, enum dirty_reader reader, uint64_t *bits, struct error *err);

/* ---- for memory*.c ------------------------------------------------------------------------- */

struct shown;

struct dirty_log {
	atomic_bool on; /* for some reader */
	/* What vitrine wrote, and what slots had when they were looked at. A book that was once there stays
	 * until the end, since others may be marking it. */
	_Atomic uint64_t *bits[DIRTY_READERS];
	bool reads[DIRTY_READERS];
};

/* vitrine wrote size bytes at this offset of the mapping, for the guest or for a device; or an int3, or what was
 * under one. From any thread. */
void dirty_mark(struct memory *memory, uint64_t offset, uint64_t size);
void dirty_mark_own(struct memory *memory, uint64_t offset, uint64_t size);
/* As if vitrine had written every page that was ever touched; the others are zeros. */
void dirty_mark_existing(struct memory *memory);
/* Before a slot is deleted, or shown anew. */
int dirty_collect(struct memory *memory, const struct shown *shown);
void dirty_free(struct memory *memory);

#endif
