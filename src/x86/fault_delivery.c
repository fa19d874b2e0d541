// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/fault_delivery.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <stdio.h>
#include <string.h>

#define GATE_PRESENT 0x80
#define GATE_TYPE    0x1f /* with the S bit, which gates have clear */
#define GATE_TASK    0x05
#define GATE_CODE    0x06 /* interrupt and trap gates: types 6, 7, 14, 15 */
#define GATE_WIDE    0x08
#define SELECTOR_TI  4
#define CODE_S	     0x10
#define CODE_TYPE    0x08
#define DESCRIPTOR_L 0x20
#define DESCRIPTOR_D 0x40
#define TSS64_RSP0   4
#define TSS64_IST1   36
#define TSS32_ESP0   4

struct attempt {
	const struct cpu_state *state;
	linear_read_fn *read;
	linear_walk_fn *walk;
	void *ctx;
	uint8_t vector;
	uint8_t gate[16];
	struct delivery result;
};

static bool fails(struct attempt *a, enum delivery_problem problem, unsigned raises,
		  uint64_t address)
{
	a->result.problem = problem;
	a->result.raises = raises;
	a->result.address = address;
	return false;
}

static bool is_long(const struct attempt *a)
{
	return a->state->system.efer & EFER_LMA;
}

/* ---- the gate ------------------------------------------------------------------------------ */

static bool read_gate(struct attempt *a, unsigned size)
{
	const struct cpu_table *idt = &a->state->system.idt;
	uint64_t at = idt->base + (uint64_t)a->vector * size;

	if (a->vector * size + size - 1 > idt->limit)
		return fails(a, DELIVERY_BEYOND_IDT, VECTOR_GP, at);
	if (!a->read(a->ctx, at, a->gate, size))
		return fails(a, DELIVERY_IDT_NOT_MAPPED, VECTOR_PF, at);
	return true;
}

static bool check_gate(struct attempt *a)
{
	uint8_t type = a->gate[5] & GATE_TYPE;

	memcpy(&a->result.selector, a->gate + 2, 2);
	if (type == GATE_TASK && !is_long(a))
		return fails(a, DELIVERY_TASK_GATE, VECTOR_TS, 0);
	if ((type & ~(GATE_WIDE | 1)) != GATE_CODE || (is_long(a) && !(type & GATE_WIDE)))
		return fails(a, DELIVERY_NO_GATE, VECTOR_GP, 0);
	if (!(a->gate[5] & GATE_PRESENT))
		return fails(a, DELIVERY_GATE_NOT_PRESENT, VECTOR_NP, 0);
	return true;
}

/* ---- its code segment ---------------------------------------------------------------------- */

static bool is_handler_code(const struct attempt *a, const uint8_t d[8])
{
	bool code = (d[5] & (CODE_S | CODE_TYPE)) == (CODE_S | CODE_TYPE);

	return code && (!is_long(a) || (d[6] & (DESCRIPTOR_L | DESCRIPTOR_D)) == DESCRIPTOR_L);
}

static bool read_code(struct attempt *a, uint32_t *base, unsigned *ring)
{
	const struct cpu_segment *ldt = &a->state->system.seg[SEG_LDTR];
	uint16_t selector = a->result.selector;
	bool local = selector & SELECTOR_TI;
	uint64_t table = local ? ldt->base : a->state->system.gdt.base;
	uint32_t limit = local ? ldt->limit : a->state->system.gdt.limit;
	uint8_t d[8];

	if (!(selector & ~3u))
		return fails(a, DELIVERY_NULL_SELECTOR, VECTOR_GP, 0);
	if ((selector | 7u) > limit)
		return fails(a, DELIVERY_BEYOND_GDT, VECTOR_GP, selector);
	if (!a->read(a->ctx, table + (selector & ~7u), d, sizeof(d)))
		return fails(a, DELIVERY_GDT_NOT_MAPPED, VECTOR_PF, table + (selector & ~7u));
	if (!is_handler_code(a, d))
		return fails(a, DELIVERY_NO_CODE, VECTOR_GP, selector);
	if (!(d[5] & GATE_PRESENT))
		return fails(a, DELIVERY_CODE_NOT_PRESENT, VECTOR_NP, selector);
	*base = d[2] | (uint32_t)d[3] << 8 | (uint32_t)d[4] << 16 | (uint32_t)d[7] << 24;
	*ring = d[5] >> 5 & 3;
	return true;
}

static bool find_handler(struct attempt *a, unsigned *ring)
{
	uint32_t base = 0, high = 0;
	uint16_t low, middle = 0;
	uint64_t offset;

	if (!read_code(a, &base, ring))
		return false;
	memcpy(&low, a->gate, 2);
	if (a->gate[5] & GATE_WIDE)
		memcpy(&middle, a->gate + 6, 2);
	offset = (uint32_t)middle << 16 | low;
	if (is_long(a)) {
		memcpy(&high, a->gate + 8, 4);
		a->result.handler = (uint64_t)high << 32 | offset;
		return cpu_canonical(a->state, a->result.handler) ||
		       fails(a, DELIVERY_NOT_CANONICAL, VECTOR_GP, a->result.handler);
	}
	a->result.handler = (uint32_t)(base + offset);
	return true;
}

/* ---- its stack ----------------------------------------------------------------------------- */

