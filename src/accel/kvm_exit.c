// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Why KVM_RUN came back. One table, indexed by KVM_EXIT_*: a name for every reason that
 * <linux/kvm.h> knows, and a translation for those that an x86 guest of ours can cause.
 */
#include "accel/kvm_private.h"

#include <string.h>

/* Reasons younger than the oldest header that we build with. */
#ifndef KVM_EXIT_LOONGARCH_IOCSR
#define KVM_EXIT_LOONGARCH_IOCSR 38
#endif
#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif
#ifndef KVM_EXIT_TDX
#define KVM_EXIT_TDX 40
#endif
#ifndef KVM_EXIT_ARM_SEA
#define KVM_EXIT_ARM_SEA 41
#endif
#ifndef KVM_EXIT_ARM_LDST64B
#define KVM_EXIT_ARM_LDST64B 42
#endif

static void translate_intr(struct kvm_run *run, struct vm_exit *exit)
{
	(void)run;
	exit->reason = EXIT_INTR;
}

static void translate_io(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_IO;
	exit->io.port = run->io.port;
	exit->io.size = run->io.size;
	exit->io.write = run->io.direction == KVM_EXIT_IO_OUT;
	exit->io.count = run->io.count;
	exit->io.data = (uint8_t *)run + run->io.data_offset;
}

static void translate_mmio(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_MMIO;
	exit->mmio.gpa = run->mmio.phys_addr;
	exit->mmio.size = (uint8_t)run->mmio.len;
	exit->mmio.write = run->mmio.is_write;
	exit->mmio.data = run->mmio.data;
}

static void translate_irq_window(struct kvm_run *run, struct vm_exit *exit)
{
	(void)run;
	exit->reason = EXIT_IRQ_WINDOW;
}

static void translate_hlt(struct kvm_run *run, struct vm_exit *exit)
{
	(void)run;
	exit->reason = EXIT_HLT;
}

static void translate_shutdown(struct kvm_run *run, struct vm_exit *exit)
{
	(void)run;
	exit->reason = EXIT_SHUTDOWN;
}

static void translate_system_event(struct kvm_run *run, struct vm_exit *exit)
{
	static const enum system_event events[] = {
		[KVM_SYSTEM_EVENT_SHUTDOWN] = SYSTEM_SHUTDOWN,
		[KVM_SYSTEM_EVENT_RESET] = SYSTEM_RESET,
		[KVM_SYSTEM_EVENT_CRASH] = SYSTEM_CRASH,
	};
	uint32_t type = run->system_event.type;
	bool known = type >= KVM_SYSTEM_EVENT_SHUTDOWN && type <= KVM_SYSTEM_EVENT_CRASH;

	exit->reason = EXIT_SYSTEM_EVENT;
	exit->system.type = type;
	exit->system.event = known ? events[type] : SYSTEM_OTHER;
}

static void translate_debug(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_DEBUG;
	exit->debug.pc = run->debug.arch.pc;
	exit->debug.vector = (uint8_t)run->debug.arch.exception;
	exit->debug.dr6 = run->debug.arch.dr6;
	exit->debug.dr7 = run->debug.arch.dr7;
}

/* KVM_CAP_X86_USER_SPACE_MSR. The kernel has cleared error; a set one gives the guest #GP. */
static void translate_msr(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = run->exit_reason == KVM_EXIT_X86_RDMSR ? EXIT_RDMSR : EXIT_WRMSR;
	exit->msr.index = run->msr.index;
	exit->msr.value = (uint64_t *)&run->msr.data;
	exit->msr.fault = (bool *)&run->msr.error;
}

/* The bytes of the instruction overlay data[] from its second word on, when a flag in the first
 * says so (KVM_CAP_EXIT_ON_EMULATION_FAILURE). */
