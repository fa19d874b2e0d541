// SPDX-License-Identifier: GPL-3.0-or-later
/* MSRs by number, and CPUID, of a machine that stands still. */
#include "debug/core.h"

#include "x86/msr.h"

#include <errno.h>

/* Those that struct cpu_state keeps elsewhere. */
static const struct {
	uint32_t index;
	const char *name;
} elsewhere[] = {
	{0x1b, "apic_base"},
	{0xc0000080, "efer"},
	{0xc0000100, "fs_base"},
	{0xc0000101, "gs_base"},
};

/* The row of the register table that this MSR is; -1: none. */
static int register_of(uint32_t index)
{
	for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (elsewhere[i].index == index)
			return register_find(elsewhere[i].name);
	for (unsigned i = 0; i < MSR_SLOT_COUNT; i++)
		if (msr_table[i].index == index)
			return register_find(msr_table[i].name);
	return -1;
}

static struct vcpu *stopped_vcpu(struct debug *debug, int vcpu)
{
	bool there = vcpu >= 0 && (unsigned)vcpu < debug->machine->vcpu_count;

	return there && !debug_running(debug) ? &debug->machine->vcpus[vcpu] : NULL;
}

int debug_msr_get(struct debug *debug, int vcpu, uint32_t index, uint64_t *value)
{
	struct vcpu *v = stopped_vcpu(debug, vcpu);
	int reg = register_of(index);

	*value = 0;
	if (!v)
		return -EBUSY;
	if (reg < 0)
		return v->accel->ops->msr_get(v->accel, index, value);
	if (!register_available(&registers[reg], vcpu_state(v, registers[reg].state)))
		return -ENXIO;
	return debug_reg_get(debug, vcpu, (unsigned)reg, value);
}

/* What was fetched before may be another by now. */
int debug_msr_set(struct debug *debug, int vcpu, uint32_t index, uint64_t value)
{
	struct vcpu *v = stopped_vcpu(debug, vcpu);
	int reg = register_of(index), rc;

	if (!v)
		return -EBUSY;
	if (reg >= 0)
		return debug_reg_set(debug, vcpu, (unsigned)reg, &value);
	rc = vcpu_flush(v);
	if (rc == 0)
		rc = v->accel->ops->msr_set(v->accel, index, value);
	v->valid = 0;
	return rc;
}

int debug_cpuid(struct debug *debug, int vcpu, struct cpuid_leaf *leaves, unsigned max)
{
	struct vcpu *v = stopped_vcpu(debug, vcpu);

	return v ? v->accel->ops->cpuid(v->accel, leaves, max) : -EBUSY;
}
