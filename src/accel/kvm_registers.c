// SPDX-License-Identifier: GPL-3.0-or-later
/* The registers that KVM moves in whole structures: general, system, debug. */
#include "accel/kvm_private.h"

#include <stddef.h>

/* ---- general registers (KVM_GET_REGS) --------------------------------------------------- */

static const size_t gpr_offset[GPR_COUNT] = {
	[GPR_RAX] = offsetof(struct kvm_regs, rax), [GPR_RCX] = offsetof(struct kvm_regs, rcx),
	[GPR_RDX] = offsetof(struct kvm_regs, rdx), [GPR_RBX] = offsetof(struct kvm_regs, rbx),
	[GPR_RSP] = offsetof(struct kvm_regs, rsp), [GPR_RBP] = offsetof(struct kvm_regs, rbp),
	[GPR_RSI] = offsetof(struct kvm_regs, rsi), [GPR_RDI] = offsetof(struct kvm_regs, rdi),
	[GPR_R8] = offsetof(struct kvm_regs, r8),   [GPR_R9] = offsetof(struct kvm_regs, r9),
	[GPR_R10] = offsetof(struct kvm_regs, r10), [GPR_R11] = offsetof(struct kvm_regs, r11),
	[GPR_R12] = offsetof(struct kvm_regs, r12), [GPR_R13] = offsetof(struct kvm_regs, r13),
	[GPR_R14] = offsetof(struct kvm_regs, r14), [GPR_R15] = offsetof(struct kvm_regs, r15),
};

static uint64_t *gpr_of(struct kvm_regs *regs, int gpr)
{
	return (uint64_t *)((char *)regs + gpr_offset[gpr]);
}

int kvm_get_general(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	struct kvm_regs regs;

	if (vcpu->synced & CPU_GENERAL) {
		regs = vcpu->run->s.regs.regs;
	} else {
		int code = kvm_vcpu_call(vcpu, KVM_GET_REGS, &regs);

		if (code)
			return code;
	}
	for (int i = 0; i < GPR_COUNT; i++)
		state->general.gpr[i] = *gpr_of(&regs, i);
	state->general.rip = regs.rip;
	state->general.rflags = regs.rflags;
	return 0;
}

int kvm_put_general(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	struct kvm_regs regs = {.rip = state->general.rip, .rflags = state->general.rflags};

	for (int i = 0; i < GPR_COUNT; i++)
		*gpr_of(&regs, i) = state->general.gpr[i];
	/* What KVM said about interrupts at the last exit was about the old flags. */
	if (!(regs.rflags & RFLAGS_IF))
		vcpu->run->ready_for_interrupt_injection = 0;
	if (!vcpu->puts_with_run)
		return kvm_vcpu_call(vcpu, KVM_SET_REGS, &regs);
	vcpu->run->s.regs.regs = regs;
	vcpu->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	return 0;
}

/* ---- segments, tables, control registers (KVM_GET_SREGS) -------------------------------- */

static const size_t segment_offset[SEG_COUNT] = {
	[SEG_ES] = offsetof(struct kvm_sregs, es), [SEG_CS] = offsetof(struct kvm_sregs, cs),
	[SEG_SS] = offsetof(struct kvm_sregs, ss), [SEG_DS] = offsetof(struct kvm_sregs, ds),
	[SEG_FS] = offsetof(struct kvm_sregs, fs), [SEG_GS] = offsetof(struct kvm_sregs, gs),
	[SEG_TR] = offsetof(struct kvm_sregs, tr), [SEG_LDTR] = offsetof(struct kvm_sregs, ldt),
};

static struct kvm_segment *segment_of(struct kvm_sregs *sregs, int segment)
{
	return (struct kvm_segment *)((char *)sregs + segment_offset[segment]);
}

static struct cpu_segment segment_from_kvm(const struct kvm_segment *s)
{
	return (struct cpu_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->type,
		.present = s->present,
		.dpl = s->dpl,
		.db = s->db,
		.s = s->s,
		.l = s->l,
		.g = s->g,
		.avl = s->avl,
		.unusable = s->unusable,
	};
}

static struct kvm_segment segment_to_kvm(const struct cpu_segment *s)
{
	return (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->type,
		.present = s->present,
		.dpl = s->dpl,
		.db = s->db,
		.s = s->s,
		.l = s->l,
		.g = s->g,
		.avl = s->avl,
		.unusable = s->unusable,
	};
}

int kvm_get_system(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	struct cpu_system *system = &state->system;
	struct kvm_sregs sregs;

	if (vcpu->synced & CPU_SYSTEM) {
		sregs = vcpu->run->s.regs.sregs;
	} else {
		int code = kvm_vcpu_call(vcpu, KVM_GET_SREGS, &sregs);

		if (code)
			return code;
	}
	for (int i = 0; i < SEG_COUNT; i++)
		system->seg[i] = segment_from_kvm(segment_of(&sregs, i));
	system->gdt = (struct cpu_table){.base = sregs.gdt.base, .limit = sregs.gdt.limit};
	system->idt = (struct cpu_table){.base = sregs.idt.base, .limit = sregs.idt.limit};
	system->cr0 = sregs.cr0;
	system->cr2 = sregs.cr2;
	system->cr3 = sregs.cr3;
	system->cr4 = sregs.cr4;
	system->cr8 = sregs.cr8;
	system->efer = sregs.efer;
	system->apic_base = sregs.apic_base;
	return 0;
}

/* KVM shows CPUID's APIC bit as long as the APIC base says enabled, even where there is no APIC. */
static uint64_t apic_base(struct kvm_vcpu *vcpu, uint64_t value)
{
	return kvm_vm_of(vcpu)->irqchip ? value : value & ~APIC_BASE_ENABLE;
}

/* interrupt_bitmap stays empty: an interrupt on its way in is CPU_EVENTS' business. */
int kvm_put_system(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	const struct cpu_system *system = &state->system;
	struct kvm_sregs sregs = {
		.gdt = {.base = system->gdt.base, .limit = system->gdt.limit},
		.idt = {.base = system->idt.base, .limit = system->idt.limit},
		.cr0 = system->cr0,
		.cr2 = system->cr2,
		.cr3 = system->cr3,
		.cr4 = system->cr4,
		.cr8 = system->cr8,
		.efer = system->efer,
		.apic_base = apic_base(vcpu, system->apic_base),
	};

	for (int i = 0; i < SEG_COUNT; i++)
		*segment_of(&sregs, i) = segment_to_kvm(&system->seg[i]);
	/* Without a local APIC in the kernel, KVM_RUN loads CR8 from here. */
	vcpu->run->cr8 = system->cr8;
	return kvm_vcpu_call(vcpu, KVM_SET_SREGS, &sregs);
}

/* ---- the guest's own debug registers (KVM_GET_DEBUGREGS) -------------------------------- */

int kvm_get_debug(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	struct kvm_debugregs regs;
	int code = kvm_vcpu_call(vcpu, KVM_GET_DEBUGREGS, &regs);

	if (code)
		return code;
	for (int i = 0; i < 4; i++)
		state->debug.dr[i] = regs.db[i];
	state->debug.dr6 = regs.dr6;
	state->debug.dr7 = regs.dr7;
	return 0;
}

int kvm_put_debug(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	struct kvm_debugregs regs = {.dr6 = state->debug.dr6, .dr7 = state->debug.dr7};

	for (int i = 0; i < 4; i++)
		regs.db[i] = state->debug.dr[i];
	return kvm_vcpu_call(vcpu, KVM_SET_DEBUGREGS, &regs);
}
