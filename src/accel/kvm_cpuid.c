// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the guest's CPUs claim to be: the list that KVM supports (KVM_GET_SUPPORTED_CPUID), cut down
 * or restored by -cpu, with each vCPU's own number in the leaves that tell it.
 *
 * The topology is the plainest that there is: every vCPU is a package with one core and one thread.
 */
#include "accel/kvm_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static uint32_t *entry_register(struct kvm_cpuid_entry2 *entry, enum cpuid_register reg)
{
	uint32_t *const registers[] = {&entry->eax, &entry->ebx, &entry->ecx, &entry->edx};

	return registers[reg];
}

static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t index)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf &&
		    (entry->index == index || !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return entry;
	}
	return NULL;
}

const struct kvm_cpuid_entry2 *kvm_cpuid_entry(const struct kvm_cpuid2 *cpuid, uint32_t leaf,
					       uint32_t index)
{
	return find_entry((struct kvm_cpuid2 *)cpuid, leaf, index);
}

static void set_bits(struct kvm_cpuid2 *cpuid, uint32_t leaf, enum cpuid_register reg,
		     uint32_t clear, uint32_t set)
{
	struct kvm_cpuid_entry2 *entry = find_entry(cpuid, leaf, 0);

	if (entry)
		*entry_register(entry, reg) = (*entry_register(entry, reg) & ~clear) | set;
}

/* ---- features by name ------------------------------------------------------------------- */

bool kvm_cpuid_has(const struct kvm_cpuid2 *cpuid, const char *name)
{
	const struct cpuid_feature *feature = cpuid_feature_named(name, strlen(name));
	struct kvm_cpuid_entry2 *entry;

	if (!feature)
		return false;
	entry = find_entry((struct kvm_cpuid2 *)cpuid, feature->leaf, feature->index);
	return entry && *entry_register(entry, feature->reg) >> feature->bit & 1;
}

/* One item of the list: "-avx2" takes away; "+avx2" or "avx2" insists. */
static int apply_feature(struct kvm_cpuid2 *cpuid, const char *item, size_t length,
			 struct error *err)
{
	bool keep = *item != '-', sign = *item == '-' || *item == '+';
	const struct cpuid_feature *feature = cpuid_feature_named(item + sign, length - sign);
	struct kvm_cpuid_entry2 *entry;
	uint32_t *value;

	if (!feature)
		return error_set(err, -EINVAL,
				 "-cpu knows no feature %.*s; names are those of CPUID in small "
				 "letters, such as avx2, x2apic or sse4.1",
				 (int)(length - sign), item + sign);
	entry = find_entry(cpuid, feature->leaf, feature->index);
	value = entry ? entry_register(entry, feature->reg) : NULL;
	if (keep && (!value || !(*value >> feature->bit & 1)))
		return error_set(err, -ENOTSUP,
				 "this host's KVM has no CPU feature %s; leave +%s away from -cpu",
				 feature->name, feature->name);
	if (!keep && value)
		*value &= ~(1u << feature->bit);
	return 0;
}

static bool is_model(const char *name, size_t length)
{
	return (length == 3 && !strncmp(name, "max", 3)) ||
	       (length == 4 && !strncmp(name, "host", 4));
}

int kvm_cpuid_features(struct kvm_cpuid2 *cpuid, const char *features, struct error *err)
{
	size_t length = strcspn(features, ",");

	if (!is_model(features, length))
		return error_set(
			err, -EINVAL,
			"-cpu knows no model %.*s; use max or host, which both are all that "
			"this host's KVM can show",
			(int)length, features);
	while (features[length] == ',') {
		int code;

		features += length + 1;
		length = strcspn(features, ",");
		code = apply_feature(cpuid, features, length, err);
		if (code)
			return code;
	}
	return 0;
}

/* ---- the list --------------------------------------------------------------------------- */

static struct kvm_cpuid2 *allocate(uint32_t entries)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + entries * sizeof(cpuid->entries[0]));
	if (cpuid)
		cpuid->nent = entries;
	return cpuid;
}

/* KVM does not say how long the list is, only that the room was too small. */
static int get_supported(struct kvm_vm *vm, struct error *err)
{
	for (uint32_t room = 128; room <= 4096; room *= 2) {
		free(vm->cpuid);
		vm->cpuid = allocate(room);
		if (!vm->cpuid)
			return error_set(err, -ENOMEM, "no memory for the CPUID table");
		if (ioctl(vm->device, KVM_GET_SUPPORTED_CPUID, vm->cpuid) == 0)
			return 0;
		if (errno != E2BIG)
			break;
	}
	return kvm_error(err, "KVM_GET_SUPPORTED_CPUID", "see the kernel log (dmesg)");
}

