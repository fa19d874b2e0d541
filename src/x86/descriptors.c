// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/descriptors.h"

#include "x86/mode.h"

#include <errno.h>
#include <string.h>

#define GATE_PRESENT 0x80
#define GATE_CODE    0x06 /* interrupt and trap gates, of 16 or 32 and 64 bits: types 6, 7, 14, 15 */
#define GATE_WIDE    0x08
#define SELECTOR_TI  4 /* the descriptor is in the LDT */

/* Byte 5 of a descriptor, and byte 6. */
#define DESC_TYPE      0x0f
#define DESC_CODE      0x08
#define DESC_CODE_DATA 0x10
#define DESC_LONG      0x20
#define DESC_PAGES     0x80
#define CALL_GATE_16   4
#define CALL_GATE_32   12

struct table_reader {
	linear_read_fn *read;
	void *ctx;
};

/* limit: the last valid byte's offset. */
static bool read_entry(const struct table_reader *r, uint64_t base, uint32_t limit, uint32_t offset,
		       void *entry, size_t size)
{
	return offset + size - 1 <= limit && r->read(r->ctx, base + offset, entry, size);
}

static int real_handler(const struct table_reader *r, const struct cpu_table *idt, uint8_t vector,
			uint64_t *linear)
{
	uint16_t entry[2]; /* offset, segment */

	if (!read_entry(r, idt->base, idt->limit, vector * 4u, entry, sizeof(entry)))
		return -ENOENT;
	*linear = (uint64_t)entry[1] * 16 + entry[0];
	return 0;
}

/* An entry of the GDT or the LDT, as the selector says. */
static bool read_descriptor(const struct table_reader *r, const struct cpu_state *state,
			    uint16_t selector, void *entry, size_t size)
{
	const struct cpu_segment *ldt = &state->system.seg[SEG_LDTR];
	bool local = selector & SELECTOR_TI;
	uint64_t table = local ? ldt->base : state->system.gdt.base;
	uint32_t limit = local ? ldt->limit : state->system.gdt.limit;

	return read_entry(r, table, limit, selector & ~7u, entry, size);
}

/* The base of a segment, spread over its descriptor as it is. */
static uint32_t segment_base(const uint8_t d[8])
{
	return d[2] | (uint32_t)d[3] << 8 | (uint32_t)d[4] << 16 | (uint32_t)d[7] << 24;
}

/* The entry that an interrupt, trap or call gate names: long mode's code segments have no base. */
static int gate_target(const struct table_reader *r, const struct cpu_state *state,
		       const uint8_t gate[16], uint64_t *linear)
{
	uint32_t base = 0, high = 0;
	uint16_t low, selector, middle;
	uint8_t d[8];

	memcpy(&low, gate, 2);
	memcpy(&selector, gate + 2, 2);
	memcpy(&middle, gate + 6, 2);
	memcpy(&high, gate + 8, 4);
	if (!(gate[5] & GATE_WIDE))
		middle = 0; /* a 16-bit gate has no upper half */
	if (!(state->system.efer & EFER_LMA)) {
		if (!read_descriptor(r, state, selector, d, sizeof(d)))
			return -ENOENT;
		base = segment_base(d);
	}
	*linear = (uint64_t)high << 32 | (uint32_t)(base + ((uint32_t)middle << 16 | low));
	return 0;
}

static bool enters_code(uint8_t attributes)
{
	return (attributes & GATE_PRESENT) && (attributes & GATE_CODE) == GATE_CODE;
}

static int gate_handler(const struct table_reader *r, const struct cpu_state *state, uint8_t vector,
			uint64_t *linear)
{
	unsigned size = state->system.efer & EFER_LMA ? 16 : 8;
	uint8_t gate[16] = {0};

	if (!read_entry(r, state->system.idt.base, state->system.idt.limit, vector * size, gate,
			size))
		return -ENOENT;
	if (!enters_code(gate[5]))
		return -ENOENT;
	return gate_target(r, state, gate, linear);
}

