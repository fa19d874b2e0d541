// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One vCPU under KVM: the file descriptor, the page shared with the kernel, and the art of getting
 * in and out of the guest without losing a kick.
 *
 * A kick has two halves. run->immediate_exit makes the *next* KVM_RUN return at once; it is what
 * remembers. SIG_IPI makes the *present* one return; it is blocked in the thread and let in by
 * KVM_RUN alone (KVM_SET_SIGNAL_MASK), so that it cannot get lost in the instructions before the
 * system call. Whoever comes back with EINTR takes the signal off the thread.
 */
#include "accel/kvm_private.h"

#include "x86/exceptions.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- creation --------------------------------------------------------------------------- */

static int complete_vm(struct kvm_vcpu *vcpu, struct error *err)
{
	return kvm_vm_complete(kvm_vm_of(vcpu), err);
}

static int create_fd(struct kvm_vcpu *vcpu, struct error *err)
{
	vcpu->fd = ioctl(kvm_vm_of(vcpu)->fd, KVM_CREATE_VCPU, vcpu->base.index);
	if (vcpu->fd >= 0)
		return 0;
	return kvm_error(err, "KVM_CREATE_VCPU",
			 "use a smaller -smp, or free some of the host's memory");
}

static int map_run(struct kvm_vcpu *vcpu, struct error *err)
{
	void *run = mmap(NULL, kvm_vm_of(vcpu)->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);

	if (run == MAP_FAILED)
		return kvm_error(err, "mapping struct kvm_run", "free some of the host's memory");
	vcpu->run = run;
	return 0;
}

/* Every vCPU can show the VM's one ring. It is mapped apart from struct kvm_run, because it must
 * outlive the first vCPU: others may still be writing to it. */
static int map_ring(struct kvm_vcpu *vcpu, struct error *err)
{
	struct kvm_vm *vm = kvm_vm_of(vcpu);
	void *ring;

	if (!vm->ring_page || atomic_load(&vm->ring))
		return 0;
	ring = mmap(NULL, KVM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
		    (off_t)vm->ring_page * KVM_PAGE);
	if (ring == MAP_FAILED)
		return kvm_error(err, "mapping the coalesced ring",
				 "free some of the host's memory");
	atomic_store(&vm->ring, ring);
	return 0;
}

static void ignore_signal(int number)
{
	(void)number;
}

/* Without a handler the signal's default action would end the process. It never gets to run one. */
static void handle_ipi(void)
{
	struct sigaction action = {.sa_handler = ignore_signal};

	sigaction(SIG_IPI, &action, NULL);
}

/* KVM wants the kernel's sigset_t, whose size is not the C library's. */
static int set_run_mask(struct kvm_vcpu *vcpu, const sigset_t *mask)
{
	enum { KERNEL_SIGSET = 8 };
	union {
		struct kvm_signal_mask mask;
		uint8_t room[sizeof(struct kvm_signal_mask) + KERNEL_SIGSET];
	} argument = {.mask.len = KERNEL_SIGSET};

	memcpy(argument.mask.sigset, mask, KERNEL_SIGSET);
	return ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &argument);
}

static int mask_signals(struct kvm_vcpu *vcpu, struct error *err)
{
	sigset_t ipi, inside;

	handle_ipi();
	sigemptyset(&ipi);
	sigaddset(&ipi, SIG_IPI);
	pthread_sigmask(SIG_BLOCK, &ipi, &inside);
	sigdelset(&inside, SIG_IPI);
	sigdelset(&inside, SIGBUS); /* a page that the host lost must not wait */
	if (set_run_mask(vcpu, &inside) < 0)
		return kvm_error(err, "KVM_SET_SIGNAL_MASK", "use Linux 4.11 or later");
	return 0;
}

typedef int create_step(struct kvm_vcpu *vcpu, struct error *err);

static create_step *const create_steps[] = {
	complete_vm,	 create_fd,	    map_run,	  map_ring,
	kvm_cpuid_apply, kvm_xsave_prepare, mask_signals, kvm_state_prepare,
};

