// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The rung below KVM's own step: debug registers on every place where the one instruction can lead. What is
 * certain comes first (the next instruction, the target, the handler of a software interrupt), then the handlers
 * of exceptions that are likely, as far as four registers go. A conditional jump is decided beforehand,
 * and a repeated string instruction is one step.
 *
 * The guest's debug registers are the guest's: KVM keeps them aside, and those that are in use keep their places.
 */
#include "debug/core.h"

#include "x86/exceptions.h"

#include <errno.h>

/* Where a step may lead for certain: of two instructions, when the first holds debug traps back. */
struct places {
	unsigned count;
	uint64_t linear[2 * INSTRUCTION_MAX_SUCCESSORS];
	bool undefined; /* nowhere but into the handler of #UD */
};

static void add(struct places *places, uint64_t linear)
{
	for (unsigned i = 0; i < places->count; i++)
		if (places->linear[i] == linear)
			return;
	places->linear[places->count++] = linear;
}

/* ---- where it leads ---------------------------------------------------------------------- */

static int unknown(const struct instruction *insn, const char *why, struct error *err)
{
	char text[80];

	instruction_text(insn, text, sizeof(text));
	return error_set(err, -ENOTSUP,
			 "cannot tell where '%s' leads: %s; set a breakpoint where it should, and "
			 "continue",
			 text, why);
}

/* SDM vol. 2: the jump target is the last successor, the fall-through the first. */
static void narrow(const struct instruction *insn, const struct cpu_state *state,
		   struct successors *next)
{
	enum instruction_taken taken = instruction_taken(insn, state);

	if (next->count < 2)
		return;
	if (insn->kind == INSN_BRANCH && taken == TAKEN_YES)
		next->linear[0] = next->linear[1];
	if ((insn->kind == INSN_BRANCH && taken != TAKEN_UNKNOWN) || insn->repeat)
		next->count = 1;
}

static int add_places(struct step_at *at, const struct instruction *insn, struct places *places,
		      struct error *err)
{
	struct core_place place = {at->debug, at->vcpu};
	struct successors next;

	if (insn->kind == INSN_SYSCALL || insn->kind == INSN_SYSENTER)
		vcpu_state(at->vcpu, CPU_MSRS);
	instruction_successors(insn, at->state, core_read_linear, &place, &next);
	if (next.unknown)
		return unknown(insn, next.unknown, err);
	narrow(insn, at->state, &next);
	places->undefined |= next.count == 0;
	for (unsigned i = 0; i < next.count; i++)
		add(places, next.linear[i]);
	return 0;
}

static int find_places(struct step_at *at, struct places *places, struct error *err)
{
	const struct instruction *insn = at->step->insn;
	int rc = add_places(at, &insn[0], places, err);

	if (rc == 0 && insn[1].kind != INSN_INVALID)
		rc = add_places(at, &insn[1], places, err);
	return rc;
}

/* ---- whether debug registers stop there -------------------------------------------------- */

/* The ring that a return leads to. */
static bool leads_to_ring_3(struct step_at *at, const struct instruction *insn)
{
	struct core_place place = {at->debug, at->vcpu};
	enum cpu_mode mode = cpu_mode(at->state);
	unsigned size = insn->operand_bits / 8;
	uint16_t selector = 0;

	if (insn->kind == INSN_SYSRET || insn->kind == INSN_SYSEXIT)
		return true;
	if ((insn->kind != INSN_IRET && insn->kind != INSN_RET_FAR) || mode == MODE_REAL)
		return false;
	core_read_linear(&place, cpu_linear_sp(at->state) + size, &selector, sizeof(selector));
	return (selector & 3) == 3;
}

/* Executed by hand where it leads to itself. */
static bool is_jump(const struct instruction *insn)
{
	return insn->kind == INSN_JUMP || insn->kind == INSN_BRANCH;
}

static int check_target(struct step_at *at, const struct places *places, struct error *err)
{
	const struct debug_capabilities *can = &at->debug->capabilities;
	const struct instruction *insn = &at->step->insn[0];
	char text[80];

	instruction_text(insn, text, sizeof(text));
	if (leads_to_ring_3(at, insn) && !can->slot[CAP_USER] && !core_returns_by_hand(at, insn))
		return error_set(
			err, -ENOTSUP,
			"'%s' leads to ring 3, where this host's KVM stops at nothing; set "
			"a breakpoint where the kernel is entered next, and continue",
			text);
	for (unsigned i = 0; i < places->count; i++)
		if (places->linear[i] == insn->linear && can->slot_ignores_rf && !is_jump(insn))
			return error_set(err, -ENOTSUP,
					 "'%s' leads to itself, and this host's KVM ignores RF, so "
					 "that a debug register would fire before it; set a "
					 "breakpoint elsewhere, and continue",
					 text);
	return 0;
}

/* ---- arming ------------------------------------------------------------------------------ */

/* Back at the present instruction its own register fires, but not before it. */
static void resume_over(struct step_at *at)
{
	at->state->general.rflags |= RFLAGS_RF;
	vcpu_dirty(at->vcpu, CPU_GENERAL);
}

/* Where the guest uses too many debug registers, its own do not fire for this one step. */
static void make_room(struct step_at *at, unsigned wanted)
{
	unsigned guests = (unsigned)__builtin_popcount(at->step->guests);

	if (!guests || guests + wanted <= DR_SLOTS)
		return;
	at->vcpu->debug.dr7 = 0;
	at->step->guests = 0;
}

int core_slot_arm(struct step_at *at, struct error *err)
{
	struct places places = {0};
	int rc = find_places(at, &places, err);

	if (rc == 0)
		rc = check_target(at, &places, err);
	make_room(at, places.count);
	if (rc == 0)
		core_guard_certain(at, &at->step->insn[0]);
	for (unsigned i = 0; rc == 0 && i < places.count; i++) {
		if (places.linear[i] == at->step->insn[0].linear)
			resume_over(at);
		if (!core_guard(at, places.linear[i], -1))
			rc = error_set(
				err, -ENOSPC,
				"a step needs a debug register here, and all four are in use: "
				"delete a point");
	}
	if (rc == 0)
		core_guard_exceptions(at);
	return rc;
}

int core_slot_can_step(struct debug *debug, struct vcpu *vcpu, struct error *err)
{
	struct step trial = {0};
	struct step_at at = {.debug = debug,
			     .vcpu = vcpu,
			     .step = &trial,
			     .state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_DEBUG)};
	struct places places = {0};
	int rc;

	if (!at.state)
		return error_set(err, -EIO, "cannot read the registers of vCPU %d", vcpu->index);
	core_look_ahead(&at);
	rc = find_places(&at, &places, err);
	return rc == 0 ? check_target(&at, &places, err) : rc;
}
