/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls that led to where a vCPU stands, one at a time: by call frame information where the image has some
 * (frames.h), by Linux's own tables where it has those (orc.h), by frame pointers where it has neither: each function
 * pushed its caller's rbp below its return address and pointed rbp there. Code without either ends the chain, and
 * `why` says so.
 */
#ifndef MONITOR_UNWIND_H
#define MONITOR_UNWIND_H

#include "monitor/command.h"
#include "monitor/frames.h"

/* How this frame was left inwards: what the next inner one is to it. */
enum unwind_how {
	UNWIND_CALL,	  /* called it; pc is behind the call */
	UNWIND_SYSCALL,	  /* called it by syscall or sysenter; pc is behind that */
	UNWIND_INTERRUPT, /* was interrupted at pc */
};

struct unwind {
	struct monitor *monitor;
	int cpu;
	const struct cpu_state *state;
	struct frames *frames; /* NULL: frame pointers alone */
	unsigned size;	       /* bytes of a stack slot: 2, 4, 8 */

	/* The frame that is being looked at. */
	uint64_t pc; /* linear */
	struct frame_registers registers;
	enum unwind_how how; /* of the first: UNWIND_INTERRUPT, pc being exact */
	unsigned number;

	/* Where the return address was found that led here; 0: in no slot. */
	uint64_t slot;
	/* What an interrupt pushes: whose cs and flags those are. */
	bool pushed;
	uint64_t pushed_cs, pushed_flags;

	char why[160]; /* there is no caller: in words */
};

int unwind_begin(struct unwind *unwind, struct monitor *monitor, int cpu, struct error *err);
/* Moves on to the caller; false: there is none, and why says so. */
bool unwind_next(struct unwind *unwind);
/* The frame's stack pointer, linear; false: it is not known. */
bool unwind_sp(struct unwind *unwind, uint64_t *sp);
/* For looking the frame's code up: an address in it, of a call its last byte. */
uint64_t unwind_lookup(const struct unwind *unwind);

#endif