int kvm_vcpu_create(struct accel_vm *vm, int index, struct accel_vcpu **result, struct error *err)
{
	struct kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));

	*result = NULL;
	if (!vcpu)
		return error_set(err, -ENOMEM, "no memory for vCPU %d", index);
	vcpu->base = (struct accel_vcpu){.ops = &accel_kvm, .vm = vm, .index = index};
	vcpu->fd = -1;
	for (size_t i = 0; i < sizeof(create_steps) / sizeof(create_steps[0]); i++) {
		int code = create_steps[i](vcpu, err);

		if (code < 0) {
			kvm_vcpu_destroy(&vcpu->base);
			return code;
		}
	}
	*result = &vcpu->base;
	return 0;
}

void kvm_vcpu_destroy(struct accel_vcpu *base)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	if (!vcpu)
		return;
	if (vcpu->run)
		munmap(vcpu->run, kvm_vm_of(vcpu)->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	free(vcpu->xsave);
	free(vcpu);
}

/* ---- kicks ------------------------------------------------------------------------------ */

static void take_signal(void)
{
	const struct timespec now = {0};
	sigset_t ipi;

	sigemptyset(&ipi);
	sigaddset(&ipi, SIG_IPI);
	while (sigtimedwait(&ipi, NULL, &now) == SIG_IPI || errno == EINTR)
		;
}

static void set_immediate_exit(struct kvm_vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

void kvm_vcpu_kick(struct accel_vcpu *base, unsigned long thread)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	atomic_store(&vcpu->kicked, true);
	set_immediate_exit(vcpu, true);
	pthread_kill((pthread_t)thread, SIG_IPI);
}

/* immediate_exit goes back to the kickers. A kicker says so in kicked before it sets
 * immediate_exit: either we see its kicked, or its immediate_exit comes after ours. */
static void give_back_immediate_exit(struct kvm_vcpu *vcpu)
{
	set_immediate_exit(vcpu, false);
	if (atomic_load(&vcpu->kicked))
		set_immediate_exit(vcpu, true);
}

/* Costs nothing while nobody kicked, so that the loop may call it before each run. Looks at both:
 * the second half of a kick may arrive after its first was answered. */
void kvm_vcpu_kick_done(struct accel_vcpu *base)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	if (!atomic_load(&vcpu->kicked) &&
	    !__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_SEQ_CST))
		return;
	take_signal();
	atomic_store(&vcpu->kicked, false);
	give_back_immediate_exit(vcpu);
}

/* ---- running ---------------------------------------------------------------------------- */

static void exit_interrupted(struct vm_exit *exit)
{
	exit->reason = EXIT_INTR;
	exit->name = kvm_exit_name(KVM_EXIT_INTR);
}

/* EAGAIN comes from a vCPU that waits for INIT or SIPI and was woken. */
static void exit_failed(struct kvm_vcpu *vcpu, int code, struct vm_exit *exit)
{
	if (code == EINTR)
		take_signal();
	if (code == EINTR || code == EAGAIN) {
		exit_interrupted(exit);
		return;
	}
	vcpu->synced = 0;
	exit->reason = EXIT_HOST_ERROR;
	exit->name = "KVM_RUN";
	exit->host_errno = code;
}

/* A vCPU that others may send an INIT is asked behind each debug exit: who resumes it wants to know. */
static bool surely_runs(struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason != KVM_EXIT_DEBUG ||
	       (kvm_vm_of(vcpu)->single && !vcpu->uncertain);
}

void kvm_vcpu_run(struct accel_vcpu *base, struct vm_exit *exit)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	int code = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? errno : 0;

	vcpu->msr_told = false;
	vcpu->synced = kvm_synced_groups(vcpu->run);
	vcpu->settled = !code;
	vcpu->known_runnable = !code && surely_runs(vcpu);
	if (code) {
		exit_failed(vcpu, code, exit);
		return;
	}
	kvm_exit_translate(vcpu->run, exit);
	kvm_tell_pc(vcpu, exit);
}

/* KVM first finishes what the last exit left half done, and only then looks at immediate_exit. */
void kvm_vcpu_complete(struct accel_vcpu *base, struct vm_exit *exit)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	set_immediate_exit(vcpu, true);
	kvm_vcpu_run(base, exit);
	give_back_immediate_exit(vcpu);
}

