// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A vCPU's thread and its run loop.
 *
 *   vcpu_thread          born, announced, then for ever: may it run? run : wait
 *     vcpu_exec          runs until somebody wants attention
 *       vcpu_prepare     what must be true before the guest is entered
 *       accel->vcpu_run  the guest runs
 *       exit_dispatch    one table, indexed by exit reason (exits.c)
 *     vcpu_settle        completes a half-done I/O, so that registers mean something
 *
 * Attention is asked by vcpu_kick(), always under gate.lock: it raises the flag first and then
 * kicks the accelerator, so that a vCPU which looked at the flag too early finds the kick waiting
 * in its next run. It is answered in vcpu_look(), under the same lock, before anything is decided.
 */
#include "machine/exits.h"
#include "machine/machine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

void vcpu_kick(struct vcpu *vcpu)
{
	if (vcpu->machine->gate.quit)
		return; /* all were kicked, and some may be gone */
	atomic_store(&vcpu->attention, true);
	/* It is not in the guest, and looks at the flag before it enters it again. */
	if (pthread_equal(vcpu->thread, pthread_self()))
		return;
	vcpu->accel->ops->vcpu_kick(vcpu->accel, vcpu->thread);
	pthread_cond_signal(&vcpu->work);
}

/* Answers every kick so far. gate.lock held, so none can slip in between. */
static void vcpu_look(struct vcpu *vcpu)
{
	atomic_store(&vcpu->attention, false);
	vcpu->accel->ops->vcpu_kick_done(vcpu->accel);
}

/* Gives the guest an interrupt from vitrine's own controllers; true while one waits that it cannot take yet. */
static bool give_interrupt(struct vcpu *vcpu)
{
	const struct accel_ops *ops = vcpu->accel->ops;
	struct machine *machine = vcpu->machine;
	bool waiting = atomic_load(&machine->intr) && !vcpu->debug.block_irq;

	if (waiting && ops->interrupt_ready(vcpu->accel)) {
		pthread_mutex_lock(&machine->device_lock);
		ops->interrupt(vcpu->accel, pic_acknowledge(machine->pic));
		waiting = pic_pending(machine->pic);
		pthread_mutex_unlock(&machine->device_lock);
	}
	return waiting;
}

static bool has_own_pic(const struct vcpu *vcpu)
{
	return vcpu->machine->pic && vcpu->index == 0;
}

void vcpu_accept_interrupt(struct vcpu *vcpu)
{
	const struct accel_debug nothing = {.inject = -1};

	if (vcpu_flush(vcpu) < 0 || vcpu->accel->ops->debug_set(vcpu->accel, &nothing) < 0)
		return;
	vcpu->debug_changed = true;
	/* Without controllers in the accelerator it learns by this whether the CPU could take one. */
	vcpu->accel->ops->accept_interrupt(vcpu->accel);
	if (has_own_pic(vcpu))
		give_interrupt(vcpu);
	vcpu->valid = 0;
}

static bool same_wish(const struct accel_debug *a, const struct accel_debug *b)
{
	return a->step == b->step && a->plain == b->plain && a->block_irq == b->block_irq &&
	       a->int3 == b->int3 && a->slots == b->slots && a->dr7 == b->dr7 &&
	       a->inject == b->inject && memcmp(a->dr, b->dr, sizeof(a->dr)) == 0;
}

static int tell_wish(struct vcpu *vcpu)
{
	int rc = vcpu->accel->ops->debug_set(vcpu->accel, &vcpu->debug);

	vcpu->debug.inject = -1;
	vcpu->debug_told = vcpu->debug;
	vcpu->debug_changed = false;
	return rc;
}

/* What must be true before the guest is entered. Registers first: see vcpu_flush(). */
static int vcpu_prepare(struct vcpu *vcpu)
{
	int rc = vcpu_flush(vcpu);

	if (rc == 0 && (vcpu->debug_changed || !same_wish(&vcpu->debug, &vcpu->debug_told)))
		rc = tell_wish(vcpu);
	if (has_own_pic(vcpu))
		vcpu->accel->ops->interrupt_window(vcpu->accel, give_interrupt(vcpu));
	return rc;
}

/* Registers that were fetched are the guest's again once it runs. */
static void after_run(struct vcpu *vcpu, const struct vm_exit *exit)
{
	vcpu->valid = 0;
	vcpu->completion_due = exit->reason == EXIT_IO || exit->reason == EXIT_MMIO ||
			       exit->reason == EXIT_RDMSR || exit->reason == EXIT_WRMSR;
}

