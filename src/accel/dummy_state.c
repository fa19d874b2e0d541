// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy's registers, and what debuggers and interrupt controllers do to a vCPU. */
#include "accel/dummy_private.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <string.h>

void dummy_describe_xsave(struct cpu_fpu *fpu)
{
	static const uint16_t layout[XSAVE_COMPONENTS] = {
		[XSAVE_AVX] = 576,	 [XSAVE_OPMASK] = 1088, [XSAVE_ZMM_HI256] = 1152,
		[XSAVE_HI16_ZMM] = 1664, [XSAVE_PKRU] = 2688,
	};

	memcpy(fpu->component, layout, sizeof(layout));
}

static void copy_groups(unsigned groups, struct cpu_state *to, const struct cpu_state *from)
{
	if (groups & CPU_GENERAL)
		to->general = from->general;
	if (groups & CPU_SYSTEM)
		to->system = from->system;
	if (groups & CPU_FPU)
		to->fpu = from->fpu;
	if (groups & CPU_DEBUG)
		to->debug = from->debug;
	if (groups & CPU_MSRS)
		to->msrs = from->msrs;
	if (groups & CPU_EVENTS)
		to->events = from->events;
}

int dummy_state_get(struct accel_vcpu *base, unsigned groups, struct cpu_state *state)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.state_gets++;
	copy_groups(groups, state, &vcpu->state);
	return 0;
}

int dummy_state_put(struct accel_vcpu *base, unsigned groups, const struct cpu_state *state)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.state_puts++;
	if (groups & CPU_GENERAL)
		vcpu->debug.step = false; /* as on AMD-V */
	copy_groups(groups, &vcpu->state, state);
	dummy_describe_xsave(&vcpu->state.fpu);
	return 0;
}

void dummy_sync_state(struct accel_vcpu *base, bool on)
{
	to_dummy_vcpu(base)->synced = on;
}

int dummy_vcpu_reset(struct accel_vcpu *base)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->pending = false;
	vcpu->window_wanted = false;
	return 0;
}

/* ---- debugging and interrupts ----------------------------------------------------------- */

/* There is no IDT here: a #BP given to the guest counts as handled, behind its int3. */
static void inject_bp(struct dummy_vcpu *vcpu)
{
	uint8_t byte = 0;

	vcpu->counts.injected_bp++;
	dummy_memory_read(dummy_vm_of(vcpu), cpu_linear_pc(&vcpu->state), &byte, 1);
	if (byte == 0xcc)
		vcpu->state.general.rip++;
}

int dummy_debug_set(struct accel_vcpu *base, const struct accel_debug *debug)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.debug_sets++;
	vcpu->debug = *debug;
	if (debug->inject == VECTOR_BP)
		inject_bp(vcpu);
	if (debug->inject == VECTOR_DB)
		vcpu->counts.injected_db++;
	return 0;
}

bool dummy_interrupt_ready(struct accel_vcpu *base)
{
	const struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	return (vcpu->state.general.rflags & RFLAGS_IF) && !vcpu->state.events.interrupt.shadow &&
	       !vcpu->state.events.interrupt.injected && !vcpu->pending;
}

int dummy_interrupt(struct accel_vcpu *base, uint8_t vector)
{
	struct dummy_vcpu *vcpu = to_dummy_vcpu(base);

	vcpu->counts.interrupts++;
	vcpu->state.events.interrupt.injected = true;
	vcpu->state.events.interrupt.soft = false;
	vcpu->state.events.interrupt.vector = vector;
	return 0;
}

void dummy_interrupt_window(struct accel_vcpu *base, bool wanted)
{
	to_dummy_vcpu(base)->window_wanted = wanted;
}

void dummy_accept_interrupt(struct accel_vcpu *base)
{
	(void)base;
}

int dummy_nmi(struct accel_vcpu *base)
{
	to_dummy_vcpu(base)->counts.nmis++;
	return 0;
}
