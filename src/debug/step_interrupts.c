// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Interrupts between steps. In the run itself they wait in any case: one that came then would push the trap
 * flag. So before a step the CPU is made to accept one that waits, and the step is its delivery.
 *
 * To ask costs more than a step. A user's step asks each time. A run that is made of steps (compare.h) asks where a
 * processor could first take an interrupt, so that no window is too short for one, and then every so often. But not
 * where a handler goes back to what it interrupted: a timer that ticks faster than its handler can be stepped would
 * leave nothing between one tick and the next.
 */
#include "debug/core.h"

#define EVERY 64 /* steps; as long as NMIs, and interrupts that come later, may wait */

void core_step_let_in(struct debug *debug, unsigned i)
{
	struct core_vcpu *v = &debug->vcpu[i];

	v->step.seldom = core_runs_by_steps(debug, v);
	v->step.interrupts = v->step.seldom || debug->step_interrupts;
	v->step.asides = !v->step.interrupts && v->plan.action != PLAN_RUN;
}

/* The instruction behind these is still shielded. */
static bool shields(const struct instruction *insn)
{
	return insn->kind == INSN_STI || insn->kind == INSN_MOV_SS || insn->kind == INSN_POP_SS;
}

static bool window_opens(struct step *step, struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL);
	bool was_open = step->window;

	step->window = state && (state->general.rflags & RFLAGS_IF) && !shields(&step->insn[0]);
	return step->window && !was_open;
}

/* Of the handler that was entered last. */
static bool goes_back(struct step *step)
{
	bool back = step->handles && step->insn[0].kind == INSN_IRET;

	step->handles = !back && (step->handles || step->how == STEP_IS_DELIVERY);
	return back;
}

static bool is_due(struct step *step, struct vcpu *vcpu)
{
	bool back = step->follows && goes_back(step);

	if (!step->seldom || !step->follows || step->insn[0].kind == INSN_HLT)
		return true;
	if (!window_opens(step, vcpu))
		return ++step->unasked >= EVERY;
	step->unasked = back ? 0 : step->unasked;
	return !back;
}

bool core_step_sleeps(struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	return state && state->events.run_state == CPU_HALTED;
}

/* A sleeper wakes first, and accepts then; once more if it came just in between, since nothing may be executed behind
 * a hlt before it. */
static void accept(struct vcpu *vcpu)
{
	bool asleep = core_step_sleeps(vcpu);

	vcpu_accept_interrupt(vcpu);
	if (!asleep)
		return;
	vcpu_accept_interrupt(vcpu);
	if (!core_step_sleeps(vcpu) && !vcpu->state.events.interrupt.injected)
		vcpu_accept_interrupt(vcpu);
}

bool core_step_accept(struct debug *debug, struct vcpu *vcpu)
{
	struct step *step = &debug->vcpu[vcpu->index].step;

	if (step->interrupts ? !is_due(step, vcpu) : !core_aside_due(debug, vcpu))
		return false;
	step->unasked = 0;
	vcpu->debug.block_irq = false;
	accept(vcpu);
	vcpu->debug.block_irq = true;
	return true;
}

/* Only an interrupt wakes a sleeper, and one that came in the run could not be told from the step. Nor would a step
 * survive the start of a vCPU that waits for it; asking makes the accelerator obey INIT and startup IPIs. */
bool core_step_waits(struct step_at *at)
{
	enum cpu_run_state is = at->state->events.run_state;
	bool starting = is == CPU_WAIT_INIT || is == CPU_WAIT_SIPI;

	if (!at->step->interrupts || !(is == CPU_HALTED || (starting && at->step->seldom)))
		return false;
	at->vcpu->valid = at->vcpu->dirty;
	return true;
}
