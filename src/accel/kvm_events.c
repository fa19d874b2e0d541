// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a CPU was about to deliver (KVM_GET_VCPU_EVENTS), and whether it runs at all
 * (KVM_GET_MP_STATE).
 */
#include "accel/kvm_private.h"

#include <errno.h>

static const struct {
	uint32_t kvm;
	enum cpu_run_state state;
} run_states[] = {
	// clang-format off
	{KVM_MP_STATE_RUNNABLE,      CPU_RUNNABLE},
	{KVM_MP_STATE_HALTED,        CPU_HALTED},
	{KVM_MP_STATE_UNINITIALIZED, CPU_WAIT_INIT},
	{KVM_MP_STATE_INIT_RECEIVED, CPU_WAIT_SIPI},
	// clang-format on
};
#define RUN_STATES (sizeof(run_states) / sizeof(run_states[0]))

int kvm_get_run_state(struct kvm_vcpu *vcpu, enum cpu_run_state *state)
{
	struct kvm_mp_state mp = {0};
	int code;

	*state = CPU_RUNNABLE;
	if (vcpu->known_runnable || !kvm_vm_of(vcpu)->irqchip)
		return 0;
	code = kvm_vcpu_call(vcpu, KVM_GET_MP_STATE, &mp);
	for (size_t i = 0; i < RUN_STATES; i++)
		if (run_states[i].kvm == mp.mp_state)
			*state = run_states[i].state;
	return code;
}

/* Without a local APIC in the kernel, KVM knows runnable CPUs alone. */
static int put_run_state(struct kvm_vcpu *vcpu, enum cpu_run_state state)
{
	struct kvm_mp_state mp = {0};

	if (!kvm_vm_of(vcpu)->irqchip)
		return state == CPU_RUNNABLE ? 0 : -EINVAL;
	for (size_t i = 0; i < RUN_STATES; i++)
		if (run_states[i].state == state)
			mp.mp_state = run_states[i].kvm;
	return kvm_vcpu_call(vcpu, KVM_SET_MP_STATE, &mp);
}

static void events_from_kvm(const struct kvm_vcpu_events *from, struct cpu_events *to)
{
	bool payload = from->flags & KVM_VCPUEVENT_VALID_PAYLOAD;
	bool triple = from->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT;

	to->exception.injected = from->exception.injected;
	to->exception.pending = payload && from->exception.pending;
	to->exception.vector = from->exception.nr;
	to->exception.has_error_code = from->exception.has_error_code;
	to->exception.error_code = from->exception.error_code;
	to->exception.has_payload = payload && from->exception_has_payload;
	to->exception.payload = to->exception.has_payload ? from->exception_payload : 0;
	to->interrupt.injected = from->interrupt.injected;
	to->interrupt.vector = from->interrupt.nr;
	to->interrupt.soft = from->interrupt.soft;
	to->interrupt.shadow = from->interrupt.shadow;
	to->nmi.injected = from->nmi.injected;
	to->nmi.pending = from->nmi.pending;
	to->nmi.masked = from->nmi.masked;
	to->smi.smm = from->smi.smm;
	to->smi.pending = from->smi.pending;
	to->smi.inside_nmi = from->smi.smm_inside_nmi;
	to->smi.latched_init = from->smi.latched_init;
	to->sipi_vector = from->sipi_vector;
	to->triple_fault_pending = triple && from->triple_fault.pending;
}

static void events_to_kvm(const struct cpu_events *from, uint32_t flags, struct kvm_vcpu_events *to)
{
	to->flags = flags | KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	to->exception.injected = from->exception.injected;
	to->exception.pending = from->exception.pending;
	to->exception.nr = from->exception.vector;
	to->exception.has_error_code = from->exception.has_error_code;
	to->exception.error_code = from->exception.error_code;
	to->exception_has_payload = from->exception.has_payload;
	to->exception_payload = from->exception.payload;
	to->interrupt.injected = from->interrupt.injected;
	to->interrupt.nr = from->interrupt.vector;
	to->interrupt.soft = from->interrupt.soft;
	to->interrupt.shadow = from->interrupt.shadow;
	to->nmi.injected = from->nmi.injected;
	to->nmi.pending = from->nmi.pending;
	to->nmi.masked = from->nmi.masked;
	to->smi.smm = from->smi.smm;
	to->smi.pending = from->smi.pending;
	to->smi.smm_inside_nmi = from->smi.inside_nmi;
	to->smi.latched_init = from->smi.latched_init;
	to->sipi_vector = from->sipi_vector;
	to->triple_fault.pending = from->triple_fault_pending;
}

int kvm_get_events(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	struct kvm_vcpu_events events;

	if (vcpu->synced & CPU_EVENTS) {
		events = vcpu->run->s.regs.events;
	} else {
		int code = kvm_vcpu_call(vcpu, KVM_GET_VCPU_EVENTS, &events);

		if (code)
			return code;
	}
	events_from_kvm(&events, &state->events);
	return kvm_get_run_state(vcpu, &state->events.run_state);
}

int kvm_put_events(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	struct kvm_vcpu_events events = {0};
	int code;

	events_to_kvm(&state->events, vcpu->events_flags, &events);
	code = kvm_vcpu_call(vcpu, KVM_SET_VCPU_EVENTS, &events);
	return code ? code : put_run_state(vcpu, state->events.run_state);
}
