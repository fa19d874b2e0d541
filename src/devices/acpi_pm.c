// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ACPI's fixed hardware (ACPI Specification 3.0, 4.7.3), where QEMU's PIIX4 has it too: the PM1a event and
 * control registers, and the power management timer.
 *
 * The machine is in ACPI mode from the start (the FADT has no SMI command). Nothing raises an event: there are
 * no buttons, and the timer's carry is left out. So the status reads 0, and the system control interrupt
 * never comes. What is left of the control register is the way off: SLP_EN with the SLP_TYP of S5. Other
 * sleep states are not offered, and are ignored.
 */
#include "devices/acpi_pm.h"
#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

enum {
	ENABLE_OFFSET = 2,
	CONTROL_OFFSET = ACPI_PM_CONTROL - ACPI_PM_EVENT,
	TIMER_OFFSET = ACPI_PM_TIMER - ACPI_PM_EVENT,
	ENABLE_MASK = 0x0721, /* timer, global lock, power button, sleep button, RTC */
	CONTROL_SCI = 1 << 0,
	CONTROL_TYPE = 7 << 10,
	CONTROL_TYPE_SHIFT = 10,
	CONTROL_SLEEP = 1 << 13, /* reads 0 */
	CONTROL_STORED = CONTROL_TYPE | 1 << 1,
};

#define TIMER_HZ 3579545u
#define NS_PER_S 1000000000u

struct acpi_pm {
	struct device device;
	const struct device_host *host;
	struct bus_region event, control, timer;
	uint16_t enable, value;
};

static void acpi_pm_reset(struct device *device)
{
	struct acpi_pm *p = (struct acpi_pm *)device;

	p->enable = p->value = 0;
}

static void acpi_pm_save(const struct device *device, struct device_stream *out)
{
	const struct acpi_pm *p = (const struct acpi_pm *)device;

	stream_put_u64(out, p->enable);
	stream_put_u64(out, p->value);
}

static int acpi_pm_load(struct device *device, struct device_stream *in)
{
	struct acpi_pm *p = (struct acpi_pm *)device;
	uint64_t enable = stream_get_u64(in), value = stream_get_u64(in);

	if (in->error || enable & ~(uint64_t)ENABLE_MASK || value & ~(uint64_t)CONTROL_STORED)
		return -EINVAL;
	p->enable = (uint16_t)enable;
	p->value = (uint16_t)value;
	return 0;
}

/* ---- registers -------------------------------------------------------------------------------- */

/* The bytes of an access within a register of 16 bits, and what they are when it is read. */
static uint16_t merged(uint16_t old, const struct bus_access *access, unsigned at)
{
	unsigned shift = (access->offset - at) * 8;
	uint32_t mask = (access->size == 1 ? 0xffu : 0xffffu) << shift;

	return (uint16_t)((old & ~mask) | ((access->value << shift) & mask));
}

static uint64_t shown(uint32_t value, const struct bus_access *access, unsigned at)
{
	return value >> (access->offset - at) * 8;
}

static void event_io(void *device, struct bus_access *access)
{
	struct acpi_pm *p = device;

	if (access->offset < ENABLE_OFFSET)
		access->value = 0;
	else if (access->write)
		p->enable = merged(p->enable, access, ENABLE_OFFSET) & ENABLE_MASK;
	else
		access->value = shown(p->enable, access, ENABLE_OFFSET);
}

static void sleep_now(struct acpi_pm *p)
{
	if ((p->value & CONTROL_TYPE) >> CONTROL_TYPE_SHIFT == ACPI_SLEEP_OFF)
		p->host->request(p->host->ctx, HOST_POWER_OFF, 0, "ACPI, sleep state S5");
}

static void control_io(void *device, struct bus_access *access)
{
	struct acpi_pm *p = device;
	uint16_t value;

	if (!access->write) {
		access->value = shown(p->value | CONTROL_SCI, access, 0);
		return;
	}
	value = merged(p->value, access, 0);
	p->value = value & CONTROL_STORED;
	if (value & CONTROL_SLEEP)
		sleep_now(p);
}

/* It follows guest time, and stands still with it. */
static void timer_io(void *device, struct bus_access *access)
{
	struct acpi_pm *p = device;
	uint64_t now = p->host->now(p->host->ctx);
	uint64_t ticks = now / NS_PER_S * TIMER_HZ + now % NS_PER_S * TIMER_HZ / NS_PER_S;

	if (!access->write)
		access->value = shown((uint32_t)ticks, access, 0);
}

/* ---- the five verbs ---------------------------------------------------------------------------- */

static void acpi_pm_destroy(struct device *device)
{
	free(device);
}

static struct bus_region region(struct acpi_pm *p, unsigned offset, unsigned size, uint8_t most,
				void (*io)(void *device, struct bus_access *access))
{
	return (struct bus_region){.name = "acpi-pm",
				   .base = ACPI_PM_EVENT + offset,
				   .size = size,
				   .max_size = most,
				   .io = io,
				   .device = p};
}

int acpi_pm_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct acpi_pm *p = calloc(1, sizeof(*p));
	struct device_region regions[3];

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->device = (struct device){.name = "acpi-pm",
				    .reset = acpi_pm_reset,
				    .save = acpi_pm_save,
				    .load = acpi_pm_load,
				    .destroy = acpi_pm_destroy};
	p->host = host;
	p->event = region(p, 0, 4, 2, event_io);
	p->control = region(p, CONTROL_OFFSET, 2, 2, control_io);
	p->timer = region(p, TIMER_OFFSET, 4, 4, timer_io);
	regions[0] = (struct device_region){host->ports, &p->event};
	regions[1] = (struct device_region){host->ports, &p->control};
	regions[2] = (struct device_region){host->ports, &p->timer};
	return device_attach(&p->device, regions, 3, device, err);
}
