/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The KVM accelerator, seen from inside. In reading order:
 *
 *   kvm_vm.c     the machine: /dev/kvm and capabilities; its slots are in kvm_memory.c, the controllers
 *                in the kernel in kvm_controllers.c
 *   kvm_cpuid.c  what the guest's CPUs claim to be
 *   kvm_vcpu.c   one CPU: created, run, kicked, completed, debugged
 *   kvm_exit.c   why KVM_RUN came back
 *   kvm_devices.c  what KVM answers by itself
 *   kvm_host.c   what the kernel promises, and on what it stands (kvm_module.c)
 *   kvm_state.c  a CPU's registers, to and from struct cpu_state; the groups that KVM knows them in
 *                are in kvm_registers.c, kvm_xsave.c, kvm_msrs.c and kvm_events.c
 *
 * The paragraphs named in comments are those of Documentation/virt/kvm/api.rst.
 */
#ifndef ACCEL_KVM_PRIVATE_H
#define ACCEL_KVM_PRIVATE_H

#include "accel/accel.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdatomic.h>

/* The kick. Blocked in a vCPU's thread, except inside KVM_RUN. */
#define SIG_IPI SIGUSR1

/* Guest-physical pages that KVM takes for itself on Intel hosts (KVM_SET_IDENTITY_MAP_ADDR: one
 * page, KVM_SET_TSS_ADDR: three). They lie below the firmware's place, where no RAM is. */
#define KVM_IDENTITY_MAP 0xfeffc000ull
#define KVM_TSS		 0xfeffd000ull

#define KVM_PAGE	 4096

#define MSR_APIC_BASE	 0x1b /* SDM vol. 3A, 11.4.4 */
#define APIC_BASE_ENABLE (1ull << 11)

#define MSR_TSC		 0x10
#define MSR_TSC_DEADLINE 0x6e0

/* KVM's 8254, and what the guest has had of its time: see kvm_pit.c. */
struct kvm_pit {
	struct kvm_pit_state2 state; /* the guest's, while it is held */
	bool held, was_held;	     /* in this pause; in the one that is just over */
	unsigned wary;		     /* how many pauses more are held */
	uint64_t period, carried;    /* ns; period: 0 when channel 0 is not periodic */
	int64_t begun;		     /* when the period began, by the host's monotonic clock */
};

struct kvm_vm {
	struct accel_vm base;
	int device, fd; /* /dev/kvm and the VM; -1 while not open */
	bool irqchip;
	bool single;   /* there is one vCPU: nobody sends it an INIT */
	bool complete; /* the controllers are there */

	/* What this host's KVM can do. */
	size_t run_size;    /* of struct kvm_run and what is mapped behind it */
	int ring_page;	    /* where in there the coalesced ring is, in pages; 0: no ring */
	bool coalesced_pio; /* the ring takes port writes too */
	bool readonly_slots;
	bool xcrs;
	uint32_t guest_debug; /* KVM_GUESTDBG_* that KVM_SET_GUEST_DEBUG promises to take */
	uint64_t sync_regs;   /* KVM_SYNC_X86_* */
	bool sregs2, xsave2, adjust_clock;
	size_t xsave_size, nested_size; /* of a vCPU's XSAVE area and nested state; 0: has none */

	struct kvm_cpuid2 *cpuid;		 /* what every vCPU gets, but for its own number */
	uint16_t xsave_layout[XSAVE_COMPONENTS]; /* as struct cpu_fpu has it */

	/* Mapped when the first vCPU is created, and as long as the VM lives. */
	_Atomic(struct kvm_coalesced_mmio_ring *) ring;

	/* The controllers as they were right after their creation, for vm_reset. */
	struct kvm_irqchip power_on_chips[KVM_NR_IRQCHIPS];
	struct kvm_pit_state2 power_on_pit;

	bool moves_tsc;	      /* a vCPU's counter can be set, exactly */
	bool stopped;	      /* the guest's time stands still since … */
	uint64_t stopped_tsc; /* … by the host's counter */
	int64_t stopped_at;   /* … by its monotonic clock */
	struct kvm_pit pit;

