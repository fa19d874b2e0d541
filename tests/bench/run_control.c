// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the debugger costs, on the host's KVM: from asking for a pause until the last of N vCPUs is
 * parked, and from there until all run again; a single step; and a breakpoint's round trip, that
 * is, from one hit to the next with the step off it in between. The vCPUs count in loops. The
 * middle of many rounds counts, and for pauses what one in a hundred exceeds.
 *
 * One figure per line: name value unit.
 */
#include "debug/debug.h"
#include "machine/machine.h"
#include "x86/mode.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CODE = 0x1000, ROUNDS = 401, MOST_VCPUS = 8 };

static const uint8_t loop[] = {0x40, 0x90, 0xeb, 0xfc}; /* 1: inc %eax; nop; jmp 1b */

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_middle(const char *name, unsigned vcpus, double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), ascending);
	printf("%s_%uvcpu %.1f us\n", name, vcpus, values[ROUNDS / 2]);
}

/* After print_middle(), which sorts. */
static void print_p99(const char *name, unsigned vcpus, const double *values)
{
	printf("%s_p99_%uvcpu %.1f us\n", name, vcpus, values[ROUNDS * 99 / 100]);
}

/* Each in flat 32-bit mode, runnable without INIT and SIPI. */
static int prepare(struct machine *machine)
{
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];
		struct cpu_state *s = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

		if (!s)
			return -1;
		for (int n = 0; n < 6; n++)
			cpu_segment_flat(&s->system.seg[n], n == SEG_CS ? 8 : 16, n == SEG_CS, 32);
		s->system.cr0 = CR0_PE;
		s->general.rip = CODE;
		s->events.run_state = CPU_RUNNABLE;
		vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	}
	return mem_write_phys(machine->memory, CODE, loop, sizeof(loop)) == sizeof(loop) ? 0 : -1;
}

static int wait_stop(struct debug *debug)
{
	struct pollfd fd = {.fd = debug_event_fd(debug), .events = POLLIN};

	while (debug_running(debug))
		if (poll(&fd, 1, 10000) != 1)
			return -1;
	debug_dispatch(debug);
	return 0;
}

static int pauses(struct debug *debug, unsigned vcpus)
{
	static double down[ROUNDS], up[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		const struct timespec while_it_runs = {.tv_nsec = 300000};
		double start = microseconds();

		if (debug_continue(debug, OWNER_NONE, NULL) < 0)
			return -1;
		up[i] = microseconds() - start;
		nanosleep(&while_it_runs, NULL);
		start = microseconds();
		if (debug_pause_wait(debug, OWNER_NONE, 10000) < 0)
			return -1;
		down[i] = microseconds() - start;
		debug_dispatch(debug);
	}
	print_middle("pause", vcpus, down);
	print_p99("pause", vcpus, down);
	print_middle("resume", vcpus, up);
	return 0;
}

static int go_to_stop(struct debug *debug, bool step)
{
	int rc = step ? debug_step(debug, 0, OWNER_NONE, NULL)
		      : debug_continue(debug, OWNER_NONE, NULL);

	return rc < 0 ? rc : wait_stop(debug);
}

static int stops(struct debug *debug, unsigned vcpus, bool step)
{
	static double took[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = microseconds();

		if (go_to_stop(debug, step) < 0)
			return -1;
		took[i] = microseconds() - start;
	}
	print_middle(step ? "step" : "breakpoint", vcpus, took);
	return 0;
}

static int measure(struct debug *debug, unsigned vcpus)
{
	struct point_spec spec = {.address = CODE + 1};

	if (pauses(debug, vcpus) < 0 || stops(debug, vcpus, true) < 0)
		return -1;
	if (debug_point_add(debug, &spec, OWNER_NONE, NULL) < 0)
		return -1;
	return stops(debug, vcpus, false);
}

static int bench(unsigned vcpus, struct error *err)
{
	const struct debug_config debug_config = {0};
	struct machine_config config = {.accel = &accel_kvm, .ram_size = 1 << 20, .vcpus = vcpus};
	struct machine *machine;
	struct debug *debug;
	int rc = machine_create(&config, &machine, err);

	if (rc < 0)
		return rc;
	rc = prepare(machine);
	if (rc == 0)
		rc = debug_create(machine, &debug_config, &debug, err);
	if (rc == 0) {
		rc = measure(debug, vcpus);
		debug_destroy(debug);
	}
	machine_destroy(machine);
	return rc;
}

int main(void)
{
	for (unsigned vcpus = 1; vcpus <= MOST_VCPUS; vcpus *= 2) {
		struct error err = {.text = "the machine did not do as it was told"};

		if (bench(vcpus, &err) < 0) {
			fprintf(stderr, "run_control: %s\n", err.text);
			return 1;
		}
	}
	return 0;
}
