// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Intel 8254 programmable interval timer, from its datasheet ("mode definitions", "read-back command"),
 * and port 0x61, which holds the gate and shows the output of counter 2. Counter 0's output is IRQ 0;
 * counter 1's (memory refresh on a PC/AT) goes nowhere.
 *
 * A count is not counted down: it follows from guest time at 1,193,182 Hz. A new count starts at once,
 * also in modes 2 and 3, where the chip finishes the period first.
 *
 * IRQ 0 is pulsed (low, then high, as mode 2's output does at the end of each period). The moments are
 * computed from the start of the count, so they do not drift; one that the host is late for is skipped
 * if the next one is due already, and pulses come at most every 100 us.
 */
#include "devices/devices.h"
#include "devices/pit_counter.h"
#include "devices/stream.h"
#include "x86/pc_chips.h"

#include <errno.h>
#include <stdlib.h>

#define PULSE_MIN_NS 100000u
#define REFRESH_NS   15085u /* half a period of port 0x61's bit 4 */
#define COUNTERS     3
#define SPEAKER	     2 /* the counter with a gate */
#define TIMER_IRQ    0

enum { ACCESS_LATCH = 0 };
enum { READ_BACK = 3, READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10 };
enum { PORT61_GATE = 0x01, PORT61_WRITABLE = 0x0f, PORT61_REFRESH = 0x10, PORT61_OUT = 0x20 };

struct pit {
	struct device device;
	const struct device_host *host;
	struct bus_region counter_region, gate_region;
	struct device_timer timer;
	struct pit_counter counter[COUNTERS];
	uint8_t port61;
};

static struct pit *pit_of(struct device *device)
{
	return (struct pit *)device;
}

static uint64_t now(const struct pit *pit)
{
	return pit->host->now(pit->host->ctx);
}

/* ---- IRQ 0 ------------------------------------------------------------------------------------ */

static void set_irq(struct pit *pit, bool level)
{
	pit->host->irq(pit->host->ctx, TIMER_IRQ, level);
}

static void arm(struct pit *pit, uint64_t ns)
{
	pit->host->timer_arm(pit->host->ctx, &pit->timer,
			     pit_counter_next_end(&pit->counter[0], ns, PULSE_MIN_NS));
}

static void pit_timer(void *arg)
{
	struct pit *pit = arg;

	set_irq(pit, false);
	set_irq(pit, true);
	arm(pit, now(pit));
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void write_count(struct pit *pit, unsigned which, uint8_t value)
{
	struct pit_counter *c = &pit->counter[which];
	uint64_t ns = now(pit);

	if (!pit_counter_write(c, value, ns) || which != 0)
		return;
	if (c->mode == 0)
		set_irq(pit, false);
	arm(pit, ns);
}

static void read_back(struct pit *pit, uint8_t value)
{
	uint64_t ns = now(pit);

	for (unsigned i = 0; i < COUNTERS; i++) {
		if (!(value & 2 << i))
			continue;
		if (!(value & READ_BACK_NO_COUNT))
			pit_counter_latch_count(&pit->counter[i], ns);
		if (!(value & READ_BACK_NO_STATUS))
			pit_counter_latch_status(&pit->counter[i], ns);
	}
}

static void set_mode(struct pit *pit, unsigned which, uint8_t value)
{
	pit_counter_set_mode(&pit->counter[which], value);
	if (which != 0)
		return;
	set_irq(pit, false);
	arm(pit, now(pit));
}

static void write_control(struct pit *pit, uint8_t value)
{
	unsigned which = value >> 6;

	if (which == READ_BACK)
		read_back(pit, value);
	else if ((value >> 4 & 3) == ACCESS_LATCH)
		pit_counter_latch_count(&pit->counter[which], now(pit));
	else
		set_mode(pit, which, value);
}

/* ---- port 0x61 -------------------------------------------------------------------------------- */

static void port61_io(void *device, struct bus_access *access)
{
	struct pit *pit = device;
	uint64_t ns = now(pit);

	if (access->write) {
		pit->port61 = access->value & PORT61_WRITABLE;
		pit_counter_set_gate(&pit->counter[SPEAKER], pit->port61 & PORT61_GATE, ns);
		return;
	}
	access->value = pit->port61;
	if (ns / REFRESH_NS & 1)
		access->value |= PORT61_REFRESH;
	if (pit_counter_output(&pit->counter[SPEAKER], ns))
		access->value |= PORT61_OUT;
}

static void counter_io(void *device, struct bus_access *access)
{
	struct pit *pit = device;
	unsigned which = (unsigned)access->offset;

	if (access->write && which == COUNTERS)
		write_control(pit, (uint8_t)access->value);
	else if (access->write)
		write_count(pit, which, (uint8_t)access->value);
	else if (which < COUNTERS)
		access->value = pit_counter_read(&pit->counter[which], now(pit));
}

/* ---- the other verbs -------------------------------------------------------------------------- */

/* Nothing counts before the guest says so. */
static void pit_reset(struct device *device)
{
	struct pit *pit = pit_of(device);

	for (unsigned i = 0; i < COUNTERS; i++)
		pit_counter_reset(&pit->counter[i], i != SPEAKER);
	pit->port61 = 0;
	set_irq(pit, false);
	arm(pit, now(pit));
}

static void pit_save(const struct device *device, struct device_stream *out)
{
	const struct pit *pit = (const struct pit *)device;

	for (unsigned i = 0; i < COUNTERS; i++)
		pit_counter_save(&pit->counter[i], out);
	stream_put_u64(out, pit->port61);
}

static int pit_load(struct device *device, struct device_stream *in)
{
	struct pit *pit = pit_of(device);
	struct pit_counter counter[COUNTERS] = {0};
	uint8_t port61;

	for (unsigned i = 0; i < COUNTERS; i++)
		pit_counter_load(&counter[i], in);
	port61 = stream_get_u8(in);
	if (in->error)
		return -EINVAL;
	for (unsigned i = 0; i < COUNTERS; i++)
		pit->counter[i] = counter[i];
	pit->port61 = port61;
	arm(pit, now(pit));
	return 0;
}

static void pit_destroy(struct device *device)
{
	struct pit *pit = pit_of(device);

	pit->host->timer_arm(pit->host->ctx, &pit->timer, UINT64_MAX);
	free(pit);
}

int pit_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct pit *pit = calloc(1, sizeof(*pit));

	if (!pit)
		return error_set(err, -ENOMEM, "out of memory");
	pit->device = (struct device){.name = "pit",
				      .reset = pit_reset,
				      .save = pit_save,
				      .load = pit_load,
				      .destroy = pit_destroy};
	pit->host = host;
	pit->timer = (struct device_timer){.fn = pit_timer, .arg = pit, .deadline = UINT64_MAX};
	pit->counter_region = (struct bus_region){.name = "pit",
						  .base = 0x40,
						  .size = 4,
						  .max_size = 1,
						  .io = counter_io,
						  .device = pit};
	pit->gate_region = (struct bus_region){.name = "port61",
					       .base = 0x61,
					       .size = 1,
					       .max_size = 1,
					       .io = port61_io,
					       .device = pit};
	return device_attach(&pit->device,
			     (struct device_region[]){{host->ports, &pit->counter_region},
						      {host->ports, &pit->gate_region}},
			     2, device, err);
}

/* ---- looking ---------------------------------------------------------------------------------- */

void pit_look(const struct device *device, unsigned counter, struct pc_timer *view)
{
	const struct pit_counter *c = &((const struct pit *)device)->counter[counter % COUNTERS];

	*view = (struct pc_timer){
		.mode = c->mode, .bcd = c->bcd, .gate = c->gate, .count = c->loaded ? c->count : 0};
}
