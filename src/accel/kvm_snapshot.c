// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Everything that KVM keeps of a machine, saved and loaded: KVM's own structures as they are, one part
 * each. What is loaded must come in an order:
 *
 *   PICs, IOAPIC        an IOAPIC that is set offers its interrupts to the local APICs again …
 *   each vCPU           … so these are set behind it (kvm_snapshot_cpu.c)
 *   PIT, KVM clock      which run from the moment they are set
 */
#include "accel/kvm_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

static const char *const chip_names[KVM_NR_IRQCHIPS] = {
	[KVM_IRQCHIP_PIC_MASTER] = "pic0",
	[KVM_IRQCHIP_PIC_SLAVE] = "pic1",
	[KVM_IRQCHIP_IOAPIC] = "ioapic",
};

/* The PIT's channels say by the host's monotonic clock when they were loaded. */
struct pit_part {
	struct kvm_pit_state2 state;
	int64_t now;
};

static int vm_call(struct kvm_vm *vm, unsigned long request, void *argument)
{
	return ioctl(vm->fd, request, argument) < 0 ? -errno : 0;
}

static void keep(struct parts *parts, int code, const char *name, const void *bytes, size_t size)
{
	if (code < 0 && !parts->error)
		parts->error = code;
	parts_put(parts, name, bytes, size);
}

/* ---- saving ------------------------------------------------------------------------------ */

static void save_controllers(struct kvm_vm *vm, struct parts *out)
{
	struct pit_part pit = {.now = vm->stopped ? vm->stopped_at : kvm_host_now()};

	for (uint32_t i = 0; i < KVM_NR_IRQCHIPS; i++) {
		struct kvm_irqchip chip = {.chip_id = i};
		int code = vm_call(vm, KVM_GET_IRQCHIP, &chip);

		keep(out, code, chip_names[i], &chip, sizeof(chip));
	}
	keep(out, kvm_pit_get(vm, &pit.state), "pit", &pit, sizeof(pit));
}

static int save_clock(struct kvm_vm *vm, struct parts *out)
{
	struct kvm_clock_data clock = {0};
	int code = vm_call(vm, KVM_GET_CLOCK, &clock);

	if (vm->stopped)
		clock.clock -= (uint64_t)(kvm_host_now() - vm->stopped_at);
	keep(out, code, "clock", &clock, sizeof(clock));
	return code;
}

/* All vCPUs' time stamp counters are saved as of this moment, or as of the one at which they stopped. */
int kvm_vm_save(struct accel_vm *base, struct parts *out)
{
	struct kvm_vm *vm = to_kvm_vm(base);

	vm->snapshot_tsc = vm->stopped ? vm->stopped_tsc : __rdtsc();
	parts_put(out, "cpuid", vm->cpuid->entries,
		  vm->cpuid->nent * sizeof(vm->cpuid->entries[0]));
	if (vm->irqchip && kvm_vm_complete(vm, NULL) == 0)
		save_controllers(vm, out);
	if (vm->adjust_clock)
		save_clock(vm, out);
	return out->error;
}

/* ---- whether it fits --------------------------------------------------------------------- */

/* Leaves whose bits promise the guest something that its code may depend on (SDM vol. 2A, CPUID; AMD
 * manual vol. 3, appendix E). Others tell topology, caches, and names. */
static const struct {
	uint32_t leaf, index;
	uint8_t registers; /* bit mask of enum cpuid_register */
} promises[] = {
	// clang-format off
	{0,          0, 1 << EBX | 1 << ECX | 1 << EDX}, /* the vendor */
	{1,          0, 1 << ECX | 1 << EDX},
	{7,          0, 1 << EBX | 1 << ECX | 1 << EDX},
	{7,          1, 1 << EAX | 1 << EBX | 1 << ECX | 1 << EDX},
	{7,          2, 1 << EDX},
	{0xd,        0, 1 << EAX | 1 << EDX},		 /* what XCR0 may hold */
	{0xd,        1, 1 << EAX},
	{0x40000001, 0, 1 << EAX},			 /* KVM's own */
	{0x80000001, 0, 1 << ECX | 1 << EDX},
	{0x80000007, 0, 1 << EDX},
	{0x80000008, 0, 1 << EBX},
	// clang-format on
};

