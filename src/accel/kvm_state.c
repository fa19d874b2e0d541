// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A CPU's registers, to and from struct cpu_state: one pair of functions for each group, and the
 * two tables that state_get and state_put walk.
 *
 * Both are cheap where the host synchronises registers (KVM_CAP_SYNC_REGS). The last exit has left them in
 * the shared page; and general registers that are written right behind it go there, for the next KVM_RUN
 * to take, or the next ioctl to take along (kvm_vcpu_call). Whatever is written spends what was synchronised.
 */
#include "accel/kvm_snapshot.h"

#include <errno.h>
#include <sys/ioctl.h>

/* What waits in the shared page goes first: what is read must be new, and what is written must not be lost. */
int kvm_vcpu_call(struct kvm_vcpu *vcpu, unsigned long request, void *argument)
{
	if (vcpu->run && vcpu->run->kvm_dirty_regs) {
		vcpu->run->kvm_dirty_regs = 0;
		if (ioctl(vcpu->fd, KVM_SET_REGS, &vcpu->run->s.regs.regs) < 0)
			return -errno;
	}
	return ioctl(vcpu->fd, request, argument) < 0 ? -errno : 0;
}

/* ---- all of it -------------------------------------------------------------------------- */

/* The order of writing matters: KVM_SET_REGS forgets a pending exception, so events come last; and
 * where the caller writes none, those that there were are put back. */
static const struct {
	enum cpu_group group;
	int (*get)(struct kvm_vcpu *vcpu, struct cpu_state *state);
	int (*put)(struct kvm_vcpu *vcpu, const struct cpu_state *state);
} group_table[] = {
	// clang-format off
	{CPU_SYSTEM,  kvm_get_system,  kvm_put_system},
	{CPU_GENERAL, kvm_get_general, kvm_put_general},
	{CPU_FPU,     kvm_get_fpu,     kvm_put_fpu},
	{CPU_DEBUG,   kvm_get_debug,   kvm_put_debug},
	{CPU_MSRS,    kvm_get_msrs,    kvm_put_msrs},
	{CPU_EVENTS,  kvm_get_events,  kvm_put_events},
	// clang-format on
};
#define GROUPS (sizeof(group_table) / sizeof(group_table[0]))

/* Asking for the run state makes KVM obey an INIT or SIPI that another CPU sent meanwhile, which
 * changes registers: it must be asked before any of them is read, and what the last exit left of
 * them is old then. */
static int settle(struct kvm_vcpu *vcpu)
{
	enum cpu_run_state state;
	int code;

	if (vcpu->settled || !kvm_vm_of(vcpu)->irqchip)
		return 0;
	code = kvm_get_run_state(vcpu, &state);
	vcpu->synced = 0;
	vcpu->settled = vcpu->known_runnable = !code && state == CPU_RUNNABLE;
	return code;
}

int kvm_state_get(struct accel_vcpu *base, unsigned groups, struct cpu_state *state)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	int code = settle(vcpu);

	for (size_t i = 0; !code && i < GROUPS; i++)
		if (groups & group_table[i].group)
			code = group_table[i].get(vcpu, state);
	return code;
}

static int get_raw_events(struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	if (!(vcpu->synced & CPU_EVENTS))
		return kvm_vcpu_call(vcpu, KVM_GET_VCPU_EVENTS, events);
	*events = vcpu->run->s.regs.events;
	return 0;
}

/* The CPU has run, so the next KVM_RUN will look at the shared page. A step has to be armed behind the write. */
static bool may_wait_for_run(const struct kvm_vcpu *vcpu, unsigned groups,
			     const struct kvm_vcpu_events *events)
{
	return groups == CPU_GENERAL && (vcpu->synced & CPU_GENERAL) && !vcpu->stepping &&
	       !events->exception.pending && !events->exception.injected;
}

