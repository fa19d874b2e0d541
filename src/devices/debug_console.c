// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The debug console of Bochs and QEMU, port 0xe9: a byte written is a byte shown, and a read gives 0xe9,
 * by which a guest knows that it is there. It has no state to save.
 */
#include "devices/devices.h"

#include <errno.h>
#include <stdlib.h>

#define DEBUG_CONSOLE_PORT 0xe9

struct debug_console {
	struct device device;
	const struct device_host *host;
	struct bus_region region;
};

static void debug_console_reset(struct device *device)
{
	(void)device;
}

static void debug_console_save(const struct device *device, struct device_stream *out)
{
	(void)device;
	(void)out;
}

static int debug_console_load(struct device *device, struct device_stream *in)
{
	(void)device;
	(void)in;
	return 0;
}

static void debug_console_io(void *device, struct bus_access *access)
{
	struct debug_console *d = device;
	uint8_t byte = (uint8_t)access->value;

	if (access->write)
		d->host->debug_output(d->host->ctx, &byte, 1);
	else
		access->value = DEBUG_CONSOLE_PORT;
}

static void debug_console_destroy(struct device *device)
{
	free(device);
}

int debug_console_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct debug_console *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(err, -ENOMEM, "out of memory");
	d->device = (struct device){.name = "debug-console",
				    .reset = debug_console_reset,
				    .save = debug_console_save,
				    .load = debug_console_load,
				    .destroy = debug_console_destroy};
	d->host = host;
	d->region = (struct bus_region){.name = "debug-console",
					.base = DEBUG_CONSOLE_PORT,
					.size = 1,
					.max_size = 1,
					.io = debug_console_io,
					.device = d};
	return device_attach(&d->device, &(struct device_region){host->ports, &d->region}, 1,
			     device, err);
}
