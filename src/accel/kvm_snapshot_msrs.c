// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A vCPU's MSRs in a snapshot: all that KVM_GET_MSR_INDEX_LIST names, and some that it leaves out, as far as
 * this KVM lets them be read and written. The table in x86/msr.c is only what a user may want to see.
 */
#include "accel/kvm_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Hypervisor Top-Level Functional Specification, appendix on synthetic MSRs */
#define MSR_HYPERV_RUN_TIME	   0x40000010
#define MSR_HYPERV_REFERENCE_COUNT 0x40000020

static struct kvm_msr_entry *read_msrs(struct kvm_vcpu *vcpu)
{
	const struct kvm_vm *vm = kvm_vm_of(vcpu);
	struct kvm_msr_entry *entries = calloc(vm->msr_count + 1, sizeof(*entries));

	for (unsigned i = 0; entries && i < vm->msr_count; i++)
		entries[i].index = vm->msrs[i];
	if (entries &&
	    kvm_msrs_move(vcpu, KVM_GET_MSRS, entries, vm->msr_count) == (int)vm->msr_count)
		return entries;
	free(entries);
	return NULL;
}

int kvm_save_msrs(struct kvm_vcpu *vcpu, struct parts *out)
{
	struct kvm_msr_entry *entries = read_msrs(vcpu);

	if (!entries)
		return -EIO;
	parts_put(out, "msrs", entries, kvm_vm_of(vcpu)->msr_count * sizeof(*entries));
	free(entries);
	return 0;
}

/* What has its value already is left alone: it may be one that cannot be set again. */
static unsigned msrs_to_write(const struct kvm_vm *vm, const struct kvm_msr_entry *saved,
			      struct kvm_msr_entry *now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < vm->msr_count; i++)
		if (saved[i].data != now[i].data)
			now[count++] = (struct kvm_msr_entry){.index = vm->msrs[i],
							      .data = saved[i].data};
	return count;
}

/* Writes what differs; *failed is the first that cannot be written. */
static int write_changed(struct kvm_vcpu *vcpu, const struct kvm_msr_entry *saved,
			 struct kvm_msr_entry *now, uint32_t *failed)
{
	unsigned count = msrs_to_write(kvm_vm_of(vcpu), saved, now), i = 0;
	uint32_t *wanted = calloc(count + 1, sizeof(*wanted));
	int done;

	if (!wanted)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		wanted[i] = now[i].index;
	done = kvm_msrs_move(vcpu, KVM_SET_MSRS, now, count);
	for (i = 0; done >= 0 && i < (unsigned)done && now[i].index == wanted[i];)
		i++;
	*failed = wanted[i];
	free(wanted);
	return done < 0 ? done : (unsigned)done == count ? 0 : -EIO;
}

int kvm_load_msrs(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	struct kvm_vm *vm = kvm_vm_of(vcpu);
	const struct named_part *part = parts_find(in, "msrs");
	struct kvm_msr_entry *now = part ? read_msrs(vcpu) : NULL;
	uint32_t failed = 0;
	int code = -EIO;

	if (now && part->size == vm->msr_count * sizeof(*now))
		code = write_changed(vcpu, (const void *)part->bytes, now, &failed);
	free(now);
	if (code < 0)
		return error_set(err, code, "this host's KVM refuses MSR 0x%x of vCPU %d", failed,
				 vcpu->base.index);
	return 0;
}

int kvm_msrs_fit(const struct kvm_vm *vm, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, "msrs");
	const struct kvm_msr_entry *entries;
	int code = parts_check(in, "msrs", vm->msr_count * sizeof(*entries), err);

	if (code < 0)
		return code;
	entries = (const void *)part->bytes;
	for (unsigned i = 0; i < vm->msr_count; i++)
		if (entries[i].index != vm->msrs[i])
			return error_set(err, -EINVAL,
					 "this host's KVM keeps other MSRs than the snapshot's");
	return 0;
}

/* ---- which MSRs there are ------------------------------------------------------------------ */

static struct kvm_msr_list *list_msrs(const struct kvm_vm *vm)
{
	struct kvm_msr_list count = {0}, *list;

