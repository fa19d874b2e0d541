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
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

#define PIT_HZ	      1193182u
#define NS_PER_S      1000000000u
#define PULSE_MIN_NS  100000u
#define REFRESH_NS    15085u /* half a period of port 0x61's bit 4 */
#define COUNTERS      3
#define COUNT_MAX     0x10000u
#define COUNT_MAX_BCD 10000u
#define SPEAKER	      2 /* the counter with a gate */
#define TIMER_IRQ     0

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { READ_BACK = 3, READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10 };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
enum { PORT61_GATE = 0x01, PORT61_WRITABLE = 0x0f, PORT61_REFRESH = 0x10, PORT61_OUT = 0x20 };

struct pit_counter {
	uint8_t mode, access, bcd;
	bool gate;
	bool loaded;	     /* a count was written since the mode was */
	bool running;	     /* counts now; otherwise it stands at `held` ticks */
	uint32_t count;	     /* 1 … COUNT_MAX */
	uint64_t start;	     /* guest time (ns) of tick 0, while running */
	uint64_t held;	     /* ticks done, while not */
	uint8_t write_low;   /* the first byte of two, … */
	bool write_high;     /* … of which the second comes next */
	bool read_high;	     /* the next byte read is the second */
	uint16_t latch;	     /* the latched count, … */
	uint8_t latch_bytes; /* … and how many bytes of it have not been read */
	uint8_t status;
	bool status_latched;
};

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

/* ---- ticks ------------------------------------------------------------------------------------ */

static uint64_t ticks_in(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * PIT_HZ / NS_PER_S);
}

/* Rounded up, so that ticks_in(ns_of(t)) == t. */
static uint64_t ns_of(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * NS_PER_S + PIT_HZ - 1) / PIT_HZ);
}

static uint64_t elapsed(const struct pit_counter *c, uint64_t ns)
{
	return c->running ? ticks_in(ns - c->start) : c->held;
}

/* ---- what each mode makes of the ticks: counter and output ------------------------------------ */

static uint32_t wrapping(const struct pit_counter *c, uint64_t t)
{
	uint32_t modulus = c->bcd ? COUNT_MAX_BCD : COUNT_MAX;

	return (uint32_t)((c->count + modulus - t % modulus) % modulus);
}

static uint32_t periodic(const struct pit_counter *c, uint64_t t)
{
	return (uint32_t)(c->count - t % c->count);
}

/* Counts down by two, twice a period. */
static uint32_t periodic_by_two(const struct pit_counter *c, uint64_t t)
{
	return (uint32_t)(c->count - 2 * (t % c->count) % c->count);
}

static bool out_at_end(const struct pit_counter *c, uint64_t t)
{
	return c->loaded && t >= c->count;
}

static bool out_one_shot(const struct pit_counter *c, uint64_t t)
{
	return !c->running || t >= c->count;
}

static bool out_rate(const struct pit_counter *c, uint64_t t)
{
	return !c->running || t % c->count != c->count - 1;
}

static bool out_square(const struct pit_counter *c, uint64_t t)
{
	return !c->running || t % c->count < (c->count + 1) / 2;
}

static bool out_strobe(const struct pit_counter *c, uint64_t t)
{
	return !c->running || t != c->count;
}

/* gate: what its edges do to a count that is loaded. */
static const struct mode {
	uint32_t (*value)(const struct pit_counter *c, uint64_t t);
	bool (*out)(const struct pit_counter *c, uint64_t t);
	enum { GATE_HOLDS, GATE_TRIGGERS, GATE_RESTARTS } gate;
	enum { IRQ_NEVER, IRQ_ONCE, IRQ_PERIODIC } irq;
} modes[] = {
	{wrapping, out_at_end, GATE_HOLDS, IRQ_ONCE},
	{wrapping, out_one_shot, GATE_TRIGGERS, IRQ_NEVER},
	{periodic, out_rate, GATE_RESTARTS, IRQ_PERIODIC},
	{periodic_by_two, out_square, GATE_RESTARTS, IRQ_PERIODIC},
	{wrapping, out_strobe, GATE_HOLDS, IRQ_ONCE},
	{wrapping, out_strobe, GATE_TRIGGERS, IRQ_NEVER},
};

static bool output(const struct pit_counter *c, uint64_t ns)
{
	return modes[c->mode].out(c, elapsed(c, ns));
}

static uint16_t to_bcd(uint32_t value)
{
	return (uint16_t)(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
			  value % 10);
}

