/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of debug/core.h about points: who has them, by what they are carried, and what that leaves in memory. */
#ifndef DEBUG_CORE_POINTS_H
#define DEBUG_CORE_POINTS_H

#include "debug/core.h"

/* All: gate.lock held, unless it is said. */

/* points.c */
struct core_point *core_point_at(struct debug *debug,
				 uint64_t pc); /* a breakpoint on this linear pc */
struct core_point *core_point_numbered(struct debug *debug, int number);
/* gate.lock not held. */
bool core_point_is_temporary(struct debug *debug, int number);
/* All parked. Takes the point over: it is appended, or freed, with -errno and a sentence, when no rung
 * carries it. */
int core_point_insert(struct debug *debug, struct core_point *point, struct error *err);
void core_point_free(struct core_point *point); /* unlinked */
bool core_point_limited(struct vcpu *vcpu,
			const struct core_point *point); /* a limit rules it out */

/* planting.c */
void core_plant(struct debug *debug);
void core_plant_watches(struct debug *debug); /* for steps: breakpoints are compared with the pc */
/* What is planted is changed to what a machine needs in which everybody is stepped, for watches to be compared. */
void core_plant_compared(struct debug *debug);
void core_lift(struct debug *debug);
/* The point whose int3 the vCPU meets at linear pc, through whatever alias; or NULL. A vCPU thread
 * may ask without the lock while it runs: nothing is planted or lifted then. */
struct core_point *core_planted_at(struct debug *debug, struct vcpu *vcpu, uint64_t pc);
/* RAM without our int3s: bytes done, as mem_read_phys(). */
size_t core_read_original(struct debug *debug, uint64_t gpa, void *buf, size_t len);
/* Where a point's address is for this vCPU, in the point's own address space if it names one. */
enum paging_fault core_point_walk(struct debug *debug, const struct point_spec *spec,
				  struct vcpu *vcpu, uint64_t address, struct paging_walk *walk);

/* pending.c: where the image's byte for a linear address was loaded, when RAM still holds it. */
bool core_image_place(struct debug *debug, uint64_t linear, uint64_t *gpa, bool *is_64);
/* Whether a point that waits for its page need not wait any more. In the vCPU's thread, lock not held. */
bool core_pending_is_over(struct debug *debug, struct vcpu *vcpu);
/* Whether what lies at gpa is the image's, as it was loaded. */
bool core_image_holds(struct debug *debug, uint64_t gpa);
/* What is met there is met by its int3, whatever the address is called. */
bool core_point_covers(struct debug *debug, const struct core_point *point, uint64_t gpa);

/* stray.c: code that the guest moves, with our int3s in it or over them. */
/* Notes what lies around a place that is being planted. */
void core_note_around(struct debug *debug, struct place *place);
/* The guest wrote other code over the place: its original byte is not that any more. */
bool core_overwritten(struct debug *debug, const struct place *place);
/* The place that the int3 at gpa was copied from by the guest; NULL: it is none of ours. */
const struct place *core_stray_source(struct debug *debug, uint64_t gpa);
/* The guest executes a copy of our int3. True: the byte is right again. In the vCPU's thread. */
bool core_undo_stray(struct debug *debug, struct vcpu *vcpu, uint64_t pc);
/* The int3 there is lifted; copies of it may be about. All parked. */
void core_keep_stray(struct debug *debug, const struct place *place);

/* mend.c: the same for a machine that stands still. */
/* Bytes that were read at gpa: copies of our int3s are put right, in RAM and in buf. */
void core_mend(struct debug *debug, uint64_t gpa, uint8_t *buf, size_t len);
/* All of RAM: no copy of an int3 of ours is left. */
void core_mend_all(struct debug *debug);

/* page_set.c: watches by page protection. */
int core_pages_create(struct debug *debug, struct error *err);
void core_pages_destroy(struct debug *debug);
void core_pages_plant(struct debug *debug); /* by what points have as their rung; all parked */
void core_pages_cover(
	struct debug *debug); /* takes note of where int3s are planted now; all parked */
bool core_pages_any(const struct debug *debug); /* any page is protected */
/* Whether pages can carry this watch now; a sentence when they cannot. */
bool core_pages_carry(struct debug *debug, const struct core_point *point, struct error *err);

/* page_watch.c: in the vCPU's thread, lock NOT held. */
/* An access to a page of RAM that came out of the guest. False: not because of us. */
bool core_page_exit(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit);
/* The instruction is complete: tells which watches it has touched. False: a stop was recorded. */
bool core_pages_settled(struct debug *debug, struct vcpu *vcpu);

/* page_device.c: machine_observer.device_write */
size_t core_device_write(void *debug, struct machine *machine, uint64_t gpa, const void *buf,
			 size_t len);

/* page_lift.c */
/* In the vCPU's thread, lock NOT held: the vCPU cannot go on, and perhaps because of a protected page. event:
 * an interrupt or exception was on its way. True: everybody parks, and it goes on with these pages open. */
bool core_pages_lift(struct debug *debug, struct vcpu *vcpu, bool event);
bool core_pages_lifting(const struct debug *debug, unsigned vcpu);
void core_pages_forget(struct debug *debug); /* nothing is on its way any more; all parked */

/* rungs.c: which rung carries this point now; RUNG_NONE with a sentence when none does. taken: bit
 * mask of debug registers in use. */
enum rung core_choose_rung(struct debug *debug, const struct core_point *point, unsigned taken,
			   struct error *err);
const char *core_rung_text(const struct debug *debug, const struct core_point *point);
/* How a vCPU in this mode is stepped; RUNG_NONE with a sentence when it cannot be. */
enum rung core_step_rung(const struct debug *debug, enum capability_mode mode, struct error *err);
/* A point goes into a debug register: tells the user, once, if the guest has enabled its own. */
void core_note_sharing(struct debug *debug, struct core_point *point);
bool core_is_watch(enum point_kind kind);
enum wish core_wish_of(enum point_kind kind); /* of breakpoints and watches */
bool core_is_breakpoint(enum point_kind kind);
enum capability_mode
core_kernel_mode_of(const struct cpu_state *state); /* where ring 0 code would run */

#endif
