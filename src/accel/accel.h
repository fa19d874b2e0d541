/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runs a vCPU. One table of operations per accelerator: `kvm`, and `dummy`, a scripted CPU for
 * tests. QEMU chooses between kvm, tcg and dummy in qemu_init_vcpu(); vitrine chooses here.
 *
 * Which thread may call what: the vcpu_* operations marked [own] are called by the vCPU's own
 * thread; those marked [parked] by that thread or, while it is parked, by any one other; the rest
 * by anybody.
 */
#ifndef ACCEL_H
#define ACCEL_H

#include "accel/parts.h"
#include "error.h"
#include "x86/cpu_state.h"
#include "x86/cpuid.h"
#include "x86/lapic.h"
#include "x86/pc_chips.h"

#include <stddef.h>

/* ---- exits ------------------------------------------------------------------------------- */

enum exit_reason {
	EXIT_INTR,	 /* a kick or a signal: look whether something is asked */
	EXIT_IO,	 /* port I/O */
	EXIT_MMIO,	 /* an access to physical memory that no slot backs */
	EXIT_IRQ_WINDOW, /* the guest can take an interrupt now */
	EXIT_HLT,	 /* hlt, where no interrupt controller in the kernel waits for us */
	EXIT_SHUTDOWN,	 /* triple fault */
	EXIT_SYSTEM_EVENT,
	EXIT_DEBUG,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_INTERNAL_ERROR, /* the accelerator cannot go on */
	EXIT_FAIL_ENTRY,     /* the processor refused to enter the guest */
	EXIT_UNKNOWN,	     /* the processor left the guest, and the accelerator cannot tell why */
	EXIT_HOST_ERROR,     /* running failed: an errno */
	EXIT_OTHER,	     /* a reason with a name and no handling */
	EXIT_REASON_COUNT
};

enum system_event { SYSTEM_SHUTDOWN, SYSTEM_RESET, SYSTEM_CRASH, SYSTEM_OTHER };

/* KVM_INTERNAL_ERROR_* (KVM API, KVM_EXIT_INTERNAL_ERROR). */
enum internal_error {
	INTERNAL_EMULATION = 1,
	INTERNAL_SIMUL_EX = 2,
	INTERNAL_DELIVERY = 3,
	INTERNAL_UNEXPECTED = 4
};

struct vm_exit {
	enum exit_reason reason;
	const char *name; /* the accelerator's own name of it, static: "KVM_EXIT_IO" */
	/* Linear, where the exit brought it along for nothing (sync_state). On an I/O instruction or
	 * behind it, as the accelerator has it. */
	bool has_pc;
	uint64_t pc;
	union {
		struct {
			uint16_t port;
			uint8_t size; /* 1, 2, 4 */
			bool write;
			uint32_t count; /* > 1 for string instructions */
			/* count * size bytes; for reads, to be filled in before the next run. */
			uint8_t *data;
		} io;
		struct {
			uint64_t gpa;
			uint8_t size; /* 1 … 8 */
			bool write;
			uint8_t *data;
		} mmio;
		struct {
			uint64_t pc; /* linear */
			uint8_t vector;
			uint64_t dr6, dr7;
		} debug;
		struct {
			uint32_t index;
			uint64_t *value;
			bool *fault; /* set: the guest gets #GP */
		} msr;
		struct {
			enum system_event event;
			uint32_t type; /* the accelerator's number */
		} system;
		struct {
			uint32_t suberror; /* enum internal_error or something newer */
			unsigned data_count;
			uint64_t data[16];
			uint8_t insn_length; /* bytes of insn[] that are known */
			uint8_t insn[15];
		} internal;
		struct {
			uint64_t reason;
			uint32_t cpu;
		} fail_entry;
		uint64_t hardware_reason; /* EXIT_UNKNOWN */
		int host_errno;		  /* EXIT_HOST_ERROR, positive */
		uint32_t number;	  /* EXIT_OTHER */
	};
};

