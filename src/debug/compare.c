// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One step, and what it did to the watches that are compared. What an instruction will read and write its
 * operands tell; so a write of the same value is a hit, as it is by any other rung, and so is a read. What its
 * operands do not tell, the frame of an event or an XSAVE area, is a hit when it has changed watched bytes.
 *
 * Old values come from the bytes as last seen. Whoever may touch a watched byte is alone in doing so, so that
 * nobody else's write lies in between.
 */
#include "debug/pages.h"

#include "x86/exceptions.h"

#include <string.h>

#define PAGE 4096u

static struct compare_step *compare_of(struct debug *debug, const struct vcpu *vcpu)
{
	return &debug->pages->vcpu[vcpu->index].compare;
}

/* ---- before ------------------------------------------------------------------------------ */

static void add_operands(struct step_at *at, struct compare_step *c, const struct instruction *insn,
			 bool stack)
{
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	unsigned count = instruction_memory(insn, at->state, access);

	for (unsigned i = 0; i < count; i++) {
		if (access[i].size == 0 || (!stack && insn->operand[i].segment == SEG_SS))
			continue;
		c->writer[c->count] = insn->linear;
		c->access[c->count++] = access[i];
	}
}

/* Where the stack of an instruction behind `mov ss` lies is not known yet. */
static void look_at_operands(struct step_at *at, struct compare_step *c)
{
	const struct instruction *insn = at->step->insn;

	add_operands(at, c, &insn[0], true);
	c->second = c->count;
	if (insn[0].repeat)
		compare_split(at, c);
	if (insn[1].kind != INSN_INVALID)
		add_operands(at, c, &insn[1], false);
}

static bool any_touched(struct step_at *at, const struct compare_step *c)
{
	for (unsigned i = 0; i < c->count; i++)
		if (compare_touches(at->debug, at->vcpu, &c->access[i]))
			return true;
	return false;
}

/* It touches nothing, and nobody shall wait for it. */
static bool may_sleep(const struct step *step)
{
	return step->how != STEP_IS_DELIVERY && step->insn[0].kind == INSN_HLT;
}

/* An instruction that may fault, or exit, may do more than its operands say. vcpu->caught sees to it that the
 * others are let in again, whatever comes of the step. */
void core_compare_begin(struct step_at *at)
{
	struct compare_step *c = compare_of(at->debug, at->vcpu);

	core_compare_end(at->debug, at->vcpu, false);
	if (!at->debug->comparing)
		return;
	c->armed = true;
	c->count = c->second = 0;
	c->turns = c->given = 0;
	if (at->step->how != STEP_IS_DELIVERY)
		look_at_operands(at, c);
	if (at->step->tame ? !any_touched(at, c) : may_sleep(at->step))
		return;
	compare_enter(at->debug, at->vcpu);
	c->alone = at->vcpu->caught = true;
}

/* ---- behind: what the operands say --------------------------------------------------------- */

struct noting {
	struct debug *debug;
	struct vcpu *vcpu;
	struct page_vcpu *v;
	uint64_t gpa, size;
	bool write;
	uint64_t writer;
	unsigned noted;
};

/* Begun by whatever touches it first; both values are of now. */
static void note_hit(struct noting *n, const struct page_piece *piece, uint64_t from, uint64_t size)
{
	struct page_hit *hit;
	unsigned had = n->v->count;

	hit = page_hit_of(n->debug, n->v, piece, piece->linear + (from - piece->gpa),
			  size < 8 ? (unsigned)size : 8);
	if (!hit)
		return;
	hit->write |= n->write;
	if (n->v->count == had)
		return;
	hit->old_value = page_value(n->debug, piece, true, hit->address, hit->size);
	hit->new_value = page_value(n->debug, piece, false, hit->address, hit->size);
	if (n->noted++ == 0) {
		n->v->writer = n->writer;
		n->v->writer_known = true;
	}
}

static void note_piece(void *ctx, const struct page_piece *piece)
{
	struct noting *n = ctx;
	uint64_t end = n->gpa + n->size, piece_end = piece->gpa + piece->size;
	uint64_t from = n->gpa > piece->gpa ? n->gpa : piece->gpa;

	if (piece->seen && page_minds(piece->point->point.spec.kind, n->write))
		note_hit(n, piece, from, (end < piece_end ? end : piece_end) - from);
}

