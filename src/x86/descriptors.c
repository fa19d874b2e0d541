// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/descriptors.h"

#include "x86/mode.h"

#include <errno.h>
#include <string.h>

#define GATE_PRESENT 0x80
#define GATE_CODE    0x06 /* interrupt and trap gates, of 16 or 32 and 64 bits: types 6, 7, 14, 15 */
#define GATE_WIDE    0x08
#define SELECTOR_TI  4 /* the descriptor is in the LDT */

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

/* The base that a code selector would load, spread over the descriptor as it is. */
static int code_base(const struct table_reader *r, const struct cpu_state *state, uint16_t selector,
		     uint32_t *base)
{
	const struct cpu_segment *ldt = &state->system.seg[SEG_LDTR];
	bool local = selector & SELECTOR_TI;
	uint64_t table = local ? ldt->base : state->system.gdt.base;
	uint32_t limit = local ? ldt->limit : state->system.gdt.limit;
	uint8_t d[8];

	if (!read_entry(r, table, limit, selector & ~7u, d, sizeof(d)))
		return -ENOENT;
	*base = d[2] | (uint32_t)d[3] << 8 | (uint32_t)d[4] << 16 | (uint32_t)d[7] << 24;
	return 0;
}

static bool enters_code(uint8_t attributes)
{
	return (attributes & GATE_PRESENT) && (attributes & GATE_CODE) == GATE_CODE;
}

static int gate_handler(const struct table_reader *r, const struct cpu_state *state, uint8_t vector,
			uint64_t *linear)
{
	bool wide = state->system.efer & EFER_LMA;
	unsigned size = wide ? 16 : 8;
	uint8_t gate[16] = {0};
	uint32_t base = 0, high = 0;
	uint16_t low, selector, middle;

	if (!read_entry(r, state->system.idt.base, state->system.idt.limit, vector * size, gate,
			size))
		return -ENOENT;
	if (!enters_code(gate[5]))
		return -ENOENT;
	memcpy(&low, gate, 2);
	memcpy(&selector, gate + 2, 2);
	memcpy(&middle, gate + 6, 2);
	memcpy(&high, gate + 8, 4);
	if (!(gate[5] & GATE_WIDE))
		middle = 0; /* a 16-bit gate has no upper half */
	if (!wide && code_base(r, state, selector, &base) < 0)
		return -ENOENT;
	*linear = (uint64_t)high << 32 | (uint32_t)(base + ((uint32_t)middle << 16 | low));
	return 0;
}

int interrupt_handler(const struct cpu_state *state, uint8_t vector, linear_read_fn *read,
		      void *ctx, uint64_t *linear)
{
	const struct table_reader reader = {read, ctx};

	if (cpu_mode(state) == MODE_REAL)
		return real_handler(&reader, &state->system.idt, vector, linear);
	return gate_handler(&reader, state, vector, linear);
}
