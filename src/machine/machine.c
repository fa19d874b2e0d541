// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/machine.h"

#include "log.h"
#include "machine/exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* ---- what devices may ask of the machine ------------------------------------------------- */

static void host_irq(void *ctx, unsigned line, bool level)
{
	struct machine *machine = ctx;

	if (machine->pic)
		pic_set(machine->pic, line, level);
	else
		machine->vm->ops->irq_line(machine->vm, line, level);
}

/* INTR of the user-mode 8259s. The first vCPU may be in the guest, or asleep in hlt. */
static void pic_intr(void *ctx, bool level)
{
	struct machine *machine = ctx;

	atomic_store(&machine->intr, level);
	if (!level || !machine->vcpus[0].created)
		return;
	pthread_mutex_lock(&machine->gate.lock);
	vcpu_kick(&machine->vcpus[0]);
	pthread_mutex_unlock(&machine->gate.lock);
}

static uint64_t host_now(void *ctx)
{
	return clock_now(&((struct machine *)ctx)->clock);
}

static void host_timer_arm(void *ctx, struct device_timer *timer, uint64_t deadline)
{
	clock_timer_arm(&((struct machine *)ctx)->clock, timer, deadline);
}

static void host_request(void *ctx, enum host_request request, int status, const char *why)
{
	struct machine *machine = ctx;

	machine->observer.request(machine->observer.ctx, request, status, why);
}

static void host_debug_output(void *ctx, const void *bytes, size_t size)
{
	struct machine *machine = ctx;

	machine->observer.debug_output(machine->observer.ctx, bytes, size);
}

/* ---- creation ---------------------------------------------------------------------------- */

void machine_forget_observer(struct machine *machine)
{
	machine->observer = no_observer;
}

static int add_device(struct machine *machine, struct device *device, int rc)
{
	if (rc < 0)
		return rc;
	device->next = machine->devices;
	machine->devices = device;
	return 0;
}

static int create_serial(struct machine *machine, unsigned port, struct error *err)
{
	int rc = serial_init(&machine->host, port, &machine->config.serial[port],
			     &machine->serial[port], err);

	return add_device(machine, machine->serial[port], rc);
}

static int create_rtc(struct machine *machine, struct error *err)
{
	struct rtc_config config = {.ram_size = machine->config.ram_size,
				    .vcpus = machine->config.vcpus,
				    .epoch = (uint64_t)time(NULL)};
	struct device *device = NULL;
	int rc = rtc_init(&machine->host, &config, &device, err);

	return add_device(machine, device, rc);
}

static int create_debug_exit(struct machine *machine, struct error *err)
{
	struct device *device = NULL;
	int rc;

	if (!machine->config.debug_exit_port)
		return 0;
	rc = debug_exit_init(&machine->host, machine->config.debug_exit_port, &device, err);
	return add_device(machine, device, rc);
}

static int create_text_screen(struct machine *machine, struct error *err)
{
	int rc = text_screen_init(&machine->host, &machine->text_screen, err);

	return add_device(machine, machine->text_screen, rc);
}

static int create_user_irqchip(struct machine *machine, struct error *err)
{
	struct device *pit = NULL, *pic = NULL;
	int rc;

	if (machine->config.irqchip != IRQCHIP_USER)
		return 0;
	rc = pic_init(&machine->host, pic_intr, machine, &pic, err);
	rc = add_device(machine, pic, rc);
	if (rc < 0)
		return rc;
	machine->pic = pic;
	rc = pit_init(&machine->host, &pit, err);
	rc = add_device(machine, pit, rc);
	if (rc == 0)
		machine->pit = pit;
	return rc;
}

static int create_simple(struct machine *machine, struct error *err)
{
	int (*const init[])(const struct device_host *, struct device **, struct error *) = {
		i8042_init, port92_init, reset_port_init, acpi_pm_init, debug_console_init};

	for (unsigned i = 0; i < sizeof(init) / sizeof(init[0]); i++) {
		struct device *device = NULL;
		int rc = init[i](&machine->host, &device, err);

		rc = add_device(machine, device, rc);
		if (rc < 0)
			return rc;
		if (init[i] == i8042_init)
			machine->keyboard = device;
	}
	return 0;
}

static int create_devices(struct machine *machine, struct error *err)
{
	int rc = create_user_irqchip(machine, err);

	for (unsigned port = 0; rc == 0 && port < 2; port++)
		rc = create_serial(machine, port, err);
	if (rc == 0)
		rc = create_rtc(machine, err);
	if (rc == 0)
		rc = create_debug_exit(machine, err);
	if (rc == 0)
		rc = create_text_screen(machine, err);
	return rc < 0 ? rc : create_simple(machine, err);
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
		rc = create_devices(machine, err);
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
	machine->host = (struct device_host){.ctx = machine,
					     .ports = &machine->ports,
					     .mmio = &machine->mmio,
					     .irq = host_irq,
					     .now = host_now,
					     .timer_arm = host_timer_arm,
					     .request = host_request,
					     .debug_output = host_debug_output};
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
