// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's isa-debug-exit: a write of 1 to 4 bytes ends the run with the status (value << 1) | 1, which is
 * never 0 and never mistaken for success. It has no state to save.
 */
#include "devices/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PORTS_MAX 4

struct debug_exit {
	struct device device;
	const struct device_host *host;
	struct bus_region region;
};

static void debug_exit_reset(struct device *device)
{
	(void)device;
}

static void debug_exit_save(const struct device *device, struct device_stream *out)
{
	(void)device;
	(void)out;
}

static int debug_exit_load(struct device *device, struct device_stream *in)
{
	(void)device;
	(void)in;
	return 0;
}

static void debug_exit_io(void *device, struct bus_access *access)
{
	struct debug_exit *d = device;
	uint32_t value = (uint32_t)access->value;
	char why[64];

	if (!access->write) {
		access->value = 0;
		return;
	}
	snprintf(why, sizeof(why), "debug-exit port 0x%x, value 0x%x", (unsigned)d->region.base,
		 value);
	d->host->request(d->host->ctx, HOST_POWER_OFF, (int)(value << 1 | 1), why);
}

static void debug_exit_destroy(struct device *device)
{
	free(device);
}

int debug_exit_init(const struct device_host *host, uint16_t port, unsigned size,
		    struct device **device, struct error *err)
{
	struct debug_exit *d = calloc(1, sizeof(*d));
	uint32_t room = 0x10000u - port, most = size && size < PORTS_MAX ? size : PORTS_MAX;

	if (!d)
		return error_set(err, -ENOMEM, "out of memory");
	d->device = (struct device){.name = "debug-exit",
				    .reset = debug_exit_reset,
				    .save = debug_exit_save,
				    .load = debug_exit_load,
				    .destroy = debug_exit_destroy};
	d->host = host;
	d->region = (struct bus_region){.name = "debug-exit",
					.base = port,
					.size = room < most ? room : most,
					.max_size = 4,
					.io = debug_exit_io,
					.device = d};
	return device_attach(&d->device, &(struct device_region){host->ports, &d->region}, 1,
			     device, err);
}