	if (ioctl(vm->device, KVM_GET_MSR_INDEX_LIST, &count) < 0 && errno != E2BIG)
		return NULL;
	list = calloc(1, sizeof(*list) + count.nmsrs * sizeof(list->indices[0]));
	if (list)
		list->nmsrs = count.nmsrs;
	if (list && ioctl(vm->device, KVM_GET_MSR_INDEX_LIST, list) == 0)
		return list;
	free(list);
	return NULL;
}

/* KVM keeps these too, and does not say so (SDM vol. 4, table 2-2). */
static const struct {
	uint32_t first, count;
} unlisted[] = {
	{0x200, 16},  /* MTRRs: variable … */
	{0x250, 1},   /* … fixed, 64 KiB … */
	{0x258, 2},   /* … 16 KiB … */
	{0x268, 8},   /* … 4 KiB … */
	{0x2ff, 1},   /* … and the default type */
	{0x400, 128}, /* machine check banks */
};
#define UNLISTED (sizeof(unlisted) / sizeof(unlisted[0]))

static uint32_t unlisted_count(void)
{
	uint32_t count = 0;

	for (size_t i = 0; i < UNLISTED; i++)
		count += unlisted[i].count;
	return count;
}

/* Time has its own ways: the TSC and its deadline are parts of their own, and what Hyper-V's guests read of
 * time follows from KVM's clock and from the host's. */
static bool is_time(uint32_t index)
{
	return index == MSR_TSC || index == MSR_TSC_DEADLINE || index == MSR_HYPERV_RUN_TIME ||
	       index == MSR_HYPERV_REFERENCE_COUNT;
}

static bool is_known(const struct kvm_vm *vm, uint32_t index)
{
	for (unsigned i = 0; i < vm->msr_count; i++)
		if (vm->msrs[i] == index)
			return true;
	return false;
}

static void candidate(struct kvm_vm *vm, uint32_t index)
{
	if (!is_time(index) && !is_known(vm, index))
		vm->msrs[vm->msr_count++] = index;
}

/* At power-on a value that is written again changes nothing: so it shows whether it can be. */
static int keep_what_moves(struct kvm_vcpu *vcpu)
{
	struct kvm_vm *vm = kvm_vm_of(vcpu);
	struct kvm_msr_entry *entries = calloc(vm->msr_count + 1, sizeof(*entries));
	int count;

	if (!entries)
		return -ENOMEM;
	for (unsigned i = 0; i < vm->msr_count; i++)
		entries[i].index = vm->msrs[i];
	count = kvm_msrs_move(vcpu, KVM_GET_MSRS, entries, vm->msr_count);
	if (count > 0)
		count = kvm_msrs_move(vcpu, KVM_SET_MSRS, entries, (unsigned)count);
	for (int i = 0; i < count; i++)
		vm->msrs[i] = entries[i].index;
	vm->msr_count = count < 0 ? 0 : (unsigned)count;
	free(entries);
	return count < 0 ? count : 0;
}

static int learn_msrs(struct kvm_vcpu *vcpu, struct error *err)
{
	struct kvm_vm *vm = kvm_vm_of(vcpu);
	struct kvm_msr_list *list = list_msrs(vm);
	int code;

	vm->msrs = list ? calloc(list->nmsrs + unlisted_count(), sizeof(*vm->msrs)) : NULL;
	if (!vm->msrs) {
		free(list);
		return kvm_error(err, "KVM_GET_MSR_INDEX_LIST", "see the kernel log (dmesg)");
	}
	for (uint32_t i = 0; i < list->nmsrs; i++)
		candidate(vm, list->indices[i]);
	for (size_t i = 0; i < UNLISTED; i++)
		for (uint32_t n = 0; n < unlisted[i].count; n++)
			candidate(vm, unlisted[i].first + n);
	free(list);
	code = keep_what_moves(vcpu);
	return code < 0 ? error_set(err, code, "the MSRs of vCPU %d cannot be read: %s",
				    vcpu->base.index, strerror(-code))
			: 0;
}

int kvm_snapshot_prepare(struct kvm_vcpu *vcpu, struct error *err)
{
	return kvm_vm_of(vcpu)->msrs ? 0 : learn_msrs(vcpu, err);
}
