// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the processor does by itself, not by an instruction, finds no way around a protected page: it pushes
 * the frame of an interrupt or exception, and where that cannot be written there is a shutdown, or KVM
 * gives up. Then the page is open for this one event, with every other vCPU held; what was on it is
 * compared with what is on it afterwards, and it is protected again.
 *
 *   the vCPU's exit    core_pages_lift()     remembers the pages, asks everybody to park
 *   the next launch    core_pages_plant()    leaves them out; the vCPU alone makes one step
 *   the step's end     page_lift_done()      compares
 *   the launch then    core_pages_plant()    protects them again
 */
#include "debug/pages.h"

#include "x86/mode.h"

#include <stdlib.h>
#include <string.h>

#define PAGE	    4096ull
#define FRAME	    64u /* bytes that the processor pushes at most */
#define TSS_STACKS  36u /* of the interrupt stack table in a 64-bit TSS (SDM vol. 3A, 8.7) */
#define STACK_COUNT 7u

/* ---- which pages -------------------------------------------------------------------------- */

static void add_page(struct debug *debug, struct vcpu *vcpu, uint64_t linear)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];
	struct paging_walk walk;
	uint64_t page;

	if (core_walk(debug, vcpu, linear, &walk) != PAGING_OK)
		return;
	page = walk.gpa & ~(PAGE - 1);
	if (memory_access_at(debug->machine->memory, page) == MEMORY_OPEN ||
	    v->lifted == PAGE_LIFTS)
		return;
	for (unsigned i = 0; i < v->lifted; i++)
		if (v->lift[i].gpa == page)
			return;
	if (mem_read_phys(debug->machine->memory, page, v->lift[v->lifted].before, PAGE) == PAGE)
		v->lift[v->lifted++].gpa = page;
}

/* Code can be read where it is read-only. */
static void add_withdrawn(struct debug *debug, struct vcpu *vcpu, uint64_t linear)
{
	struct paging_walk walk;

	if (core_walk(debug, vcpu, linear, &walk) == PAGING_OK &&
	    memory_access_at(debug->machine->memory, walk.gpa) == MEMORY_WITHDRAWN)
		add_page(debug, vcpu, linear);
}

static void stack_at(struct debug *debug, struct vcpu *vcpu, uint64_t linear, unsigned size,
		     page_stack_fn *fn, void *ctx)
{
	struct core_place place = {debug, vcpu};
	uint64_t top = 0;

	if (core_read_linear(&place, linear, &top, size) && top)
		fn(ctx, vcpu, top);
}

/* Ring 0's stack comes right behind the first word of either TSS, and the 64-bit one has seven more. */
static void tss_stacks(struct debug *debug, struct vcpu *vcpu, const struct cpu_state *state,
		       page_stack_fn *fn, void *ctx)
{
	const struct cpu_segment *tr = &state->system.seg[SEG_TR];
	bool is_64 = state->system.efer & EFER_LMA;

	if (!tr->present || cpu_mode(state) == MODE_REAL)
		return;
	stack_at(debug, vcpu, tr->base + 4, is_64 ? 8 : 4, fn, ctx);
	for (unsigned i = 0; is_64 && i < STACK_COUNT; i++)
		stack_at(debug, vcpu, tr->base + TSS_STACKS + 8 * i, 8, fn, ctx);
}

void page_each_stack(struct debug *debug, struct vcpu *vcpu, page_stack_fn *fn, void *ctx)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state)
		return;
	if (cpu_cpl(state) < 3)
		fn(ctx, vcpu, cpu_linear_sp(state));
	tss_stacks(debug, vcpu, state, fn, ctx);
}

/* A stack that grows down from top. */
static void add_stack(void *debug, struct vcpu *vcpu, uint64_t top)
{
	add_page(debug, vcpu, top - 1);
	add_page(debug, vcpu, top - FRAME);
}

/* ---- an event that got lost ----------------------------------------------------------------- */

static bool repeats(struct debug *debug, struct vcpu *vcpu, const struct cpu_state *state)
{
	struct core_place place = {debug, vcpu};
	struct instruction insn;

	return instruction_fetch(state, cpu_linear_pc(state), core_read_linear, &place, &insn) &&
	       insn.repeat;
}

