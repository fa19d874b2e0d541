// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/devices.h"

#include "machine/machine.h"

#include <time.h>

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

static size_t host_memory_read(void *ctx, uint64_t gpa, void *to, size_t size)
{
	return mem_read_phys(((struct machine *)ctx)->memory, gpa, to, size);
}

static size_t host_memory_write(void *ctx, uint64_t gpa, const void *from, size_t size)
{
	return machine_device_write(ctx, gpa, from, size);
}

void devices_host(struct machine *machine)
{
	machine->host = (struct device_host){.ctx = machine,
					     .ports = &machine->ports,
					     .mmio = &machine->mmio,
					     .irq = host_irq,
					     .now = host_now,
					     .timer_arm = host_timer_arm,
					     .request = host_request,
					     .debug_output = host_debug_output,
					     .memory_read = host_memory_read,
					     .memory_write = host_memory_write};
}

/* ---- creation ---------------------------------------------------------------------------- */

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
	struct rtc_config config = {
		.ram_size = machine->config.ram_size,
		.vcpus = machine->config.vcpus,
		.epoch = (uint64_t)time(NULL),
		.disk_sectors = {machine->config.disk[0].sectors, machine->config.disk[1].sectors}};
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
	rc = debug_exit_init(&machine->host, machine->config.debug_exit_port,
			     machine->config.debug_exit_size, &device, err);
	return add_device(machine, device, rc);
}

static int create_pc_testdev(struct machine *machine, struct error *err)
{
	struct device *device = NULL;
	int rc;

	if (!machine->config.pc_testdev)
		return 0;
	rc = pc_testdev_init(&machine->host, &device, err);
	return add_device(machine, device, rc);
}

static int create_fw_cfg(struct machine *machine, struct error *err)
{
	int rc = fw_cfg_create(machine, &machine->fw_cfg, err);

	return add_device(machine, machine->fw_cfg, rc);
}

static int create_text_screen(struct machine *machine, struct error *err)
{
	int rc = text_screen_init(&machine->host, &machine->text_screen, err);

	if (rc == 0)
		text_screen_connect(machine->text_screen, &machine->config.text);
	return add_device(machine, machine->text_screen, rc);
}

static int create_ide(struct machine *machine, struct error *err)
{
	const struct disk_backend *disk = machine->config.disk;
	int rc;

	if (!disk[0].sectors && !disk[1].sectors)
		return 0;
	rc = ide_init(&machine->host, disk, &machine->ide, err);
	return add_device(machine, machine->ide, rc);
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

int devices_create(struct machine *machine, struct error *err)
{
	int rc = create_user_irqchip(machine, err);

	for (unsigned port = 0; rc == 0 && port < 2; port++)
		rc = create_serial(machine, port, err);
	if (rc == 0)
		rc = create_rtc(machine, err);
	if (rc == 0)
		rc = create_debug_exit(machine, err);
	if (rc == 0)
		rc = create_pc_testdev(machine, err);
	if (rc == 0)
		rc = create_fw_cfg(machine, err);
	if (rc == 0)
		rc = create_text_screen(machine, err);
	if (rc == 0)
		rc = create_ide(machine, err);
	return rc < 0 ? rc : create_simple(machine, err);
}
