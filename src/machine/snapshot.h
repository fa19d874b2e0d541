/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots of the whole machine: what the accelerator keeps (CPUs, controllers, clocks), guest time, every
 * device, and RAM. They are kept in memory, each under a name, and share the pages of RAM that they have
 * in common; snapshot_file.c writes and reads them.
 *
 * While there is any, the pages that the guest changes are logged (dirty.h): saving costs what changed
 * since the machine was last saved or restored, and restoring costs that and what the two snapshots
 * differ in.
 *
 * All of this is for the main thread, with every vCPU parked, and no lock held.
 */
#ifndef MACHINE_SNAPSHOT_H
#define MACHINE_SNAPSHOT_H

#include "machine/machine.h"
#include "machine/page_tree.h"

#define SNAPSHOT_NAME_SIZE 64
#define SNAPSHOTS_MAX	   4096

/* All of the machine but RAM. */
struct machine_parts {
	uint64_t guest_time; /* ns */
	struct parts vm, devices;
	struct parts *vcpu; /* the accelerator's, and vitrine's own "loop" */
	unsigned vcpu_count;
};

struct snapshot {
	char name[SNAPSHOT_NAME_SIZE];
	uint64_t saved_at; /* seconds since 1970 */
	struct machine_parts parts;
	struct page_tree ram;
	uint64_t pages; /* that were copied for it */
	bool *told;	/* the debugger's, one per vCPU; NULL: it has noted nothing, as of a file */
	struct snapshot *next;
};

struct snapshots {
	struct machine *machine;
	struct snapshot *first; /* oldest first */
	unsigned count;
	/* RAM is what this snapshot's is, but for the pages that are logged or in changed. */
	bool logging;
	struct page_tree base;
	uint64_t *changed;		/* one bit per page */
	const struct snapshot *current; /* base is its; or NULL */
};

/* The machine must outlive it. NULL when out of memory. */
struct snapshots *snapshots_new(struct machine *machine);
void snapshots_free(struct snapshots *snapshots); /* NULL is fine */

/* Saves the machine as it is. A snapshot of the same name is replaced, once this one is complete. The
 * machine is not changed. -EINVAL (the name), -ENOSPC (too many), -ENOMEM, the accelerator's errors. */
int snapshots_save(struct snapshots *snapshots, const char *name, struct error *err);
/* Makes the machine what it was. On failure it is as it was before; but for -EFAULT, where the host lost
 * a page of RAM that could not be replaced. -ENOENT. */
int snapshots_restore(struct snapshots *snapshots, const char *name, struct error *err);
int snapshots_delete(struct snapshots *snapshots, const char *name,
		     struct error *err); /* -ENOENT */
struct snapshot *snapshots_find(const struct snapshots *snapshots, const char *name);

/* Writes one to a file, beside it first, so that what was there stays until all is written. */
int snapshots_write(struct snapshots *snapshots, const char *name, const char *file,
		    struct error *err);
/* Reads a file into memory under a name; the machine is not changed. Whatever is wrong with it, or does
 * not fit this machine, is said. -EINVAL, -EMEDIUMTYPE (it is no snapshot), what opening it said. */
int snapshots_read(struct snapshots *snapshots, const char *file, const char *name,
		   struct error *err);

/* ---- inside -------------------------------------------------------------------------------- */

/* snapshot_parts.c */
int machine_parts_save(struct machine *machine, struct machine_parts *parts, struct error *err);
/* Whether parts belong to a machine like this. */
int machine_parts_fit(struct machine *machine, const struct machine_parts *parts,
		      struct error *err);
/* After a failure some of it is loaded. */
int machine_parts_load(struct machine *machine, const struct machine_parts *parts,
		       struct error *err);
int machine_parts_init(struct machine_parts *parts, unsigned vcpus); /* empty ones; -ENOMEM */
void machine_parts_free(struct machine_parts *parts);
size_t machine_parts_size(const struct machine_parts *parts);

/* snapshot_ram.c: brings base up to RAM; how many pages differed. */
int snapshot_ram_save(struct snapshots *snapshots, uint64_t *pages, struct error *err);
/* Brings RAM to ram, and base with it. */
int snapshot_ram_restore(struct snapshots *snapshots, const struct page_tree *ram,
			 struct error *err);
/* Nothing is compared any more, and nothing logged. */
void snapshot_ram_forget(struct snapshots *snapshots);

/* Adds a complete one, and takes it over; a snapshot of the same name goes. */
void snapshots_add(struct snapshots *snapshots, struct snapshot *snapshot);
/* A new one, not in the list, with an empty RAM and empty parts. -EINVAL, -ENOSPC, -ENOMEM. */
int snapshot_new(struct snapshots *snapshots, const char *name, struct snapshot **snapshot,
		 struct error *err);
void snapshot_free(struct snapshot *snapshot);

#endif
