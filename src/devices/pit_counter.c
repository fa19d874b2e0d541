// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/pit_counter.h"

#include "x86/pc_chips.h"

#include <errno.h>

#define NS_PER_S      1000000000u
#define COUNT_MAX     0x10000u
#define COUNT_MAX_BCD 10000u

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };

/* ---- ticks ------------------------------------------------------------------------------------ */

static uint64_t ticks_in(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * PC_TIMER_HZ / NS_PER_S);
}

/* Rounded up, so that ticks_in(ns_of(t)) == t. */
static uint64_t ns_of(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * NS_PER_S + PC_TIMER_HZ - 1) / PC_TIMER_HZ);
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

bool pit_counter_output(const struct pit_counter *c, uint64_t ns)
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

bool pit_counter_write(struct pit_counter *c, uint8_t byte, uint64_t ns)
{
	uint16_t value = byte;

	if (c->access == ACCESS_BOTH && !c->write_high) {
		c->write_low = byte;
		c->write_high = true;
		return false;
	}
	if (c->access != ACCESS_LOW)
		value = (uint16_t)(byte << 8 | (c->access == ACCESS_BOTH ? c->write_low : 0));
	c->write_high = false;
	load_count(c, value, ns);
	return true;
}

/* Modes 6 and 7 are 2 and 3: their highest bit is not looked at. */
void pit_counter_set_mode(struct pit_counter *c, uint8_t control)
{
	uint8_t mode = control >> 1 & 7;

	*c = (struct pit_counter){.mode = mode > 5 ? mode - 4 : mode,
				  .access = control >> 4 & 3,
				  .bcd = control & 1,
				  .gate = c->gate,
				  .count = COUNT_MAX};
}

void pit_counter_reset(struct pit_counter *c, bool gate)
{
	*c = (struct pit_counter){
		.mode = 3, .access = ACCESS_BOTH, .gate = gate, .count = COUNT_MAX};
}

/* ---- reading ---------------------------------------------------------------------------------- */

void pit_counter_latch_count(struct pit_counter *c, uint64_t ns)
{
	if (c->latch_bytes)
		return;
	c->latch = count_now(c, ns);
	c->latch_bytes = c->access == ACCESS_BOTH ? 2 : 1;
}

void pit_counter_latch_status(struct pit_counter *c, uint64_t ns)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = (uint8_t)((pit_counter_output(c, ns) ? STATUS_OUT : 0) |
			      (c->loaded ? 0 : STATUS_NULL) | c->access << 4 | c->mode << 1 |
			      c->bcd);
}

/* Which half of a count goes out next. */
static uint8_t half(struct pit_counter *c, uint16_t value)
{
	bool high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high);

	if (c->access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	return (uint8_t)(high ? value >> 8 : value);
}

uint8_t pit_counter_read(struct pit_counter *c, uint64_t ns)
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

/* ---- the gate ---------------------------------------------------------------------------------- */

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

void pit_counter_set_gate(struct pit_counter *c, bool gate, uint64_t ns)
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

/* ---- the end of a count ----------------------------------------------------------------------- */

uint64_t pit_counter_next_end(const struct pit_counter *c, uint64_t ns, uint64_t min_ns)
{
	uint64_t t = elapsed(c, ns), deadline;

	if (!c->loaded || !c->running || modes[c->mode].irq == IRQ_NEVER)
		return UINT64_MAX;
	if (modes[c->mode].irq == IRQ_ONCE)
		return t < c->count ? c->start + ns_of(c->count) : UINT64_MAX;
	deadline = c->start + ns_of((t / c->count + 1) * c->count);
	if (deadline - ns >= min_ns)
		return deadline;
	t = ticks_in(ns + min_ns - c->start);
	return c->start + ns_of((t / c->count + 1) * c->count);
}

/* ---- saving ----------------------------------------------------------------------------------- */

void pit_counter_save(const struct pit_counter *c, struct device_stream *out)
{
	const uint64_t fields[] = {c->mode,   c->access,      c->bcd,	     c->gate,
				   c->loaded, c->running,     c->count,	     c->start,
				   c->held,   c->write_low,   c->write_high, c->read_high,
				   c->latch,  c->latch_bytes, c->status,     c->status_latched};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		stream_put_u64(out, fields[i]);
}

void pit_counter_load(struct pit_counter *c, struct device_stream *in)
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