	/* For snapshots: MSRs that can be read and written, and the host's TSC when the last one began. */
	uint32_t *msrs;
	unsigned msr_count;
	uint64_t snapshot_tsc;
};

struct kvm_vcpu {
	struct accel_vcpu base;
	int fd;
	struct kvm_run *run; /* shared with the kernel */
	atomic_bool kicked;  /* a kick that vcpu_kick_done has not answered */

	/* Groups of cpu_state that run->s.regs holds since the last exit, as long as nobody put
	 * anything. */
	unsigned synced;
	bool puts_with_run; /* general registers that are being put may wait there for KVM_RUN */
	/* No need to ask. After an exit other than EXIT_INTR no INIT or SIPI was on its way, and the
	 * CPU was runnable, unless it has just stepped over hlt. */
	bool settled, known_runnable;

	bool stepping;	/* KVM_GUESTDBG_SINGLESTEP is in force */
	bool uncertain; /* … and the CPU may sleep behind it, or be reset */

	uint32_t events_flags; /* KVM_VCPUEVENT_VALID_* that this KVM uses */
	uint8_t *xsave;	       /* room for the whole area */

	/* MSRs that this KVM has, and what state_get last told about them. A value that comes back
	 * unchanged is not written: the time stamp counter would jump backwards each time. */
	bool msr_known[MSR_SLOT_COUNT];
	bool msr_told;
	uint64_t msr_value[MSR_SLOT_COUNT];

	struct kvm_lapic_state power_on_lapic;
	uint64_t power_on_apic_base;
};

static inline struct kvm_vm *to_kvm_vm(struct accel_vm *vm)
{
	return (struct kvm_vm *)vm;
}

static inline struct kvm_vcpu *to_kvm_vcpu(struct accel_vcpu *vcpu)
{
	return (struct kvm_vcpu *)vcpu;
}

static inline struct kvm_vm *kvm_vm_of(struct kvm_vcpu *vcpu)
{
	return to_kvm_vm(vcpu->base.vm);
}

/* "KVM_CREATE_VM failed: <errno>; <remedy>". Returns -errno. */
int kvm_error(struct error *err, const char *ioctl_name, const char *remedy);

/* ---- kvm_vm.c --------------------------------------------------------------------------- */

/* -ENOTSUP and a sentence unless version is the one and only (KVM_GET_API_VERSION). */
int kvm_check_api_version(int version, struct error *err);

int kvm_vm_create(const struct accel_config *config, struct accel_vm **vm, struct error *err);
void kvm_vm_destroy(struct accel_vm *vm);
/* What helps when the device cannot be opened with this errno. */
const char *kvm_open_remedy(int code);

/* ---- kvm_memory.c ----------------------------------------------------------------------- */

int kvm_slot_set(struct accel_vm *vm, const struct accel_slot *slot, struct error *err);
int kvm_coalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
int kvm_uncoalesce(struct accel_vm *vm, uint64_t addr, uint64_t size, bool pio);
void kvm_coalesced_drain(struct accel_vm *vm, accel_coalesced_fn *fn, void *ctx);

/* ---- kvm_controllers.c ------------------------------------------------------------------ */

/* What comes behind RAM and before the first vCPU: the controllers. They register ports, and a slot that is set
 * afterwards waits some milliseconds until the kernel has forgotten the list of ports before. */
int kvm_vm_complete(struct kvm_vm *vm, struct error *err);
int kvm_irq_line(struct accel_vm *vm, unsigned gsi, bool level);
int kvm_vm_reset(struct accel_vm *vm);

/* ---- kvm_pit.c -------------------------------------------------------------------------- */

/* The guest's state of the 8254, held or not. */
int kvm_pit_get(struct kvm_vm *vm, struct kvm_pit_state2 *state);
int kvm_pit_set(struct kvm_vm *vm, const struct kvm_pit_state2 *state); /* it runs from now on */
/* In this order: the pause begins; it ends; and it is one to be taken out of the clocks. */
void kvm_pit_stops(struct kvm_vm *vm);
void kvm_pit_starts(struct kvm_vm *vm, const struct accel_pause *pause);
void kvm_pit_skip(struct kvm_vm *vm, const struct accel_pause *pause);

