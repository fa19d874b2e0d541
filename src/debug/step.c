// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * KVM steps with the processor's trap flag and hides it where registers are read. But the processor itself
 * copies RFLAGS: pushf and interrupt frames to the stack, syscall to R11. And popf, iret and sysret load
 * RFLAGS, so that KVM can no longer tell its own flag from one that the guest has set. What an instruction
 * will do with it is known before it runs; what it has done is put right behind it.
 */
#include "debug/compare.h"
#include "debug/core.h"

#include "x86/exceptions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TF_BYTE	    1 /* of the flags in memory … */
#define TF_BIT	    1 /* … and in that byte */
#define DR7_ENABLES 0xffu
#define DR7_GD	    (1ull << 13)
#define DR6_OWN	    (DR6_HIT | 0xe000ull) /* B0-B3, BD, BS, BT */

/* ---- what is next ------------------------------------------------------------------------ */

static struct step *step_of(struct debug *debug, const struct vcpu *vcpu)
{
	return &debug->vcpu[vcpu->index].step;
}

static bool holds_traps_back(const struct instruction *insn)
{
	return insn->kind == INSN_MOV_SS || insn->kind == INSN_POP_SS;
}

void core_look_ahead(struct step_at *at)
{
	struct core_place place = {at->debug, at->vcpu};
	struct instruction *insn = at->step->insn;

	insn[1].kind = INSN_INVALID;
	instruction_fetch(at->state, cpu_linear_pc(at->state), core_read_linear, &place, &insn[0]);
	if (holds_traps_back(&insn[0]))
		instruction_fetch(at->state, insn[0].linear + insn[0].length, core_read_linear,
				  &place, &insn[1]);
}

/* The flags that popf, iret and sysret will load. */
static bool loaded_flags(struct step_at *at, const struct instruction *insn, uint64_t *flags)
{
	struct core_place place = {at->debug, at->vcpu};
	unsigned size = insn->operand_bits / 8, word = insn->kind == INSN_IRET ? 2 : 0;

	*flags = at->state->general.gpr[GPR_R11];
	if (insn->kind == INSN_SYSRET)
		return true;
	*flags = 0;
	return (insn->kind == INSN_POPF || insn->kind == INSN_IRET) &&
	       core_read_linear(&place, cpu_linear_sp(at->state) + (uint64_t)word * size, flags, 2);
}

static bool loads_trap_flag(struct step_at *at)
{
	uint64_t flags;

	return loaded_flags(at, &at->step->insn[0], &flags) && (flags & RFLAGS_TF);
}

/* ---- arming ------------------------------------------------------------------------------ */

/* The points that are planted; where there are none, the guest's own debug registers go on working. */
static void take_registers(struct step_at *at)
{
	const struct planted *planted = &at->debug->planted;
	struct accel_debug *wish = &at->vcpu->debug;
	const struct cpu_debug *guest = &at->state->debug;
	bool own = planted->dr7 == 0 && (guest->dr7 & DR7_ENABLES);

	wish->plain = false;
	memcpy(wish->dr, own ? guest->dr : planted->dr, sizeof(wish->dr));
	wish->dr7 = own ? guest->dr7 & ~DR7_GD : planted->dr7;
	wish->slots = wish->dr7 != 0;
	at->step->guests = 0;
	for (unsigned i = 0; own && i < DR_SLOTS; i++)
		at->step->guests |= (guest->dr7 >> 2 * i & 3) ? 1u << i : 0;
	at->step->guards.slots = 0;
}

/* A guest that steps itself needs no flag of ours, and keeps its own as it is. */
static void arm_guests_own(struct step_at *at)
{
	struct core_place place = {at->debug, at->vcpu};
	uint64_t handler;

	at->step->how = STEP_BY_GUEST;
	at->vcpu->debug.step = false;
	at->vcpu->debug.slots = true;
	core_guard_certain(at, &at->step->insn[0]);
	if (interrupt_handler(at->state, VECTOR_DB, core_read_linear, &place, &handler) == 0)
		core_guard(at, handler, VECTOR_DB);
	core_guard_exceptions(at);
}

/* False: the processor may forget the trap flag, and no debug register is free to stand where that leads. */
static bool arm_trap(struct step_at *at)
{
	bool guarded = true;

	at->step->how = STEP_BY_TRAP;
	at->vcpu->debug.step = true;
	at->vcpu->debug.plain = at->step->tame;
	for (unsigned i = 0; i < 2; i++)
		guarded &= core_guard_certain(at, &at->step->insn[i]);
	if (!at->step->tame)
		core_guard_exceptions(at);
	return guarded;
}

