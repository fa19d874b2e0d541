// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How many single steps a second: a range that is stepped in vitrine's vCPU thread, with everything that makes
 * a step trustworthy, and a run with a watch by step and compare, which lies elsewhere; against a loop that does
 * nothing but KVM_RUN with single-step on. They take turns; the middle round counts.
 *
 * One figure per line: name value unit.
 */
#include "bare_kvm.h"
#include "debug/debug.h"
#include "machine/machine.h"
#include "x86/mode.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 21, STEPS = 20000, WATCHED = 0x8000 };

static const uint8_t guest[] = {0x40, 0x4b, 0xeb, 0xfc}; /* 1: inc ax; dec bx; jmp 1b */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- vitrine ---------------------------------------------------------------------------- */

static int prepare(struct machine *machine)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state ||
	    mem_write_phys(machine->memory, BARE_CODE, guest, sizeof(guest)) != sizeof(guest))
		return -EIO;
	cpu_segment_real(&state->system.seg[SEG_CS], 0);
	state->general.rip = BARE_CODE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	return vcpu_flush(vcpu);
}

static void wait_stop(struct debug *debug)
{
	struct pollfd fd = {.fd = debug_event_fd(debug), .events = POLLIN};

	while (debug_running(debug))
		poll(&fd, 1, 1000);
	debug_dispatch(debug);
}

static const struct plan a_range = {
	.action = PLAN_STEP_RANGE, .low = BARE_CODE, .high = BARE_CODE + sizeof(guest)};
static const struct plan a_run = {.action = PLAN_RUN};

/* Steps for a while; how many a second. */
static double vitrine_round(struct machine *machine, struct debug *debug, const struct plan *plan,
			    double how_long)
{
	uint64_t before = recorder_exits(&machine->vcpus[0].recorder, EXIT_DEBUG);
	double start = seconds();

	if (debug_resume(debug, plan, OWNER_CONSOLE, NULL) < 0)
		return 0;
	poll(NULL, 0, (int)(how_long * 1e3));
	debug_pause(debug, OWNER_CONSOLE);
	wait_stop(debug);
	return (double)(recorder_exits(&machine->vcpus[0].recorder, EXIT_DEBUG) - before) /
	       (seconds() - start);
}

/* ---- the bare loop ---------------------------------------------------------------------- */

static double bare_round(struct bare_kvm *bare)
{
	struct kvm_guest_debug step = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};
	double start = seconds();

	if (ioctl(bare->vcpu, KVM_SET_GUEST_DEBUG, &step) < 0)
		return 0;
	for (int i = 0; i < STEPS; i++)
		if (ioctl(bare->vcpu, KVM_RUN, 0) < 0 || bare->run->exit_reason != KVM_EXIT_DEBUG)
			return 0;
	return STEPS / (seconds() - start);
}

/* ---- both ------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), ascending);
	return values[ROUNDS / 2];
}

static int add_watch(struct debug *debug, struct error *err)
{
	const struct point_spec spec = {
		.kind = POINT_WRITE, .address = WATCHED, .length = 8, .disabled = true};

	return debug_point_add(debug, &spec, OWNER_CONSOLE, err);
}

static void measure(struct machine *machine, struct debug *debug, int watch, struct bare_kvm *bare)
{
	double vitrine[ROUNDS], compared[ROUNDS], naked[ROUNDS], ratio[ROUNDS], slower[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double how_long;

		naked[i] = bare_round(bare);
		how_long = STEPS / (naked[i] + 1);
		vitrine[i] = vitrine_round(machine, debug, &a_range, how_long);
		debug_point_enable(debug, watch, true, NULL);
		compared[i] = vitrine_round(machine, debug, &a_run, how_long);
		debug_point_enable(debug, watch, false, NULL);
		ratio[i] = vitrine[i] / naked[i];
		slower[i] = compared[i] / naked[i];
	}
	printf("steps_vitrine %.0f steps/s\n", middle(vitrine));
	printf("steps_compared %.0f steps/s\n", middle(compared));
	printf("steps_bare %.0f steps/s\n", middle(naked));
	printf("steps_ratio %.3f ratio\n", middle(ratio));
	printf("steps_compared_ratio %.3f ratio\n", middle(slower));
}

int main(void)
{
	struct machine_config config = {
		.accel = &accel_kvm, .ram_size = 16 << 20, .vcpus = 1, .irqchip = IRQCHIP_KERNEL};
	struct debug_config debugging = {0};
	struct bare_kvm bare = {0};
	struct machine *machine;
	struct debug *debug;
	struct error err = {0};
	int watch = -1;

	debug_strategy_parse("watch=compare", &debugging.strategy, NULL);
	if (machine_create(&config, &machine, &err) < 0 || prepare(machine) < 0 ||
	    debug_create(machine, &debugging, &debug, &err) < 0 ||
	    (watch = add_watch(debug, &err)) < 0) {
		fprintf(stderr, "steps: %s\n", err.text);
		return 1;
	}
	if (bare_create(&bare, guest, sizeof(guest), 0) < 0) {
		fprintf(stderr, "steps: the bare loop: %s\n", strerror(errno));
		return 1;
	}
	measure(machine, debug, watch, &bare);
	debug_destroy(debug);
	machine_destroy(machine);
	return 0;
}
