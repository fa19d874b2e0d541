// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Some hosts' KVM makes a thousand turns of a repeated instruction in one step. A watch is told turn by turn, so
 * before one that touches a watch the instruction is given just that one turn: RCX says 1, and what it had left
 * is put back behind the step, with RIP on the instruction again if there is more to do.
 */
#include "debug/pages.h"

#include "x86/mode.h"

#define PAGE	       4096u
#define MOST_TURNS     1024u
#define REPNE	       0xf2
#define REP	       0xf3
#define CMPS_SCAS      0xa6 /* cmps a6, a7; scas ae, af */
#define CMPS_SCAS_MASK 0xf6

static uint64_t mask_of(const struct instruction *insn)
{
	return insn->address_bits >= 64 ? ~0ull : (1ull << insn->address_bits) - 1;
}

/* ---- what it touches --------------------------------------------------------------------- */

struct minding {
	bool read, write, found;
};

static void ask_piece(void *ctx, const struct page_piece *piece)
{
	struct minding *m = ctx;
	enum point_kind kind = piece->point->point.spec.kind;

	m->found |= piece->seen &&
		    ((m->read && page_minds(kind, false)) || (m->write && page_minds(kind, true)));
}

bool compare_touches(struct debug *debug, struct vcpu *vcpu,
		     const struct instruction_access *access)
{
	struct minding m = {.read = access->read, .write = access->write};
	uint64_t linear = access->linear, end = linear + access->size;

	while (linear < end && !m.found) {
		uint64_t room = PAGE - linear % PAGE, size = end - linear;
		struct paging_walk walk;

		size = size < room ? size : room;
		if (core_walk(debug, vcpu, linear, &walk) == PAGING_OK)
			page_each_touched(debug->pages, walk.gpa, size, ask_piece, &m);
		linear += size;
	}
	return m.found;
}

struct instruction_access compare_turns(const struct instruction_access *access, uint64_t turns,
					bool down)
{
	struct instruction_access all = *access;
	uint64_t most = UINT32_MAX / (access->size ? access->size : 1);

	turns = turns < most ? turns : most;
	all.size = (uint32_t)(access->size * turns);
	if (down && turns)
		all.linear -= access->size * (turns - 1);
	return all;
}

static bool any_touched(struct step_at *at, const struct compare_step *c, uint64_t turns)
{
	bool down = at->state->general.rflags & RFLAGS_DF;

	for (unsigned i = 0; i < c->count; i++) {
		struct instruction_access all = compare_turns(&c->access[i], turns, down);

		if (compare_touches(at->debug, at->vcpu, &all))
			return true;
	}
	return false;
}

/* ---- before the step, and behind it -------------------------------------------------------- */

/* A guest that steps itself gets its own trap between two turns, with RIP on the instruction. */
void compare_split(struct step_at *at, struct compare_step *c)
{
	const struct instruction *insn = &at->step->insn[0];
	uint64_t *rcx = &at->state->general.gpr[GPR_RCX];

	c->turns = c->given = instruction_turns(insn, at->state);
	if ((at->state->general.rflags & RFLAGS_TF))
		return;
	c->given = c->turns < MOST_TURNS ? c->turns : MOST_TURNS;
	while (c->given > 1 && any_touched(at, c, c->given))
		c->given /= 2;
	if (c->given == c->turns)
		return;
	*rcx = (*rcx & ~mask_of(insn)) | c->given;
	vcpu_dirty(at->vcpu, CPU_GENERAL);
}

/* repe and repne end by a comparison, too (SDM vol. 2B, REP). The opcode of a string instruction is its last byte. */
static bool would_go_on(const struct instruction *insn, uint64_t rflags)
{
	uint8_t rep = 0, opcode = insn->bytes[insn->length - 1];

	for (unsigned i = 0; i + 1u < insn->length; i++)
		if (insn->bytes[i] == REPNE || insn->bytes[i] == REP)
			rep = insn->bytes[i];
	return (opcode & CMPS_SCAS_MASK) != CMPS_SCAS || (rep == REP) == !!(rflags & RFLAGS_ZF);
}

uint64_t compare_join(struct vcpu *vcpu, struct cpu_state *state, const struct instruction *insn,
		      struct compare_step *c)
{
	uint64_t *rcx = &state->general.gpr[GPR_RCX], mask = mask_of(insn);
	uint64_t left = *rcx & mask, done = left < c->given ? c->given - left : 0;

	if (c->given == c->turns)
		return done;
	*rcx = (*rcx & ~mask) | (c->turns - done);
	if (left == 0 && state->general.rip == insn->offset + insn->length &&
	    would_go_on(insn, state->general.rflags))
		state->general.rip = insn->offset;
	vcpu_dirty(vcpu, CPU_GENERAL);
	return done;
}
