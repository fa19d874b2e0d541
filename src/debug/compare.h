/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches by step and compare, the rung that is left when neither a debug register nor a page carries one; only
 * src/debug includes this. Each instruction is stepped, also where the guest is said to run. In reading order:
 *
 *   compare_set.c   which watches there are, whether they can be compared, and their bytes as last seen
 *   compare.c       around one step: what its operands touch, and what has changed besides
 *   compare_rep.c   a repeated string instruction, turn by turn
 *   compare_queue.c one at a time
 *
 * Locks: a step that may touch a watched byte, or leave the guest, waits in `pages.queue` and is alone, so that what
 * is found behind it is its own doing; then `pages.lock`, which the bytes as last seen are under, too. Nobody
 * waits in the queue with device_lock or gate.lock held.
 */
#ifndef DEBUG_COMPARE_H
#define DEBUG_COMPARE_H

#include "debug/step.h"

struct core_point;

/* Operands of the instruction itself, and of the one behind `mov ss`. */
#define COMPARE_ACCESSES (2 * INSTRUCTION_MAX_MEMORY)

struct compare_queue {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t last, served;
	struct vcpu *first; /* NULL: nobody */
};

/* One step of a vCPU; its thread's. */
struct compare_step {
	bool armed;
	bool alone; /* it is the queue's first */
	struct instruction_access access[COMPARE_ACCESSES];
	uint64_t writer[COMPARE_ACCESSES]; /* the instruction whose operand it is */
	unsigned count, second;		   /* from here on they are the second instruction's */
	/* A repeated string instruction: how many turns it had left, and how many of them it was given. */
	uint64_t turns, given;
};

/* ---- compare_set.c: all parked ------------------------------------------------------------- */

/* Whether this watch can be compared; a sentence when it cannot. */
bool core_compare_carries(struct debug *debug, const struct core_point *point, struct error *err);
/* What debug registers would carry is compared, too, where something is: the registers are needed for the
 * steps. */
void core_compare_all(struct debug *debug);
/* The enabled watch that makes it necessary; NULL: none. */
struct core_point *core_compare_point(const struct debug *debug);
/* Whether a vCPU that is to run can be stepped for it; else -ENOTSUP with a sentence. */
int core_compare_can_run(struct debug *debug, unsigned vcpu, struct error *err);
/* The sentence; why: what keeps it from being stepped. Running, too. */
int core_compare_refuse(const struct debug *debug, int vcpu, const struct error *why,
			struct error *err);

/* ---- compare.c: in the vCPU's thread, no lock held ------------------------------------------ */

/* The next step is chosen: at->step->how, and insn unless it is a delivery. May change RCX. */
void core_compare_begin(struct step_at *at);
/* It is over. executed: the instruction was; false: an exit came in place of it, or nothing at all. Notes the
 * watches that it has touched, for core_pages_settled(). */
void core_compare_end(struct debug *debug, struct vcpu *vcpu, bool executed);
/* vitrine itself has changed these bytes of RAM: no hit. pages.lock not held. */
void core_compare_forget(struct debug *debug, uint64_t gpa, uint64_t size);

/* ---- compare_rep.c ------------------------------------------------------------------------- */

/* Gives a repeated instruction no more turns than it may have without touching a watch, or just one. */
void compare_split(struct step_at *at, struct compare_step *c);
/* How many it has done; puts RCX and RIP right. state: CPU_GENERAL, CPU_SYSTEM. */
uint64_t compare_join(struct vcpu *vcpu, struct cpu_state *state, const struct instruction *insn,
		      struct compare_step *c);
/* The bytes of so many turns, of an operand whose first turn is access. */
struct instruction_access compare_turns(const struct instruction_access *access, uint64_t turns,
					bool down);
/* Whether a watch lies on these bytes which minds such an access. */
bool compare_touches(struct debug *debug, struct vcpu *vcpu,
		     const struct instruction_access *access);

/* ---- compare_queue.c: in the vCPU's thread, no lock held ------------------------------------- */

void compare_enter(struct debug *debug, struct vcpu *vcpu); /* waits until it is alone */
void compare_leave(struct debug *debug);
/* Whether this step has written to the local APIC what may be an INIT to others: all park then before it goes on, so
 * that nobody is in the middle of a step when it is started. */
bool compare_sends_ipi(struct debug *debug, struct vcpu *vcpu, const struct compare_step *c);

#endif
