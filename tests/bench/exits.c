// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How many port I/O exits a second: vitrine's vCPU loop, with its table of exits, its device lock and
 * its bus, against a loop that does nothing but KVM_RUN. Both guests are the same three bytes. The two
 * take turns, so that whatever else the host does hits both; the middle round counts. The bare loop takes a
 * third turn with the flight recorder in it, which shows what that costs.
 *
 * One figure per line: name value unit.
 */
#include "bare_kvm.h"
#include "machine/machine.h"
#include "x86/mode.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CODE = BARE_CODE,
	PORT = 0x2ff, /* COM2's scratch register: a device that has nothing to do */
	ROUNDS = 41,
	ROUND_MS = 80,
};

static const uint8_t guest[] = {0xee, 0xeb, 0xfd}; /* 1: out dx, al; jmp 1b */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- vitrine ---------------------------------------------------------------------------- */

static int prepare_vitrine(struct machine *machine)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state || mem_write_phys(machine->memory, CODE, guest, sizeof(guest)) != sizeof(guest))
		return -EIO;
	cpu_segment_real(&state->system.seg[SEG_CS], 0);
	state->general.rip = CODE;
	state->general.gpr[GPR_RDX] = PORT;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	return 0;
}

static struct machine *create_vitrine(struct error *err)
{
	struct machine_config config = {
		.accel = &accel_kvm, .ram_size = 16 << 20, .vcpus = 1, .irqchip = IRQCHIP_KERNEL};
	struct machine *machine;

	if (machine_create(&config, &machine, err) < 0)
		return NULL;
	if (prepare_vitrine(machine) == 0)
		return machine;
	machine_destroy(machine);
	error_set(err, -EIO, "cannot put the guest into the machine");
	return NULL;
}

static void vitrine_start(struct machine *machine)
{
	pthread_mutex_lock(&machine->gate.lock);
	gate_set_plan(&machine->vcpus[0], VCPU_RUN);
	gate_open(machine);
	gate_wake(machine, gate_take_opened(&machine->gate));
	pthread_mutex_unlock(&machine->gate.lock);
}

static void vitrine_stop(struct machine *machine)
{
	pthread_mutex_lock(&machine->gate.lock);
	gate_hold_all(machine);
	gate_wait_parked(&machine->gate, 10000);
	pthread_mutex_unlock(&machine->gate.lock);
}

static double vitrine_round(struct machine *machine)
{
	uint64_t before = recorder_exits(&machine->vcpus[0].recorder, EXIT_IO);
	double start = seconds();

	vitrine_start(machine);
	usleep(ROUND_MS * 1000);
	vitrine_stop(machine);
	return (double)(recorder_exits(&machine->vcpus[0].recorder, EXIT_IO) - before) /
	       (seconds() - start);
}

/* ---- the bare loop ---------------------------------------------------------------------- */

struct bare {
	struct bare_kvm vm;
	atomic_bool stop;
	uint64_t exits;
	struct recorder *recorder; /* NULL: none */
};

static void record(struct bare *bare)
{
	struct kvm_run *run = bare->vm.run;
	struct vm_exit exit = {.reason = EXIT_IO,
			       .name = "KVM_EXIT_IO",
			       .io = {.port = run->io.port,
				      .size = run->io.size,
				      .write = run->io.direction == KVM_EXIT_IO_OUT,
				      .count = run->io.count,
				      .data = (uint8_t *)run + run->io.data_offset}};

	recorder_leave(bare->recorder, &exit);
	recorder_keep(bare->recorder, &exit);
}

static void *bare_loop(void *argument)
{
	struct bare *bare = argument;

	while (!atomic_load_explicit(&bare->stop, memory_order_relaxed)) {
		if (bare->recorder)
			recorder_enter(bare->recorder);
		if (ioctl(bare->vm.vcpu, KVM_RUN, 0) < 0 ||
		    bare->vm.run->exit_reason != KVM_EXIT_IO)
			break;
		if (bare->recorder)
			record(bare);
		bare->exits++;
	}
	return NULL;
}

static double bare_round(struct bare *bare, struct recorder *recorder)
{
	double start = seconds();
	pthread_t thread;

	bare->exits = 0;
	bare->recorder = recorder;
	atomic_store(&bare->stop, false);
	if (pthread_create(&thread, NULL, bare_loop, bare))
		return 0;
	usleep(ROUND_MS * 1000);
	atomic_store(&bare->stop, true);
	pthread_join(thread, NULL);
	return (double)bare->exits / (seconds() - start);
}

/* ---- both ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static void measure(struct machine *machine, struct bare *bare)
{
	double vitrine[ROUNDS], naked[ROUNDS], ratio[ROUNDS], recorded[ROUNDS];
	struct recorder *recorder = &machine->vcpus[0].recorder;

	vitrine_round(machine);
	bare_round(bare, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		vitrine[i] = vitrine_round(machine);
		naked[i] = bare_round(bare, NULL);
		ratio[i] = vitrine[i] / naked[i];
		recorded[i] = bare_round(bare, recorder) / naked[i];
	}
	printf("exits_vitrine %.0f exits/s\n", middle(vitrine));
	printf("exits_bare %.0f exits/s\n", middle(naked));
	printf("exits_ratio %.3f ratio\n", middle(ratio));
	printf("exits_recorded %.3f ratio\n", middle(recorded));
}

int main(void)
{
	struct bare bare = {0};
	struct error err = {0};
	struct machine *machine = create_vitrine(&err);

	if (!machine) {
		fprintf(stderr, "exits: %s\n", err.text);
		return 1;
	}
	if (bare_create(&bare.vm, guest, sizeof(guest), PORT) < 0) {
		fprintf(stderr, "exits: the bare loop: %s\n", strerror(errno));
		return 1;
	}
	measure(machine, &bare);
	machine_destroy(machine);
	return 0;
}
