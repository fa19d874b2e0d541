/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches that no debug register carries, seen from inside the core: by page protection, and by step and
 * compare (compare.h).
 *
 *   page_set.c     which pages that takes: watches become pieces of physical memory, and these become slots
 *                  of the guest that are read-only or missing
 *   page_carry.c   which watches may have pages at all
 *   page_beside.c  watches that debug registers carry, on protected pages and next to them
 *   page_watch.c   what the guest does to such pages comes here, is done for it, and is compared with the
 *                  pieces
 *   page_hits.c    which watches that touches, with which values
 *   page_text.c    how that is told
 *   page_writer.c  which instruction it was
 *   page_device.c  what devices write
 *   page_lift.c    what the processor does to such pages by itself
 *   page_code.c    pages with int3s, which a guest that boots may copy its code over
 *   page_tables.c  which pages the processor itself must be able to read
 *
 * The set changes only while every vCPU is parked, so that vCPU threads read it without a lock.
 */
#ifndef DEBUG_PAGES_H
#define DEBUG_PAGES_H

#include "debug/compare.h"
#include "debug/core.h"
#include "x86/instruction.h"

/* A stretch of a watch that is contiguous in linear and in physical memory. */
struct page_piece {
	uint64_t gpa, size, linear;
	struct core_point *point;
	uint8_t *seen; /* its bytes as last seen, where the watch is compared; else NULL */
};

/* A watch that an instruction has touched. Of a watch of up to 8 bytes the values are the whole of it; of a
 * longer one they are the bytes that were touched. */
struct page_hit {
	struct core_point *point;
	uint64_t address; /* linear, of the values */
	unsigned size;	  /* 1 … 8 */
	bool write;
	uint64_t old_value, new_value;
};

/* One access as it comes out of the guest. */
struct page_access {
	uint64_t gpa;
	unsigned size; /* 1 … 8, within one page */
	bool write;
	uint8_t data[8];
};

/* A page that is open for one event, and what was on it. */
struct page_lift {
	uint64_t gpa;
	uint8_t before[4096];
};

/* A page with int3s on it. */
struct page_code {
	uint64_t gpa;
	unsigned writes; /* that came out while it was protected */
};

#define PAGE_CODES 32
#define PAGE_HITS  16
#define PAGE_LIFTS 8

/* What the present instruction of a vCPU has done so far; its thread's. */
struct page_vcpu {
	struct page_hit hit[PAGE_HITS];
	unsigned count;
	struct page_access first; /* that touched a watch */
	uint64_t first_linear;

	/* The first half of a locked access that goes over the end of a page: nothing is written before
	 * the second half is known. */
	bool half;
	struct page_access lower;
	struct instruction locked;

	struct page_lift *lift; /* PAGE_LIFTS of them, once needed */
	unsigned lifted;
	bool by_event; /* the hits are of the processor's own making */

	struct compare_step compare;
	bool writer_known; /* who made the hits need not be looked for; 0: it cannot be told */
	uint64_t writer;
};

struct pages {
	struct page_piece *piece; /* by gpa */
	uint64_t *reach;	  /* of each: where it and all before it end */
	unsigned count, room;
	struct memory_run *run;
	unsigned run_count, run_room;
	bool warned;
	struct page_code code[PAGE_CODES];
	unsigned code_count;

	uint8_t *seen; /* of all pieces */
	struct compare_queue queue;
	pthread_mutex_t lock; /* one access to a protected page at a time */
	struct page_vcpu *vcpu;
};

/* page_set.c */
/* The stretches of a watch that are contiguous in both, in every address space that vCPUs are in. fn's error
 * ends it; -EFAULT with *missing when no vCPU maps all of it. */
typedef int page_stretch_fn(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size);
int page_each_mapping(struct debug *debug, const struct point_spec *spec, page_stretch_fn *fn,
		      void *ctx, uint64_t *missing);
bool page_waits_for_start(struct vcpu *vcpu); /* for INIT or SIPI; it has no address space yet */
enum memory_access page_access_for(enum point_kind kind);
/* The pieces that an access touches: calls fn for each. */
typedef void page_touch_fn(void *ctx, const struct page_piece *piece);
void page_each_touched(const struct pages *pages, uint64_t gpa, uint64_t size, page_touch_fn *fn,
		       void *ctx);