/* ---- kvm_time.c ------------------------------------------------------------------------- */

int64_t kvm_host_now(void); /* the monotonic clock, ns */
/* The operations of struct accel_ops. */
void kvm_time_stops(struct accel_vm *vm);
struct accel_pause kvm_time_starts(struct accel_vm *vm);
int kvm_vcpu_skip(struct accel_vcpu *vcpu, const struct accel_pause *pause);
void kvm_skip(struct accel_vm *vm, const struct accel_pause *pause);
void kvm_vcpu_tell_pause(struct accel_vcpu *vcpu);
/* Time stands still as of this moment, by the host's counter and clock. */
void kvm_time_stops_at(struct kvm_vm *vm, uint64_t tsc, int64_t now);
/* The vCPU's counter where it stands still; false: it does not, or not here. */
bool kvm_read_stopped_tsc(struct kvm_vcpu *vcpu, uint64_t *value);
bool kvm_write_stopped_tsc(struct kvm_vcpu *vcpu, uint64_t value);
/* Finds out whether the counter can be set; with the first vCPU, before it has run. */
void kvm_time_prepare(struct kvm_vcpu *vcpu);
/* KVM_GET_DEVICE_ATTR or KVM_SET_DEVICE_ATTR of the offset between the host's counter and the guest's. */
bool kvm_tsc_offset(struct kvm_vcpu *vcpu, unsigned long request, uint64_t *offset);

/* ---- kvm_devices.c ---------------------------------------------------------------------- */

int kvm_chips_get(struct accel_vm *vm, struct pc_chips *chips);
bool kvm_device(const struct accel_vm *vm, unsigned index, struct accel_device *device);
int kvm_lapic_get(struct accel_vcpu *vcpu, struct lapic *lapic);

/* ---- kvm_host.c, kvm_module.c ----------------------------------------------------------- */

void kvm_host(const struct accel_config *config, struct accel_host *host);

/* The module for this processor and its parameters, from /sys/module. */
void kvm_host_module(struct accel_host *host);

/* ---- kvm_cpuid.c ------------------------------------------------------------------------ */

/* Fills vm->cpuid with what KVM supports and config's -cpu and -irqchip leave of it. */
int kvm_cpuid_prepare(struct kvm_vm *vm, const struct accel_config *config, struct error *err);

/* NULL when there is none; index is that of leaves that have several. */
const struct kvm_cpuid_entry2 *kvm_cpuid_entry(const struct kvm_cpuid2 *cpuid, uint32_t leaf,
					       uint32_t index);
/* A feature by the name that -cpu has for it. */
bool kvm_cpuid_has(const struct kvm_cpuid2 *cpuid, const char *feature);

/* Gives vm->cpuid to a vCPU, with its number where CPUs tell theirs. */
int kvm_cpuid_apply(struct kvm_vcpu *vcpu, struct error *err);

/* Applies a list such as "max,-avx2" to a CPUID table: -EINVAL for names that nobody knows,
 * -ENOTSUP for a feature that is insisted on and missing. */
int kvm_cpuid_features(struct kvm_cpuid2 *cpuid, const char *features, struct error *err);
/* accel_ops.cpuid */
int kvm_cpuid_get(struct accel_vcpu *vcpu, struct cpuid_leaf *leaves, unsigned max);

/* ---- kvm_vcpu.c ------------------------------------------------------------------------- */

int kvm_vcpu_create(struct accel_vm *vm, int index, struct accel_vcpu **vcpu, struct error *err);
void kvm_vcpu_destroy(struct accel_vcpu *vcpu);
void kvm_vcpu_run(struct accel_vcpu *vcpu, struct vm_exit *exit);
void kvm_vcpu_complete(struct accel_vcpu *vcpu, struct vm_exit *exit);
void kvm_vcpu_kick(struct accel_vcpu *vcpu, unsigned long thread);
void kvm_vcpu_kick_done(struct accel_vcpu *vcpu);
int kvm_debug_set(struct accel_vcpu *vcpu, const struct accel_debug *debug);
bool kvm_interrupt_ready(struct accel_vcpu *vcpu);
int kvm_interrupt(struct accel_vcpu *vcpu, uint8_t vector);
void kvm_interrupt_window(struct accel_vcpu *vcpu, bool wanted);
void kvm_accept_interrupt(struct accel_vcpu *vcpu);
int kvm_stop_stepping(struct kvm_vcpu *vcpu);
int kvm_nmi(struct accel_vcpu *vcpu);

