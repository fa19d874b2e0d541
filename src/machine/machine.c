// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/machine.h"

#include "log.h"
#include "machine/devices.h"
#include "machine/exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- devices under their lock ------------------------------------------------------------ */

/* A coalesced write reaches its device as if it had exited. */
static void deliver_coalesced(void *ctx, bool pio, uint64_t addr, unsigned size, const void *data)
{
	struct machine *machine = ctx;
	uint8_t copy[8];

	if (size > sizeof(copy))
		return;
	memcpy(copy, data, size);
	bus_access(pio ? &machine->ports : &machine->mmio, addr, size, true, copy);
}

void machine_lock_devices(struct machine *machine)
{
	pthread_mutex_lock(&machine->device_lock);
	if (machine->vm->ops->coalesced_drain)
		machine->vm->ops->coalesced_drain(machine->vm, deliver_coalesced, machine);
}

void machine_unlock_devices(struct machine *machine)
{
	pthread_mutex_unlock(&machine->device_lock);
}

size_t machine_serial_input(struct machine *machine, unsigned port, const void *bytes, size_t size)
{
	size_t taken;

	machine_lock_devices(machine);
	taken = serial_receive(machine->serial[port], bytes, size);
	machine_unlock_devices(machine);
	return taken;
}

size_t machine_keys(struct machine *machine, const uint8_t *codes, size_t size)
{
	size_t taken;

	machine_lock_devices(machine);
	taken = i8042_keys(machine->keyboard, codes, size);
	machine_unlock_devices(machine);
	return taken;
}

void machine_disk_done(struct machine *machine, unsigned drive, uint64_t ticket, int rc,
		       const uint8_t *bytes)
{
	machine_lock_devices(machine);
	ide_done(machine->ide, drive, ticket, rc, bytes);
	machine_unlock_devices(machine);
}

void machine_irq(struct machine *machine, unsigned line, bool level)
{
	machine_lock_devices(machine);
	machine->host.irq(machine->host.ctx, line, level);
	machine_unlock_devices(machine);
}

void machine_serial_room(struct machine *machine, unsigned port)
{
	machine_lock_devices(machine);
	serial_transmit_ready(machine->serial[port]);
	machine_unlock_devices(machine);
}

void machine_timers(struct machine *machine)
{
	machine_lock_devices(machine);
	clock_run(&machine->clock);
	machine_unlock_devices(machine);
}

/* ---- creation ---------------------------------------------------------------------------- */

void machine_forget_observer(struct machine *machine)
{
	machine->observer = no_observer;
}

/* A host that cannot coalesce exits for each write instead: slower, never wrong. */
void machine_coalesce(struct machine *machine, const struct bus *bus, bool on)
{
	const struct accel_ops *ops = machine->vm->ops;
	bool pio = bus == &machine->ports;

	for (const struct bus_region *r = bus->regions; r; r = r->next)
		if (r->coalesced)
			(on ? ops->coalesce : ops->uncoalesce)(machine->vm, r->base, r->size, pio);
}

static int create_vm(struct machine *machine, struct error *err)
{
	const struct machine_config *config = &machine->config;
	struct accel_config accel = {.vcpus = config->vcpus,
				     .irqchip = config->irqchip == IRQCHIP_KERNEL,
				     .cpu_features = config->cpu_features,
				     .device = config->kvm_device,
				     .dummy = config->dummy};

	return config->accel->vm_create(&accel, &machine->vm, err);
}

static int start_vcpus(struct machine *machine, struct error *err)
{
	for (unsigned i = 0; i < machine->config.vcpus; i++) {
		int rc = vcpu_start(&machine->vcpus[i], machine, (int)i, err);

		if (rc < 0)
			return rc;
		machine->vcpu_count = i + 1;
	}
	return 0;
}

static int create_parts(struct machine *machine, struct error *err)
{
	int rc = create_vm(machine, err);

	if (rc == 0)
		rc = memory_create(machine->config.ram_size, machine->vm, &machine->memory, err);
	if (rc == 0)
		rc = devices_create(machine, err);
	if (rc < 0)
		return rc;
	machine_coalesce(machine, &machine->ports, true);
	machine_coalesce(machine, &machine->mmio, true);
	return start_vcpus(machine, err);
}

static int check_config(const struct machine_config *config, struct error *err)
{
	if (config->irqchip == IRQCHIP_USER && config->vcpus > 1)
		return error_set(
			err, -EINVAL,
			"-irqchip=user has no local interrupt controllers, so it carries one vCPU; "
			"use -smp 1 or leave -irqchip out");
	return 0;
}

static void log_unclaimed(void *ctx, const struct bus *bus, uint64_t addr,
			  const struct bus_access *access, const struct bus_region *region)
{
	(void)ctx;
	if (!region)
		log_debug("bus", "nobody answers: %s %s 0x%llx, %u byte%s: 0x%llx", bus->name,
			  access->write ? "write to" : "read from", (unsigned long long)addr,
			  access->size, access->size == 1 ? "" : "s",
			  (unsigned long long)access->value);
}

static struct machine *allocate(const struct machine_config *config)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->vcpus = calloc(config->vcpus, sizeof(*machine->vcpus));
	machine->config = *config;
	machine->observer = no_observer;
	machine->clock.fd = -1;
	machine->ports.name = "port";
	machine->mmio.name = "MMIO";
	if (config->trace_unclaimed)
		machine->ports.trace = machine->mmio.trace = log_unclaimed;
	devices_host(machine);
	pthread_mutex_init(&machine->device_lock, NULL);
	gate_init(&machine->gate, 0);
	if (machine->vcpus)
		return machine;
	machine_destroy(machine);
	return NULL;
}

int machine_create(const struct machine_config *config, struct machine **out, struct error *err)
{
	struct machine *machine;
	int rc = check_config(config, err);

	if (rc < 0)
		return rc;
	machine = allocate(config);
	if (!machine)
		return error_set(err, -ENOMEM, "out of memory");
	rc = sigbus_install(err);
	if (rc == 0)
		rc = clock_init(&machine->clock, err);
	if (rc == 0)
		rc = create_parts(machine, err);
	if (rc < 0) {
		machine_destroy(machine);
		return rc;
	}
	machine_time_anew(machine);
	*out = machine;
	return 0;
}

static void end_vcpus(struct machine *machine)
{
	pthread_mutex_lock(&machine->gate.lock);
	for (unsigned i = 0; i < machine->vcpu_count; i++)
		vcpu_kick(&machine->vcpus[i]);
	machine->gate.quit = true;
	pthread_cond_broadcast(&machine->gate.parked);
	pthread_mutex_unlock(&machine->gate.lock);
	for (unsigned i = 0; machine->vcpus && i < machine->config.vcpus; i++)
		vcpu_join(&machine->vcpus[i]);
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	end_vcpus(machine);
	if (machine->vm)
		machine->vm->ops->vm_destroy(machine->vm);
	while (machine->devices) {
		struct device *device = machine->devices;

		machine->devices = device->next;
		device->destroy(device);
	}
	memory_destroy(machine->memory);
	clock_destroy(&machine->clock);
	boot_free(&machine->boot);
	gate_destroy(&machine->gate);
	pthread_mutex_destroy(&machine->device_lock);
	free(machine->vcpus);
	free(machine);
}

size_t machine_device_write(struct machine *machine, uint64_t gpa, const void *buf, size_t len)
{
	return machine->observer.device_write(machine->observer.ctx, machine, gpa, buf, len);
}
