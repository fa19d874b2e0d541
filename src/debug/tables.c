// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/debug.h"

#include <errno.h>
#include <string.h>

#define LAST_SELECTOR 0xffff /* 8192 descriptors, whatever the limit of an LDT says */
#define SELECTOR_TI   4

int debug_table(struct debug *debug, int vcpu, enum descriptor_table table, uint64_t *base,
		uint32_t *limit)
{
	const struct cpu_state *state = debug_state(debug, vcpu, CPU_SYSTEM);
	const struct cpu_segment *ldt;
	const struct cpu_table *of;

	if (!state)
		return -EBUSY;
	ldt = &state->system.seg[SEG_LDTR];
	of = table == TABLE_IDT ? &state->system.idt : &state->system.gdt;
	if (table == TABLE_LDT && (ldt->unusable || !(ldt->selector & ~3u)))
		return -ENOENT;
	*base = table == TABLE_LDT ? ldt->base : of->base;
	*limit = table == TABLE_LDT ? ldt->limit : of->limit;
	if (*limit > LAST_SELECTOR)
		*limit = LAST_SELECTOR;
	return 0;
}

static bool long_mode(struct debug *debug, int vcpu)
{
	const struct cpu_state *state = debug_state(debug, vcpu, CPU_SYSTEM);

	return state && state->system.efer & EFER_LMA;
}

/* Without the target, which another entry has its part in. */
static int read_entry(struct debug *debug, int vcpu, enum descriptor_table table, uint32_t offset,
		      struct table_entry *entry)
{
	bool wide = long_mode(debug, vcpu);
	uint32_t limit, least = table == TABLE_IDT && wide ? 16 : 8;
	uint8_t bytes[16] = {0};
	uint64_t base;
	ssize_t done;
	int rc = debug_table(debug, vcpu, table, &base, &limit);

	if (rc < 0)
		return rc;
	if (offset > limit || limit - offset < least - 1)
		return 0;
	entry->address = base + offset;
	done = debug_read(debug, vcpu, SPACE_LINEAR, entry->address, bytes,
			  limit - offset < 15 ? limit - offset + 1 : 16);
	if (done < (ssize_t)least)
		return done < 0 ? (int)done : -EFAULT;
	descriptor_decode(bytes, (size_t)done, wide, table == TABLE_IDT, &entry->descriptor);
	return (int)entry->descriptor.bytes;
}

/* Long mode's code segments have no base. */
static uint64_t code_base(struct debug *debug, int vcpu, uint16_t selector)
{
	enum descriptor_table table = selector & SELECTOR_TI ? TABLE_LDT : TABLE_GDT;
	struct table_entry code;

	if (long_mode(debug, vcpu) || read_entry(debug, vcpu, table, selector & ~7u, &code) <= 0)
		return 0;
	return code.descriptor.kind == DESCRIPTOR_CODE ? code.descriptor.base : 0;
}

static bool leads_to_code(const struct descriptor *d)
{
	return d->kind == DESCRIPTOR_CALL_GATE || d->kind == DESCRIPTOR_INTERRUPT_GATE ||
	       d->kind == DESCRIPTOR_TRAP_GATE;
}

int debug_table_entry(struct debug *debug, int vcpu, enum descriptor_table table, uint32_t offset,
		      struct table_entry *entry)
{
	const struct descriptor *d = &entry->descriptor;
	int bytes;

	*entry = (struct table_entry){0};
	bytes = read_entry(debug, vcpu, table, offset, entry);
	if (bytes > 0 && leads_to_code(d))
		entry->target = d->offset + code_base(debug, vcpu, d->selector);
	return bytes;
}