/* A range that comes to where no rung carries it ends there. So does a run that a watch has made of steps, and then it
 * is the watch that there is something to say about. */
static enum step_go refuse(struct step_at *at, const struct error *why)
{
	struct stop stop = {.reason = STOP_STEP, .vcpu = at->vcpu->index};
	struct error whole = *why;

	if (at->step->seldom) {
		stop.reason = STOP_HOST_ERROR;
		core_compare_refuse(at->debug, at->vcpu->index, why, &whole);
	}
	stop.pc = cpu_linear_pc(at->state);
	snprintf(stop.text, sizeof(stop.text), "%.*s", (int)sizeof(stop.text) - 1, whole.text);
	core_stop(at->debug, &stop);
	return STEP_REFUSED;
}

/* A step that went astray would come back some day; a run that is made of steps would not. */
static enum step_go arm_by_trap(struct step_at *at)
{
	struct error why = {0};

	if (arm_trap(at) || !at->step->seldom)
		return STEP_ARMED;
	error_set(&why, -ENOSPC,
		  "a step needs a debug register here, and all four are in use: delete a point");
	return refuse(at, &why);
}

static enum step_go arm_slots(struct step_at *at)
{
	struct error why = {0};

	at->step->how = STEP_BY_SLOTS;
	at->vcpu->debug.step = false;
	return core_slot_arm(at, &why) < 0 ? refuse(at, &why) : STEP_ARMED;
}

static enum step_go arm_by_rung(struct step_at *at)
{
	struct error why = {0};

	switch (core_step_rung(at->debug, core_mode_of(at->state), &why)) {
	case RUNG_TF: return arm_by_trap(at);
	case RUNG_SLOT: return arm_slots(at);
	default: return refuse(at, &why);
	}
}

static enum step_go arm(struct step_at *at)
{
	struct step *step = at->step;
	bool aside = core_aside_starts(at);

	take_registers(at);
	step->rflags = at->state->general.rflags;
	if (core_arm_delivery(at)) {
		core_compare_begin(at);
		return STEP_ARMED;
	}
	if (aside && core_aside_runs(at->debug, at->vcpu))
		return STEP_PARKS;
	if (!core_begin_on_points(at->debug, at->vcpu))
		return STEP_REFUSED;
	core_look_ahead(at);
	step->how = STEP_BY_TRAP;
	step->tame = core_step_is_tame(at);
	core_compare_begin(at);
	if (core_step_by_hand(at, &step->insn[0])) {
		step->tame = false;
		return STEP_DONE;
	}
	step->loads_tf = loads_trap_flag(at);
	if (!(step->rflags & RFLAGS_TF) || !core_slots_fire(at->debug, at->state))
		return arm_by_rung(at);
	arm_guests_own(at);
	return STEP_ARMED;
}

void core_step_begin(struct debug *debug, unsigned i)
{
	struct core_vcpu *v = &debug->vcpu[i];
	const struct vcpu *vcpu = &debug->machine->vcpus[i];

	v->step.rested = vcpu->stepping && !vcpu->debug_changed && v->step.follows && v->step.tame;
	v->step.follows = v->step.window = false;
	v->step.guards.slots = 0;
	core_aside_begin(debug, i);
}

enum step_go core_stepping(void *ctx, struct vcpu *vcpu)
{
	struct step_at at = {.debug = ctx, .vcpu = vcpu, .step = step_of(ctx, vcpu)};
	struct step *step = at.step;
	bool behind = step->follows || step->rested, kept = step->follows && step->tame;
	enum step_go go;
	unsigned groups = CPU_GENERAL | CPU_SYSTEM;

