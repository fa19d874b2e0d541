// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A vCPU, saved and loaded. Most parts are one structure of KVM's with an ioctl each way; MSRs, the time
 * stamp counter and nested state are their own. load_steps[] is the order that KVM needs:
 *
 *   an INIT on its way is obeyed first, so that it cannot change what is loaded
 *   control registers and the APIC's base come before all that depends on them
 *   the local APIC comes twice: KVM clears the timer's count when its mode changes
 *   general registers forget a pending exception, so events come behind them
 *   the TSC deadline needs the TSC and the APIC's timer mode
 */
#include "accel/kvm_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

/* ---- parts that are one structure --------------------------------------------------------- */

static bool always(const struct kvm_vm *vm)
{
	(void)vm;
	return true;
}

static bool has_apic(const struct kvm_vm *vm)
{
	return vm->irqchip;
}

static bool has_xcrs(const struct kvm_vm *vm)
{
	return vm->xcrs;
}

static bool has_sregs2(const struct kvm_vm *vm)
{
	return vm->sregs2;
}

static bool lacks_sregs2(const struct kvm_vm *vm)
{
	return !vm->sregs2;
}

static const struct row {
	const char *name, *words;
	unsigned long get, set;
	size_t size; /* 0: vm->xsave_size */
	bool (*present)(const struct kvm_vm *vm);
} rows[] = {
	// clang-format off
	{"run-state", "run state", KVM_GET_MP_STATE, KVM_SET_MP_STATE,
	 sizeof(struct kvm_mp_state), has_apic},
	{"system2", "control registers", KVM_GET_SREGS2, KVM_SET_SREGS2,
	 sizeof(struct kvm_sregs2), has_sregs2},
	{"system", "control registers", KVM_GET_SREGS, KVM_SET_SREGS,
	 sizeof(struct kvm_sregs), lacks_sregs2},
	{"xcrs", "extended control registers", KVM_GET_XCRS, KVM_SET_XCRS,
	 sizeof(struct kvm_xcrs), has_xcrs},
	{"xsave", "FPU and vector registers", KVM_GET_XSAVE, KVM_SET_XSAVE, 0, always},
	{"general", "general registers", KVM_GET_REGS, KVM_SET_REGS,
	 sizeof(struct kvm_regs), always},
	{"apic", "local APIC", KVM_GET_LAPIC, KVM_SET_LAPIC, sizeof(struct kvm_lapic_state), has_apic},
	{"events", "pending events", KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
	 sizeof(struct kvm_vcpu_events), always},
	{"debug", "debug registers", KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
	 sizeof(struct kvm_debugregs), always},
	// clang-format on
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static size_t row_size(const struct kvm_vm *vm, const struct row *row)
{
	return row->size ? row->size : vm->xsave_size;
}

static const struct row *row_named(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static int save_row(struct kvm_vcpu *vcpu, const struct row *row, struct parts *out)
{
	const struct kvm_vm *vm = kvm_vm_of(vcpu);
	size_t size = row_size(vm, row);
	bool large = row->get == KVM_GET_XSAVE && vm->xsave2;
	void *bytes = calloc(1, size);
	int code = bytes ? 0 : -ENOMEM;

	if (code == 0)
		code = kvm_vcpu_call(vcpu, large ? KVM_GET_XSAVE2 : row->get, bytes);
	if (code == 0)
		parts_put(out, row->name, bytes, size);
	free(bytes);
	return code;
}

static int refused(const struct kvm_vcpu *vcpu, const char *what, int code, struct error *err)
{
	return error_set(err, code, "this host's KVM refuses the %s of vCPU %d: %s", what,
			 vcpu->base.index, strerror(-code));
}

/* Only what this machine has is loaded; that the rest is there was checked before. */
static int load_row(struct kvm_vcpu *vcpu, const struct parts *in, const char *name,
		    struct error *err)
{
	const struct row *row = row_named(name);
	const struct named_part *part = parts_find(in, name);
	int code;

	if (!row->present(kvm_vm_of(vcpu)))
		return 0;
	if (!part || part->size != row_size(kvm_vm_of(vcpu), row))
		return parts_check(in, name, row_size(kvm_vm_of(vcpu), row), err);
	code = kvm_vcpu_call(vcpu, row->set, part->bytes);
	return code < 0 ? refused(vcpu, row->words, code, err) : 0;
}

static int load_rows(struct kvm_vcpu *vcpu, const struct parts *in, const char *const *names,
		     struct error *err)
{
	int code = 0;

	for (; code == 0 && *names; names++)
		code = load_row(vcpu, in, *names, err);
	return code;
}

/* ---- the time stamp counter ---------------------------------------------------------------- */

/* Setting the MSR lets KVM guess what is meant: a value near the last one is taken as that one. The
 * offset is exact, and keeps the vCPUs in step; older kernels lack it. */
static int save_tsc(struct kvm_vcpu *vcpu, struct parts *out)
{
	uint64_t then = kvm_vm_of(vcpu)->snapshot_tsc, offset, value;

	if (kvm_tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset))
		value = then + offset;
	else if (kvm_msr_read(vcpu, MSR_TSC, &value))
		value -= __rdtsc() - then;
	else
		return -EIO;
	parts_put(out, "tsc", &value, sizeof(value));
	return 0;
}

static int load_tsc(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	uint64_t then = kvm_vm_of(vcpu)->snapshot_tsc, value, offset;
	int code = parts_get(in, "tsc", &value, sizeof(value));

	offset = value - then;
	if (code < 0 || (!kvm_tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset) &&
			 !kvm_msr_write(vcpu, MSR_TSC, value + (__rdtsc() - then))))
		return refused(vcpu, "time stamp counter", code < 0 ? code : -EIO, err);
	return 0;
}

