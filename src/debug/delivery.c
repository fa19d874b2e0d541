// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A pause can come just after the CPU has accepted an interrupt and before it has entered the handler.
 * KVM then delivers that interrupt first thing in the next run, stepping or not, and a step would do
 * harm: the flags that the delivery pushes would hold the step's trap flag, and the handler's iret would
 * bring it back to trap a guest that nobody steps any more. So such a step is the delivery itself, with
 * a debug register on the handler's entry in place of the trap flag.
 */
#include "debug/core.h"

#include "x86/descriptors.h"
#include "x86/exceptions.h"

bool core_read_linear(void *ctx, uint64_t linear, void *buf, size_t len)
{
	const struct core_place *place = ctx;
	uint8_t *bytes = buf;

	while (len > 0) {
		size_t room = 4096 - (linear & 4095), piece = len < room ? len : room;
		struct paging_walk walk;

		if (core_walk(place->debug, place->vcpu, linear, &walk) != PAGING_OK ||
		    mem_read_phys(place->debug->machine->memory, walk.gpa, bytes, piece) != piece)
			return false;
		linear += piece;
		bytes += piece;
		len -= piece;
	}
	return true;
}

static bool accepted_vector(const struct cpu_events *events, uint8_t *vector)
{
	*vector = events->nmi.injected ? VECTOR_NMI : events->interrupt.vector;
	return events->nmi.injected || (events->interrupt.injected && !events->interrupt.soft);
}

/* Handlers run in ring 0, wherever the vCPU is now. */
static bool slot_fires(const struct debug *debug, const struct cpu_state *state)
{
	return debug->capabilities.slot[core_kernel_mode_of(state)];
}

void core_arm_delivery(struct debug *debug, unsigned i, struct accel_debug *wish)
{
	struct core_place place = {debug, &debug->machine->vcpus[i]};
	struct cpu_state *state = vcpu_state(place.vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	uint64_t handler;
	uint8_t vector;

	debug->vcpu[i].delivery = 0;
	if (!wish->step || !state || !accepted_vector(&state->events, &vector) ||
	    !slot_fires(debug, state))
		return;
	if (interrupt_handler(state, vector, core_read_linear, &place, &handler) < 0)
		return;
	debug->vcpu[i].delivery = handler;
	wish->step = false;
	wish->slots = true;
	wish->dr[0] = handler;
	wish->dr7 = dr7_enable(0, 0, DR_EXEC, 1);
}

bool core_delivered(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];

	if (!v->delivery || exit->debug.pc != v->delivery || !(exit->debug.dr6 & 1))
		return false;
	v->delivery = 0;
	/* A range goes on as steps, if it goes on at all. */
	vcpu->debug.step = true;
	vcpu->debug.slots = false;
	return true;
}
