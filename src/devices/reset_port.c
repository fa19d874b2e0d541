// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The reset control register of Intel's PIIX3, port 0xcf9: bit 1 chooses between a soft and a hard
 * reset, bit 2 resets when it goes from 0 to 1. Both resets are the same here.
 *
 * The register shares its place with the PCI configuration address, 0xcf8: wider accesses are meant for
 * that one, whose bits would read as a reset. So the region covers all four ports and answers byte
 * accesses to 0xcf9 alone; there is no PCI bus, and the rest reads all ones.
 */
#include "devices/reset_port.h"

#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

enum { CONFIG_ADDRESS = 0xcf8, RESET_OFFSET = RESET_PORT - CONFIG_ADDRESS };

struct reset_port {
	struct device device;
	const struct device_host *host;
	struct bus_region region;
	uint8_t value;
};

static void reset_port_reset(struct device *device)
{
	((struct reset_port *)device)->value = 0;
}

static void reset_port_save(const struct device *device, struct device_stream *out)
{
	stream_put_u64(out, ((const struct reset_port *)device)->value);
}

static int reset_port_load(struct device *device, struct device_stream *in)
{
	uint8_t value = stream_get_u8(in);

	if (in->error)
		return -EINVAL;
	((struct reset_port *)device)->value = value;
	return 0;
}

static void reset_port_io(void *device, struct bus_access *access)
{
	struct reset_port *p = device;
	uint8_t rising = (uint8_t)access->value & ~p->value;

	if (access->offset != RESET_OFFSET || access->size != 1)
		return;
	if (!access->write) {
		access->value = p->value;
		return;
	}
	p->value = access->value & RESET_PORT_RESET;
	if (rising & RESET_PORT_NOW)
		p->host->request(p->host->ctx, HOST_RESET, 0,
				 p->value & RESET_PORT_HARD ? "port 0xcf9, hard reset"
							    : "port 0xcf9, soft reset");
}

static void reset_port_destroy(struct device *device)
{
	free(device);
}

int reset_port_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct reset_port *p = calloc(1, sizeof(*p));

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->device = (struct device){.name = "reset-port",
				    .reset = reset_port_reset,
				    .save = reset_port_save,
				    .load = reset_port_load,
				    .destroy = reset_port_destroy};
	p->host = host;
	p->region = (struct bus_region){.name = "reset-port",
					.base = CONFIG_ADDRESS,
					.size = 4,
					.max_size = 4,
					.io = reset_port_io,
					.device = p};
	return device_attach(&p->device, &(struct device_region){host->ports, &p->region}, 1,
			     device, err);
}
