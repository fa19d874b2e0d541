/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guest memory, of a machine that stands still. Part of debug/debug.h, the only door. */
#ifndef DEBUG_MEMORY_H
#define DEBUG_MEMORY_H

#include "error.h"
#include "x86/page_map.h"
#include "x86/paging.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct debug;

enum space { SPACE_LINEAR, SPACE_PHYSICAL };

/* Bytes done, at least 1, fewer than len at a hole; -EFAULT when the first byte is not there;
 * -EBUSY. RAM only: devices are never touched. Linear addresses are translated by this vCPU's
 * paging. */
ssize_t debug_read(struct debug *debug, int vcpu, enum space space, uint64_t addr, void *buf,
		   size_t len);
ssize_t debug_write(struct debug *debug, int vcpu, enum space space, uint64_t addr, const void *buf,
		    size_t len);

/* -EBUSY, or the walk's fault (>= 0). */
int debug_walk(struct debug *debug, int vcpu, uint64_t linear, struct paging_walk *walk);

/* RAM ranges, lowest first; false when there are no more. */
bool debug_ram_range(struct debug *debug, unsigned index, uint64_t *gpa, uint64_t *size);
/* The first stretch of RAM at or behind from that anybody has ever touched; all else reads zero. */
bool debug_ram_touched(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size);

/* Where a byte of RAM lies in this process, and in *follow how many lie there from it on; 0: it is no RAM. For
 * people with a debugger on vitrine itself; works while the machine runs, too. */
uint64_t debug_host_address(struct debug *debug, uint64_t gpa, uint64_t *follow);

/* page_map() of what this vCPU's paging maps: its enum page_map_end, or -EBUSY. */
int debug_page_map(struct debug *debug, int vcpu, uint64_t from, mapped_page_fn *told, void *ctx);

struct memory_search {
	enum space space;
	int vcpu;	   /* whose linear addresses */
	uint64_t from, to; /* the first and the last address that the pattern may cover */
	const void *pattern;
	size_t size; /* of the pattern, at least 1 */
	/* Asked once for each MiB that was looked at: is that enough? NULL: nobody is there to say so. */
	bool (*enough)(void *ctx);
	void *enough_ctx;
	uint64_t at; /* where it was found; after -ETIME and -EINTR, where to go on */
};

/* Finds the lowest place. What is not mapped, or no RAM, is passed over, and nothing is found across it. 1: found;
 * 0: it is not there; -EBUSY; -EINVAL for an empty pattern or range; -ENOMEM; -EINTR when it was enough; -ETIME after
 * some seconds, which page tables that lead to themselves may take, or a minute where somebody can end it before. */
int debug_search(struct debug *debug, struct memory_search *search);

/* What the guest, or a device, has written between the last resume and the stop that followed it: pages of
 * 4 KiB, while this is on (from the start it is not, and costs the guest time when it is). -EBUSY, -ENOMEM, the
 * accelerator's errors. Each single step of a count is a resume of its own. */
int debug_track_writes(struct debug *debug, bool on, struct error *err);
bool debug_tracks_writes(const struct debug *debug);
/* The first run of such pages at or behind from; false when there are no more. */
bool debug_written(struct debug *debug, uint64_t from, uint64_t *gpa, uint64_t *size);

/* A stretch of RAM as the accelerator has it, as a slot of its own. */
struct memory_slot {
	unsigned id;
	uint64_t gpa, size;
	bool read_only; /* to the guest, because of watches */
	bool log_dirty;
};
/* Lowest first; false when there are no more. Pages that are withdrawn from the guest, because of watches,
 * are in none. */
bool debug_memory_slot(struct debug *debug, unsigned index, struct memory_slot *slot);

#endif