static void note_bytes(struct noting *n, const struct instruction_access *access)
{
	uint64_t linear = access->linear, end = linear + access->size;

	for (; linear < end; linear += n->size) {
		uint64_t room = PAGE - linear % PAGE;
		struct paging_walk walk;

		n->size = end - linear < room ? end - linear : room;
		if (core_walk(n->debug, n->vcpu, linear, &walk) != PAGING_OK)
			continue;
		n->gpa = walk.gpa;
		page_each_touched(n->debug->pages, n->gpa, n->size, note_piece, n);
	}
}

/* A comparison that failed has written nothing. */
static bool has_written(const struct step *step, const struct cpu_state *state, bool second)
{
	return !step->insn[second].compares || (state->general.rflags & RFLAGS_ZF);
}

/* The first has held its trap back. */
static bool both_executed(const struct step *step, uint64_t pc)
{
	return step->insn[1].kind != INSN_INVALID && pc != step->insn[1].linear;
}

static void note_operand(struct noting *n, const struct instruction_access *access, bool write,
			 uint64_t writer)
{
	n->write = write;
	n->writer = writer;
	note_bytes(n, access);
}

/* What is written says more than what is read. */
static void note_operands(struct noting *n, const struct cpu_state *state,
			  const struct compare_step *c, uint64_t turns)
{
	const struct step *step = &n->debug->vcpu[n->vcpu->index].step;
	bool down = state->general.rflags & RFLAGS_DF;
	bool two = both_executed(step, cpu_linear_pc(state));

	for (unsigned i = 0; i < (two ? c->count : c->second); i++) {
		struct instruction_access all = compare_turns(&c->access[i], turns, down);

		if (all.write && has_written(step, state, i >= c->second))
			note_operand(n, &all, true, c->writer[i]);
	}
	for (unsigned i = 0; i < (two ? c->count : c->second); i++) {
		struct instruction_access all = compare_turns(&c->access[i], turns, down);

		if (all.read)
			note_operand(n, &all, false, c->writer[i]);
	}
}

/* ---- behind: what has changed besides ------------------------------------------------------ */

static bool entered_handler(const struct step *step, uint64_t pc, int *vector)
{
	for (unsigned i = 0; i < DR_SLOTS; i++) {
		*vector = step->guards.vector[i];
		if ((step->guards.slots >> i & 1) && *vector >= 0 && step->guards.address[i] == pc)
			return true;
	}
	return false;
}

/* The processor sets these bits in page tables by itself, and that is nobody's write. */
static bool only_accessed_or_dirty(struct noting *n, uint64_t gpa, uint8_t differ)
{
	const uint8_t accessed_dirty = 0x60;

	return gpa % 4 == 0 && !(differ & ~accessed_dirty) &&
	       page_is_table_for(n->debug, n->vcpu, gpa, 1);
}

static void compare_bytes(struct noting *n, const struct page_piece *piece, uint64_t from,
			  const uint8_t *now, unsigned size)
{
	const uint8_t *seen = piece->seen + from;

	for (unsigned i = 0; i < size; i++) {
		if (now[i] == seen[i] ||
		    only_accessed_or_dirty(n, piece->gpa + from + i, now[i] ^ seen[i]))
			continue;
		note_hit(n, piece, piece->gpa + from + i, size - i);
		return;
	}
}

typedef void chunk_fn(struct noting *n, struct page_piece *piece, uint64_t from, const uint8_t *now,
		      unsigned size);

/* Calls fn, unless it is NULL, for what differs from what was seen last, piece by piece. */
static bool each_difference(struct noting *n, chunk_fn *fn)
{
	struct pages *pages = n->debug->pages;
	bool any = false;

	for (unsigned i = 0; i < pages->count; i++) {
		struct page_piece *piece = &pages->piece[i];
		uint8_t now[256];

		for (uint64_t from = 0; piece->seen && from < piece->size; from += sizeof(now)) {
			uint64_t left = piece->size - from;
			unsigned size = left < sizeof(now) ? (unsigned)left : sizeof(now);

			if (!page_read(n->debug, piece->gpa + from, now, size) ||
			    memcmp(now, piece->seen + from, size) == 0)
				continue;
			any = true;
			if (fn)
				fn(n, piece, from, now, size);
		}
	}
	return any;
}