	if (core_step_accept(ctx, vcpu) || !step->follows)
		groups |= CPU_EVENTS;
	/* Between two steps only the guest's own mov changes them. */
	if (!behind || step->insn[0].kind == INSN_MOV_DR)
		groups |= CPU_DEBUG;
	at.state = vcpu_state(vcpu, groups);
	if (!at.state)
		return STEP_ARMED; /* entering the guest will fail likewise, and say so */
	at.events = groups & CPU_EVENTS;
	if (at.events && (core_step_waits(&at) || core_aside_sleeps(&at)))
		return STEP_WAITS;
	step->slept = false;
	step->follows = step->rested = step->tame = false;
	go = arm(&at);
	if (go == STEP_REFUSED)
		core_compare_end(ctx, vcpu, false);
	vcpu->debug_changed |= !kept;
	return go;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* The guest's own watches that the instruction has met. Its breakpoint on the next one some processors name
 * already; but that is still to come. */
static bool met_guests_watch(const struct step *step, const struct vcpu *vcpu, uint64_t dr6)
{
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if ((step->guests & dr6) >> i & 1 && vcpu->debug.dr7 >> (16 + 4 * i) & 3)
			return true;
	return false;
}

bool core_step_ends(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct step *step = step_of(debug, vcpu);
	int guard = core_guard_hit(step, exit);

	if (!vcpu->stepping)
		return false;
	if (guard >= 0) {
		step->tame = false;
		if (step->how == STEP_BY_TRAP && step->guards.vector[guard] >= 0)
			core_clean_frame(debug, vcpu, step->guards.vector[guard], step->rflags);
		return true;
	}
	/* What the guest watches itself, the guest is told of: the step goes on into its handler. */
	return step->how == STEP_BY_TRAP && (exit->debug.dr6 & DR6_BS) &&
	       !met_guests_watch(step, vcpu, exit->debug.dr6);
}

/* The instruction that was executed last: of two, if the first held its trap back. */
static const struct instruction *last_executed(const struct step *step, uint64_t pc)
{
	bool two = step->insn[1].kind != INSN_INVALID &&
		   pc != step->insn[0].linear + step->insn[0].length;

	return &step->insn[two];
}

static void clear_pushed(struct debug *debug, struct vcpu *vcpu, const struct cpu_state *state)
{
	struct core_place place = {debug, vcpu};
	uint64_t at = cpu_linear_sp(state) + TF_BYTE;
	struct paging_walk walk;
	uint8_t byte;

	if (!core_read_linear(&place, at, &byte, 1) || !(byte & TF_BIT))
		return;
	byte &= (uint8_t)~TF_BIT;
	if (core_walk(debug, vcpu, at, &walk) == PAGING_OK)
		mem_write_phys(debug->machine->memory, walk.gpa, &byte, 1);
}

static void clear_saved(struct vcpu *vcpu, struct cpu_state *state)
{
	if (!(state->general.gpr[GPR_R11] & RFLAGS_TF))
		return;
	state->general.gpr[GPR_R11] &= ~(uint64_t)RFLAGS_TF;
	vcpu_dirty(vcpu, CPU_GENERAL);
}

static void set_own(struct vcpu *vcpu, struct cpu_state *state)
{
	if (state->general.rflags & RFLAGS_TF)
		return;
	state->general.rflags |= RFLAGS_TF;
	vcpu_dirty(vcpu, CPU_GENERAL);
}

/* Whether an exception came instead. */
static bool faulted(const struct step *step, uint64_t pc)
{
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if ((step->guards.slots >> i & 1) && step->guards.vector[i] >= 0 &&
		    step->guards.address[i] == pc)
			return true;
	return false;
}

void core_step_retire(struct debug *debug, struct vcpu *vcpu)
{
	struct step *step = step_of(debug, vcpu);
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	const struct instruction *insn;
	uint64_t pc;

	step->follows = true;
	if (!state || !vcpu->stepping || step->how != STEP_BY_TRAP || (step->rflags & RFLAGS_TF))
		return;
	pc = cpu_linear_pc(state);
	insn = last_executed(step, pc);
	if (insn->kind == INSN_PUSHF && pc == insn->linear + insn->length)
		clear_pushed(debug, vcpu, state);
	if (insn->kind == INSN_SYSCALL && !faulted(step, pc))
		clear_saved(vcpu, state);
	if (step->loads_tf && !faulted(step, pc))
		set_own(vcpu, state);
}

/* ---- the guest's own --------------------------------------------------------------------- */

void core_give_debug_trap(struct debug *debug, struct vcpu *vcpu, uint64_t dr6)
{
	const struct step *step = step_of(debug, vcpu);
	struct cpu_state *state = vcpu_state(vcpu, CPU_DEBUG);
	uint64_t own = dr6 & DR6_OWN;

	if (vcpu->debug.slots)
		own &= ~DR6_HIT | step->guests;
	if (vcpu->debug.step)
		own &= ~DR6_BS;
	vcpu->debug.inject = VECTOR_DB;
	vcpu->debug_changed = true;
	if (!state || own == 0)
		return;
	state->debug.dr6 = (state->debug.dr6 & ~DR6_HIT) | own;
	vcpu_dirty(vcpu, CPU_DEBUG);
}