/* ---- debugging wishes, programmed before a run ------------------------------------------- */

struct accel_debug {
	bool step;	/* one instruction, then EXIT_DEBUG with DR6.BS */
	bool plain;	/* … that neither sleeps nor tells an interrupt controller anything */
	bool block_irq; /* interrupts wait, but for one that the CPU has accepted already */
	bool int3;	/* EXIT_DEBUG with vector 3 instead of #BP */
	bool slots;	/* dr[] and dr7 hold vitrine's points; the guest's own do not fire */
	uint64_t dr[4], dr7;
	/* -1, or VECTOR_DB / VECTOR_BP: gives the guest back what was its own. Acts once, in the
	 * call of debug_set that carries it. */
	int inject;
};

/* ---- the operations ---------------------------------------------------------------------- */

struct accel_ops;

/* Accelerators embed these at the start of their own structures. */
struct accel_vm {
	const struct accel_ops *ops;
	unsigned slots;	    /* ids of accel_slot are below this */
	unsigned phys_bits; /* of a physical address, as CPUID has it; 0: it does not say */
};

struct accel_vcpu {
	const struct accel_ops *ops;
	struct accel_vm *vm;
	int index;
};

struct accel_config {
	unsigned vcpus;
	bool irqchip;		  /* in-kernel PICs, IOAPIC, LAPICs and PIT */
	const char *cpu_features; /* -cpu: "max,-avx2,…" or NULL */
	void *dummy;		  /* struct dummy_config for the dummy accelerator, or NULL */
	const char *device;	  /* the kvm accelerator's device; NULL is /dev/kvm */
};

/* Size 0 deletes a slot. A slot that exists must be deleted before hva, size or readonly change
 * (-EINVAL); gpa and log_dirty may change at any time. Writes to a read-only slot exit as MMIO. */
struct accel_slot {
	unsigned id;
	uint64_t gpa, size;
	void *hva;
	bool readonly, log_dirty;
};

/* How long the guest did not run: in ticks of the host's time stamp counter, and in ns. */
struct accel_pause {
	uint64_t ticks, ns;
};

struct accel_msr_range {
	uint32_t first, count;
	bool read, write;
};

/* A stretch of ports or of physical memory that never exits, because the accelerator answers. */
struct accel_device {
	const char *name; /* static */
	bool port;
	uint64_t base, size;
};

/* ---- the host, as an accelerator knows it ------------------------------------------------ */

/* What the kernel says that it can do. value: 0 no, 1 yes, or how many. */
struct accel_promise {
	const char *name, *title; /* static: for programs, which may rely on it, and for people */
	unsigned value;
};

#define ACCEL_PROMISES 24

struct accel_host {
	const char *device; /* its path; NULL: there is none */
	int device_errno;   /* 0: it can be opened; else positive, and remedy says what to do */
	const char *remedy;
	unsigned device_mode, device_uid, device_gid; /* as stat; 0 when it is not there */
	int api_version;			      /* 0: not known */
	char module[32]; /* what serves this processor, "kvm_intel"; "" when that cannot be told */
	char parameters
		[4096]; /* "kvm.NAME=VALUE …", sorted: of that module and of what it stands on */
	bool hardware;	/* the processor offers virtualisation */
	char processor[64];  /* vendor, family, model, stepping */
	char hypervisor[16]; /* what this host runs under: "KVM", "Hyper-V", its signature, or "" */
	bool repeatable; /* as long as all of the above stays, so does what the accelerator does */
	unsigned promise_count;
	struct accel_promise promise[ACCEL_PROMISES];
};

typedef void accel_coalesced_fn(void *ctx, bool pio, uint64_t addr, unsigned size,
				const void *data);

struct accel_ops {
	const char *name;

	/* Fills host, with whatever can be found out; never fails. */
	void (*host)(const struct accel_config *config, struct accel_host *host);