/* ---- kvm_exit.c ------------------------------------------------------------------------- */

/* Says in neutral terms what kvm_run holds after a successful KVM_RUN. */
void kvm_exit_translate(struct kvm_run *run, struct vm_exit *exit);

/* "KVM_EXIT_IO", or NULL for a number that has no name here. */
const char *kvm_exit_name(uint32_t number);

/* ---- kvm_state.c ------------------------------------------------------------------------ */

/* Learns what parts of the state this vCPU has, and keeps its power-on interrupt controller. */
int kvm_state_prepare(struct kvm_vcpu *vcpu, struct error *err);
int kvm_state_get(struct accel_vcpu *vcpu, unsigned groups, struct cpu_state *state);
int kvm_state_put(struct accel_vcpu *vcpu, unsigned groups, const struct cpu_state *state);
void kvm_sync_state(struct accel_vcpu *vcpu, bool on);
int kvm_vcpu_reset(struct accel_vcpu *vcpu);

/* Where the guest stood, when the exit brought its registers along. */
void kvm_tell_pc(const struct kvm_vcpu *vcpu, struct vm_exit *exit);

/* An ioctl on a vCPU: 0 or -errno. */
int kvm_vcpu_call(struct kvm_vcpu *vcpu, unsigned long request, void *argument);

/* Which groups the kernel has stored in kvm_run, for vcpu->synced after an exit. */
unsigned kvm_synced_groups(const struct kvm_run *run);

/* ---- kvm_registers.c, kvm_xsave.c, kvm_msrs.c, kvm_events.c: one pair for each group ---- */

typedef int kvm_get_fn(struct kvm_vcpu *vcpu, struct cpu_state *state);
typedef int kvm_put_fn(struct kvm_vcpu *vcpu, const struct cpu_state *state);

kvm_get_fn kvm_get_general, kvm_get_system, kvm_get_fpu, kvm_get_debug, kvm_get_msrs,
	kvm_get_events;
kvm_put_fn kvm_put_general, kvm_put_system, kvm_put_fpu, kvm_put_debug, kvm_put_msrs,
	kvm_put_events;

/* Which vector registers a CPU with this CPUID has, and where. */
void kvm_xsave_layout(const struct kvm_cpuid2 *cpuid, uint16_t layout[XSAVE_COMPONENTS]);
int kvm_xsave_prepare(struct kvm_vcpu *vcpu, struct error *err);

/* False when this KVM does not know the MSR, or refuses the value. */
bool kvm_msr_read(struct kvm_vcpu *vcpu, uint32_t index, uint64_t *value);
bool kvm_msr_write(struct kvm_vcpu *vcpu, uint32_t index, uint64_t value);
/* Moves as many of them as can be moved (KVM_GET_MSRS, KVM_SET_MSRS), a few hundred at a time; those that cannot
 * are taken out of the list. How many are left, or -errno. */
int kvm_msrs_move(struct kvm_vcpu *vcpu, unsigned long request, struct kvm_msr_entry *entries,
		  unsigned count);
/* Learns which MSRs there are. */
void kvm_msrs_prepare(struct kvm_vcpu *vcpu);
void kvm_stop_paravirtual_clocks(struct kvm_vcpu *vcpu);

/* ---- kvm_msr_trap.c --------------------------------------------------------------------- */

int kvm_msr_trap(struct accel_vm *vm, const struct accel_msr_range *ranges, unsigned count,
		 struct error *err);
int kvm_msr_get(struct accel_vcpu *vcpu, uint32_t index, uint64_t *value);
int kvm_msr_set(struct accel_vcpu *vcpu, uint32_t index, uint64_t value);

int kvm_get_run_state(struct kvm_vcpu *vcpu, enum cpu_run_state *state);

#endif
