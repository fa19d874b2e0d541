// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All of a machine but its RAM. Devices are loaded first: they tell their interrupt lines' levels, which
 * brings the lines up to date and disturbs the controllers; these are loaded behind them, and with them
 * what of those interrupts is still on its way. What hangs on today's host comes last.
 */
#include "machine/snapshot.h"

#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOP_PART "loop"

/* Of struct vcpu what belongs to the guest, little-endian. */
struct loop_part {
	uint8_t halted;
};

int machine_parts_init(struct machine_parts *parts, unsigned vcpus)
{
	*parts = (struct machine_parts){.vcpu_count = vcpus};
	parts->vcpu = calloc(vcpus, sizeof(*parts->vcpu));
	return parts->vcpu ? 0 : -ENOMEM;
}

void machine_parts_free(struct machine_parts *parts)
{
	parts_free(&parts->vm);
	parts_free(&parts->devices);
	for (unsigned i = 0; parts->vcpu && i < parts->vcpu_count; i++)
		parts_free(&parts->vcpu[i]);
	free(parts->vcpu);
	*parts = (struct machine_parts){0};
}

size_t machine_parts_size(const struct machine_parts *parts)
{
	size_t size = parts_size(&parts->vm) + parts_size(&parts->devices);

	for (unsigned i = 0; i < parts->vcpu_count; i++)
		size += parts_size(&parts->vcpu[i]);
	return size;
}

/* ---- saving -------------------------------------------------------------------------------- */

/* An exception that is to be given back with the next run becomes one that is pending in the CPU, and
 * registers that were changed go where they are saved from. */
static int flush(struct vcpu *vcpu)
{
	int rc = vcpu_flush(vcpu);

	if (rc == 0 && vcpu->debug.inject >= 0)
		rc = vcpu->accel->ops->debug_set(vcpu->accel, &vcpu->debug);
	vcpu->debug.inject = -1;
	/* Asking may start a vCPU that others have sent a startup IPI. */
	vcpu->valid = 0;
	return rc;
}

static int save_vcpu(struct vcpu *vcpu, struct parts *out, struct error *err)
{
	struct loop_part loop = {.halted = vcpu->halted};
	int rc = flush(vcpu);

	if (rc == 0)
		rc = vcpu->accel->ops->vcpu_save(vcpu->accel, out);
	if (rc < 0)
		return error_set(err, rc, "cannot save the state of vCPU %d: %s", vcpu->index,
				 strerror(-rc));
	parts_put(out, LOOP_PART, &loop, sizeof(loop));
	return out->error;
}

static int save_device(const struct device *device, struct parts *out, struct error *err)
{
	struct device_stream stream = {0};

	device->save(device, &stream);
	if (stream.error == 0)
		parts_put(out, device->name, stream.bytes, stream.size);
	stream_free(&stream);
	if (stream.error == 0 && out->error == 0)
		return 0;
	return error_set(err, -ENOMEM, "cannot save the state of %s", device->name);
}

static int save_devices(struct machine *machine, struct parts *out, struct error *err)
{
	int rc = 0;

	machine_lock_devices(machine);
	for (const struct device *d = machine->devices; rc == 0 && d; d = d->next)
		rc = save_device(d, out, err);
	machine_unlock_devices(machine);
	return rc;
}

static int save_vm(struct machine *machine, struct parts *out, struct error *err)
{
	int rc = machine->vm->ops->vm_save(machine->vm, out);

	return rc < 0 ? error_set(err, rc, "cannot save the state of the controllers: %s",
				  strerror(-rc))
		      : 0;
}

int machine_parts_save(struct machine *machine, struct machine_parts *parts, struct error *err)
{
	int rc = machine_parts_init(parts, machine->vcpu_count);

	if (rc < 0)
		return error_set(err, rc, "out of memory");
	parts->guest_time = clock_now(&machine->clock);
	rc = save_vm(machine, &parts->vm, err);
	for (unsigned i = 0; rc == 0 && i < machine->vcpu_count; i++)
		rc = save_vcpu(&machine->vcpus[i], &parts->vcpu[i], err);
	if (rc == 0)
		rc = save_devices(machine, &parts->devices, err);
	if (rc < 0)
		machine_parts_free(parts);
	return rc;
}

/* ---- whether they fit ---------------------------------------------------------------------- */

static const struct device *device_named(const struct machine *machine, const char *name)
{
	const struct device *d = machine->devices;

	while (d && strcmp(d->name, name))
		d = d->next;
	return d;
}