int kvm_state_put(struct accel_vcpu *base, unsigned groups, const struct cpu_state *state)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_vcpu_events events = {0};
	int code = 0;

	if (groups & CPU_GENERAL && !(groups & CPU_EVENTS))
		code = get_raw_events(vcpu, &events);
	vcpu->puts_with_run = !code && may_wait_for_run(vcpu, groups, &events);
	vcpu->synced = 0;
	vcpu->settled = vcpu->known_runnable = false;
	if (!code && vcpu->stepping && groups & CPU_GENERAL && state->general.rflags & RFLAGS_TF)
		code = kvm_stop_stepping(vcpu);
	for (size_t i = 0; !code && i < GROUPS; i++)
		if (groups & group_table[i].group)
			code = group_table[i].put(vcpu, state);
	if (!code && (events.exception.pending || events.exception.injected))
		code = kvm_vcpu_call(vcpu, KVM_SET_VCPU_EVENTS, &events);
	return code;
}

/* ---- synchronised registers (KVM_CAP_SYNC_REGS) ----------------------------------------- */

static const struct {
	uint64_t kvm;
	enum cpu_group group;
} sync_groups[] = {
	// clang-format off
	{KVM_SYNC_X86_REGS,   CPU_GENERAL},
	{KVM_SYNC_X86_SREGS,  CPU_SYSTEM},
	{KVM_SYNC_X86_EVENTS, CPU_EVENTS},
	// clang-format on
};

void kvm_sync_state(struct accel_vcpu *base, bool on)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	vcpu->run->kvm_valid_regs = on ? kvm_vm_of(vcpu)->sync_regs : 0;
}

unsigned kvm_synced_groups(const struct kvm_run *run)
{
	unsigned groups = 0;

	for (size_t i = 0; i < sizeof(sync_groups) / sizeof(sync_groups[0]); i++)
		if (run->kvm_valid_regs & sync_groups[i].kvm)
			groups |= sync_groups[i].group;
	return groups;
}

void kvm_tell_pc(const struct kvm_vcpu *vcpu, struct vm_exit *exit)
{
	const struct kvm_sync_regs *synced = &vcpu->run->s.regs;
	uint64_t base = synced->sregs.cs.base;

	exit->has_pc = (vcpu->synced & (CPU_GENERAL | CPU_SYSTEM)) == (CPU_GENERAL | CPU_SYSTEM);
	if (!exit->has_pc)
		return;
	exit->pc = synced->sregs.cs.l ? synced->regs.rip : (uint32_t)(base + synced->regs.rip);
}

/* ---- the beginning, and back to it ------------------------------------------------------ */

static int prepare_apic(struct kvm_vcpu *vcpu, struct error *err)
{
	if (!kvm_msr_read(vcpu, MSR_APIC_BASE, &vcpu->power_on_apic_base))
		return error_set(
			err, -EIO,
			"KVM_GET_MSRS failed for the APIC base; see the kernel log (dmesg)");
	if (!kvm_vm_of(vcpu)->irqchip) {
		kvm_msr_write(vcpu, MSR_APIC_BASE, vcpu->power_on_apic_base & ~APIC_BASE_ENABLE);
		return 0;
	}
	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &vcpu->power_on_lapic) < 0)
		return kvm_error(err, "KVM_GET_LAPIC", "use -irqchip=user");
	return 0;
}

int kvm_state_prepare(struct kvm_vcpu *vcpu, struct error *err)
{
	struct kvm_vcpu_events events;
	int code;

	kvm_msrs_prepare(vcpu);
	if (ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
		return kvm_error(err, "KVM_GET_VCPU_EVENTS", "use Linux 4.11 or later");
	vcpu->events_flags = events.flags;
	if (vcpu->base.index == 0)
		kvm_time_prepare(vcpu);
	code = kvm_snapshot_prepare(vcpu, err);
	return code < 0 ? code : prepare_apic(vcpu, err);
}

/* The APIC's base comes first: a guest that chose x2APIC left another layout behind. */
int kvm_vcpu_reset(struct accel_vcpu *base)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	vcpu->synced = 0;
	vcpu->settled = vcpu->known_runnable = false;
	kvm_stop_paravirtual_clocks(vcpu);
	if (!kvm_vm_of(vcpu)->irqchip)
		return 0;
	if (!kvm_msr_write(vcpu, MSR_APIC_BASE, vcpu->power_on_apic_base))
		return -EIO;
	return kvm_vcpu_call(vcpu, KVM_SET_LAPIC, &vcpu->power_on_lapic);
}