/* The recorder keeps an exit when it was answered, and so knows what an `in` got. */
static bool answer(struct vcpu *vcpu, const struct vm_exit *exit)
{
	bool go_on;

	after_run(vcpu, exit);
	recorder_leave(&vcpu->recorder, exit);
	go_on = exit_dispatch(vcpu, exit);
	recorder_keep(&vcpu->recorder, exit);
	if (atomic_load_explicit(&vcpu->machine->attentive, memory_order_relaxed))
		vcpu->machine->observer.saw(vcpu->machine->observer.ctx, vcpu, exit);
	return go_on;
}

/* Completes an I/O without running another instruction. A page-crossing MMIO has a second half, and
 * the end of a step may be reported here: both are exits like any other. False: the vCPU must park.
 */
static bool vcpu_settle(struct vcpu *vcpu)
{
	bool go_on = true;

	while (vcpu->completion_due) {
		struct vm_exit exit = {0};

		vcpu->accel->ops->vcpu_complete(vcpu->accel, &exit);
		if (exit.reason != EXIT_INTR)
			go_on = answer(vcpu, &exit) && go_on;
		else
			after_run(vcpu, &exit);
	}
	return go_on;
}

/* A step over an I/O instruction ends when the I/O is complete, whether or not the accelerator
 * reports it: running on would execute one instruction too many. */
static bool settle_step(struct vcpu *vcpu)
{
	uint64_t debug_exits = recorder_exits(&vcpu->recorder, EXIT_DEBUG);

	if (!vcpu_settle(vcpu))
		return false;
	if (recorder_exits(&vcpu->recorder, EXIT_DEBUG) != debug_exits)
		return true;
	return vcpu->machine->observer.stepped(vcpu->machine->observer.ctx, vcpu);
}

/* An access is told when the guest has its answer in its registers. */
static bool tell_caught(struct vcpu *vcpu)
{
	bool go_on = vcpu_settle(vcpu);

	vcpu->caught = false;
	return vcpu->machine->observer.settled(vcpu->machine->observer.ctx, vcpu) && go_on;
}

/* Enters the guest once, and answers the exit. */
static bool run_once(struct vcpu *vcpu)
{
	struct vm_exit exit = {.reason = EXIT_HOST_ERROR, .name = "entering the guest"};
	int rc = vcpu_prepare(vcpu);
	bool go_on;

	recorder_enter(&vcpu->recorder);
	if (rc < 0)
		exit.host_errno = -rc;
	else
		vcpu->accel->ops->vcpu_run(vcpu->accel, &exit);
	go_on = answer(vcpu, &exit);
	if (go_on && vcpu->stepping && (vcpu->completion_due || vcpu->halted))
		go_on = settle_step(vcpu);
	if (vcpu->caught)
		go_on = tell_caught(vcpu) && go_on;
	return go_on;
}

static bool step_once(struct vcpu *vcpu)
{
	const struct machine_observer *observer = &vcpu->machine->observer;

	switch (observer->stepping(observer->ctx, vcpu)) {
	case STEP_ARMED: return run_once(vcpu);
	case STEP_DONE: return observer->stepped(observer->ctx, vcpu);
	case STEP_WAITS: return poll(NULL, 0, 1) <= 0;
	default: return false;
	}
}

static void vcpu_exec(struct vcpu *vcpu)
{
	bool go_on = true;

	while (go_on && !vcpu->halted &&
	       !atomic_load_explicit(&vcpu->attention, memory_order_acquire))
		go_on = vcpu->stepping ? step_once(vcpu) : run_once(vcpu);
	vcpu_settle(vcpu);
	if (vcpu->caught)
		tell_caught(vcpu);
	recorder_rest(&vcpu->recorder);
}

/* hlt under -irqchip=user: only an interrupt that the guest would take ends it. */
static bool still_halted(struct vcpu *vcpu)
{
	struct cpu_state *state;

	if (!vcpu->halted || !atomic_load(&vcpu->machine->intr))
		return vcpu->halted;
	state = vcpu_state(vcpu, CPU_GENERAL);
	if (state && (state->general.rflags & RFLAGS_IF))
		vcpu->halted = false;
	return vcpu->halted;
}

/* Asking makes the accelerator obey INIT and SIPI, and nothing runs before the vCPU is entered. So who
 * wants to see a vCPU start lets it ask, a thousand times a second, instead of waiting in there. */