static int save_deadline(struct kvm_vcpu *vcpu, struct parts *out)
{
	uint64_t value = 0;

	if (kvm_vm_of(vcpu)->irqchip && kvm_msr_read(vcpu, MSR_TSC_DEADLINE, &value))
		parts_put(out, "tsc-deadline", &value, sizeof(value));
	return 0;
}

static int load_deadline(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	uint64_t value, now;

	if (parts_get(in, "tsc-deadline", &value, sizeof(value)) < 0 || !kvm_vm_of(vcpu)->irqchip ||
	    !kvm_msr_read(vcpu, MSR_TSC_DEADLINE, &now))
		return 0;
	if ((value || now) && !kvm_msr_write(vcpu, MSR_TSC_DEADLINE, value))
		return refused(vcpu, "TSC deadline", -EIO, err);
	return 0;
}

/* ---- a hypervisor in the guest -------------------------------------------------------------- */

static int save_nested(struct kvm_vcpu *vcpu, struct parts *out)
{
	size_t size = kvm_vm_of(vcpu)->nested_size;
	struct kvm_nested_state *state;
	int code;

	if (!size)
		return 0;
	state = calloc(1, size);
	if (!state)
		return -ENOMEM;
	state->size = (uint32_t)size;
	code = kvm_vcpu_call(vcpu, KVM_GET_NESTED_STATE, state);
	if (code == 0)
		parts_put(out, "nested", state, state->size);
	free(state);
	return code;
}

static int load_nested(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, "nested");
	int code;

	if (!part || !kvm_vm_of(vcpu)->nested_size)
		return 0;
	code = kvm_vcpu_call(vcpu, KVM_SET_NESTED_STATE, part->bytes);
	return code < 0 ? refused(vcpu, "nested virtualisation", code, err) : 0;
}

/* KVM reads as many bytes as the state itself says that it has. */
static int nested_fits(const struct kvm_vm *vm, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, "nested");
	const struct kvm_nested_state *state = part ? (const void *)part->bytes : NULL;
	bool fits = !part == !vm->nested_size;

	if (fits && part)
		fits = part->size >= sizeof(*state) && part->size <= vm->nested_size &&
		       state->size == part->size;
	return fits ? 0
		    : error_set(err, -EINVAL,
				"the snapshot's nested virtualisation is not this host's: restore "
				"it on a like host");
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* Asking for the run state obeys INIT and SIPI, which change registers: rows[] begins with it. */
int kvm_vcpu_save(struct accel_vcpu *base, struct parts *out)
{
	static int (*const others[])(struct kvm_vcpu *, struct parts *) = {
		kvm_save_msrs, save_tsc, save_deadline, save_nested};
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	int code = 0;

	for (size_t i = 0; code == 0 && i < ROWS; i++)
		if (rows[i].present(kvm_vm_of(vcpu)))
			code = save_row(vcpu, &rows[i], out);
	for (size_t i = 0; code == 0 && i < sizeof(others) / sizeof(others[0]); i++)
		code = others[i](vcpu, out);
	vcpu->synced = 0;
	vcpu->settled = false;
	return code < 0 ? code : out->error;
}

int kvm_vcpu_fits(struct accel_vcpu *base, const struct parts *in, struct error *err)
{
	const struct kvm_vm *vm = to_kvm_vm(base->vm);
	int code = 0;

	for (size_t i = 0; code == 0 && i < ROWS; i++)
		if (rows[i].present(vm))
			code = parts_check(in, rows[i].name, row_size(vm, &rows[i]), err);
	if (code == 0)
		code = parts_check(in, "tsc", sizeof(uint64_t), err);
	if (code == 0)
		code = kvm_msrs_fit(vm, in, err);
	return code < 0 ? code : nested_fits(vm, in, err);
}

static int load_settled(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	struct kvm_mp_state ignored;
	int code = 0;

	(void)in;
	if (kvm_vm_of(vcpu)->irqchip)
		code = kvm_vcpu_call(vcpu, KVM_GET_MP_STATE, &ignored);
	return code < 0 ? refused(vcpu, "run state", code, err) : 0;
}

static int load_system(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	static const char *const names[] = {"system2", "system", "xcrs", "xsave", NULL};

	return load_rows(vcpu, in, names, err);
}

static int load_running(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	static const char *const names[] = {"apic",  "apic",	  "general", "events",
					    "debug", "run-state", NULL};

	return load_rows(vcpu, in, names, err);
}

/* What the page shared with the kernel holds of the CPU is of before. Without a local APIC in the kernel,
 * KVM_RUN loads CR8 from there; that the guest can take an interrupt is found out anew. */
static int load_shared_page(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err)
{
	struct kvm_sregs sregs;
	int code = kvm_vcpu_call(vcpu, KVM_GET_SREGS, &sregs);

	(void)in;
	vcpu->run->cr8 = sregs.cr8;
	vcpu->run->ready_for_interrupt_injection = 0;
	return code < 0 ? refused(vcpu, "control registers", code, err) : 0;
}

typedef int load_step(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err);

static load_step *const load_steps[] = {
	load_settled, load_system,  kvm_load_msrs, load_tsc,
	load_nested,  load_running, load_deadline, load_shared_page,
};

int kvm_vcpu_load(struct accel_vcpu *base, const struct parts *in, struct error *err)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	int code = 0;

	vcpu->synced = 0;
	vcpu->settled = vcpu->known_runnable = false;
	vcpu->msr_told = false;
	for (size_t i = 0; code == 0 && i < sizeof(load_steps) / sizeof(load_steps[0]); i++)
		code = load_steps[i](vcpu, in, err);
	return code;
}
