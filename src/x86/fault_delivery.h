/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether an exception can be delivered: what the processor does between a fault and the first instruction of
 * its handler, as a pure function that changes nothing (SDM vol. 3A, 6.10 to 6.14). What goes wrong there is
 * the next fault, and of faults in a row a double fault is made, and at last a shutdown (table 6-5).
 */
#ifndef X86_FAULT_DELIVERY_H
#define X86_FAULT_DELIVERY_H

#include "x86/cpu_state.h"
#include "x86/descriptors.h"
#include "x86/paging.h"

enum delivery_problem {
	DELIVERY_FINE,
	DELIVERY_BEYOND_IDT,	 /* the gate lies beyond the IDT's limit */
	DELIVERY_IDT_NOT_MAPPED, /* address: where the gate should be */
	DELIVERY_NO_GATE,	 /* what is there is no interrupt, trap or task gate */
	DELIVERY_GATE_NOT_PRESENT,
	DELIVERY_TASK_GATE,	 /* through a TSS: not followed */
	DELIVERY_NULL_SELECTOR,	 /* the gate names no code segment */
	DELIVERY_BEYOND_GDT,	 /* selector lies beyond the table's limit */
	DELIVERY_GDT_NOT_MAPPED, /* address */
	DELIVERY_NO_CODE,	 /* the segment is none that a handler can have */
	DELIVERY_CODE_NOT_PRESENT,
	DELIVERY_NOT_CANONICAL,	      /* address: the handler */
	DELIVERY_NO_TSS,	      /* the stack to switch to cannot be read; address */
	DELIVERY_STACK_NOT_CANONICAL, /* address */
	DELIVERY_STACK_NOT_MAPPED,    /* address: or not writable */
	DELIVERY_PROBLEM_COUNT
};

struct delivery {
	enum delivery_problem problem;
	unsigned raises;   /* the vector of the fault that comes instead */
	uint16_t selector; /* of the gate, once it was read */
	uint64_t address;  /* what the problem is about */
	uint64_t handler;  /* linear; DELIVERY_FINE */
};

typedef enum paging_fault linear_walk_fn(void *ctx, uint64_t linear, struct paging_walk *walk);

/* state: CPU_GENERAL and CPU_SYSTEM, at the instruction that raised vector. read and walk as ring 0 would. */
struct delivery fault_deliver(const struct cpu_state *state, uint8_t vector, linear_read_fn *read,
			      linear_walk_fn *walk, void *ctx);

/* "gate 14 is not present", "the stack at 0x0 is not mapped". */
void delivery_text(const struct delivery *delivery, uint8_t vector, char *buf, size_t size);

/* What two faults in a row make: VECTOR_DF, or the second one, which is then delivered by itself; -1: the
 * shutdown that follows a fault on the way to a double fault. */
int fault_after(unsigned first, unsigned second);

#endif