static bool read_tss(struct attempt *a, unsigned offset, unsigned size, uint64_t *value)
{
	const struct cpu_segment *tr = &a->state->system.seg[SEG_TR];

	*value = 0;
	if (offset + size - 1 > tr->limit)
		return fails(a, DELIVERY_NO_TSS, VECTOR_TS, tr->base + offset);
	if (!a->read(a->ctx, tr->base + offset, value, size))
		return fails(a, DELIVERY_NO_TSS, VECTOR_PF, tr->base + offset);
	return true;
}

/* Linear, before anything is pushed. */
static bool find_stack(struct attempt *a, unsigned ring, uint64_t *top)
{
	bool inward = cpu_cpl(a->state) > ring;
	unsigned ist = is_long(a) ? a->gate[4] & 7 : 0;

	*top = cpu_linear_sp(a->state);
	if (ist)
		return read_tss(a, TSS64_IST1 + 8 * (ist - 1), 8, top);
	if (inward && is_long(a))
		return read_tss(a, TSS64_RSP0 + 8 * ring, 8, top);
	if (inward)
		return read_tss(a, TSS32_ESP0 + 8 * ring, 4, top);
	return true;
}

static bool may_write(const struct attempt *a, uint64_t linear)
{
	struct paging_walk walk;

	return a->walk(a->ctx, linear, &walk) == PAGING_OK &&
	       (walk.write || !(a->state->system.cr0 & CR0_WP));
}

static bool check_stack(struct attempt *a, unsigned ring)
{
	bool inward = cpu_cpl(a->state) > ring;
	unsigned word = is_long(a) ? 8 : a->gate[5] & GATE_WIDE ? 4 : 2;
	unsigned words = (is_long(a) || inward ? 5 : 3) + exception_has_error_code(a->vector);
	uint64_t top;

	if (!find_stack(a, ring, &top))
		return false;
	if (is_long(a) && !cpu_canonical(a->state, top))
		return fails(a, DELIVERY_STACK_NOT_CANONICAL, VECTOR_SS, top);
	top = is_long(a) ? top & ~15ull : top;
	for (unsigned n = 1; n <= words; n++)
		if (!may_write(a, top - (uint64_t)n * word))
			return fails(a, DELIVERY_STACK_NOT_MAPPED, VECTOR_PF, top - n * word);
	return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void deliver_real(struct attempt *a)
{
	uint16_t entry[2];

	if (!read_gate(a, 4))
		return;
	memcpy(entry, a->gate, sizeof(entry));
	a->result.handler = (uint64_t)entry[1] * 16 + entry[0];
}

struct delivery fault_deliver(const struct cpu_state *state, uint8_t vector, linear_read_fn *read,
			      linear_walk_fn *walk, void *ctx)
{
	struct attempt a = {
		.state = state, .read = read, .walk = walk, .ctx = ctx, .vector = vector};
	unsigned ring;

	if (cpu_mode(state) == MODE_REAL)
		deliver_real(&a);
	else if (read_gate(&a, is_long(&a) ? 16 : 8) && check_gate(&a) && find_handler(&a, &ring))
		check_stack(&a, ring);
	return a.result;
}

void delivery_text(const struct delivery *delivery, uint8_t vector, char *buf, size_t size)
{
	static const struct {
		const char *before, *behind; /* the gate's number between them */
		bool address;
	} texts[DELIVERY_PROBLEM_COUNT] = {
		[DELIVERY_FINE] = {"gate ", " leads to", true},
		[DELIVERY_BEYOND_IDT] = {"gate ", " lies beyond the IDT's limit", false},
		[DELIVERY_IDT_NOT_MAPPED] = {"gate ", " is not mapped, at", true},
		[DELIVERY_NO_GATE] = {"gate ", " is none for a handler", false},
		[DELIVERY_GATE_NOT_PRESENT] = {"gate ", " is not present", false},
		[DELIVERY_TASK_GATE] = {"gate ", " switches tasks, which is not followed here",
					false},
		[DELIVERY_NULL_SELECTOR] = {"gate ", " names no code segment", false},
		[DELIVERY_BEYOND_GDT] = {"gate ", " names a segment beyond its table:", true},
		[DELIVERY_GDT_NOT_MAPPED] = {"gate ", ": its segment is not mapped, at", true},
		[DELIVERY_NO_CODE] = {"gate ", " names a segment of no such code:", true},
		[DELIVERY_CODE_NOT_PRESENT] = {"gate ",
					       " names a segment that is not present:", true},
		[DELIVERY_NOT_CANONICAL] = {"gate ", " leads to an impossible address:", true},
		[DELIVERY_NO_TSS] = {"gate ", ": its stack cannot be read from the TSS, at", true},
		[DELIVERY_STACK_NOT_CANONICAL] = {"gate ",
						  ": the stack is at an impossible address:", true},
		[DELIVERY_STACK_NOT_MAPPED] = {"gate ", ": the stack cannot be written, at", true},
	};
	uint64_t address = delivery->problem ? delivery->address : delivery->handler;
	char number[24] = "";

	if (texts[delivery->problem].address)
		snprintf(number, sizeof(number), " 0x%llx", (unsigned long long)address);
	snprintf(buf, size, "%s%u%s%s", texts[delivery->problem].before, vector,
		 texts[delivery->problem].behind, number);
}

static bool is_contributory(unsigned vector)
{
	return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

int fault_after(unsigned first, unsigned second)
{
	if (first == VECTOR_DF)
		return -1;
	if (is_contributory(first) && is_contributory(second))
		return VECTOR_DF;
	if (first == VECTOR_PF && (second == VECTOR_PF || is_contributory(second)))
		return VECTOR_DF;
	return (int)second;
}
