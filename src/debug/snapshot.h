/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots of the whole machine, in memory under names, and in files. docs/snapshots.md says what is in
 * one. All of it works on a machine that runs, too: the vCPUs park for a moment.
 */
#ifndef DEBUG_SNAPSHOT_H
#define DEBUG_SNAPSHOT_H

#include "debug/points.h"
#include "error.h"

#include <stdbool.h>
#include <stdint.h>

struct snapshot_info {
	const char *name;    /* valid until the next call that saves, reads or deletes */
	uint64_t guest_time; /* ns since power-on */
	uint64_t saved_at;   /* seconds since 1970 */
	uint64_t
		pages; /* of RAM that had changed since the machine was last saved or restored; of a
				file, that are not zeros */
	uint64_t bytes; /* of memory that were used for it */
	bool current;	/* the machine was last saved as this one, or restored from it */
};

/* Points, conditions and counters are the debugger's and in no snapshot. Names have 1 to 63 printable
 * characters without blanks and slashes. -ESHUTDOWN after the end of the run, everywhere. */

/* Replaces a snapshot of the same name. The machine goes on as it was. -EINVAL (the name), -ENOSPC,
 * -ENOMEM, or the accelerator's error. */
int debug_snapshot_save(struct debug *debug, const char *name, struct error *err);

/* Makes the machine what it was; it goes on as it was before the call, running or stopped, but one that
 * stepped stops. DEBUG_RESTORED tells the listeners, and DEBUG_STOPPED follows when it ran and stops. What
 * was hit and not yet told is forgotten. After a failure the machine is as it was: -ENOENT, -EINVAL (it
 * holds what cannot be), or the accelerator's error; but for -EFAULT, when the host lost a page of RAM:
 * then it is stopped. */
int debug_snapshot_restore(struct debug *debug, const char *name, enum debug_owner actor,
			   struct error *err);

int debug_snapshot_delete(struct debug *debug, const char *name, struct error *err); /* -ENOENT */

/* The index-th, oldest first; false: there are no more. */
bool debug_snapshot_next(struct debug *debug, unsigned index, struct snapshot_info *info);

/* To a file, which is replaced when all is written; and from a file, which costs no more memory than the
 * machine has RAM. Reading changes the machine in nothing, and says what is damaged or does not fit. */
int debug_snapshot_write(struct debug *debug, const char *name, const char *file,
			 struct error *err);
int debug_snapshot_read(struct debug *debug, const char *file, const char *name, struct error *err);

#endif
