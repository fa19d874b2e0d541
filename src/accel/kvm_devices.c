// SPDX-License-Identifier: GPL-3.0-or-later
/* What KVM answers by itself: the controllers and the timer that KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2 make. */
#include "accel/kvm_private.h"

#include <errno.h>
#include <string.h>

/* Each APIC's base is the guest's to move; this is where all of them begin. */
static const struct accel_device in_kernel[] = {
	{"pic1", true, 0x20, 2},
	{"pit", true, 0x40, 4},
	{"pit speaker", true, 0x61, 1},
	{"pic2", true, 0xa0, 2},
	{"pic elcr", true, 0x4d0, 2},
	{"ioapic", false, 0xfec00000, 0x100},
	{"lapic", false, 0xfee00000, 0x1000},
};

bool kvm_device(const struct accel_vm *vm, unsigned index, struct accel_device *device)
{
	if (!((const struct kvm_vm *)vm)->irqchip ||
	    index >= sizeof(in_kernel) / sizeof(in_kernel[0]))
		return false;
	*device = in_kernel[index];
	return true;
}

int kvm_lapic_get(struct accel_vcpu *base, struct lapic *lapic)
{
	_Static_assert(sizeof(struct kvm_lapic_state) == sizeof(*lapic), "the same page");
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_lapic_state state;
	int rc;

	if (!kvm_vm_of(vcpu)->irqchip)
		return -ENOTSUP;
	rc = kvm_vcpu_call(vcpu, KVM_GET_LAPIC, &state);
	if (rc == 0)
		memcpy(lapic->bytes, state.regs, sizeof(lapic->bytes));
	return rc;
}