static uint32_t from_bcd(uint16_t value)
{
	return (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u +
	       (value & 15);
}

static uint16_t count_now(const struct pit_counter *c, uint64_t ns)
{
	uint32_t value = c->loaded ? modes[c->mode].value(c, elapsed(c, ns)) : 0;

	return c->bcd ? to_bcd(value) : (uint16_t)value;
}

/* ---- IRQ 0 ------------------------------------------------------------------------------------ */

static void set_irq(struct pit *pit, bool level)
{
	pit->host->irq(pit->host->ctx, TIMER_IRQ, level);
}

/* Guest time of counter 0's next pulse behind ns. */
static uint64_t next_pulse(const struct pit_counter *c, uint64_t ns)
{
	uint64_t t = elapsed(c, ns), deadline;

	if (!c->loaded || !c->running || modes[c->mode].irq == IRQ_NEVER)
		return UINT64_MAX;
	if (modes[c->mode].irq == IRQ_ONCE)
		return t < c->count ? c->start + ns_of(c->count) : UINT64_MAX;
	deadline = c->start + ns_of((t / c->count + 1) * c->count);
	if (deadline - ns >= PULSE_MIN_NS)
		return deadline;
	t = ticks_in(ns + PULSE_MIN_NS - c->start);
	return c->start + ns_of((t / c->count + 1) * c->count);
}

static void arm(struct pit *pit, uint64_t ns)
{
	pit->host->timer_arm(pit->host->ctx, &pit->timer, next_pulse(&pit->counter[0], ns));
}

static void pit_timer(void *arg)
{
	struct pit *pit = arg;

	set_irq(pit, false);
	set_irq(pit, true);
	arm(pit, now(pit));
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void run_from(struct pit_counter *c, uint64_t start)
{
	c->running = true;
	c->start = start;
	c->held = 0;
}

static void stop_at(struct pit_counter *c, uint64_t ticks)
{
	c->running = false;
	c->held = ticks;
}

static void load_count(struct pit_counter *c, uint16_t value, uint64_t ns)
{
	c->count = c->bcd ? from_bcd(value) : value;
	if (c->count == 0)
		c->count = c->bcd ? COUNT_MAX_BCD : COUNT_MAX;
	c->loaded = true;
	if (c->gate && modes[c->mode].gate != GATE_TRIGGERS)
		run_from(c, ns);
	else
		stop_at(c, 0);
}

static void write_count(struct pit *pit, unsigned which, uint8_t value)
{
	struct pit_counter *c = &pit->counter[which];
	uint64_t ns = now(pit);

	if (c->access == ACCESS_BOTH && !c->write_high) {
		c->write_low = value;
		c->write_high = true;
		return;
	}
	c->write_high = false;
	if (c->access == ACCESS_LOW)
		load_count(c, value, ns);
	else
		load_count(c,
			   (uint16_t)(value << 8 | (c->access == ACCESS_BOTH ? c->write_low : 0)),
			   ns);
	if (which == 0) {
		if (c->mode == 0)
			set_irq(pit, false);
		arm(pit, ns);
	}
}

static void latch_count(struct pit_counter *c, uint64_t ns)
{
	if (c->latch_bytes)
		return;
	c->latch = count_now(c, ns);
	c->latch_bytes = c->access == ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct pit_counter *c, uint64_t ns)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = (uint8_t)((output(c, ns) ? STATUS_OUT : 0) | (c->loaded ? 0 : STATUS_NULL) |
			      c->access << 4 | c->mode << 1 | c->bcd);
}

static void read_back(struct pit *pit, uint8_t value)
{
	uint64_t ns = now(pit);

	for (unsigned i = 0; i < COUNTERS; i++) {
		if (!(value & 2 << i))
			continue;
		if (!(value & READ_BACK_NO_COUNT))
			latch_count(&pit->counter[i], ns);
		if (!(value & READ_BACK_NO_STATUS))
			latch_status(&pit->counter[i], ns);
	}
}

/* Modes 6 and 7 are 2 and 3: their highest bit is not looked at. */
static void set_mode(struct pit *pit, unsigned which, uint8_t value)
{
	struct pit_counter *c = &pit->counter[which];
	uint8_t mode = value >> 1 & 7;

	*c = (struct pit_counter){.mode = mode > 5 ? mode - 4 : mode,
				  .access = value >> 4 & 3,
				  .bcd = value & 1,
				  .gate = c->gate,
				  .count = COUNT_MAX};
	if (which == 0) {
		set_irq(pit, false);
		arm(pit, 0);
	}
}

static void write_control(struct pit *pit, uint8_t value)
{
	unsigned which = value >> 6;

	if (which == READ_BACK)
		read_back(pit, value);
	else if ((value >> 4 & 3) == ACCESS_LATCH)
		latch_count(&pit->counter[which], now(pit));
	else
		set_mode(pit, which, value);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Which half of a count goes out next. */
static uint8_t half(struct pit_counter *c, uint16_t value)
{
	bool high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high);

	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t read_counter(struct pit_counter *c, uint64_t ns)
{
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latch_bytes) {
		c->latch_bytes--;
		return half(c, c->latch);
	}
	return half(c, count_now(c, ns));
}

/* ---- port 0x61 -------------------------------------------------------------------------------- */

static void gate_rises(struct pit_counter *c, uint64_t ns)
{
	if (modes[c->mode].gate == GATE_HOLDS)
		run_from(c, ns - ns_of(c->held));
	else
		run_from(c, ns);
}

static void gate_falls(struct pit_counter *c, uint64_t ns)
{
	if (modes[c->mode].gate == GATE_HOLDS)
		stop_at(c, elapsed(c, ns));
	else if (modes[c->mode].gate == GATE_RESTARTS)
		stop_at(c, 0);
}

static void set_gate(struct pit_counter *c, bool gate, uint64_t ns)
{
	if (gate == c->gate)
		return;
	c->gate = gate;
	if (!c->loaded)
		return;
	if (gate)
		gate_rises(c, ns);
	else
		gate_falls(c, ns);
}

static void port61_io(void *device, struct bus_access *access)
{
	struct pit *pit = device;
	uint64_t ns = now(pit);

	if (access->write) {
		pit->port61 = access->value & PORT61_WRITABLE;
		set_gate(&pit->counter[SPEAKER], pit->port61 & PORT61_GATE, ns);
		return;
	}
	access->value = pit->port61;
	if (ns / REFRESH_NS & 1)
		access->value |= PORT61_REFRESH;
	if (output(&pit->counter[SPEAKER], ns))
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
		access->value = read_counter(&pit->counter[which], now(pit));
}

/* ---- the other verbs -------------------------------------------------------------------------- */

/* Nothing counts before the guest says so. */
static void pit_reset(struct device *device)
{
	struct pit *pit = pit_of(device);

	for (unsigned i = 0; i < COUNTERS; i++)
		pit->counter[i] = (struct pit_counter){
			.mode = 3, .access = ACCESS_BOTH, .gate = i != SPEAKER, .count = COUNT_MAX};
	pit->port61 = 0;
	set_irq(pit, false);
	arm(pit, 0);
}

static void save_counter(const struct pit_counter *c, struct device_stream *out)
{
	const uint64_t fields[] = {c->mode,   c->access,      c->bcd,	     c->gate,
				   c->loaded, c->running,     c->count,	     c->start,
				   c->held,   c->write_low,   c->write_high, c->read_high,
				   c->latch,  c->latch_bytes, c->status,     c->status_latched};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		stream_put_u64(out, fields[i]);
}

static void load_counter(struct pit_counter *c, struct device_stream *in)
{
	c->mode = stream_get_u8(in);
	c->access = stream_get_u8(in);
	c->bcd = stream_get_u8(in);
	c->gate = stream_get_u64(in);
	c->loaded = stream_get_u64(in);
	c->running = stream_get_u64(in);
	c->count = (uint32_t)stream_get_u64(in);
	c->start = stream_get_u64(in);
	c->held = stream_get_u64(in);
	c->write_low = stream_get_u8(in);
	c->write_high = stream_get_u64(in);
	c->read_high = stream_get_u64(in);
	c->latch = (uint16_t)stream_get_u64(in);
	c->latch_bytes = stream_get_u8(in);
	c->status = stream_get_u8(in);
	c->status_latched = stream_get_u64(in);
	if (c->mode > 5 || c->access > ACCESS_BOTH || c->bcd > 1 || c->latch_bytes > 2 ||
	    c->count == 0 || c->count > COUNT_MAX)
		in->error = -EINVAL;
}

static void pit_save(const struct device *device, struct device_stream *out)
{
	const struct pit *pit = (const struct pit *)device;

	for (unsigned i = 0; i < COUNTERS; i++)
		save_counter(&pit->counter[i], out);
	stream_put_u64(out, pit->port61);
}

static int pit_load(struct device *device, struct device_stream *in)
{
	struct pit *pit = pit_of(device);
	struct pit_counter counter[COUNTERS] = {0};
	uint8_t port61;

	for (unsigned i = 0; i < COUNTERS; i++)
		load_counter(&counter[i], in);
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