int interrupt_handler(const struct cpu_state *state, uint8_t vector, linear_read_fn *read,
		      void *ctx, uint64_t *linear)
{
	const struct table_reader reader = {read, ctx};

	if (cpu_mode(state) == MODE_REAL)
		return real_handler(&reader, &state->system.idt, vector, linear);
	return gate_handler(&reader, state, vector, linear);
}

/* ---- far transfers ----------------------------------------------------------------------- */

static bool is_call_gate(const struct cpu_state *state, uint8_t attributes)
{
	unsigned type = attributes & DESC_TYPE;

	return !(attributes & DESC_CODE_DATA) &&
	       (type == CALL_GATE_32 || (type == CALL_GATE_16 && !(state->system.efer & EFER_LMA)));
}

static int call_gate(const struct table_reader *r, const struct cpu_state *state, uint16_t selector,
		     uint64_t *linear)
{
	uint8_t gate[16] = {0};
	size_t size = state->system.efer & EFER_LMA ? 16 : 8;

	if (!read_descriptor(r, state, selector, gate, size))
		return -ENOENT;
	return gate_target(r, state, gate, linear);
}

static int protected_far(const struct table_reader *r, const struct cpu_state *state,
			 uint16_t selector, uint64_t offset, uint64_t *linear)
{
	uint8_t d[8];

	if (!(selector & ~3u) || !read_descriptor(r, state, selector, d, sizeof(d)) ||
	    !(d[5] & GATE_PRESENT))
		return -ENOENT;
	if (is_call_gate(state, d[5]))
		return call_gate(r, state, selector, linear);
	if (!(d[5] & DESC_CODE_DATA) || !(d[5] & DESC_CODE))
		return -ENOENT;
	if ((state->system.efer & EFER_LMA) && (d[6] & DESC_LONG))
		*linear = offset;
	else
		*linear = (uint32_t)(segment_base(d) + (uint32_t)offset);
	return 0;
}

int far_target(const struct cpu_state *state, uint16_t selector, uint64_t offset,
	       linear_read_fn *read, void *ctx, uint64_t *linear)
{
	const struct table_reader reader = {read, ctx};
	enum cpu_mode mode = cpu_mode(state);

	if (mode != MODE_REAL && mode != MODE_V86)
		return protected_far(&reader, state, selector, offset, linear);
	*linear = ((uint64_t)selector << 4) + (offset & 0xffff);
	return 0;
}

/* ---- segments ---------------------------------------------------------------------------- */

/* SDM vol. 3A, figure 3-8. */
int descriptor_load(const struct cpu_state *state, uint16_t selector, linear_read_fn *read,
		    void *ctx, struct cpu_segment *segment)
{
	const struct table_reader reader = {read, ctx};
	uint32_t limit;
	uint8_t d[8];

	if (!(selector & ~3u) || !read_descriptor(&reader, state, selector, d, sizeof(d)) ||
	    !(d[5] & GATE_PRESENT) || !(d[5] & DESC_CODE_DATA))
		return -ENOENT;
	limit = d[0] | (uint32_t)d[1] << 8 | (uint32_t)(d[6] & 0xf) << 16;
	*segment = (struct cpu_segment){
		.base = segment_base(d),
		.limit = d[6] & DESC_PAGES ? limit << 12 | 0xfff : limit,
		.selector = selector,
		.type = d[5] & DESC_TYPE,
		.present = 1,
		.dpl = d[5] >> 5 & 3,
		.s = 1,
		.avl = d[6] >> 4 & 1,
		.l = d[6] >> 5 & 1,
		.db = d[6] >> 6 & 1,
		.g = d[6] >> 7 & 1,
	};
	return 0;
}

int selector_linear(const struct cpu_state *state, uint16_t selector, uint64_t offset,
		    linear_read_fn *read, void *ctx, uint64_t *linear)
{
	enum cpu_mode mode = cpu_mode(state);
	struct cpu_segment segment;
	int rc = 0;

	if (mode == MODE_REAL || mode == MODE_V86) {
		*linear = ((uint64_t)selector << 4) + (offset & 0xffff);
		return 0;
	}
	rc = descriptor_load(state, selector, read, ctx, &segment);
	if (rc == 0)
		*linear = mode == MODE_LONG ? offset : (uint32_t)(segment.base + offset);
	return rc;
}
