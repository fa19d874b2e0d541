// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/machine.h"

#include <errno.h>
#include <time.h>

int gate_init(struct gate *gate, unsigned vcpus)
{
	pthread_condattr_t attr;

	*gate = (struct gate){.vcpu_count = vcpus};
	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->parked, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

void gate_destroy(struct gate *gate)
{
	pthread_cond_destroy(&gate->parked);
	pthread_mutex_destroy(&gate->lock);
}

bool gate_all_parked(const struct gate *gate)
{
	return gate->parked_count == gate->vcpu_count;
}

void gate_hold_all(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		vcpu->plan = VCPU_HOLD;
		if (!vcpu->parked)
			vcpu_kick(vcpu);
	}
}

void gate_set_plan(struct vcpu *vcpu, enum vcpu_plan plan)
{
	vcpu->plan = plan;
}

/* The count falls here, not when a thread wakes up: from this moment nobody may believe that all
 * stand still, however late the scheduler is. */
void gate_open(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->plan == VCPU_HOLD || !vcpu->parked)
			continue;
		vcpu->parked = false;
		machine->gate.parked_count--;
		machine->gate.opened = true;
	}
}

bool gate_take_opened(struct gate *gate)
{
	bool opened = gate->opened;

	gate->opened = false;
	return opened;
}

/* A condition that nobody waits for costs nothing, and one who wakes for nothing sleeps again. */
void gate_wake(struct machine *machine, bool opened)
{
	for (unsigned i = 0; opened && i < machine->vcpu_count; i++)
		pthread_cond_signal(&machine->vcpus[i].work);
}

int gate_wait_parked(struct gate *gate, int timeout_ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (deadline.tv_nsec >= 1000000000L) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000L;
	}
	while (!gate_all_parked(gate))
		if (pthread_cond_timedwait(&gate->parked, &gate->lock, &deadline) == ETIMEDOUT)
			return gate_all_parked(gate) ? 0 : -ETIMEDOUT;
	return 0;
}
