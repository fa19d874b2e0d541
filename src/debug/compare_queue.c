// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One step at a time, of those that may touch a watched byte or leave the guest. First come, first served: a mutex
 * would let a vCPU that steps on and on have it again and again.
 *
 * And what would end the steps of another vCPU: an INIT that comes in the middle of one leaves it waiting there
 * for its startup IPI, and then it would run on without stepping.
 */
#include "debug/pages.h"

#include <errno.h>
#include <time.h>

/* Far longer than a step takes. */
#define PATIENCE_NS 20000000

static struct timespec patience(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PATIENCE_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

static void call_back(struct debug *debug, struct vcpu *vcpu)
{
	core_lock(debug);
	vcpu_kick(vcpu);
	core_unlock(debug);
}

void compare_enter(struct debug *debug, struct vcpu *vcpu)
{
	struct compare_queue *queue = &debug->pages->queue;
	uint64_t mine;

	pthread_mutex_lock(&queue->lock);
	mine = queue->last++;
	while (queue->served != mine) {
		struct timespec until = patience();

		if (pthread_cond_timedwait(&queue->moved, &queue->lock, &until) == ETIMEDOUT &&
		    queue->first)
			call_back(debug, queue->first);
	}
	queue->first = vcpu;
	pthread_mutex_unlock(&queue->lock);
}

void compare_leave(struct debug *debug)
{
	struct compare_queue *queue = &debug->pages->queue;

	pthread_mutex_lock(&queue->lock);
	queue->served++;
	queue->first = NULL;
	pthread_cond_broadcast(&queue->moved);
	pthread_mutex_unlock(&queue->lock);
}

/* ---- other vCPUs that are started ------------------------------------------------------------ */

#define APIC_PAGE  0xfffffffffffff000ull
#define ICR_OFFSET 0x300u /* of the interrupt command register (SDM vol. 3A, 12.6.1) */
#define X2APIC_ICR 0x830u

static bool writes_icr(struct debug *debug, struct vcpu *vcpu, const struct cpu_state *state,
		       const struct instruction_access *access)
{
	uint64_t icr = (state->system.apic_base & APIC_PAGE) + ICR_OFFSET;
	struct paging_walk walk;

	return access->write && (access->linear & ~APIC_PAGE) == ICR_OFFSET &&
	       core_walk(debug, vcpu, access->linear, &walk) == PAGING_OK && walk.gpa == icr;
}

bool compare_sends_ipi(struct debug *debug, struct vcpu *vcpu, const struct compare_step *c)
{
	const struct step *step = &debug->vcpu[vcpu->index].step;
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state || debug->machine->vcpu_count == 1 || step->how == STEP_IS_DELIVERY)
		return false;
	if (step->insn[0].kind == INSN_WRMSR)
		return (uint32_t)state->general.gpr[GPR_RCX] == X2APIC_ICR;
	for (unsigned i = 0; i < c->count; i++)
		if (writes_icr(debug, vcpu, state, &c->access[i]))
			return true;
	return false;
}
