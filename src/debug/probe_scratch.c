// SPDX-License-Identifier: GPL-3.0-or-later
/* The scratch VM. Nobody knows what a strange host makes of a program, so every run is watched. */
#include "debug/probe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define NS_PER_S     1000000000ull
#define PATIENCE_NS  (2 * NS_PER_S)
#define SPINNING_NS  (NS_PER_S / 20)
#define RFLAGS_IOPL3 0x3000u

enum { SLOT_ALL, SLOT_GUARDED, SLOT_WITHDRAWN };

/* ---- the watchdog ------------------------------------------------------------------------ */

static uint64_t time_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t now(void)
{
	return time_of(CLOCK_MONOTONIC);
}

/* What the asking thread has had of a processor, the guest's part included. */
static uint64_t thread_time(const struct scratch *s)
{
	clockid_t clock;

	return pthread_getcpuclockid((pthread_t)s->thread, &clock) == 0 ? time_of(clock) : 0;
}

/* lock held. */
static void wait_until(struct scratch *s, uint64_t deadline)
{
	struct timespec t = {.tv_sec = (time_t)(deadline / NS_PER_S),
			     .tv_nsec = (long)(deadline % NS_PER_S)};

	if (deadline)
		pthread_cond_clockwait(&s->work, &s->lock, CLOCK_MONOTONIC, &t);
	else
		pthread_cond_wait(&s->work, &s->lock);
}

/* On a busy host a run may be slow without spinning. lock held. */
static bool deserves_more(struct scratch *s)
{
	uint64_t had = thread_time(s) - s->begun;

	if (!s->may_spin || had >= SPINNING_NS || now() >= s->last)
		return false;
	s->deadline = now() + SPINNING_NS - had;
	return true;
}

/* Sleeps through the probe: a run that ends in time only moves the deadline, and wakes nobody. One that may spin
 * has an earlier deadline. */