static void translate_emulation_failure(const struct kvm_run *run, struct vm_exit *exit)
{
	uint8_t length = run->emulation_failure.insn_size;

	if (run->emulation_failure.ndata < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	if (length > sizeof(exit->internal.insn))
		length = sizeof(exit->internal.insn);
	exit->internal.insn_length = length;
	memcpy(exit->internal.insn, run->emulation_failure.insn_bytes, length);
}

static void translate_internal_error(struct kvm_run *run, struct vm_exit *exit)
{
	unsigned count = run->internal.ndata;

	if (count > sizeof(exit->internal.data) / sizeof(exit->internal.data[0]))
		count = sizeof(exit->internal.data) / sizeof(exit->internal.data[0]);
	exit->reason = EXIT_INTERNAL_ERROR;
	exit->internal.suberror = run->internal.suberror;
	exit->internal.data_count = count;
	memcpy(exit->internal.data, run->internal.data, count * sizeof(exit->internal.data[0]));
	exit->internal.insn_length = 0;
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		translate_emulation_failure(run, exit);
}

static void translate_fail_entry(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_FAIL_ENTRY;
	exit->fail_entry.reason = run->fail_entry.hardware_entry_failure_reason;
	exit->fail_entry.cpu = run->fail_entry.cpu;
}

static void translate_unknown(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_UNKNOWN;
	exit->hardware_reason = run->hw.hardware_exit_reason;
}

static void translate_other(struct kvm_run *run, struct vm_exit *exit)
{
	exit->reason = EXIT_OTHER;
	exit->number = run->exit_reason;
}

typedef void translate_fn(struct kvm_run *run, struct vm_exit *exit);

#define NAMED(reason, fn) [reason] = {#reason, fn}

/* KVM_EXIT_SET_TPR: without a local APIC in the kernel, a guest that lowered CR8. No interrupt
 * controller of ours looks at CR8, so there is nothing to do but to go on. */
static const struct {
	const char *name;
	translate_fn *translate;
} kvm_exits[] = {
	NAMED(KVM_EXIT_UNKNOWN, translate_unknown),
	NAMED(KVM_EXIT_EXCEPTION, translate_other),
	NAMED(KVM_EXIT_IO, translate_io),
	NAMED(KVM_EXIT_HYPERCALL, translate_other),
	NAMED(KVM_EXIT_DEBUG, translate_debug),
	NAMED(KVM_EXIT_HLT, translate_hlt),
	NAMED(KVM_EXIT_MMIO, translate_mmio),
	NAMED(KVM_EXIT_IRQ_WINDOW_OPEN, translate_irq_window),
	NAMED(KVM_EXIT_SHUTDOWN, translate_shutdown),
	NAMED(KVM_EXIT_FAIL_ENTRY, translate_fail_entry),
	NAMED(KVM_EXIT_INTR, translate_intr),
	NAMED(KVM_EXIT_SET_TPR, translate_intr),
	NAMED(KVM_EXIT_TPR_ACCESS, translate_other),
	NAMED(KVM_EXIT_S390_SIEIC, translate_other),
	NAMED(KVM_EXIT_S390_RESET, translate_other),
	NAMED(KVM_EXIT_DCR, translate_other),
	NAMED(KVM_EXIT_NMI, translate_other),
	NAMED(KVM_EXIT_INTERNAL_ERROR, translate_internal_error),
	NAMED(KVM_EXIT_OSI, translate_other),
	NAMED(KVM_EXIT_PAPR_HCALL, translate_other),
	NAMED(KVM_EXIT_S390_UCONTROL, translate_other),
	NAMED(KVM_EXIT_WATCHDOG, translate_other),
	NAMED(KVM_EXIT_S390_TSCH, translate_other),
	NAMED(KVM_EXIT_EPR, translate_other),
	NAMED(KVM_EXIT_SYSTEM_EVENT, translate_system_event),
	NAMED(KVM_EXIT_S390_STSI, translate_other),
	NAMED(KVM_EXIT_IOAPIC_EOI, translate_other),
	NAMED(KVM_EXIT_HYPERV, translate_other),
	NAMED(KVM_EXIT_ARM_NISV, translate_other),
	NAMED(KVM_EXIT_X86_RDMSR, translate_msr),
	NAMED(KVM_EXIT_X86_WRMSR, translate_msr),
	NAMED(KVM_EXIT_DIRTY_RING_FULL, translate_other),
	NAMED(KVM_EXIT_AP_RESET_HOLD, translate_other),
	NAMED(KVM_EXIT_X86_BUS_LOCK, translate_other),
	NAMED(KVM_EXIT_XEN, translate_other),
	NAMED(KVM_EXIT_RISCV_SBI, translate_other),
	NAMED(KVM_EXIT_RISCV_CSR, translate_other),
	NAMED(KVM_EXIT_NOTIFY, translate_other),
	NAMED(KVM_EXIT_LOONGARCH_IOCSR, translate_other),
	NAMED(KVM_EXIT_MEMORY_FAULT, translate_other),
	NAMED(KVM_EXIT_TDX, translate_other),
	NAMED(KVM_EXIT_ARM_SEA, translate_other),
	NAMED(KVM_EXIT_ARM_LDST64B, translate_other),
};

#define KVM_EXITS (sizeof(kvm_exits) / sizeof(kvm_exits[0]))

const char *kvm_exit_name(uint32_t number)
{
	return number < KVM_EXITS ? kvm_exits[number].name : NULL;
}

void kvm_exit_translate(struct kvm_run *run, struct vm_exit *exit)
{
	uint32_t number = run->exit_reason;

	if (number < KVM_EXITS) {
		exit->name = kvm_exits[number].name;
		kvm_exits[number].translate(run, exit);
	} else {
		exit->name = "an exit newer than vitrine";
		translate_other(run, exit);
	}
}
