// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How often a second a breakpoint's condition can be false, on the host's KVM, all vCPUs counted: on nop,
 * which vitrine executes itself, and on pushf, which is stepped with everybody else held. vCPUs loop over
 * it in flat 32-bit mode.
 *
 * One figure per line: name value unit.
 */
#include "debug/debug.h"
#include "machine/machine.h"
#include "x86/mode.h"

#include <stdio.h>
#include <time.h>

enum { CODE = 0x1000, STACK = 0x8000, MOST_VCPUS = 4, MILLISECONDS = 1500 };
enum { NOP = 0x90, PUSHF = 0x9c };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Runnable without INIT and SIPI; the stack is put right in each round. */
static int prepare(struct machine *machine, uint8_t instruction)
{
	const uint8_t loop[] = {0x40, instruction, 0x89, 0xec, 0xeb, 0xfa}; /* mov %ebp,%esp */

	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];
		struct cpu_state *s = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

		if (!s)
			return -1;
		for (int n = 0; n < 6; n++)
			cpu_segment_flat(&s->system.seg[n], n == SEG_CS ? 8 : 16, n == SEG_CS, 32);
		s->system.cr0 = CR0_PE;
		s->general.rip = CODE;
		s->general.gpr[GPR_RSP] = s->general.gpr[GPR_RBP] = STACK + 0x100 * i;
		s->events.run_state = CPU_RUNNABLE;
		vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	}
	return mem_write_phys(machine->memory, CODE, loop, sizeof(loop)) == sizeof(loop) ? 0 : -1;
}

static int add_point(struct debug *debug)
{
	struct point_spec spec = {.address = CODE + 1};
	struct program_builder builder = {0};
	struct program *never;
	int number = debug_point_add(debug, &spec, OWNER_NONE, NULL);

	program_append(&builder, PROGRAM_CONST, 0);
	program_append(&builder, PROGRAM_END, 0);
	if (number < 0 || program_finish(&builder, "0", &never, NULL) < 0)
		return -1;
	return debug_point_condition(debug, number, never, NULL);
}

static int measure(struct debug *debug, const char *name, unsigned vcpus)
{
	const struct timespec while_it_runs = {.tv_sec = MILLISECONDS / 1000,
					       .tv_nsec = MILLISECONDS % 1000 * 1000000};
	double start = seconds();

	if (add_point(debug) < 0 || debug_continue(debug, OWNER_NONE, NULL) < 0)
		return -1;
	nanosleep(&while_it_runs, NULL);
	if (debug_pause_wait(debug, OWNER_NONE, 10000) < 0)
		return -1;
	printf("false_conditions_%s_%uvcpu %.0f 1/s\n", name, vcpus,
	       (double)debug_point_next(debug, NULL)->evaluations / (seconds() - start));
	return 0;
}

static int bench(const char *name, uint8_t instruction, unsigned vcpus, struct error *err)
{
	const struct debug_config debug_config = {0};
	struct machine_config config = {.accel = &accel_kvm, .ram_size = 1 << 20, .vcpus = vcpus};
	struct machine *machine;
	struct debug *debug;
	int rc = machine_create(&config, &machine, err);

	if (rc < 0)
		return rc;
	rc = prepare(machine, instruction);
	if (rc == 0)
		rc = debug_create(machine, &debug_config, &debug, err);
	if (rc == 0) {
		rc = measure(debug, name, vcpus);
		debug_destroy(debug);
	}
	machine_destroy(machine);
	return rc;
}

int main(void)
{
	struct error err = {.text = "the machine did not do as it was told"};

	for (unsigned vcpus = 1; vcpus <= MOST_VCPUS; vcpus *= 2) {
		if (bench("simulated", NOP, vcpus, &err) < 0 ||
		    bench("stepped", PUSHF, vcpus, &err) < 0) {
			fprintf(stderr, "conditions: %s\n", err.text);
			return 1;
		}
	}
	return 0;
}
