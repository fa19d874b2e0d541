// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A pause can come just after the CPU has accepted an interrupt and before it has entered the handler.
 * KVM then delivers that interrupt first thing in the next run, stepping or not, and a step would do
 * harm: the flags that the delivery pushes would hold the step's trap flag, and the handler's iret would
 * bring it back to trap a guest that nobody steps any more. So such a step is the delivery itself, with
 * a debug register on the handler's entry in place of the trap flag. The same holds for an exception that
 * waits, and for a trap of the guest's own that is being given back to it.
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

/* ---- the delivery ------------------------------------------------------------------------ */

/* What comes first, in the CPU's own order. */
static bool waiting_vector(const struct step_at *at, uint8_t *vector)
{
	const struct cpu_events *events = &at->state->events;

	if (at->vcpu->debug.inject >= 0)
		*vector = (uint8_t)at->vcpu->debug.inject;
	else if (!at->events)
		return false;
	else if (events->exception.injected || events->exception.pending)
		*vector = events->exception.vector;
	else if (events->nmi.injected)
		*vector = VECTOR_NMI;
	else if (events->interrupt.injected && !events->interrupt.soft)
		*vector = events->interrupt.vector;
	else
		return false;
	return true;
}

/* RF in the frame, for which one of real mode has no room. */
static bool is_silent(const struct step_at *at, uint64_t pc)
{
	const struct core_point *point = core_point_at(at->debug, pc);

	return at->debug->capabilities.interrupt_rf && cpu_mode(at->state) != MODE_REAL && point &&
	       point->rung == RUNG_SLOT;
}

/* Only where points had their say: what the handler comes back to is new otherwise. */
static void expect_return(struct step_at *at)
{
	struct core_vcpu *v = &at->debug->vcpu[at->vcpu->index];
	uint64_t pc = cpu_linear_pc(at->state);

	core_lock(at->debug);
	if (v->seen && v->seen_pc == pc && core_point_under(at->debug, (unsigned)at->vcpu->index))
		v->comes_back = (struct step_return){.expected = true,
						     .silent = is_silent(at, pc),
						     .place = core_place_of(at->state)};
	core_unlock(at->debug);
}

bool core_arm_delivery(struct step_at *at)
{
	struct core_place place = {at->debug, at->vcpu};
	struct accel_debug *wish = &at->vcpu->debug;
	uint64_t handler;
	uint8_t vector;

	if (!waiting_vector(at, &vector) || !core_slots_fire(at->debug, at->state) ||
	    interrupt_handler(at->state, vector, core_read_linear, &place, &handler) < 0 ||
	    !core_guard(at, handler, -1))
		return false;
	at->step->how = STEP_IS_DELIVERY;
	wish->step = false;
	expect_return(at);
	return true;
}

/* ---- the way back ------------------------------------------------------------------------ */

struct step_place core_place_of(const struct cpu_state *state)
{
	return (struct step_place){cpu_linear_pc(state), cpu_linear_sp(state), state->system.cr3};
}

bool core_is_back(const struct step_place *place, const struct cpu_state *state)
{
	return place->pc == cpu_linear_pc(state) && place->sp == cpu_linear_sp(state) &&
	       place->cr3 == state->system.cr3;
}

/* The guest may have moved the interrupted work to another vCPU. */
bool core_came_back(struct debug *debug, struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	bool back = false;

	core_lock(debug);
	for (unsigned i = 0; state && !back && i < debug->machine->vcpu_count; i++) {
		struct step_return *its = &debug->vcpu[i].comes_back;

		back = its->expected && core_is_back(&its->place, state);
		its->expected &= !back;
	}
	core_unlock(debug);
	return back;
}