	/* Every failure frees what was made and says which call failed and what to do. */
	int (*vm_create)(const struct accel_config *config, struct accel_vm **vm,
			 struct error *err);
	void (*vm_destroy)(struct accel_vm *vm);
	int (*slot_set)(struct accel_vm *vm, const struct accel_slot *slot, struct error *err);

	/* Writes to the range may be collected in a ring; -ENOTSUP is no error, they exit then. */
	int (*coalesce)(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
	/* The opposite, of a range that was given to coalesce(). */
	int (*uncoalesce)(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
	/* Hands out what the ring holds, oldest first. The caller holds the device lock. */
	void (*coalesced_drain)(struct accel_vm *vm, accel_coalesced_fn *fn, void *ctx);

	/* From now on accesses to these MSRs exit, whether or not the host knows them, and to no
	 * others; count 0: none. Those of the local APIC (0x800-0x8ff) never do. Every vCPU must be parked.
	 * -ENOTSUP, -ENOSPC: as it was. */
	int (*msr_trap)(struct accel_vm *vm, const struct accel_msr_range *ranges, unsigned count,
			struct error *err);

	/* In-kernel controllers only. */
	int (*irq_line)(struct accel_vm *vm, unsigned gsi, bool level);
	/* Controllers and timers in the kernel back to power-on; nothing where there are none. */
	int (*vm_reset)(struct accel_vm *vm);

	/* The chips that the accelerator plays, the others are left out. Of a running machine, too. -errno. */
	int (*chips_get)(struct accel_vm *vm, struct pc_chips *chips);
	/* The index-th of the devices that the accelerator answers by itself; false: there are no more. */
	bool (*device)(const struct accel_vm *vm, unsigned index, struct accel_device *device);

	/* Blocks the kick's signal in the calling thread, which is the one to run the vCPU. [own] */
	int (*vcpu_create)(struct accel_vm *vm, int index, struct accel_vcpu **vcpu,
			   struct error *err);
	void (*vcpu_destroy)(struct accel_vcpu *vcpu); /* its thread has left it; NULL is fine */

	/* Runs until something happens; fills exit, always. [own] */
	void (*vcpu_run)(struct accel_vcpu *vcpu, struct vm_exit *exit);
	/* Completes an I/O, MMIO or MSR exit without running another instruction: EXIT_INTR when
	 * that is all, else the next exit (EXIT_DEBUG at the end of a step, EXIT_MMIO for its second
	 * half). Harmless when there is nothing to complete; keeps kicks for the next run. [own] */
	void (*vcpu_complete)(struct accel_vcpu *vcpu, struct vm_exit *exit);
	/* Makes the present or the next vcpu_run return EXIT_INTR. thread is the vCPU's. */
	void (*vcpu_kick)(struct accel_vcpu *vcpu, unsigned long thread);
	/* Forgets kicks that were answered. [own] */
	void (*vcpu_kick_done)(struct accel_vcpu *vcpu);

	/* groups: CPU_GENERAL | …. -errno. [parked] */
	int (*state_get)(struct accel_vcpu *vcpu, unsigned groups, struct cpu_state *state);
	int (*state_put)(struct accel_vcpu *vcpu, unsigned groups, const struct cpu_state *state);
	/* One MSR, with the host's rights, which are larger than a guest's. -ENXIO: there is none such,
	 * or it does not take the value. [parked] */
	int (*msr_get)(struct accel_vcpu *vcpu, uint32_t index, uint64_t *value);
	int (*msr_set)(struct accel_vcpu *vcpu, uint32_t index, uint64_t value);
	/* What CPUID tells the guest, at most max leaves: how many, or -errno (-E2BIG: there are more).
	 * [parked] */
	int (*cpuid)(struct accel_vcpu *vcpu, struct cpuid_leaf *leaves, unsigned max);
	/* -ENOTSUP: the accelerator has no local APICs. [parked] */
	int (*lapic_get)(struct accel_vcpu *vcpu, struct lapic *lapic);
	/* Applies to every run until the next call; a step must be asked for again after state_put. [parked] */
	int (*debug_set)(struct accel_vcpu *vcpu, const struct accel_debug *debug);
	/* A hint: while on, exits bring CPU_GENERAL, CPU_SYSTEM and CPU_EVENTS with them, so that
	 * state_get costs no system call. [parked] */
	void (*sync_state)(struct accel_vcpu *vcpu, bool on);
	/* Local interrupt controller and private clocks back to power-on. [parked] */
	int (*vcpu_reset)(struct accel_vcpu *vcpu);

	/* Without in-kernel controllers: may a vector be given now; give it; ask for
	 * EXIT_IRQ_WINDOW. [own] */
	bool (*interrupt_ready)(struct accel_vcpu *vcpu);
	int (*interrupt)(struct accel_vcpu *vcpu, uint8_t vector);
	void (*interrupt_window)(struct accel_vcpu *vcpu, bool wanted);
	/* Lets the CPU accept an interrupt that waits in the accelerator's controllers, if it can now, and
	 * executes nothing. cpu_events shows it then. Without such controllers interrupt_ready is up to date
	 * afterwards. Nothing may be half done. [own] */
	void (*accept_interrupt)(struct accel_vcpu *vcpu);
	int (*nmi)(struct accel_vcpu *vcpu);

	/* ---- time while the guest does not run; every vCPU is parked ---- */

	/* Remembers the moment, in place of an earlier one. What is read, saved or loaded from now on is of
	 * this moment. NULL, like the next four, where time is nobody's business. */
	void (*time_stops)(struct accel_vm *vm);
	/* How long ago that was: 0 when it was never. */
	struct accel_pause (*time_starts)(struct accel_vm *vm);
	/* Take the pause out of what went on by itself: each vCPU's time stamp counter and what waits for it,
	 * then the VM's clock and timers. -ENOTSUP: the counter is the host's own here. */
	int (*vcpu_skip)(struct accel_vcpu *vcpu, const struct accel_pause *pause);
	void (*skip)(struct accel_vm *vm, const struct accel_pause *pause);
	/* Tells a paravirtual guest that it stood still, so that its watchdogs do not bark. */
	void (*vcpu_tell_pause)(struct accel_vcpu *vcpu);

	/* ---- snapshots; every vCPU is parked, and has nothing to complete ---- */

	/* Everything that the accelerator keeps, and more than struct cpu_state has: controllers and
	 * clocks; a vCPU with its APIC, all its MSRs and its TSC. The VM first. -errno. */
	int (*vm_save)(struct accel_vm *vm, struct parts *out);
	int (*vcpu_save)(struct accel_vcpu *vcpu, struct parts *out);
	/* Whether it could be loaded: -EINVAL with what differs. Nothing changes. */
	int (*vm_fits)(struct accel_vm *vm, const struct parts *in, struct error *err);
	int (*vcpu_fits)(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
	/* In this order: the VM, each vCPU, the VM's clocks, which run from then on. After a failure
	 * some of it is loaded: the caller loads what there was before. */
	int (*vm_load)(struct accel_vm *vm, const struct parts *in, struct error *err);
	int (*vcpu_load)(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
	int (*vm_load_clocks)(struct accel_vm *vm, const struct parts *in, struct error *err);
	/* Which pages of a slot with log_dirty the guest, or the accelerator for it, has written since
	 * the last call: bit n is page n, in 64-bit words. -errno. */
	int (*dirty_log)(struct accel_vm *vm, unsigned slot, uint64_t *bitmap);
};

extern const struct accel_ops accel_kvm, accel_dummy;

/* By the name that -accel takes; NULL when there is none such. */
const struct accel_ops *accel_find(const char *name);

/* "port I/O", "MMIO", … */
const char *exit_reason_name(enum exit_reason reason);

/* One line for a person: "KVM_EXIT_IO: out 0x3f8, 1 byte: 0x41". */
void vm_exit_describe(const struct vm_exit *exit, char *buf, size_t size);

#endif
