// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The dummy's MSRs: those of the table, one value each, and EFER. Any other does not exist: rdmsr and
 * wrmsr of it, and of a value that cannot be, are faults, which are counted, since there is no IDT.
 */
#include "accel/dummy_private.h"

#include "x86/msr.h"

#include <errno.h>
#include <string.h>

#define MSR_EFER 0xc0000080u

static uint64_t *msr_place(struct dummy_vcpu *vcpu, uint32_t index)
{
	if (index == MSR_EFER)
		return &vcpu->state.system.efer;
	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		if (msr_table[i].index == index)
			return &vcpu->state.msrs.value[i];
	return NULL;
}

int dummy_msr_get(struct accel_vcpu *base, uint32_t index, uint64_t *value)
{
	const uint64_t *place = msr_place(to_dummy_vcpu(base), index);

	if (!place)
		return -ENXIO;
	*value = *place;
	return 0;
}

int dummy_msr_set(struct accel_vcpu *base, uint32_t index, uint64_t value)
{
	uint64_t *place = msr_place(to_dummy_vcpu(base), index);

	if (!place)
		return -ENXIO;
	*place = value;
	return 0;
}

int dummy_msr_trap(struct accel_vm *base, const struct accel_msr_range *ranges, unsigned count,
		   struct error *err)
{
	struct dummy_vm *vm = to_dummy_vm(base);

	if (count > DUMMY_MSR_RANGES)
		return error_set(err, -ENOSPC, "the dummy takes %d ranges of MSRs",
				 DUMMY_MSR_RANGES);
	memcpy(vm->msr_range, ranges, count * sizeof(*ranges));
	vm->msr_range_count = count;
	return 0;
}

static bool is_trapped(const struct dummy_vm *vm, uint32_t index, bool write)
{
	for (unsigned i = 0; i < vm->msr_range_count; i++) {
		const struct accel_msr_range *range = &vm->msr_range[i];

		if (index - range->first < range->count && (write ? range->write : range->read))
			return true;
	}
	return false;
}

/* The value goes into EDX:EAX. */
static void finish(struct dummy_vcpu *vcpu, bool write, bool fault)
{
	uint64_t *gpr = vcpu->state.general.gpr;

	vcpu->counts.msr_faults += fault;
	if (write || fault)
		return;
	gpr[GPR_RAX] = (uint32_t)vcpu->msr_value;
	gpr[GPR_RDX] = vcpu->msr_value >> 32;
}

void dummy_msr_complete(struct dummy_vcpu *vcpu)
{
	if (!vcpu->msr_pending)
		return;
	vcpu->msr_pending = false;
	finish(vcpu, vcpu->msr_write, vcpu->msr_fault);
	vcpu->state.general.rip += 2;
}

bool dummy_msr_execute(struct dummy_vcpu *vcpu, bool write, struct vm_exit *exit)
{
	const uint64_t *gpr = vcpu->state.general.gpr;
	uint32_t index = (uint32_t)gpr[GPR_RCX];
	int rc;

	vcpu->msr_value = write ? gpr[GPR_RDX] << 32 | (uint32_t)gpr[GPR_RAX] : 0;
	vcpu->msr_fault = false;
	if (!is_trapped(dummy_vm_of(vcpu), index, write)) {
		rc = write ? dummy_msr_set(&vcpu->base, index, vcpu->msr_value)
			   : dummy_msr_get(&vcpu->base, index, &vcpu->msr_value);
		finish(vcpu, write, rc < 0);
		vcpu->state.general.rip += 2;
		return false;
	}
	vcpu->msr_pending = true;
	vcpu->msr_write = write;
	dummy_exit(exit, write ? EXIT_WRMSR : EXIT_RDMSR);
	exit->msr.index = index;
	exit->msr.value = &vcpu->msr_value;
	exit->msr.fault = &vcpu->msr_fault;
	return true;
}
