// SPDX-License-Identifier: GPL-3.0-or-later
/* A vCPU's registers: fetched when somebody looks, written back before the guest is entered. */
#include "machine/machine.h"

#include <errno.h>

struct cpu_state *vcpu_state(struct vcpu *vcpu, unsigned groups)
{
	unsigned missing = groups & ~vcpu->valid;

	if (missing && vcpu->accel->ops->state_get(vcpu->accel, missing, &vcpu->state) < 0)
		return NULL;
	vcpu->valid |= missing;
	return &vcpu->state;
}

void vcpu_dirty(struct vcpu *vcpu, unsigned groups)
{
	vcpu->valid |= groups;
	vcpu->dirty |= groups;
}

int vcpu_flush(struct vcpu *vcpu)
{
	int rc;

	if (!vcpu->dirty)
		return 0;
	rc = vcpu->accel->ops->state_put(vcpu->accel, vcpu->dirty, &vcpu->state);
	if (rc < 0)
		vcpu->valid &= ~vcpu->dirty;
	vcpu->dirty = 0;
	/* On some processors a register write disarms a step that was armed before it. */
	vcpu->debug_changed |= vcpu->debug.step;
	return rc;
}

int vcpu_reset(struct vcpu *vcpu)
{
	int rc = vcpu->accel->ops->vcpu_reset(vcpu->accel);

	if (rc < 0)
		return rc;
	/* MSRs that the table lists but this host lacks stay marked as lacking. */
	if (!vcpu_state(vcpu, CPU_ALL))
		return -EIO;
	cpu_state_reset(&vcpu->state, vcpu->index == 0);
	vcpu->halted = false;
	vcpu->completion_due = false;
	vcpu->caught = vcpu->await_start = false;
	vcpu->debug.inject = -1;
	vcpu_dirty(vcpu, CPU_ALL);
	return vcpu_flush(vcpu);
}