static void note_difference(struct noting *n, struct page_piece *piece, uint64_t from,
			    const uint8_t *now, unsigned size)
{
	if (page_minds(piece->point->point.spec.kind, true))
		compare_bytes(n, piece, from, now, size);
}

static void remember(struct noting *n, struct page_piece *piece, uint64_t from, const uint8_t *now,
		     unsigned size)
{
	(void)n;
	memcpy(piece->seen + from, now, size);
}

/* Who it was, as far as that can be told. */
static void note_changes(struct noting *n, const struct step *step, uint64_t pc)
{
	unsigned had = n->v->count;
	int vector;
	bool event = step->how == STEP_IS_DELIVERY || entered_handler(step, pc, &vector);

	n->write = true;
	n->writer = both_executed(step, pc)	   ? step->insn[1].linear
		    : step->insn[0].memory_unknown ? step->insn[0].linear
						   : 0;
	if (!each_difference(n, note_difference))
		return;
	n->v->by_event |= event && had == 0 && n->v->count > 0;
	each_difference(n, remember);
}

/* ---- behind -------------------------------------------------------------------------------- */

/* A fault has come in place of the instruction; the guest's own trap comes behind it. */
static bool was_executed(const struct step *step, const struct cpu_state *state, bool executed)
{
	int vector;

	return executed && step->how != STEP_IS_DELIVERY &&
	       (!entered_handler(step, cpu_linear_pc(state), &vector) ||
		(step->how == STEP_BY_GUEST && vector == VECTOR_DB));
}

static void find_hits(struct noting *n, struct compare_step *c, bool executed)
{
	const struct step *step = &n->debug->vcpu[n->vcpu->index].step;
	struct cpu_state *state = vcpu_state(n->vcpu, CPU_GENERAL | CPU_SYSTEM);
	uint64_t turns = 1;

	if (!state)
		return;
	if (step->how != STEP_IS_DELIVERY && step->insn[0].repeat) {
		turns = compare_join(n->vcpu, state, &step->insn[0], c);
		executed = turns > 0;
	} else {
		executed = was_executed(step, state, executed);
	}
	if (executed)
		note_operands(n, state, c, turns);
	note_changes(n, step, cpu_linear_pc(state));
}

static bool differs(struct noting *n)
{
	bool any;

	pthread_mutex_lock(&n->debug->pages->lock);
	any = each_difference(n, NULL);
	pthread_mutex_unlock(&n->debug->pages->lock);
	return any;
}

/* A step that nobody waited for touched nothing; so what has changed may be somebody else's doing, who is about to
 * find it. */
void core_compare_end(struct debug *debug, struct vcpu *vcpu, bool executed)
{
	struct compare_step *c = compare_of(debug, vcpu);
	struct noting n = {.debug = debug, .vcpu = vcpu, .v = &debug->pages->vcpu[vcpu->index]};

	if (!c->armed)
		return;
	c->armed = false;
	if (!c->alone && !differs(&n))
		return;
	if (!c->alone)
		compare_enter(debug, vcpu);
	if (c->alone && executed && compare_sends_ipi(debug, vcpu, c))
		core_park_briefly(debug);
	c->alone = false;
	pthread_mutex_lock(&debug->pages->lock);
	find_hits(&n, c, executed);
	pthread_mutex_unlock(&debug->pages->lock);
	compare_leave(debug);
}

/* ---- what is nobody's write ----------------------------------------------------------------- */

static void see_again(void *ctx, const struct page_piece *piece)
{
	struct noting *n = ctx;
	uint64_t end = n->gpa + n->size, piece_end = piece->gpa + piece->size;
	uint64_t from = n->gpa > piece->gpa ? n->gpa : piece->gpa;

	end = end < piece_end ? end : piece_end;
	if (piece->seen)
		page_read(n->debug, from, piece->seen + (from - piece->gpa), end - from);
}

void page_seen(struct debug *debug, uint64_t gpa, uint64_t size)
{
	struct noting n = {.debug = debug, .gpa = gpa, .size = size};

	if (debug->comparing)
		page_each_touched(debug->pages, gpa, size, see_again, &n);
}

void core_compare_forget(struct debug *debug, uint64_t gpa, uint64_t size)
{
	if (!debug->comparing)
		return;
	pthread_mutex_lock(&debug->pages->lock);
	page_seen(debug, gpa, size);
	pthread_mutex_unlock(&debug->pages->lock);
}
