// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy's part in snapshots: its registers, and which pages of its slots were written. */
#include "accel/dummy_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CPU_PART "cpu"

/* ---- registers ---------------------------------------------------------------------------- */

/* A bool in memory is 0 or 1, whatever a file says. */
static const size_t bools[] = {
	offsetof(struct cpu_state, events.exception.injected),
	offsetof(struct cpu_state, events.exception.pending),
	offsetof(struct cpu_state, events.exception.has_error_code),
	offsetof(struct cpu_state, events.exception.has_payload),
	offsetof(struct cpu_state, events.interrupt.injected),
	offsetof(struct cpu_state, events.interrupt.soft),
	offsetof(struct cpu_state, events.nmi.injected),
	offsetof(struct cpu_state, events.nmi.pending),
	offsetof(struct cpu_state, events.nmi.masked),
	offsetof(struct cpu_state, events.smi.smm),
	offsetof(struct cpu_state, events.smi.pending),
	offsetof(struct cpu_state, events.smi.inside_nmi),
	offsetof(struct cpu_state, events.smi.latched_init),
	offsetof(struct cpu_state, events.triple_fault_pending),
};

static bool is_sound(const uint8_t *bytes)
{
	enum cpu_run_state run_state;

	for (size_t i = 0; i < sizeof(bools) / sizeof(bools[0]); i++)
		if (bytes[bools[i]] > 1)
			return false;
	for (size_t i = 0; i < MSR_SLOT_COUNT; i++)
		if (bytes[offsetof(struct cpu_state, msrs.valid) + i] > 1)
			return false;
	memcpy(&run_state, bytes + offsetof(struct cpu_state, events.run_state), sizeof(run_state));
	return (unsigned)run_state <= CPU_WAIT_SIPI;
}

int dummy_vcpu_save(struct accel_vcpu *vcpu, struct parts *out)
{
	parts_put(out, CPU_PART, &to_dummy_vcpu(vcpu)->state, sizeof(struct cpu_state));
	return out->error;
}

int dummy_vcpu_fits(struct accel_vcpu *vcpu, const struct parts *in, struct error *err)
{
	(void)vcpu;
	return parts_check(in, CPU_PART, sizeof(struct cpu_state), err);
}

int dummy_vcpu_load(struct accel_vcpu *vcpu, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, CPU_PART);

	if (!part || part->size != sizeof(struct cpu_state) || !is_sound(part->bytes))
		return error_set(err, -EINVAL, "the snapshot's registers are not a CPU's");
	memcpy(&to_dummy_vcpu(vcpu)->state, part->bytes, part->size);
	dummy_describe_xsave(&to_dummy_vcpu(vcpu)->state.fpu);
	return 0;
}

/* ---- the VM has nothing of its own --------------------------------------------------------- */

int dummy_vm_save(struct accel_vm *vm, struct parts *out)
{
	(void)vm;
	return out->error;
}

int dummy_vm_fits(struct accel_vm *vm, const struct parts *in, struct error *err)
{
	(void)vm;
	(void)in;
	(void)err;
	return 0;
}

int dummy_vm_load(struct accel_vm *vm, const struct parts *in, struct error *err)
{
	return dummy_vm_fits(vm, in, err);
}

/* ---- which pages changed -------------------------------------------------------------------- */

static size_t words_of(const struct accel_slot *slot)
{
	return (slot->size / DUMMY_PAGE + 63) / 64;
}

int dummy_dirty_resize(struct dummy_vm *vm, const struct accel_slot *slot)
{
	bool wanted = slot->size && slot->log_dirty;

	if (wanted == !!vm->dirty[slot->id])
		return 0;
	free(vm->dirty[slot->id]);
	vm->dirty[slot->id] = NULL;
	if (wanted)
		vm->dirty[slot->id] = calloc(words_of(slot), sizeof(*vm->dirty[0]));
	return wanted && !vm->dirty[slot->id] ? -ENOMEM : 0;
}

void dummy_dirty_mark(struct dummy_vm *vm, const struct accel_slot *slot, uint64_t gpa)
{
	uint64_t page = (gpa - slot->gpa) / DUMMY_PAGE;

	if (vm->dirty[slot->id])
		atomic_fetch_or(&vm->dirty[slot->id][page / 64], 1ull << (page % 64));
}

int dummy_dirty_log(struct accel_vm *base, unsigned slot, uint64_t *bitmap)
{
	struct dummy_vm *vm = to_dummy_vm(base);

	if (slot >= DUMMY_SLOTS || !vm->dirty[slot])
		return -ENOENT;
	for (size_t i = 0; i < words_of(&vm->slots[slot]); i++)
		bitmap[i] = atomic_exchange(&vm->dirty[slot][i], 0);
	return 0;
}
