/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One of the 8254's three counters, as arithmetic on guest time: no timers, no interrupts. ns is guest time
 * throughout. The PIT's own; pit.c says what differs from the chip. */
#ifndef DEVICES_PIT_COUNTER_H
#define DEVICES_PIT_COUNTER_H

#include "devices/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct pit_counter {
	uint8_t mode, access, bcd;
	bool gate;
	bool loaded;	     /* a count was written since the mode was */
	bool running;	     /* counts now; otherwise it stands at `held` ticks */
	uint32_t count;	     /* 1 … 65536 */
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

/* Mode 3, no count: it stands still. */
void pit_counter_reset(struct pit_counter *c, bool gate);

/* The control word, without the bits that choose the counter: access, mode, BCD. */
void pit_counter_set_mode(struct pit_counter *c, uint8_t control);
/* Returns whether the count is complete, and counting has begun. */
bool pit_counter_write(struct pit_counter *c, uint8_t byte, uint64_t ns);
uint8_t pit_counter_read(struct pit_counter *c, uint64_t ns);
void pit_counter_latch_count(struct pit_counter *c, uint64_t ns);
void pit_counter_latch_status(struct pit_counter *c, uint64_t ns);
void pit_counter_set_gate(struct pit_counter *c, bool gate, uint64_t ns);

bool pit_counter_output(const struct pit_counter *c, uint64_t ns);
/* When the output next rises at the end of a count, behind ns; UINT64_MAX: never. Of a count that ends more
 * often than every min_ns, ends are left out. */
uint64_t pit_counter_next_end(const struct pit_counter *c, uint64_t ns, uint64_t min_ns);

void pit_counter_save(const struct pit_counter *c, struct device_stream *out);
void pit_counter_load(struct pit_counter *c, struct device_stream *in); /* nonsense: in->error */

#endif