static bool awaits_start(struct vcpu *vcpu)
{
	struct cpu_state *state;

	if (!vcpu->await_start)
		return false;
	vcpu->valid = vcpu->dirty;
	state = vcpu_state(vcpu, CPU_EVENTS);
	return state && (state->events.run_state == CPU_WAIT_INIT ||
			 state->events.run_state == CPU_WAIT_SIPI);
}

static void wait_a_moment(struct vcpu *vcpu)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&vcpu->work, &vcpu->machine->gate.lock, &until);
}

static bool tell_started(struct vcpu *vcpu)
{
	bool told = vcpu->await_start;

	vcpu->await_start = false;
	return !told || vcpu->machine->observer.started(vcpu->machine->observer.ctx, vcpu);
}

/* All parked is announced here and nowhere else. */
static void vcpu_park(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct gate *gate = &machine->gate;

	vcpu->parked = true;
	gate->parked_count++;
	if (gate_all_parked(gate))
		machine->observer.parked(machine->observer.ctx);
	gate_wake(machine, gate_take_opened(gate));
	pthread_cond_broadcast(&gate->parked);
	while (vcpu->parked && !gate->quit)
		pthread_cond_wait(&vcpu->work, &gate->lock);
}

static void vcpu_loop(struct vcpu *vcpu)
{
	struct gate *gate = &vcpu->machine->gate;

	while (!gate->quit) {
		vcpu_look(vcpu);
		if (vcpu->plan == VCPU_HOLD) {
			vcpu_park(vcpu);
		} else if (still_halted(vcpu)) {
			pthread_cond_wait(&vcpu->work, &gate->lock);
		} else if (awaits_start(vcpu)) {
			wait_a_moment(vcpu);
		} else {
			pthread_mutex_unlock(&gate->lock);
			if (tell_started(vcpu))
				vcpu_exec(vcpu);
			pthread_mutex_lock(&gate->lock);
		}
	}
}

/* Every signal but the kick goes to the main thread; the kick is let in by the accelerator, and
 * only while the guest runs. Faults of our own stay ours. */
static void mask_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static bool vcpu_create(struct vcpu *vcpu)
{
	struct accel_vm *vm = vcpu->machine->vm;
	int rc = vm->ops->vcpu_create(vm, vcpu->index, &vcpu->accel, &vcpu->create_error);

	if (rc == 0)
		rc = vcpu_reset(vcpu);
	if (rc < 0 && !vcpu->create_error.code)
		error_set(&vcpu->create_error, rc, "cannot set the registers of vCPU %d: %s",
			  vcpu->index, strerror(-rc));
	return rc == 0;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct gate *gate = &vcpu->machine->gate;
	bool ok;

	mask_signals();
	ok = vcpu_create(vcpu);
	pthread_mutex_lock(&gate->lock);
	vcpu->created = ok;
	vcpu->create_failed = !ok;
	pthread_cond_broadcast(&gate->parked);
	if (ok)
		vcpu_loop(vcpu);
	pthread_mutex_unlock(&gate->lock);
	if (vcpu->accel)
		vcpu->accel->ops->vcpu_destroy(vcpu->accel);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu, struct machine *machine, int index, struct error *err)
{
	struct gate *gate = &machine->gate;
	int rc;

	vcpu->machine = machine;
	vcpu->index = index;
	vcpu->plan = VCPU_HOLD;
	vcpu->debug.inject = vcpu->debug_told.inject = -1;
	vcpu->recorder.since = recorder_clock_now();
	gate->vcpu_count = (unsigned)index + 1;
	pthread_cond_init(&vcpu->work, NULL);
	rc = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	if (rc) {
		pthread_cond_destroy(&vcpu->work);
		return error_set(err, -rc,
				 "cannot start a thread for vCPU %d: %s; give less with -smp",
				 index, strerror(rc));
	}
	vcpu->thread_started = true;
	pthread_mutex_lock(&gate->lock);
	while (!vcpu->parked && !vcpu->create_failed)
		pthread_cond_wait(&gate->parked, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	if (vcpu->create_failed && err)
		*err = vcpu->create_error;
	return vcpu->create_failed ? vcpu->create_error.code : 0;
}

void vcpu_join(struct vcpu *vcpu)
{
	if (!vcpu->thread_started)
		return;
	pthread_join(vcpu->thread, NULL);
	pthread_cond_destroy(&vcpu->work);
	vcpu->thread_started = false;
}
