/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dummy accelerator, seen from inside: dummy.c is its "KVM", dummy_state.c its registers, dummy_memory.c
 * its memory, dummy_cpu.c its instructions, dummy_access.c those that reach outside. */
#ifndef ACCEL_DUMMY_PRIVATE_H
#define ACCEL_DUMMY_PRIVATE_H

#include "accel/dummy.h"

#include <pthread.h>
#include <stdatomic.h>

#define DUMMY_SLOTS	 512
#define DUMMY_PAGE	 4096
#define DUMMY_ZONES	 8
#define DUMMY_RING	 64
#define DUMMY_MSR_RANGES 16

struct dummy_write {
	bool pio;
	uint64_t addr;
	unsigned size;
	uint8_t data[8];
};

struct dummy_vm {
	struct accel_vm base;
	struct dummy_config config;

	pthread_mutex_t lock; /* guards everything below, and run_state of waiting vCPUs */
	pthread_cond_t kick;  /* vCPUs that wait for INIT sleep here */
	struct accel_slot
		slots[DUMMY_SLOTS]; /* size 0: unused; changed while all vCPUs are parked */
	_Atomic uint64_t *dirty[DUMMY_SLOTS]; /* a bit for each page of a slot with log_dirty */
	struct {
		uint64_t addr, size;
		bool pio;
	} zones[DUMMY_ZONES];
	unsigned zone_count;
	struct dummy_write ring[DUMMY_RING];
	unsigned ring_first, ring_last;
	struct accel_msr_range msr_range[DUMMY_MSR_RANGES]; /* changed while all vCPUs are parked */
	unsigned msr_range_count;
};

struct dummy_vcpu {
	struct accel_vcpu base;
	struct cpu_state state;
	struct accel_debug debug;
	struct dummy_counts counts;
	const struct vm_exit *script;
	unsigned script_length, script_next;
	atomic_bool kicked;
	bool window_wanted;
	bool synced; /* exits tell the pc */

	bool pending; /* an I/O exit that is to be completed */
	bool pending_write;
	uint8_t pending_size;
	uint64_t pending_rip, pending_next; /* RIP moves on when the I/O is complete */
	uint8_t data[16];		    /* what exits point to */
	uint64_t msr_value;
	bool msr_fault;
	bool msr_pending, msr_write; /* rdmsr or wrmsr that is to be completed */
};

static inline struct dummy_vm *to_dummy_vm(struct accel_vm *vm)
{
	return (struct dummy_vm *)vm;
}

static inline struct dummy_vcpu *to_dummy_vcpu(struct accel_vcpu *vcpu)
{
	return (struct dummy_vcpu *)vcpu;
}

static inline struct dummy_vm *dummy_vm_of(struct dummy_vcpu *vcpu)
{
	return to_dummy_vm(vcpu->base.vm);
}

/* ---- dummy.c ---------------------------------------------------------------------------- */

/* Sets reason and name. */
void dummy_exit(struct vm_exit *exit, enum exit_reason reason);

/* ---- dummy_state.c ----------------------------------------------------------------------- */

/* The dummy has every vector register, where Intel's processors have them. */
void dummy_describe_xsave(struct cpu_fpu *fpu);

int dummy_state_get(struct accel_vcpu *base, unsigned groups, struct cpu_state *state);
int dummy_state_put(struct accel_vcpu *base, unsigned groups, const struct cpu_state *state);
void dummy_sync_state(struct accel_vcpu *base, bool on);
int dummy_vcpu_reset(struct accel_vcpu *base);
int dummy_debug_set(struct accel_vcpu *base, const struct accel_debug *debug);
bool dummy_interrupt_ready(struct accel_vcpu *base);
int dummy_interrupt(struct accel_vcpu *base, uint8_t vector);
void dummy_interrupt_window(struct accel_vcpu *base, bool wanted);
void dummy_accept_interrupt(struct accel_vcpu *base);
int dummy_nmi(struct accel_vcpu *base);

/* ---- dummy_memory.c --------------------------------------------------------------------- */

int dummy_slot_set(struct accel_vm *vm, const struct accel_slot *slot, struct error *err);
int dummy_coalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
int dummy_uncoalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
void dummy_coalesced_drain(struct accel_vm *vm, accel_coalesced_fn *fn, void *ctx);

/* Guest-physical memory behind slots: bytes done, fewer where slots end. Writing stops at a
 * read-only slot. */
size_t dummy_memory_read(struct dummy_vm *vm, uint64_t gpa, void *buf, size_t length);
size_t dummy_memory_write(struct dummy_vm *vm, uint64_t gpa, const void *buf, size_t length);

/* Whether a write was taken into the ring. */
bool dummy_coalesced(struct dummy_vm *vm, const struct dummy_write *write);

/* ---- dummy_snapshot.c ------------------------------------------------------------------- */

int dummy_vm_save(struct accel_vm *vm, struct parts *out);
int dummy_vm_fits(struct accel_vm *vm, const struct parts *in, struct error *err);
int dummy_vm_load(struct accel_vm *vm, const struct parts *in, struct error *err);
int dummy_vcpu_save(struct accel_vcpu *vcpu, struct parts *out);
int dummy_vcpu_fits(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
int dummy_vcpu_load(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
int dummy_dirty_log(struct accel_vm *vm, unsigned slot, uint64_t *bitmap);

/* Makes room for a slot's log, or frees it, before the slot is set. */
int dummy_dirty_resize(struct dummy_vm *vm, const struct accel_slot *slot);
void dummy_dirty_mark(struct dummy_vm *vm, const struct accel_slot *slot, uint64_t gpa);

/* ---- dummy_msr.c ------------------------------------------------------------------------ */

int dummy_msr_get(struct accel_vcpu *vcpu, uint32_t index, uint64_t *value);
int dummy_msr_set(struct accel_vcpu *vcpu, uint32_t index, uint64_t value);
int dummy_cpuid(struct accel_vcpu *vcpu, struct cpuid_leaf *leaves, unsigned max);
int dummy_msr_trap(struct accel_vm *vm, const struct accel_msr_range *ranges, unsigned count,
		   struct error *err);
/* rdmsr or wrmsr; whether it exits. */
bool dummy_msr_execute(struct dummy_vcpu *vcpu, bool write, struct vm_exit *exit);
void dummy_msr_complete(struct dummy_vcpu *vcpu);

/* ---- dummy_access.c --------------------------------------------------------------------- */

/* What one instruction came to. */
enum outcome { DONE, EXITED };

struct dummy_insn {
	uint8_t bytes[15];
	size_t known;	       /* bytes that lie in memory */
	uint64_t touched;      /* an access to memory: where … */
	unsigned touched_size; /* … and how much; 0: none */
	bool load;
};

/* in, out; mov of AL or EAX to a 32-bit address; mov of AL to what RDI points to, and back. */
enum outcome dummy_in(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit);
enum outcome dummy_out(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit);
enum outcome dummy_store(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit);
enum outcome dummy_store_at(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit);
enum outcome dummy_load_at(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit);

/* Finishes an I/O exit; no instruction runs. */
void dummy_cpu_complete(struct dummy_vcpu *vcpu);

/* ---- dummy_cpu.c ------------------------------------------------------------------------ */

/* Executes instructions until there is an exit. */
void dummy_cpu_run(struct dummy_vcpu *vcpu, struct vm_exit *exit);

/* As KVM tells of an instruction that it does not know. */
enum outcome dummy_emulation_failure(const struct dummy_insn *in, struct vm_exit *exit);

#endif
