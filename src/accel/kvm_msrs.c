// SPDX-License-Identifier: GPL-3.0-or-later
/* Model-specific registers (KVM_GET_MSRS, KVM_SET_MSRS). Which of them exist, each KVM decides. */
#include "accel/kvm_private.h"

#include "x86/msr.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* Both ioctls return how many entries they did before one failed. */
union msr_batch {
	struct kvm_msrs msrs;
	uint8_t room[sizeof(struct kvm_msrs) + MSR_SLOT_COUNT * sizeof(struct kvm_msr_entry)];
};

static int msr_batch_do(struct kvm_vcpu *vcpu, unsigned long request, union msr_batch *batch)
{
	int done = ioctl(vcpu->fd, request, batch);

	if (done < 0)
		return -errno;
	return (uint32_t)done == batch->msrs.nmsrs ? 0 : -EIO;
}

static void msr_batch_add(union msr_batch *batch, uint32_t index, uint64_t value)
{
	batch->msrs.entries[batch->msrs.nmsrs++] = (struct kvm_msr_entry){.index = index,
									  .data = value};
}

bool kvm_msr_read(struct kvm_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	union msr_batch one = {0};

	msr_batch_add(&one, index, 0);
	if (msr_batch_do(vcpu, KVM_GET_MSRS, &one))
		return false;
	*value = one.msrs.entries[0].data;
	return true;
}

bool kvm_msr_write(struct kvm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	union msr_batch one = {0};

	msr_batch_add(&one, index, value);
	return !msr_batch_do(vcpu, KVM_SET_MSRS, &one);
}

/* KVM moves at most 256 at a time (KVM API, KVM_GET_MSRS). */
#define MOVE_MAX 256

/* How many went well before one failed. */
static int move_some(struct kvm_vcpu *vcpu, unsigned long request, struct kvm_msr_entry *entries,
		     unsigned count)
{
	union {
		struct kvm_msrs msrs;
		uint8_t room[sizeof(struct kvm_msrs) + MOVE_MAX * sizeof(struct kvm_msr_entry)];
	} batch = {.msrs.nmsrs = count < MOVE_MAX ? count : MOVE_MAX};
	int done;

	memcpy(batch.msrs.entries, entries, batch.msrs.nmsrs * sizeof(*entries));
	done = ioctl(vcpu->fd, request, &batch);
	if (done < 0)
		return -errno;
	memcpy(entries, batch.msrs.entries, (unsigned)done * sizeof(*entries));
	return done;
}

int kvm_msrs_move(struct kvm_vcpu *vcpu, unsigned long request, struct kvm_msr_entry *entries,
		  unsigned count)
{
	unsigned at = 0;

	while (at < count) {
		int done = move_some(vcpu, request, entries + at, count - at);

		if (done < 0)
			return done;
		at += (unsigned)done;
		if (done == MOVE_MAX || at == count)
			continue;
		count--;
		memmove(entries + at, entries + at + 1, (count - at) * sizeof(*entries));
	}
	return (int)count;
}

int kvm_get_msrs(struct kvm_vcpu *vcpu, struct cpu_state *state)
{
	union msr_batch batch = {0};
	unsigned next = 0;
	int code;

	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		if (vcpu->msr_known[i])
			msr_batch_add(&batch, msr_table[i].index, 0);
	code = msr_batch_do(vcpu, KVM_GET_MSRS, &batch);
	if (code)
		return code;
	for (int i = 0; i < MSR_SLOT_COUNT; i++) {
		state->msrs.valid[i] = vcpu->msr_known[i];
		state->msrs.value[i] = vcpu->msr_known[i] ? batch.msrs.entries[next++].data : 0;
		if (i == MSR_SLOT_TSC)
			kvm_read_stopped_tsc(vcpu, &state->msrs.value[i]);
		vcpu->msr_value[i] = state->msrs.value[i];
	}
	vcpu->msr_told = true;
	return 0;
}

static bool msr_changed(const struct kvm_vcpu *vcpu, const struct cpu_state *state, int i)
{
	if (!vcpu->msr_known[i] || !state->msrs.valid[i])
		return false;
	return !vcpu->msr_told || vcpu->msr_value[i] != state->msrs.value[i];
}

/* A counter that stands still has a way of its own. Zero is what KVM wants to see where vCPUs begin together. */
static bool put_otherwise(struct kvm_vcpu *vcpu, const struct cpu_state *state, int i)
{
	return i == MSR_SLOT_TSC && state->msrs.value[i] &&
	       kvm_write_stopped_tsc(vcpu, state->msrs.value[i]);
}

int kvm_put_msrs(struct kvm_vcpu *vcpu, const struct cpu_state *state)
{
	union msr_batch batch = {0};
	int code;

	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		if (msr_changed(vcpu, state, i) && !put_otherwise(vcpu, state, i))
			msr_batch_add(&batch, msr_table[i].index, state->msrs.value[i]);
	code = batch.msrs.nmsrs ? msr_batch_do(vcpu, KVM_SET_MSRS, &batch) : 0;
	for (int i = 0; !code && i < MSR_SLOT_COUNT; i++)
		if (state->msrs.valid[i])
			vcpu->msr_value[i] = state->msrs.value[i];
	return code;
}

/* A paravirtual Linux told KVM where to keep writing the time; a reset guest's RAM must be left in
 * peace. Not every KVM has each of them (Documentation/virt/kvm/x86/msr.rst). */
void kvm_stop_paravirtual_clocks(struct kvm_vcpu *vcpu)
{
	static const uint32_t msrs[] = {
		0x11,	    /* wall clock, old */
		0x12,	    /* system time, old */
		0x4b564d00, /* wall clock */
		0x4b564d01, /* system time */
		0x4b564d02, /* asynchronous page faults */
		0x4b564d03, /* stolen time */
		0x4b564d04, /* end of interrupt */
	};

	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		kvm_msr_write(vcpu, msrs[i], 0);
}

void kvm_msrs_prepare(struct kvm_vcpu *vcpu)
{
	struct kvm_msr_entry entries[MSR_SLOT_COUNT];
	int count, next = 0;

	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		entries[i] = (struct kvm_msr_entry){.index = msr_table[i].index};
	count = kvm_msrs_move(vcpu, KVM_GET_MSRS, entries, MSR_SLOT_COUNT);
	for (int i = 0; i < MSR_SLOT_COUNT; i++) {
		vcpu->msr_known[i] = next < count && entries[next].index == msr_table[i].index;
		next += vcpu->msr_known[i];
	}
}