static int devices_fit(const struct machine *machine, const struct parts *in, struct error *err)
{
	for (unsigned i = 0; i < in->count; i++)
		if (!device_named(machine, in->part[i].name))
			return error_set(
				err, -EINVAL,
				"the snapshot has a device \"%s\" and this machine has "
				"not: start vitrine with the options that it was made with",
				in->part[i].name);
	for (const struct device *d = machine->devices; d; d = d->next)
		if (!parts_find(in, d->name))
			return error_set(
				err, -EINVAL,
				"this machine has a device \"%s\" and the snapshot has "
				"not: start vitrine with the options that it was made with",
				d->name);
	return 0;
}

static int vcpu_fits(struct vcpu *vcpu, const struct parts *in, struct error *err)
{
	int rc = parts_check(in, LOOP_PART, sizeof(struct loop_part), err);

	return rc < 0 ? rc : vcpu->accel->ops->vcpu_fits(vcpu->accel, in, err);
}

int machine_parts_fit(struct machine *machine, const struct machine_parts *parts, struct error *err)
{
	int rc = machine->vm->ops->vm_fits(machine->vm, &parts->vm, err);

	if (rc == 0)
		rc = devices_fit(machine, &parts->devices, err);
	for (unsigned i = 0; rc == 0 && i < machine->vcpu_count; i++)
		rc = vcpu_fits(&machine->vcpus[i], &parts->vcpu[i], err);
	return rc;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* A device reads all that it saved, or it is another device. */
static int load_device(struct device *device, const struct parts *in, struct error *err)
{
	const struct named_part *part = parts_find(in, device->name);
	struct device_stream stream = {0};
	int rc = -EINVAL;

	if (part) {
		stream.bytes = part->bytes;
		stream.size = stream.capacity = part->size;
		rc = device->load(device, &stream);
	}
	if (rc == 0 && stream.position != stream.size)
		rc = -EINVAL;
	return rc < 0 ? error_set(err, rc, "the snapshot's state of %s is none that it can have",
				  device->name)
		      : 0;
}

/* Before anything is loaded: what hangs on more than the machine, such as the disks' images. */
static int ask_devices(const struct machine *machine, const struct parts *in, struct error *err)
{
	int rc = 0;

	for (const struct device *d = machine->devices; rc == 0 && d; d = d->next) {
		const struct named_part *part = parts_find(in, d->name);
		struct device_stream stream = {0};

		if (!d->fits || !part)
			continue;
		stream.bytes = part->bytes;
		stream.size = stream.capacity = part->size;
		rc = d->fits(d, &stream, err);
	}
	return rc;
}

/* Locking delivers what the guest wrote last; then it is forgotten. */
static int load_devices(struct machine *machine, const struct machine_parts *parts,
			struct error *err)
{
	int rc = 0;

	machine_lock_devices(machine);
	rc = ask_devices(machine, &parts->devices, err);
	if (rc == 0)
		clock_set(&machine->clock, parts->guest_time);
	for (struct device *d = machine->devices; rc == 0 && d; d = d->next)
		rc = load_device(d, &parts->devices, err);
	machine_unlock_devices(machine);
	return rc;
}

static int load_vcpu(struct vcpu *vcpu, const struct parts *in, struct error *err)
{
	struct loop_part loop;
	int rc = parts_get(in, LOOP_PART, &loop, sizeof(loop));

	if (rc < 0 || loop.halted > 1)
		return error_set(err, -EINVAL, "the snapshot's state of vCPU %d is none",
				 vcpu->index);
	rc = vcpu->accel->ops->vcpu_load(vcpu->accel, in, err);
	vcpu->halted = loop.halted;
	vcpu->completion_due = false;
	vcpu->valid = vcpu->dirty = 0;
	vcpu->debug.inject = -1;
	vcpu->debug_changed = true;
	return rc;
}

/* Whoever the ports are connected to was not saved, and may have room for output now. */
static void meet_today(struct machine *machine)
{
	for (unsigned port = 0; port < 2; port++) {
		const struct serial_backend *backend = &machine->config.serial[port];

		if (!backend->has_room || backend->has_room(backend->ctx))
			machine_serial_room(machine, port);
	}
}

int machine_parts_load(struct machine *machine, const struct machine_parts *parts,
		       struct error *err)
{
	const struct accel_ops *ops = machine->vm->ops;
	int rc = load_devices(machine, parts, err);

	if (rc == 0)
		rc = ops->vm_load(machine->vm, &parts->vm, err);
	for (unsigned i = 0; rc == 0 && i < machine->vcpu_count; i++)
		rc = load_vcpu(&machine->vcpus[i], &parts->vcpu[i], err);
	if (rc == 0)
		rc = ops->vm_load_clocks(machine->vm, &parts->vm, err);
	if (rc == 0)
		meet_today(machine);
	return rc;
}
