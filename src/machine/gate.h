/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate: which vCPUs may run, and the certainty that none does. Every decision is taken under
 * its lock, so that no stop is lost between "pause asked" and "all parked".
 */
#ifndef MACHINE_GATE_H
#define MACHINE_GATE_H

#include <pthread.h>
#include <stdbool.h>

enum vcpu_plan { VCPU_HOLD, VCPU_RUN, VCPU_STEP };

struct vcpu;
struct machine;

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t parked; /* others wait here for parked_count == vcpu_count */
	unsigned vcpu_count, parked_count;
	bool opened; /* somebody may run, and was not woken yet: see gate_wake() */
	bool quit;
};

int gate_init(struct gate *gate, unsigned vcpus);
void gate_destroy(struct gate *gate);

/* All of these: gate.lock held. */
bool gate_all_parked(const struct gate *gate);
void gate_hold_all(struct machine *machine);		    /* plans = HOLD, and kicks */
void gate_set_plan(struct vcpu *vcpu, enum vcpu_plan plan); /* a parked vCPU's; see gate_open */
void gate_open(
	struct machine *machine); /* lets all plans take effect at once; gate_wake() must follow */
bool gate_take_opened(struct gate *gate); /* for gate_wake() */
/* Waits until all are parked; -ETIMEDOUT after timeout_ms. */
int gate_wait_parked(struct gate *gate, int timeout_ms);

/* Wakes those who may run. Best when the lock is given back already: whoever wakes up wants it first of all. */
void gate_wake(struct machine *machine, bool opened);

#endif