/* Add to the set. -ENOMEM */
struct page_adding {
	struct pages *pages;
	struct core_point *point;
};

int page_add_piece(struct pages *pages, const struct page_piece *piece);
int page_add_run(struct pages *pages, uint64_t gpa, uint64_t size, enum memory_access access);
/* Calls add, with a struct page_adding, for what is mapped of a watch. */
int page_add_point(struct debug *debug, struct core_point *point, page_stretch_fn *add);

/* page_beside.c: what the set has to hold for watches that have debug registers. -ENOMEM */
int page_add_beside(struct debug *debug);

/* page_tables.c: whether these pages hold a table that some vCPU's paging goes through at present; true
 * when there are too many tables to look at all. */
bool page_holds_table(struct debug *debug, uint64_t gpa, uint64_t size);
/* The same of one vCPU, which may be the calling one. */
bool page_is_table_for(struct debug *debug, struct vcpu *vcpu, uint64_t gpa, uint64_t size);

/* page_watch.c: RAM as the guest sees it, without the int3s that are planted in it; pages.lock held. */
bool page_read(struct debug *debug, uint64_t gpa, void *buf, size_t len);
bool page_write(struct debug *debug, uint64_t gpa, const void *buf, size_t len);

/* page_hits.c; pages.lock held */
bool page_minds(enum point_kind kind, bool write);
/* Bytes of the watch that piece is of, little-endian: as they are, or (seen) as they were last seen, where it is
 * compared. size: 1 … 8. */
uint64_t page_value(struct debug *debug, const struct page_piece *piece, bool seen,
		    uint64_t address, unsigned size);
/* The watch's hit by the present instruction, which touches size bytes from linear; begun, if it is new, with
 * both values as they are. NULL: there are too many. */
struct page_hit *page_hit_of(struct debug *debug, struct page_vcpu *v,
			     const struct page_piece *piece, uint64_t linear, unsigned size);
/* Adds what an access is about to touch to v's hits. */
void page_note(struct debug *debug, struct page_vcpu *v, const struct page_access *access);
/* The same of one piece, after the write: these bytes were there before it. */
void page_note_done(struct debug *debug, struct vcpu *vcpu, const struct page_piece *piece,
		    const struct page_access *access, const uint8_t *before);

/* compare.c: these bytes of RAM are seen from now on as they are; pages.lock held. */
void page_seen(struct debug *debug, uint64_t gpa, uint64_t size);
/* compare_set.c: makes room for the bytes of watches that are compared, and takes them as they are; all
 * parked. */
int page_see_all(struct debug *debug);

/* page_text.c */
/* A stop of this hit, and its words; writer: "by …". */
struct stop page_stop(int vcpu, const struct page_hit *hit);
void page_describe(struct stop *stop, const struct page_hit *hit, const char *writer);
/* Both, of a vCPU's. writer: linear, or 0 when not known; by_event: the processor wrote by itself. */
struct stop page_stop_of(const struct vcpu *vcpu, const struct page_hit *hit, uint64_t pc,
			 uint64_t writer, bool by_event);

/* page_code.c */
bool page_is_covered(struct debug *debug, unsigned code); /* at present; all parked */
/* A write to a page without a watch: true once, when it is not worth its protection any more. */
bool page_code_written(struct debug *debug, uint64_t gpa);

/* page_lift.c */
/* Where the processor pushes frames by itself: calls fn for the top of each such stack, a linear address. */
typedef void page_stack_fn(void *ctx, struct vcpu *vcpu, uint64_t top);
void page_each_stack(struct debug *debug, struct vcpu *vcpu, page_stack_fn *fn, void *ctx);
void page_lift_done(struct debug *debug, struct vcpu *vcpu); /* its one step is over: compares */

/* page_writer.c; both in the vCPU's thread, with RIP as the exit left it. */
/* Whether this write is a locked instruction's, of those that locked.h knows. */
bool page_is_locked(struct debug *debug, struct vcpu *vcpu, const struct page_access *access,
		    struct instruction *insn);
/* The linear address of the instruction that made the access; 0 when it cannot be told. */
uint64_t page_find_writer(struct debug *debug, struct vcpu *vcpu, const struct page_access *access,
			  uint64_t linear);

#endif
