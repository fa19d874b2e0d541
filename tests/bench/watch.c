// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a write costs that lies on a watched page and touches no watched byte: the exit, and finding out that it
 * means nothing. Against a loop that does nothing but KVM_RUN on a guest that writes to where no memory is, which
 * is the same exit. With one vCPU, and with two, where the writer's instruction must be looked at, too. The two
 * take turns; the middle round counts.
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

enum { ROUNDS = 21, WRITES = 10000, SEGMENT = 1, WATCHED_PAGE = 0x8000, NO_MEMORY = 0xb8000 };

/* mov $segment,%ax; mov %ax,%ds; 1: mov %ax,0; jmp 1b */
static const uint8_t guest[] = {0xb8, 0, 0, 0x8e, 0xd8, 0xa3, 0, 0, 0xeb, 0xfb};

static void make_guest(uint8_t code[sizeof(guest)], uint32_t where)
{
	const uint16_t segment = (uint16_t)(where >> 4);

	memcpy(code, guest, sizeof(guest));
	memcpy(code + SEGMENT, &segment, sizeof(segment));
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- vitrine ---------------------------------------------------------------------------- */

struct watched {
	struct machine *machine;
	struct debug *debug;
};

static int prepare(struct machine *machine)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	uint8_t code[sizeof(guest)];

	make_guest(code, WATCHED_PAGE);
	if (!state ||
	    mem_write_phys(machine->memory, BARE_CODE, code, sizeof(code)) != sizeof(code))
		return -EIO;
	cpu_segment_real(&state->system.seg[SEG_CS], 0);
	state->general.rip = BARE_CODE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	return vcpu_flush(vcpu);
}

static int watched_create(struct watched *w, unsigned vcpus, struct error *err)
{
	struct machine_config config = {.accel = &accel_kvm,
					.ram_size = 16 << 20,
					.vcpus = vcpus,
					.irqchip = IRQCHIP_KERNEL};
	const struct point_spec spec = {
		.kind = POINT_WRITE, .address = WATCHED_PAGE + 0x100, .length = 8};
	struct debug_config debugging = {0};

	debug_strategy_parse("watch=page", &debugging.strategy, NULL);
	if (machine_create(&config, &w->machine, err) < 0 || prepare(w->machine) < 0 ||
	    debug_create(w->machine, &debugging, &w->debug, err) < 0)
		return -1;
	return debug_point_add(w->debug, &spec, OWNER_CONSOLE, err);
}

static void watched_destroy(struct watched *w)
{
	debug_destroy(w->debug);
	machine_destroy(w->machine);
}

static double watched_round(struct watched *w, double how_long)
{
	const struct recorder *recorder = &w->machine->vcpus[0].recorder;
	uint64_t before = recorder_exits(recorder, EXIT_MMIO);
	double start = seconds();

	if (debug_continue(w->debug, OWNER_CONSOLE, NULL) < 0)
		return 0;
	poll(NULL, 0, (int)(how_long * 1e3));
	if (debug_pause_wait(w->debug, OWNER_CONSOLE, 10000) < 0)
		return 0;
	debug_dispatch(w->debug);
	return (double)(recorder_exits(recorder, EXIT_MMIO) - before) / (seconds() - start);
}

/* ---- the bare loop ---------------------------------------------------------------------- */

static double bare_round(struct bare_kvm *bare)
{
	double start = seconds();

	for (int i = 0; i < WRITES; i++)
		if (ioctl(bare->vcpu, KVM_RUN, 0) < 0 || bare->run->exit_reason != KVM_EXIT_MMIO)
			return 0;
	return WRITES / (seconds() - start);
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

static int measure(struct bare_kvm *bare, unsigned vcpus)
{
	double watched[ROUNDS], naked[ROUNDS], ratio[ROUNDS];
	struct watched w = {0};
	struct error err = {0};

	if (watched_create(&w, vcpus, &err) < 0) {
		fprintf(stderr, "watch: %s\n", err.text);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		naked[i] = bare_round(bare);
		watched[i] = watched_round(&w, WRITES / (naked[i] + 1));
		ratio[i] = watched[i] / naked[i];
	}
	printf("watch_unrelated_write_%uvcpu %.2f us\n", vcpus, 1e6 / middle(watched));
	printf("watch_bare_mmio %.2f us\n", 1e6 / middle(naked));
	printf("watch_ratio_%uvcpu %.3f ratio\n", vcpus, middle(ratio));
	watched_destroy(&w);
	return 0;
}

int main(void)
{
	struct bare_kvm bare = {0};
	uint8_t code[sizeof(guest)];

	make_guest(code, NO_MEMORY);
	if (bare_create(&bare, code, sizeof(code), 0) < 0) {
		fprintf(stderr, "watch: the bare loop: %s\n", strerror(errno));
		return 1;
	}
	return measure(&bare, 1) || measure(&bare, 2);
}
