// SPDX-License-Identifier: GPL-3.0-or-later
/* Power-on, again: the boot image into RAM, devices, controllers and vCPUs to their start. */
#include "machine/machine.h"

#include <errno.h>
#include <string.h>

static bool place_segment(struct memory *memory, const struct boot_segment *s)
{
	if (s->movable)
		return memory_take(memory, s->gpa, (void *)s->data, s->data_size) == s->data_size;
	memory_populate(memory, s->gpa, s->data_size);
	return mem_write_phys(memory, s->gpa, s->data, s->data_size) == s->data_size;
}

static int place_segments(struct machine *machine, struct error *err)
{
	const struct boot_image *image = &machine->boot;

	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];

		if (!place_segment(machine->memory, s))
			return error_set(
				err, -EFAULT,
				"%s does not fit at 0x%llx (%llu bytes): give more memory with -m",
				s->what, (unsigned long long)s->gpa,
				(unsigned long long)s->data_size);
	}
	return 0;
}

/* The image says where the first vCPU starts; what it does not say stays as after power-on. */
static int place_start(struct machine *machine, struct error *err)
{
	struct vcpu *first = &machine->vcpus[0];
	struct cpu_state *state = vcpu_state(first, CPU_GENERAL | CPU_SYSTEM);
	uint64_t apic_base;
	int rc;

	if (!state)
		return error_set(err, -EIO, "cannot read the registers of vCPU 0");
	apic_base = state->system.apic_base;
	state->general = machine->boot.start.general;
	state->system = machine->boot.start.system;
	state->system.apic_base = apic_base;
	vcpu_dirty(first, CPU_GENERAL | CPU_SYSTEM);
	rc = vcpu_flush(first);
	if (rc < 0)
		return error_set(err, rc, "this host refuses the start state of %s: %s",
				 machine->boot.protocol, strerror(-rc));
	return 0;
}

static int place(struct machine *machine, struct error *err)
{
	int rc;

	if (!machine->booted)
		return 0;
	rc = boot_prepare(&machine->boot, err);
	if (rc < 0)
		return rc;
	rc = place_segments(machine, err);
	boot_given(&machine->boot);
	return rc < 0 ? rc : place_start(machine, err);
}

static int reset_hardware(struct machine *machine, struct error *err)
{
	int rc;

	machine_lock_devices(machine);
	for (struct device *d = machine->devices; d; d = d->next)
		d->reset(d);
	machine_unlock_devices(machine);
	rc = machine->vm->ops->vm_reset(machine->vm);
	if (rc < 0)
		return error_set(err, rc, "cannot reset the interrupt controllers: %s",
				 strerror(-rc));
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		rc = vcpu_reset(&machine->vcpus[i]);
		if (rc < 0)
			return error_set(err, rc, "cannot reset vCPU %u: %s", i, strerror(-rc));
	}
	return 0;
}

int machine_reset(struct machine *machine, struct error *err)
{
	int rc;

	machine_time_anew(machine);
	rc = reset_hardware(machine, err);
	if (rc == 0 && memory_clear(machine->memory) < 0)
		rc = error_set(err, -EFAULT, "cannot clear guest RAM: the host lost a page of it");
	if (rc == 0)
		rc = place(machine, err);
	machine_time_anew(machine);
	return rc;
}

int machine_boot(struct machine *machine, struct boot_image *image, struct error *err)
{
	boot_free(&machine->boot);
	machine->boot = *image;
	memset(image, 0, sizeof(*image));
	machine->booted = true;
	fw_cfg_tell_boot(machine);
	machine_time_anew(machine);
	return place(machine, err);
}
