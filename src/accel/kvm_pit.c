// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * KVM's 8254 goes on while no vCPU runs. A tick that falls into a pause waits for the guest, and comes before
 * anything else when that goes on; where a breakpoint lies in its handler, and the user thinks for longer than a
 * period, the guest would never do anything else. So channel 0 is held over pauses that are going to be long, to
 * judge by the last ones (long is what kvm_pit_skip() is told of):
 *
 *   the pause begins   the guest's state of the 8254 is kept here, and KVM's is given a mode without a timer
 *   it ends            KVM gets it back, and begins a period anew. What the guest has had of the last one is carried
 *                      over, until that makes a period: then a tick is due at once
 *
 * To hold it takes three system calls for each pause, too much for steps in quick succession.
 */
#include "accel/kvm_private.h"
#include "x86/pc_chips.h"

#include <errno.h>
#include <sys/ioctl.h>

#define UNHELD_NS 60000000u /* of its slowest rate a period is 55 ms */
#define WARY	  8	    /* pauses in a row that are short, until none is held */
#define NO_TIMER  5	    /* a mode that channel 0 cannot be in: its gate is always open */
#define TIMER_GSI 0

static uint64_t period_ns(const struct kvm_pit_state2 *state)
{
	const struct kvm_pit_channel_state *timer = &state->channels[0];
	bool periodic = timer->mode == 2 || timer->mode == 3;
	uint64_t count = timer->count ? timer->count : 0x10000;

	return periodic ? count * 1000000000 / PC_TIMER_HZ : 0;
}

int kvm_pit_get(struct kvm_vm *vm, struct kvm_pit_state2 *state)
{
	if (!vm->pit.held)
		return ioctl(vm->fd, KVM_GET_PIT2, state) < 0 ? -errno : 0;
	*state = vm->pit.state;
	return 0;
}

int kvm_pit_set(struct kvm_vm *vm, const struct kvm_pit_state2 *state)
{
	vm->pit.held = false;
	vm->pit.carried = 0;
	vm->pit.period = period_ns(state);
	vm->pit.begun = kvm_host_now();
	return ioctl(vm->fd, KVM_SET_PIT2, state) < 0 ? -errno : 0;
}

/* The guest's part of a period, up to the pause. One that it has set otherwise meanwhile is a new one. */
static void carry(struct kvm_pit *pit, int64_t now)
{
	uint64_t period = period_ns(&pit->state);

	if (period != pit->period)
		pit->carried = 0;
	else if (period && now > pit->begun)
		pit->carried += (uint64_t)(now - pit->begun) % period;
	pit->period = period;
}

void kvm_pit_stops(struct kvm_vm *vm)
{
	struct kvm_pit *pit = &vm->pit;
	struct kvm_pit_state2 held;

	if (!vm->irqchip || !pit->wary || pit->held || kvm_pit_get(vm, &pit->state) < 0)
		return;
	carry(pit, vm->stopped_at);
	held = pit->state;
	held.channels[0].mode = NO_TIMER;
	pit->held = ioctl(vm->fd, KVM_SET_PIT2, &held) == 0;
}

/* Channels 1 and 2 say by the host's clock when they were loaded. */
static void begin_anew(struct kvm_vm *vm, const struct accel_pause *pause)
{
	struct kvm_pit *pit = &vm->pit;

	for (unsigned i = 0; i < 3; i++)
		pit->state.channels[i].count_load_time += (int64_t)pause->ns;
	ioctl(vm->fd, KVM_SET_PIT2, &pit->state);
	pit->begun = kvm_host_now();
	if (!pit->period || pit->carried < pit->period)
		return;
	pit->carried -= pit->period;
	kvm_irq_line(&vm->base, TIMER_GSI, true);
	kvm_irq_line(&vm->base, TIMER_GSI, false);
}

void kvm_pit_starts(struct kvm_vm *vm, const struct accel_pause *pause)
{
	struct kvm_pit *pit = &vm->pit;

	if (pit->held)
		begin_anew(vm, pause);
	pit->was_held = pit->held;
	pit->held = false;
	pit->wary -= pit->wary > 0;
}

/* Ticks that fell into a long pause that nobody has foreseen would all come now, one behind the other. */
void kvm_pit_skip(struct kvm_vm *vm, const struct accel_pause *pause)
{
	struct kvm_pit *pit = &vm->pit;

	pit->wary = WARY;
	if (!vm->irqchip || pit->was_held || pause->ns < UNHELD_NS ||
	    kvm_pit_get(vm, &pit->state) < 0)
		return;
	carry(pit, vm->stopped_at);
	begin_anew(vm, pause);
}
