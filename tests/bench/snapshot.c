// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What snapshots cost, against how much memory changed: a guest writes so many pages, the machine is saved,
 * the guest writes them again, and it is restored. First once for a whole gigabyte, then for less. The
 * middle of several rounds counts. And what the log of changed pages costs the guest: the first write to
 * each page after a save.
 *
 * One figure per line: name value unit.
 */
#include "machine/snapshot.h"
#include "x86/mode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	RAM = 1 << 30,
	CODE = 0x2000,
	FIRST = 16 << 20, /* where the guest's writing begins */
	ROUNDS = 9,
	PAGE = 4096,
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(int rc, const struct error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench snapshot: %s\n", err->text);
	exit(1);
}

/* ---- the guest ------------------------------------------------------------------------------ */

/* loop: mov [edi], eax; add edi, 4096; dec ecx; jne loop; hlt */
static const uint8_t guest[] = {0x89, 0x07, 0x81, 0xc7, 0x00, 0x10,
				0x00, 0x00, 0x49, 0x75, 0xf5, 0xf4};

static struct machine *create(void)
{
	struct machine_config config = {
		.accel = &accel_kvm, .ram_size = RAM, .vcpus = 1, .irqchip = IRQCHIP_USER};
	struct machine *machine;
	struct error err = {0};

	check(machine_create(&config, &machine, &err), &err);
	mem_write_phys(machine->memory, CODE, guest, sizeof(guest));
	return machine;
}

static void place(struct machine *machine, uint64_t pages, uint64_t value)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 32);
	state->system.cr0 = CR0_PE;
	state->general.rip = CODE;
	state->general.gpr[GPR_RDI] = FIRST;
	state->general.gpr[GPR_RCX] = pages;
	state->general.gpr[GPR_RAX] = value;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	vcpu->halted = false;
}

/* Until hlt; then the vCPU sleeps, and is parked. Seconds. */
static double run(struct machine *machine, uint64_t pages, uint64_t value)
{
	struct gate *gate = &machine->gate;
	struct timespec little = {.tv_nsec = 20000};
	double start = seconds();
	uint32_t last = 0;

	place(machine, pages, value);
	pthread_mutex_lock(&gate->lock);
	gate_set_plan(&machine->vcpus[0], VCPU_RUN);
	gate_open(machine);
	gate_wake(machine, gate_take_opened(&machine->gate));
	pthread_mutex_unlock(&gate->lock);
	do {
		nanosleep(&little, NULL);
		mem_read_phys(machine->memory, FIRST + (pages - 1) * PAGE, &last, sizeof(last));
	} while (last != (uint32_t)value);
	start = seconds() - start;
	pthread_mutex_lock(&gate->lock);
	gate_hold_all(machine);
	gate_wait_parked(gate, 10000);
	pthread_mutex_unlock(&gate->lock);
	return start;
}

/* ---- figures -------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double middle(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static void print(const char *what, const char *amount, double value, const char *unit)
{
	printf("snapshot_%s_%s %.3f %s\n", what, amount, value, unit);
}

static double time_save(struct snapshots *snapshots, const char *name)
{
	struct error err = {0};
	double start = seconds();

	check(snapshots_save(snapshots, name, &err), &err);
	return seconds() - start;
}

static double time_restore(struct snapshots *snapshots, const char *name)
{
	struct error err = {0};
	double start = seconds();

	check(snapshots_restore(snapshots, name, &err), &err);
	return seconds() - start;
}

static void measure(struct snapshots *snapshots, const char *amount, uint64_t bytes)
{
	struct machine *machine = snapshots->machine;
	uint64_t pages = bytes / PAGE;
	double save[ROUNDS], restore[ROUNDS], first[ROUNDS], again[ROUNDS];
	static uint32_t value = 100;

	for (int i = 0; i < ROUNDS; i++) {
		if (pages)
			run(machine, pages, ++value);
		save[i] = time_save(snapshots, "round");
		if (pages) {
			first[i] = run(machine, pages, ++value);
			again[i] = run(machine, pages, ++value);
		}
		restore[i] = time_restore(snapshots, "round");
	}
	print("save", amount, middle(save) * 1e3, "ms");
	print("restore", amount, middle(restore) * 1e3, "ms");
	if (pages >= 1024) {
		print("logged_first_write", amount, middle(first) / (double)pages * 1e6, "us/page");
		print("logged_next_write", amount, middle(again) / (double)pages * 1e6, "us/page");
	}
}

/* All of RAM in use: what the first snapshot costs, and the file. */
static void measure_all(struct snapshots *snapshots)
{
	uint64_t pages = (RAM - FIRST) / PAGE;
	char file[64];
	struct error err = {0};
	double start;

	run(snapshots->machine, pages, 1);
	print("first_save", "1GiB", time_save(snapshots, "all") * 1e3, "ms");
	snprintf(file, sizeof(file), "/tmp/vitrine-bench-%d", (int)getpid());
	start = seconds();
	check(snapshots_write(snapshots, "all", file, &err), &err);
	print("write", "1GiB", (seconds() - start) * 1e3, "ms");
	start = seconds();
	check(snapshots_read(snapshots, file, "read", &err), &err);
	print("read", "1GiB", (seconds() - start) * 1e3, "ms");
	unlink(file);
	check(snapshots_delete(snapshots, "read", &err), &err);
}

int main(void)
{
	struct machine *machine = create();
	struct snapshots *snapshots = snapshots_new(machine);

	if (!snapshots)
		return 1;
	measure_all(snapshots);
	measure(snapshots, "0", 0);
	measure(snapshots, "64KiB", 64 << 10);
	measure(snapshots, "1MiB", 1 << 20);
	measure(snapshots, "16MiB", 16 << 20);
	measure(snapshots, "256MiB", 256 << 20);
	snapshots_free(snapshots);
	machine_destroy(machine);
	return 0;
}