/* ---- debugging -------------------------------------------------------------------------- */

static uint32_t debug_control(const struct kvm_vm *vm, const struct accel_debug *debug)
{
	const struct {
		bool wanted;
		uint32_t control;
	} wishes[] = {
		// clang-format off
		{debug->step,                     KVM_GUESTDBG_SINGLESTEP},
		{debug->block_irq,                KVM_GUESTDBG_BLOCKIRQ & vm->guest_debug},
		{debug->int3,                     KVM_GUESTDBG_USE_SW_BP},
		{debug->slots,                    KVM_GUESTDBG_USE_HW_BP},
		{debug->inject == VECTOR_DB,      KVM_GUESTDBG_INJECT_DB},
		{debug->inject == VECTOR_BP,      KVM_GUESTDBG_INJECT_BP},
		// clang-format on
	};
	uint32_t control = 0;

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		if (wishes[i].wanted)
			control |= wishes[i].control;
	return control ? control | KVM_GUESTDBG_ENABLE : 0;
}

/* While KVM steps it takes every trap flag for its own, and the next KVM_SET_GUEST_DEBUG would take the
 * guest's out as well. */
int kvm_stop_stepping(struct kvm_vcpu *vcpu)
{
	struct kvm_guest_debug nothing = {0};

	vcpu->stepping = false;
	return kvm_vcpu_call(vcpu, KVM_SET_GUEST_DEBUG, &nothing);
}

/* For a step KVM remembers where RIP is now, and an injected exception is pending from now on. */
int kvm_debug_set(struct accel_vcpu *base, const struct accel_debug *debug)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_guest_debug argument = {.control = debug_control(kvm_vm_of(vcpu), debug)};

	if (debug->slots) {
		for (int i = 0; i < 4; i++)
			argument.arch.debugreg[i] = debug->dr[i];
		argument.arch.debugreg[7] = debug->dr7;
	}
	vcpu->synced &= ~(unsigned)CPU_EVENTS;
	vcpu->stepping = debug->step;
	vcpu->uncertain = debug->step && !debug->plain;
	return kvm_vcpu_call(vcpu, KVM_SET_GUEST_DEBUG, &argument);
}

/* ---- interrupts from outside the kernel ------------------------------------------------- */

/* KVM answers as of the last exit. */
bool kvm_interrupt_ready(struct accel_vcpu *base)
{
	const struct kvm_run *run = to_kvm_vcpu(base)->run;

	return run->ready_for_interrupt_injection && run->if_flag;
}

int kvm_interrupt(struct accel_vcpu *base, uint8_t vector)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_interrupt argument = {.irq = vector};

	vcpu->synced &= ~(unsigned)CPU_EVENTS;
	vcpu->run->ready_for_interrupt_injection = 0; /* one vector for each exit */
	return ioctl(vcpu->fd, KVM_INTERRUPT, &argument) < 0 ? -errno : 0;
}

void kvm_interrupt_window(struct accel_vcpu *base, bool wanted)
{
	to_kvm_vcpu(base)->run->request_interrupt_window = wanted;
}

/* KVM_RUN with a signal pending delivers into the CPU what waits, looks at the signal, takes back what it
 * delivered, and returns: accepted, and nothing executed. Writing the events makes KVM look at all: one that
 * could not be delivered before waits for the guest to run, otherwise. */
void kvm_accept_interrupt(struct accel_vcpu *base)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);
	struct kvm_vcpu_events events;
	struct vm_exit exit = {0};

	if (kvm_vcpu_call(vcpu, KVM_GET_VCPU_EVENTS, &events) == 0)
		kvm_vcpu_call(vcpu, KVM_SET_VCPU_EVENTS, &events);
	pthread_kill(pthread_self(), SIG_IPI);
	kvm_vcpu_run(base, &exit);
}

int kvm_nmi(struct accel_vcpu *base)
{
	struct kvm_vcpu *vcpu = to_kvm_vcpu(base);

	vcpu->synced &= ~(unsigned)CPU_EVENTS;
	return ioctl(vcpu->fd, KVM_NMI, 0) < 0 ? -errno : 0;
}
