// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * MSR accesses that exit (KVM_X86_SET_MSR_FILTER, KVM_CAP_X86_USER_SPACE_MSR). A filter is a list of
 * ranges with a bit for each MSR; a bit that is not set denies the access, and a denied one is told to us
 * in place of giving the guest #GP. What lies in no range is the kernel's business, as ever.
 */
#include "accel/kvm_private.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define RANGE_MSRS (KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)

static const uint8_t deny_all[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

static uint32_t filter_flags(const struct accel_msr_range *range)
{
	return (range->read ? KVM_MSR_FILTER_READ : 0u) |
	       (range->write ? KVM_MSR_FILTER_WRITE : 0u);
}

/* False: the kernel takes no more ranges. */
static bool add_range(struct kvm_msr_filter *filter, unsigned *used,
		      const struct accel_msr_range *range)
{
	for (uint32_t done = 0; done < range->count;) {
		uint32_t left = range->count - done, n = left < RANGE_MSRS ? left : RANGE_MSRS;

		if (*used == KVM_MSR_FILTER_MAX_RANGES)
			return false;
		filter->ranges[(*used)++] = (struct kvm_msr_filter_range){
			.flags = filter_flags(range),
			.nmsrs = n,
			.base = range->first + done,
			.bitmap = (uint8_t *)deny_all};
		done += n;
	}
	return true;
}

static int tell_us(struct kvm_vm *vm, struct error *err)
{
	struct kvm_enable_cap enable = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
					.args = {KVM_MSR_EXIT_REASON_FILTER}};

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER) > 0 &&
	    ioctl(vm->fd, KVM_ENABLE_CAP, &enable) == 0)
		return 0;
	return error_set(err, -ENOTSUP,
			 "this host's KVM cannot tell of MSR accesses "
			 "(KVM_CAP_X86_MSR_FILTER); use Linux 5.10 or later");
}

int kvm_msr_trap(struct accel_vm *base, const struct accel_msr_range *ranges, unsigned count,
		 struct error *err)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};
	unsigned used = 0;
	int rc;

	for (unsigned i = 0; i < count; i++)
		if (!add_range(&filter, &used, &ranges[i]))
			return error_set(err, -ENOSPC,
					 "KVM tells of at most %d ranges of MSRs: delete a catch",
					 KVM_MSR_FILTER_MAX_RANGES);
	rc = count ? tell_us(vm, err) : 0;
	if (rc == 0 && ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
		rc = count ? kvm_error(err, "KVM_X86_SET_MSR_FILTER", "see the kernel log (dmesg)")
			   : 0;
	return rc;
}

int kvm_msr_get(struct accel_vcpu *base, uint32_t index, uint64_t *value)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	if (index == MSR_TSC && kvm_read_stopped_tsc(vcpu, value))
		return 0;
	return kvm_msr_read(vcpu, index, value) ? 0 : -ENXIO;
}

/* Some of them are registers that the last exit brought along. */
int kvm_msr_set(struct accel_vcpu *base, uint32_t index, uint64_t value)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	vcpu->synced = 0;
	vcpu->msr_told = false;
	if (index == MSR_TSC && kvm_write_stopped_tsc(vcpu, value))
		return 0;
	return kvm_msr_write(vcpu, index, value) ? 0 : -ENXIO;
}
