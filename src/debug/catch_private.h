/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of catches. catch_names.c knows what they are called; catch.c what they need, and what
 * must be set up before a launch; catch_exit.c
 * looks at exits and tells, in the words of catch_text.c; catch_msr.c makes the accesses that a filter kept
 * from the kernel; catch_exception.c follows IDT gates; fault_chain.c reconstructs a triple fault.
 */
#ifndef DEBUG_CATCH_PRIVATE_H
#define DEBUG_CATCH_PRIVATE_H

#include "debug/core.h"

#define KIND_BIT(kind) (1u << (kind))

struct catch_kind {
	enum stop_reason reason;
	uint64_t last; /* the greatest address there is */
	/* -errno with a sentence where this host or machine cannot see it; may be NULL. */
	int (*check)(struct debug *debug, const struct point_spec *spec, struct error *err);
	const char *how; /* by what means it is seen */
};

/* NULL for a point that is no catch. */
const struct catch_kind *catch_kind_of(enum point_kind kind);

/* The first enabled point of this kind at or behind p; NULL: no more. */
struct core_point *catch_next(struct core_point *p, enum point_kind kind);

/* Judges every enabled catch of this kind. True: stop, which now has a point's number, is to be told. In
 * the vCPU's thread, lock NOT held. */
bool catch_event(struct debug *debug, struct vcpu *vcpu, enum point_kind kind, struct stop *stop);

/* catch_text.c: fills stop->text for a kind that is told when its instruction is complete. */
void catch_describe(struct debug *debug, struct vcpu *vcpu, enum point_kind kind,
		    const struct caught *caught, struct stop *stop);

/* catch_msr.c: makes the write that a completed wrmsr has left to be made. */
void catch_finish_wrmsr(struct vcpu *vcpu, struct caught *caught);

/* catch_exception.c; lock held, all parked: a breakpoint on each handler that a catch is about. */
void catch_follow_gates(struct debug *debug);
/* In the vCPU's thread: whether a gate that is caught leads elsewhere than when that was done. */
bool catch_gates_moved(struct debug *debug, struct vcpu *vcpu);

#endif
