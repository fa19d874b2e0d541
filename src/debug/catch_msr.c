// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * MSR accesses that a filter has kept from the kernel, because somebody catches them: they are made here,
 * with the host's rights, as far as the guest would have been allowed to.
 */
#include "debug/catch_private.h"

#include "x86/exceptions.h"
#include "x86/msr.h"

#define MSR_EFER	   0xc0000080u
#define EFER_GUEST_MAY_SET (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | 0x7000ull)

static int slot_of(uint32_t index)
{
	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		if (msr_table[i].index == index)
			return i;
	return -1;
}

/* A guest may write less than the host may: SDM vol. 4, and for EFER vol. 3A, 2.2.1. */
static bool guest_may_write(const struct cpu_state *state, uint32_t index, uint64_t value)
{
	int slot = slot_of(index);

	if (index == MSR_EFER)
		return !(value & ~EFER_GUEST_MAY_SET) &&
		       (!(state->system.cr0 & CR0_PG) ||
			!((value ^ state->system.efer) & EFER_LME));
	return slot < 0 || msr_table[slot].clock ||
	       msr_value_valid((enum cpu_msr)slot, value, state);
}

/* Some kernels forget that a wrmsr is to be completed when the MSR changes before it is: so it is
 * written afterwards, and what the host refuses then becomes the guest's #GP after all. */
static bool write_late(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct caught *caught = &debug->vcpu[vcpu->index].caught;
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state || !guest_may_write(state, exit->msr.index, *exit->msr.value))
		return false;
	caught->wrmsr.due = true;
	caught->wrmsr.index = exit->msr.index;
	caught->wrmsr.value = *exit->msr.value;
	caught->wrmsr.rip = state->general.rip;
	vcpu->caught = true;
	return true;
}

bool core_msr(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct accel_ops *ops = vcpu->accel->ops;
	bool done;

	if (exit->reason == EXIT_RDMSR)
		done = ops->msr_get(vcpu->accel, exit->msr.index, exit->msr.value) == 0;
	else
		done = write_late(debug, vcpu, exit);
	*exit->msr.fault = !done;
	return true;
}

static void raise_gp(struct vcpu *vcpu, uint64_t rip)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_EVENTS);

	if (!state)
		return;
	state->general.rip = rip;
	state->events.exception.injected = true;
	state->events.exception.vector = VECTOR_GP;
	state->events.exception.has_error_code = true;
	state->events.exception.error_code = 0;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_EVENTS);
}

void catch_finish_wrmsr(struct vcpu *vcpu, struct caught *caught)
{
	int rc;

	if (!caught->wrmsr.due)
		return;
	caught->wrmsr.due = false;
	rc = vcpu->accel->ops->msr_set(vcpu->accel, caught->wrmsr.index, caught->wrmsr.value);
	vcpu->valid = vcpu->dirty;
	if (rc == 0)
		return;
	caught->refused = true;
	raise_gp(vcpu, caught->wrmsr.rip);
}