/* A KVM that interprets gives up the event together with its frame, although the controller has handed the
 * interrupt over; but what it was is still there to be read. A fault has set RF, and so do the turns of a
 * repeated instruction; there an interrupt is likelier, and a fault would come again by itself. */
static void give_event_back(struct debug *debug, struct vcpu *vcpu, struct cpu_state *state)
{
	struct cpu_events *e = &state->events;
	bool fault = (state->general.rflags & RFLAGS_RF) && !repeats(debug, vcpu, state);

	if (e->interrupt.injected || e->nmi.injected || e->exception.injected ||
	    e->exception.pending)
		return;
	if (fault)
		e->exception.injected = true;
	else if ((state->general.rflags & RFLAGS_IF) && e->interrupt.vector)
		e->interrupt.injected = true;
	e->interrupt.soft = false;
	vcpu_dirty(vcpu, CPU_EVENTS);
}

/* ---- the way of an event ------------------------------------------------------------------- */

static bool make_copies(struct page_vcpu *v)
{
	if (!v->lift)
		v->lift = calloc(PAGE_LIFTS, sizeof(*v->lift));
	return v->lift;
}

bool core_pages_lift(struct debug *debug, struct vcpu *vcpu, bool event)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];
	struct cpu_state *state;
	bool again = v->lifted > 0;

	v->lifted = 0;
	if (again || !core_pages_any(debug) || !make_copies(v))
		return false;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	if (!state)
		return false;
	if (event)
		page_each_stack(debug, vcpu, add_stack, debug);
	add_withdrawn(debug, vcpu, cpu_linear_pc(state));
	if (!v->lifted)
		return false;
	if (event)
		give_event_back(debug, vcpu, state);
	core_park_briefly(debug);
	return true;
}

bool core_pages_lifting(const struct debug *debug, unsigned vcpu)
{
	return debug->pages->vcpu[vcpu].lifted > 0 && debug->vcpu[vcpu].plan.action != PLAN_HOLD;
}

/* ---- afterwards --------------------------------------------------------------------------- */

static unsigned first_difference(const uint8_t *a, const uint8_t *b, unsigned from, unsigned end)
{
	while (from < end && a[from] == b[from])
		from++;
	return from;
}

struct comparing {
	struct debug *debug;
	struct vcpu *vcpu;
	const struct page_lift *lift;
	uint8_t now[PAGE];
};

/* The bytes from the first that differs on: as many as can be told, and as lie on the page. On an open page
 * debug registers speak for themselves. */
static void compare_piece(void *ctx, const struct page_piece *piece)
{
	struct comparing *c = ctx;
	uint64_t page_end = c->lift->gpa + PAGE, piece_end = piece->gpa + piece->size;
	unsigned from = piece->gpa > c->lift->gpa ? (unsigned)(piece->gpa - c->lift->gpa) : 0;
	unsigned end = (unsigned)((piece_end < page_end ? piece_end : page_end) - c->lift->gpa);
	struct page_access access = {.write = true};

	if (piece->point->rung == RUNG_SLOT)
		return;
	from = first_difference(c->lift->before, c->now, from, end);
	if (from == end)
		return;
	access.gpa = c->lift->gpa + from;
	access.size = end - from < sizeof(access.data) ? end - from : sizeof(access.data);
	memcpy(access.data, c->now + from, access.size);
	page_note_done(c->debug, c->vcpu, piece, &access, c->lift->before + from);
}

void page_lift_done(struct debug *debug, struct vcpu *vcpu)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];

	for (unsigned i = 0; i < v->lifted; i++) {
		struct comparing c = {debug, vcpu, &v->lift[i], {0}};

		if (mem_read_phys(debug->machine->memory, v->lift[i].gpa, c.now, PAGE) == PAGE)
			page_each_touched(debug->pages, v->lift[i].gpa, PAGE, compare_piece, &c);
	}
	v->lifted = 0;
}

void core_pages_forget(struct debug *debug)
{
	debug->pages->code_count = 0;
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct page_vcpu *v = &debug->pages->vcpu[i];

		v->count = v->lifted = 0;
		v->half = v->by_event = v->writer_known = false;
	}
}