static void *watch(void *ctx)
{
	struct scratch *s = ctx;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_mutex_lock(&s->lock);
	while (!s->quit) {
		if (s->deadline && now() >= s->deadline && !deserves_more(s)) {
			s->late += !s->may_spin;
			s->deadline = 0;
			s->vcpu->ops->vcpu_kick(s->vcpu, s->thread);
		}
		wait_until(s, s->deadline ? s->deadline : now() + PATIENCE_NS);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void set_deadline(struct scratch *s, uint64_t deadline)
{
	pthread_mutex_lock(&s->lock);
	s->deadline = deadline;
	if (s->may_spin && deadline) {
		s->begun = thread_time(s);
		s->last = now() + PATIENCE_NS;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
}

void scratch_may_spin(struct scratch *s, bool may)
{
	pthread_mutex_lock(&s->lock);
	s->may_spin = may;
	pthread_mutex_unlock(&s->lock);
}

static int start_dog(struct scratch *s, struct error *err)
{
	int code;

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	s->thread = (unsigned long)pthread_self();
	code = pthread_create(&s->dog, NULL, watch, s);
	s->has_dog = code == 0;
	return code ? error_set(err, -code, "cannot start a thread: %s", strerror(code)) : 0;
}

static void stop_dog(struct scratch *s)
{
	if (!s->has_dog)
		return;
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->dog, NULL);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
}

/* ---- memory ------------------------------------------------------------------------------ */

static struct accel_slot slot_of(struct scratch *s, unsigned id)
{
	static const struct {
		uint64_t from, to;
	} places[] = {[SLOT_ALL] = {0, AT_GUARDED},
		      [SLOT_GUARDED] = {AT_GUARDED, AT_WITHDRAWN},
		      [SLOT_WITHDRAWN] = {AT_WITHDRAWN, AT_DEVICE}};

	return (struct accel_slot){.id = id,
				   .gpa = places[id].from,
				   .size = places[id].to - places[id].from,
				   .hva = s->ram + places[id].from};
}

static int add_memory(struct scratch *s, struct error *err)
{
	int rc = 0;

	s->ram = mmap(NULL, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (s->ram == MAP_FAILED) {
		s->ram = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	scratch_fill_memory(s->ram);
	for (unsigned id = SLOT_ALL; rc == 0 && id <= SLOT_WITHDRAWN; id++) {
		struct accel_slot slot = slot_of(s, id);

		rc = s->vm->ops->slot_set(s->vm, &slot, err);
	}
	return rc;
}

static bool delete_slot(struct scratch *s, unsigned id)
{
	struct accel_slot slot = slot_of(s, id);

	slot.size = 0;
	return s->vm->ops->slot_set(s->vm, &slot, NULL) == 0;
}

bool scratch_protect(struct scratch *s)
{
	struct accel_slot guarded = slot_of(s, SLOT_GUARDED);

	guarded.readonly = true;
	return delete_slot(s, SLOT_WITHDRAWN) && delete_slot(s, SLOT_GUARDED) &&
	       s->vm->ops->slot_set(s->vm, &guarded, NULL) == 0;
}

/* ---- the VM ------------------------------------------------------------------------------ */

int scratch_create(const struct machine_config *config, bool irqchip, struct scratch *s,
		   struct error *err)
{
	struct accel_config accel = {.vcpus = 1,
				     .irqchip = irqchip,
				     .device = config->kvm_device,
				     .dummy = config->dummy};
	int rc;

	*s = (struct scratch){0};
	rc = config->accel->vm_create(&accel, &s->vm, err);
	if (rc == 0)
		rc = add_memory(s, err);
	if (rc == 0)
		rc = s->vm->ops->vcpu_create(s->vm, 0, &s->vcpu, err);
	if (rc == 0)
		rc = s->vcpu->ops->state_get(s->vcpu, CPU_MSRS, &s->state);
	return rc < 0 ? rc : start_dog(s, err);
}

void scratch_destroy(struct scratch *s)
{
	stop_dog(s);
	if (s->vcpu)
		s->vcpu->ops->vcpu_destroy(s->vcpu);
	if (s->vm)
		s->vm->ops->vm_destroy(s->vm);
	if (s->ram)
		munmap(s->ram, SCRATCH_SIZE);
}

/* ---- the modes --------------------------------------------------------------------------- */

static void enter_real(struct cpu_state *s)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_real(&s->system.seg[i], 0);
	s->system.idt = (struct cpu_table){.base = AT_IVT, .limit = 4 * SCRATCH_VECTORS - 1};
}

static void load_flat(struct cpu_state *s, uint16_t code, uint16_t data, unsigned bits)
{
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&s->system.seg[i], i == SEG_CS ? code : data, i == SEG_CS, bits);
	s->system.cr0 = CR0_PE | CR0_ET | CR0_NE;
	s->system.gdt = (struct cpu_table){.base = AT_GDT, .limit = SEL_CODE32 + 7};
}

static void enter_prot(struct cpu_state *s)
{
	load_flat(s, SEL_CODE32, SEL_DATA, 32);
	s->system.idt = (struct cpu_table){.base = AT_IDT32, .limit = 8 * SCRATCH_VECTORS - 1};
}

static void enter_paging(struct cpu_state *s)
{
	s->system.cr0 |= CR0_PG;
	s->system.cr3 = AT_PML4;
	s->system.cr4 = CR4_PAE;
	s->system.efer = EFER_LME | EFER_LMA | EFER_SCE;
	s->system.idt = (struct cpu_table){.base = AT_IDT64, .limit = 16 * SCRATCH_VECTORS - 1};
	s->system.seg[SEG_TR] = (struct cpu_segment){
		.base = AT_TSS, .limit = 0x67, .selector = SEL_TSS, .type = 0xb, .present = 1};
}

static void enter_long(struct cpu_state *s)
{
	load_flat(s, SEL_CODE64, SEL_DATA, 64);
	enter_paging(s);
}

static void enter_user(struct cpu_state *s)
{
	load_flat(s, SEL_USER64, SEL_USER_DATA, 64);
	enter_paging(s);
	s->general.rflags |= RFLAGS_IOPL3;
}

void scratch_enter(struct scratch *s, enum capability_mode mode)
{
	static void (*const enter[CAP_MODE_COUNT])(struct cpu_state *) = {[CAP_REAL] = enter_real,
									  [CAP_PROT] = enter_prot,
									  [CAP_LONG] = enter_long,
									  [CAP_USER] = enter_user};

	cpu_state_reset(&s->state, true);
	enter[mode](&s->state);
	s->state.general.rip = AT_CODE;
	s->state.general.gpr[GPR_RSP] = AT_STACK + STACK_TOP;
}

void scratch_push(struct scratch *s, uint64_t value, unsigned size)
{
	uint64_t *sp = &s->state.general.gpr[GPR_RSP];

	*sp -= size;
	memcpy(s->ram + *sp, &value, size);
}

/* ---- running ----------------------------------------------------------------------------- */

bool scratch_put(struct scratch *s, unsigned groups)
{
	return s->vcpu->ops->state_put(s->vcpu, groups, &s->state) == 0;
}

bool scratch_get(struct scratch *s, unsigned groups)
{
	return s->vcpu->ops->state_get(s->vcpu, groups, &s->state) == 0;
}

static bool leaves_half_done(const struct vm_exit *exit)
{
	return exit->reason == EXIT_IO || exit->reason == EXIT_MMIO;
}

struct vm_exit scratch_run(struct scratch *s, const struct accel_debug *wish)
{
	struct vm_exit exit = {.reason = EXIT_OTHER};

	if (s->vcpu->ops->debug_set(s->vcpu, wish) < 0)
		return exit;
	set_deadline(s, now() + (s->may_spin ? SPINNING_NS : PATIENCE_NS));
	s->vcpu->ops->vcpu_run(s->vcpu, &exit);
	set_deadline(s, 0);
	s->vcpu->ops->vcpu_kick_done(s->vcpu);
	s->half_done = leaves_half_done(&exit);
	return exit;
}

struct vm_exit scratch_complete(struct scratch *s)
{
	struct vm_exit exit = {.reason = EXIT_OTHER};

	s->vcpu->ops->vcpu_complete(s->vcpu, &exit);
	s->half_done = leaves_half_done(&exit);
	return exit;
}