/* Bits that depend on where the local APIC is. TSC-deadline is KVM's, but no part of the list. */
static void adjust_apic(struct kvm_vm *vm, const struct accel_config *config)
{
	const uint32_t apic = 1u << 9, x2apic = 1u << 21, deadline = 1u << 24;
	const uint32_t extended_apic = 1u << 3;
	const uint32_t paravirtual = 1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 11 | 1u << 13 |
				     1u << 14 | 1u << 15;

	if (config->irqchip) {
		if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			set_bits(vm->cpuid, 1, ECX, 0, deadline);
		set_bits(vm->cpuid, 1, EDX, 0, apic);
		return;
	}
	set_bits(vm->cpuid, 1, EDX, apic, 0);
	set_bits(vm->cpuid, 1, ECX, x2apic | deadline, 0);
	set_bits(vm->cpuid, 0x80000001, EDX, apic, 0);
	set_bits(vm->cpuid, 0x80000001, ECX, extended_apic, 0);
	set_bits(vm->cpuid, 0x40000001, EAX, paravirtual, 0);
}

/* SDM vol. 2A, CPUID: leaf 0x80000008, EAX bits 7:0. */
static unsigned phys_bits(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *entry = kvm_cpuid_entry(cpuid, 0x80000008, 0);

	return entry ? entry->eax & 0xff : 0;
}

int kvm_cpuid_prepare(struct kvm_vm *vm, const struct accel_config *config, struct error *err)
{
	const uint32_t hypervisor = 1u << 31;
	int code = get_supported(vm, err);

	if (code)
		return code;
	set_bits(vm->cpuid, 1, ECX, 0, hypervisor);
	adjust_apic(vm, config);
	if (config->cpu_features)
		code = kvm_cpuid_features(vm->cpuid, config->cpu_features, err);
	kvm_xsave_layout(vm->cpuid, vm->xsave_layout);
	vm->base.phys_bits = phys_bits(vm->cpuid);
	return code;
}

/* ---- each vCPU's number ----------------------------------------------------------------- */

/* Initial APIC ID in EBX 31-24; one logical processor in 23-16, and no hyper-threading. */
static void number_leaf_1(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	entry->ebx = (entry->ebx & 0xffff) | 1u << 16 | id << 24;
	entry->edx &= ~(1u << 28);
}

/* Caches: shared by nobody, in a package of one core. */
static void number_caches(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	(void)id;
	entry->eax &= 0x3fff;
}

/* Extended topology: level 0 is the thread, level 1 the core; both are one wide. */
static void number_topology(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	enum { LEVEL_THREAD = 1, LEVEL_CORE = 2 };
	const uint32_t levels[] = {LEVEL_THREAD, LEVEL_CORE};
	bool known = entry->index < sizeof(levels) / sizeof(levels[0]);

	entry->eax = 0;
	entry->ebx = known ? 1 : 0;
	entry->ecx = entry->index | (known ? levels[entry->index] << 8 : 0);
	entry->edx = id;
}

/* AMD: one core, in ECX 7-0 less one. */
static void number_cores(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	(void)id;
	entry->ecx &= ~0xf0ffu;
}

/* AMD: extended APIC ID; core id; one thread for each. */
static void number_extended(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	entry->eax = id;
	entry->ebx = id & 0xff;
	entry->ecx = 0;
}

static const struct {
	uint32_t leaf;
	void (*number)(struct kvm_cpuid_entry2 *entry, uint32_t id);
} numbered[] = {
	// clang-format off
	{0x1,        number_leaf_1},
	{0x4,        number_caches},
	{0xb,        number_topology},
	{0x1f,       number_topology},
	{0x80000008, number_cores},
	{0x8000001d, number_caches},
	{0x8000001e, number_extended},
	// clang-format on
};

static void number_entry(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++)
		if (numbered[i].leaf == entry->function)
			numbered[i].number(entry, id);
}

int kvm_cpuid_apply(struct kvm_vcpu *vcpu, struct error *err)
{
	const struct kvm_cpuid2 *shared = to_kvm_vm(vcpu->base.vm)->cpuid;
	struct kvm_cpuid2 *own = allocate(shared->nent);
	int code;

	if (!own)
		return error_set(err, -ENOMEM, "no memory for the CPUID table");
	for (uint32_t i = 0; i < own->nent; i++) {
		own->entries[i] = shared->entries[i];
		number_entry(&own->entries[i], (uint32_t)vcpu->base.index);
	}
	code = ioctl(vcpu->fd, KVM_SET_CPUID2, own);
	if (code < 0)
		code = kvm_error(err, "KVM_SET_CPUID2", "take less away with -cpu");
	free(own);
	return code;
}

/* ---- what the guest sees ---------------------------------------------------------------- */

/* Some bits follow the guest's control registers: KVM is asked. */
int kvm_cpuid_get(struct accel_vcpu *base, struct cpuid_leaf *leaves, unsigned max)
{
	struct kvm_cpuid2 *cpuid = allocate(max);
	int code;

	if (!cpuid)
		return -ENOMEM;
	code = ioctl(to_kvm_vcpu(base)->fd, KVM_GET_CPUID2, cpuid) < 0 ? -errno : (int)cpuid->nent;
	for (int i = 0; i < code; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		leaves[i] = (struct cpuid_leaf){
			.leaf = e->function,
			.index = e->index,
			.indexed = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.reg = {e->eax, e->ebx, e->ecx, e->edx},
		};
	}
	free(cpuid);
	return code;
}
