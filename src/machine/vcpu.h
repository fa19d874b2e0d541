/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU: its thread, its run loop, and its registers. docs/vcpu-loop.md walks through vcpu.c. */
#ifndef MACHINE_VCPU_H
#define MACHINE_VCPU_H

#include "accel/accel.h"
#include "machine/gate.h"
#include "machine/recorder.h"

#include <pthread.h>
#include <stdatomic.h>

struct machine;

struct vcpu {
	struct machine *machine;
	int index;
	pthread_t thread;
	bool thread_started;
	struct accel_vcpu *accel;

	/* Guarded by gate.lock. */
	pthread_cond_t work; /* its thread waits here for a plan, an interrupt, or the end */
	enum vcpu_plan plan;
	bool parked;
	bool created, create_failed;
	struct error create_error;

	atomic_bool attention; /* raised under gate.lock: leave the guest and look at the plan */

	/* The vCPU thread's while it runs; the stopped machine's while it is parked. */
	struct cpu_state state;
	unsigned valid, dirty; /* groups of state fetched; groups changed and not yet put */
	struct accel_debug debug, debug_told; /* as it should be; as the accelerator has it */
	bool debug_changed;  /* it must be told again, even if these are the same */
	bool stepping;	     /* its plan is one instruction, or one after the other */
	bool completion_due; /* the last exit must be completed before registers mean anything */
	bool halted;	     /* hlt under -irqchip=user */
	bool caught;	  /* the observer has something to tell once the instruction is complete */
	bool await_start; /* it waits for INIT and SIPI, and somebody wants to know when they came */

	struct recorder recorder;
};

/* Starts the thread and waits until it says that the vCPU exists. */
int vcpu_start(struct vcpu *vcpu, struct machine *machine, int index, struct error *err);
void vcpu_join(struct vcpu *vcpu); /* gate.quit is set */

/* Registers of a parked vCPU, or of the calling vCPU thread. Fetches groups that are not valid yet;
 * NULL when the accelerator refuses. vcpu_dirty() says that the caller changed groups. */
struct cpu_state *vcpu_state(struct vcpu *vcpu, unsigned groups);
void vcpu_dirty(struct vcpu *vcpu, unsigned groups);

/* Puts changed groups back to the accelerator. 0, or -errno: then they are fetched anew. */
int vcpu_flush(struct vcpu *vcpu);

/* Lets the CPU accept an interrupt that waits for it, if it can, without executing anything: CPU_EVENTS tells.
 * In the vCPU's own thread, nothing half done. */
void vcpu_accept_interrupt(struct vcpu *vcpu);

/* Back to power-on. Parked only. */
int vcpu_reset(struct vcpu *vcpu);

/* Makes the vCPU leave the guest or wake up, and look at its plan. Does nothing once the machine
 * ends. gate.lock held. */
void vcpu_kick(struct vcpu *vcpu);

#endif
