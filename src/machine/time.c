// SPDX-License-Identifier: GPL-3.0-or-later
/* Guest time, all of it: the devices' clock and what the accelerator keeps. */
#include "machine/machine.h"

/* Shorter pauses are as common as a busy host, and are not worth the system calls. */
#define NOTICED_NS 1000000

void machine_time_stops(struct machine *machine)
{
	const struct accel_ops *ops = machine->vm->ops;

	if (!machine->time_runs)
		return;
	machine->time_runs = false;
	clock_stop(&machine->clock);
	if (ops->time_stops)
		ops->time_stops(machine->vm);
}

void machine_time_anew(struct machine *machine)
{
	const struct accel_ops *ops = machine->vm->ops;

	if (!machine->time_runs && ops->time_stops)
		ops->time_stops(machine->vm);
}

/* A guest that cannot be kept from seeing that time has passed is told why. */
static void end_pause(struct machine *machine, const struct accel_pause *pause)
{
	const struct accel_ops *ops = machine->vm->ops;
	bool stands = machine->config.stopped_clock == CLOCK_STANDS;

	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		struct accel_vcpu *vcpu = machine->vcpus[i].accel;

		if (!stands || ops->vcpu_skip(vcpu, pause) < 0)
			ops->vcpu_tell_pause(vcpu);
	}
	if (stands)
		ops->skip(machine->vm, pause);
}

void machine_time_starts(struct machine *machine)
{
	const struct accel_ops *ops = machine->vm->ops;
	struct accel_pause pause = {0};

	if (machine->time_runs)
		return;
	machine->time_runs = true;
	if (ops->time_starts)
		pause = ops->time_starts(machine->vm);
	clock_start(&machine->clock, machine->config.stopped_clock == CLOCK_FOLLOWS_HOST);
	if (pause.ns >= NOTICED_NS)
		end_pause(machine, &pause);
}
