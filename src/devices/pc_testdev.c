// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * QEMU's pc-testdev, for kernels that test a hypervisor: a port and a piece of device memory that give back what was
 * written, by any width, and a port for each interrupt line. Its port 0xe4, which makes the host forget one of its
 * pages, is left out, and so are 0xe8-0xeb, where the debug console is.
 */
#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT	    0xe0
#define LINES_PORT  0x2000
#define LINES	    24
#define MEMORY	    0xff000000ull
#define MEMORY_SIZE 0x10000

struct pc_testdev {
	struct device device;
	const struct device_host *host;
	struct bus_region port, lines, memory;
	uint8_t value[4];
	uint32_t raised; /* lines that are up, as bits */
	uint8_t bytes[MEMORY_SIZE];
};

static void read_back(uint8_t *bytes, struct bus_access *access)
{
	if (access->write) {
		memcpy(bytes, &access->value, access->size);
	} else {
		access->value = 0;
		memcpy(&access->value, bytes, access->size);
	}
}

static void port_io(void *device, struct bus_access *access)
{
	read_back(((struct pc_testdev *)device)->value + access->offset, access);
}

static void memory_io(void *device, struct bus_access *access)
{
	read_back(((struct pc_testdev *)device)->bytes + access->offset, access);
}

/* Lines that do not change are left alone: they may be another device's. */
static void set_lines(struct pc_testdev *p, uint32_t raised)
{
	uint32_t changed = p->raised ^ raised;

	p->raised = raised;
	for (unsigned line = 0; line < LINES; line++)
		if (changed >> line & 1)
			p->host->irq(p->host->ctx, line, raised >> line & 1);
}

static void lines_io(void *device, struct bus_access *access)
{
	struct pc_testdev *p = device;
	uint32_t bit = 1u << access->offset;

	if (access->write)
		set_lines(p, access->value ? p->raised | bit : p->raised & ~bit);
}

/* ---- the five verbs ----------------------------------------------------------------------------- */

static void pc_testdev_reset(struct device *device)
{
	struct pc_testdev *p = (struct pc_testdev *)device;

	set_lines(p, 0);
	memset(p->value, 0, sizeof(p->value));
	memset(p->bytes, 0, sizeof(p->bytes));
}

static void pc_testdev_save(const struct device *device, struct device_stream *out)
{
	const struct pc_testdev *p = (const struct pc_testdev *)device;

	stream_put_u64(out, p->raised);
	stream_put(out, p->value, sizeof(p->value));
	stream_put(out, p->bytes, sizeof(p->bytes));
}

static int pc_testdev_load(struct device *device, struct device_stream *in)
{
	struct pc_testdev *p = (struct pc_testdev *)device;
	uint64_t raised = stream_get_u64(in);

	if (in->error || raised >> LINES ||
	    in->size - in->position < sizeof(p->value) + MEMORY_SIZE)
		return -EINVAL;
	stream_get(in, p->value, sizeof(p->value));
	stream_get(in, p->bytes, sizeof(p->bytes));
	set_lines(p, p->raised & (uint32_t)raised);
	p->raised = 0; /* tell those that are up again */
	set_lines(p, (uint32_t)raised);
	return 0;
}

static void pc_testdev_destroy(struct device *device)
{
	free(device);
}

static struct bus_region region(struct pc_testdev *p, uint64_t base, uint64_t size, uint8_t most,
				void (*io)(void *device, struct bus_access *access))
{
	return (struct bus_region){.name = "pc-testdev",
				   .base = base,
				   .size = size,
				   .max_size = most,
				   .io = io,
				   .device = p};
}

int pc_testdev_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct pc_testdev *p = calloc(1, sizeof(*p));
	struct device_region regions[3];

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->device = (struct device){.name = "pc-testdev",
				    .reset = pc_testdev_reset,
				    .save = pc_testdev_save,
				    .load = pc_testdev_load,
				    .destroy = pc_testdev_destroy};
	p->host = host;
	p->port = region(p, PORT, sizeof(p->value), 4, port_io);
	p->lines = region(p, LINES_PORT, LINES, 1, lines_io);
	p->memory = region(p, MEMORY, MEMORY_SIZE, 8, memory_io);
	regions[0] = (struct device_region){host->ports, &p->port};
	regions[1] = (struct device_region){host->ports, &p->lines};
	regions[2] = (struct device_region){host->mmio, &p->memory};
	return device_attach(&p->device, regions, 3, device, err);
}
