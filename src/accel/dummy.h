/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dummy accelerator: a CPU that is not there. It plays exits that a test scripted, and where
 * the script has nothing to say it executes a handful of short instructions from guest memory in a
 * flat address space, so that run control, breakpoints, races and the front ends are tested without
 * KVM and deterministically:
 *
 *   90         nop             eb rel8   jmp
 *   e2 rel8    loop            e3 rel8   jecxz
 *   e4/e5 ib   in al/eax       e6/e7 ib  out al/eax
 *   f4         hlt             cc        int3
 *   fa         cli             fb        sti
 *   40+r       inc, a counter for loops: rAX … rDI, here always 64-bit
 *   a2/a3 id   mov of AL/EAX to a 32-bit address, in RAM or not
 *   88 07      mov %al,(%rdi)         8a 07    mov (%rdi),%al, likewise
 *   0f 30/32   wrmsr, rdmsr           9c       pushf; a step's trap flag shows, as it does on a processor
 *
 * Anything else is an emulation failure, as KVM would report it. hlt always exits: there are no
 * controllers here whose interrupts could end it. Slots and watches are those of debug_set; a step
 * over in or out gives the I/O exit, and its completion no further report. Registers are in between
 * (RIP still at the instruction) while an I/O exit is not completed.
 */
#ifndef ACCEL_DUMMY_H
#define ACCEL_DUMMY_H

#include "accel/accel.h"

/* What the dummy pretends its "KVM" can do, so that every rung of the ladder can be played. */
enum dummy_int3 { DUMMY_INT3_TRAPS, DUMMY_INT3_EMULATION_FAILURE, DUMMY_INT3_TO_GUEST };

struct dummy_config {
	enum dummy_int3 int3;
	bool no_step;		      /* steps are lost, as in ring 3 on some hosts */
	bool no_slots;		      /* debug registers never fire */
	bool no_watches;	      /* … for data */
	bool ignore_rf;		      /* a slot hits again at once when one continues on it */
	const struct vm_exit *script; /* played first, by vCPU 0, one per run */
	unsigned script_length;
	int fail_vm_create;   /* nonzero: the errno with which creation fails */
	int fail_vcpu_create; /* 1 + index of the vCPU whose creation fails; 0: none */
};

/* How many times the guest was given #BP / #DB / an interrupt by vitrine; for tests. */
struct dummy_counts {
	unsigned injected_bp, injected_db, interrupts, nmis, runs, completions, state_gets,
		state_puts, debug_sets;
	/* Accepted interrupts (cpu_events.interrupt.injected) that entered their handler, and how many
	 * of them with a step armed: those would have pushed the trap flag. */
	unsigned delivered, delivered_stepping;
	unsigned msr_faults; /* rdmsr and wrmsr that would have raised #GP */
};
const struct dummy_counts *dummy_counts(const struct accel_vcpu *vcpu);

/* Replaces vCPU 0's script. While it is parked; script must outlive its playing. */
void dummy_play(struct accel_vcpu *vcpu, const struct vm_exit *script, unsigned length);

#endif
