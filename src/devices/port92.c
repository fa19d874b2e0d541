// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Port 0x92 of a PS/2 and everything since ("system control port A"): bit 0 pulses reset when it goes
 * from 0 to 1, bit 1 is the fast A20 gate. A20 is a bit that can be read back; the address line itself
 * is always on.
 */
#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

enum { PORT92_RESET = 0x01, PORT92_A20 = 0x02 };

struct port92 {
	struct device device;
	const struct device_host *host;
	struct bus_region region;
	uint8_t value;
};

static void port92_reset(struct device *device)
{
	((struct port92 *)device)->value = PORT92_A20;
}

static void port92_save(const struct device *device, struct device_stream *out)
{
	stream_put_u64(out, ((const struct port92 *)device)->value);
}

static int port92_load(struct device *device, struct device_stream *in)
{
	uint8_t value = stream_get_u8(in);

	if (in->error)
		return -EINVAL;
	((struct port92 *)device)->value = value;
	return 0;
}

static void port92_io(void *device, struct bus_access *access)
{
	struct port92 *p = device;
	uint8_t rising = (uint8_t)access->value & ~p->value;

	if (!access->write) {
		access->value = p->value;
		return;
	}
	p->value = (uint8_t)access->value;
	if (rising & PORT92_RESET)
		p->host->request(p->host->ctx, HOST_RESET, 0, "port 0x92, bit 0");
}

static void port92_destroy(struct device *device)
{
	free(device);
}

int port92_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct port92 *p = calloc(1, sizeof(*p));

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->device = (struct device){.name = "port92",
				    .reset = port92_reset,
				    .save = port92_save,
				    .load = port92_load,
				    .destroy = port92_destroy};
	p->host = host;
	p->region = (struct bus_region){.name = "port92",
					.base = 0x92,
					.size = 1,
					.max_size = 1,
					.io = port92_io,
					.device = p};
	return device_attach(&p->device, &(struct device_region){host->ports, &p->region}, 1,
			     device, err);
}