static uint32_t promise(const struct kvm_cpuid_entry2 *entries, size_t count, uint32_t leaf,
			uint32_t index, unsigned reg)
{
	for (size_t i = 0; i < count; i++) {
		const struct kvm_cpuid_entry2 *e = &entries[i];
		const uint32_t registers[] = {e->eax, e->ebx, e->ecx, e->edx};

		if (e->function == leaf &&
		    (e->index == index || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return registers[reg];
	}
	return 0;
}

static int differs(uint32_t leaf, uint32_t index, unsigned reg, uint32_t saved, uint32_t here,
		   struct error *err)
{
	static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};
	unsigned bit = (unsigned)__builtin_ctz(saved ^ here);
	const char *name = leaf ? cpuid_feature_name(leaf, index, reg, bit) : NULL;
	const char *with = saved >> bit & 1 ? "the snapshot's processor" : "this machine's";
	const char *without = saved >> bit & 1 ? "this machine's" : "the snapshot's processor";

	if (name)
		return error_set(err, -EINVAL,
				 "%s has the feature %s and %s has not: start vitrine with the "
				 "-cpu that the snapshot was made with, on a like host",
				 with, name, without);
	return error_set(err, -EINVAL,
			 "the snapshot's processor is another one than this machine's (CPUID leaf "
			 "0x%x, %s: 0x%x there, 0x%x here): restore it on a like host",
			 leaf, registers[reg], saved, here);
}

static int cpuid_fits(const struct kvm_vm *vm, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, "cpuid");
	size_t size = sizeof(struct kvm_cpuid_entry2);

	if (!part || part->size % size)
		return error_set(err, -EINVAL, "the snapshot does not say what its processor was");
	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++)
		for (unsigned reg = EAX; reg <= EDX; reg++) {
			uint32_t leaf = promises[i].leaf, index = promises[i].index;
			uint32_t saved = promise((const void *)part->bytes, part->size / size, leaf,
						 index, reg);
			uint32_t here = promise(vm->cpuid->entries, vm->cpuid->nent, leaf, index,
						reg);

			if ((promises[i].registers >> reg & 1) && saved != here)
				return differs(leaf, index, reg, saved, here, err);
		}
	return 0;
}

int kvm_vm_fits(struct accel_vm *base, const struct parts *in, struct error *err)
{
	const struct kvm_vm *vm = to_kvm_vm(base);
	int code = cpuid_fits(vm, in, err);

	for (unsigned i = 0; code == 0 && vm->irqchip && i < KVM_NR_IRQCHIPS; i++)
		code = parts_check(in, chip_names[i], sizeof(struct kvm_irqchip), err);
	if (code == 0 && vm->irqchip)
		code = parts_check(in, "pit", sizeof(struct pit_part), err);
	if (code == 0 && vm->adjust_clock)
		code = parts_check(in, "clock", sizeof(struct kvm_clock_data), err);
	return code;
}

/* ---- loading ----------------------------------------------------------------------------- */

/* The chip's number is ours, not the snapshot's. */
static int load_chip(struct kvm_vm *vm, const struct parts *in, uint32_t id, struct error *err)
{
	struct kvm_irqchip chip;
	int code = parts_get(in, chip_names[id], &chip, sizeof(chip));

	chip.chip_id = id;
	if (code == 0)
		code = vm_call(vm, KVM_SET_IRQCHIP, &chip);
	if (code < 0)
		return error_set(err, code, "this host's KVM refuses the state of the %s: %s",
				 chip_names[id], strerror(-code));
	return 0;
}

int kvm_vm_load(struct accel_vm *base, const struct parts *in, struct error *err)
{
	struct kvm_vm *vm = to_kvm_vm(base);

	vm->snapshot_tsc = __rdtsc();
	for (uint32_t i = 0; vm->irqchip && i < KVM_NR_IRQCHIPS; i++) {
		int code = load_chip(vm, in, i, err);

		if (code < 0)
			return code;
	}
	return 0;
}

/* KVM starts channel 0's period anew; the others go on where they were. */
static int load_pit(struct kvm_vm *vm, const struct parts *in, struct error *err)
{
	struct pit_part pit;
	int code = parts_get(in, "pit", &pit, sizeof(pit));
	int64_t later = kvm_host_now() - pit.now;

	for (unsigned i = 0; code == 0 && i < 3; i++)
		pit.state.channels[i].count_load_time =
			(int64_t)((uint64_t)pit.state.channels[i].count_load_time +
				  (uint64_t)later);
	if (code == 0)
		code = kvm_pit_set(vm, &pit.state);
	if (code < 0)
		return error_set(err, code, "this host's KVM refuses the state of the PIT: %s",
				 strerror(-code));
	return 0;
}

/* The flags that KVM told the clock's value with would make it add the time that has passed since. */
static int load_clock(struct kvm_vm *vm, const struct parts *in, struct error *err)
{
	struct kvm_clock_data clock, wanted = {0};
	int code = parts_get(in, "clock", &clock, sizeof(clock));

	wanted.clock = clock.clock;
	if (code == 0)
		code = vm_call(vm, KVM_SET_CLOCK, &wanted);
	if (code < 0)
		return error_set(err, code, "this host's KVM refuses to set its clock: %s",
				 strerror(-code));
	return 0;
}

/* Time that stands still does so from here on. */
int kvm_vm_load_clocks(struct accel_vm *base, const struct parts *in, struct error *err)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	int code = vm->irqchip ? load_pit(vm, in, err) : 0;

	if (code == 0 && vm->adjust_clock)
		code = load_clock(vm, in, err);
	if (vm->stopped)
		kvm_time_stops_at(vm, vm->snapshot_tsc, kvm_host_now());
	return code;
}

/* ---- which pages changed ----------------------------------------------------------------- */

int kvm_dirty_log(struct accel_vm *base, unsigned slot, uint64_t *bitmap)
{
	struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = bitmap};

	return vm_call(to_kvm_vm(base), KVM_GET_DIRTY_LOG, &log);
}
