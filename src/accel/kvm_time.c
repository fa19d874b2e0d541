// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What goes on by itself while no vCPU runs: the time stamp counters, which are the host's plus an offset; KVM's
 * own clock, which a paravirtual guest reads; and the timers in the kernel. A pause is taken out of them when it is
 * over, all by the same amount, so that the vCPUs stay in step.
 *
 * Other timers of local APICs than the TSC deadline are left alone: each of them that ends in the pause interrupts
 * the guest once, when it goes on.
 */
#include "accel/kvm_private.h"

#include "log.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

int64_t kvm_host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void kvm_time_stops_at(struct kvm_vm *vm, uint64_t tsc, int64_t now)
{
	vm->stopped = true;
	vm->stopped_tsc = tsc;
	vm->stopped_at = now;
}

void kvm_time_stops(struct accel_vm *base)
{
	kvm_time_stops_at(to_kvm_vm(base), __rdtsc(), kvm_host_now());
	kvm_pit_stops(to_kvm_vm(base));
}

struct accel_pause kvm_time_starts(struct accel_vm *base)
{
	struct kvm_vm *vm = to_kvm_vm(base);
	struct accel_pause pause = {0};

	if (vm->stopped) {
		pause.ticks = __rdtsc() - vm->stopped_tsc;
		pause.ns = (uint64_t)(kvm_host_now() - vm->stopped_at);
	}
	vm->stopped = false;
	kvm_pit_starts(vm, &pause);
	return pause;
}

/* ---- the time stamp counter ---------------------------------------------------------------- */

bool kvm_tsc_offset(struct kvm_vcpu *vcpu, unsigned long request, uint64_t *offset)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)offset};

	return ioctl(vcpu->fd, request, &attr) == 0;
}

/* A promise that is not kept shows at once: the guest's counter is the host's, whatever the offset says. */
void kvm_time_prepare(struct kvm_vcpu *vcpu)
{
	const uint64_t far = 1ull << 50;
	uint64_t offset, moved, before = 0, after = 0;

	if (!kvm_tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset))
		return;
	moved = offset + far;
	if (kvm_msr_read(vcpu, MSR_TSC, &before) &&
	    kvm_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &moved) &&
	    kvm_msr_read(vcpu, MSR_TSC, &after) &&
	    kvm_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset))
		kvm_vm_of(vcpu)->moves_tsc = (after - before) >> 49;
}

bool kvm_read_stopped_tsc(struct kvm_vcpu *vcpu, uint64_t *value)
{
	const struct kvm_vm *vm = kvm_vm_of(vcpu);
	uint64_t offset;

	if (!vm->stopped || !vm->moves_tsc || !kvm_tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset))
		return false;
	*value = vm->stopped_tsc + offset;
	return true;
}

bool kvm_write_stopped_tsc(struct kvm_vcpu *vcpu, uint64_t value)
{
	const struct kvm_vm *vm = kvm_vm_of(vcpu);
	uint64_t offset = value - vm->stopped_tsc;

	return vm->stopped && vm->moves_tsc && kvm_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset);
}

/* The timer that waits for a deadline was set by the counter as it was: setting the deadline again sets it
 * right, and takes back its interrupt if that was due only because the host's time went on. */
static void set_deadline_again(struct kvm_vcpu *vcpu)
{
	uint64_t deadline;

	if (kvm_vm_of(vcpu)->irqchip && kvm_msr_read(vcpu, MSR_TSC_DEADLINE, &deadline) && deadline)
		kvm_msr_write(vcpu, MSR_TSC_DEADLINE, deadline);
}

int kvm_vcpu_skip(struct accel_vcpu *base, const struct accel_pause *pause)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	uint64_t offset;

	if (!kvm_vm_of(vcpu)->moves_tsc || !kvm_tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset))
		return -ENOTSUP;
	offset -= pause->ticks;
	if (!kvm_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset))
		return -EIO;
	set_deadline_again(vcpu);
	return 0;
}

/* -EINVAL: the guest has no clock of KVM's. */
void kvm_vcpu_tell_pause(struct accel_vcpu *base)
{
	ioctl(to_kvm_vcpu(base)->fd, KVM_KVMCLOCK_CTRL, 0);
}

/* ---- the VM's clocks -------------------------------------------------------------------------- */

static void skip_clock(struct kvm_vm *vm, const struct accel_pause *pause)
{
	struct kvm_clock_data clock = {0}, wanted = {0};

	if (!vm->adjust_clock || ioctl(vm->fd, KVM_GET_CLOCK, &clock) < 0)
		return;
	wanted.clock = clock.clock > pause->ns ? clock.clock - pause->ns : 0;
	if (ioctl(vm->fd, KVM_SET_CLOCK, &wanted) < 0)
		log_info("accel", "KVM_SET_CLOCK is refused: the guest sees the pause");
}

void kvm_skip(struct accel_vm *base, const struct accel_pause *pause)
{
	skip_clock(to_kvm_vm(base), pause);
	kvm_pit_skip(to_kvm_vm(base), pause);
}
