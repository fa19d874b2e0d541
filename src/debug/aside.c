// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Interrupts wait while a vCPU is stepped, so that a step does not wander into a handler. But a loop that waits
 * for one would be stepped for ever, and a vCPU that sleeps wakes by nothing else. So a range lets one in every
 * now and then, and a sleeper before anything else: the vCPU then runs, its handler and whatever that leads to,
 * with all points in force, until it is back where it was, on the same stack; and the step goes on. So it does, too,
 * with an interrupt that the CPU had accepted just before the machine stopped.
 *
 * The delivery is a step that ends at the handler's first instruction. The way back is an int3 of the core's own. The
 * machine parks briefly at both ends, since planting needs it. Where int3 does not work, or a watch needs steps, the
 * vCPU is stepped through its handler.
 */
#include "debug/core.h"

#define TURNS 256 /* of a range, between two interrupts: few lines take that many */

static struct step *step_of(struct debug *debug, const struct vcpu *vcpu)
{
	return &debug->vcpu[vcpu->index].step;
}

void core_aside_begin(struct debug *debug, unsigned i)
{
	struct core_vcpu *v = &debug->vcpu[i];
	const struct vcpu *vcpu = &debug->machine->vcpus[i];

	core_sprint_stepped(debug, i);
	core_step_let_in(debug, i);
	v->step.slept = vcpu->halted;
	v->step.turns = 0;
}

bool core_aside_due(struct debug *debug, struct vcpu *vcpu)
{
	struct step *step = step_of(debug, vcpu);

	if (!step->asides || debug->vcpu[vcpu->index].aside.stepping)
		return false;
	if (!step->follows || step->insn[0].kind == INSN_HLT)
		step->slept |= core_step_sleeps(vcpu);
	return step->slept || ++step->turns % TURNS == 0;
}

/* And nothing else comes first. */
static bool accepted(const struct step_at *at)
{
	const struct cpu_events *events = &at->state->events;

	return at->events && at->vcpu->debug.inject < 0 && !events->exception.injected &&
	       !events->exception.pending &&
	       ((events->interrupt.injected && !events->interrupt.soft) || events->nmi.injected);
}

/* With controllers of vitrine's own the run loop has woken it already, for the interrupt that is about to come. */
bool core_aside_sleeps(const struct step_at *at)
{
	if (!at->step->slept || !at->events || accepted(at))
		return false;
	return at->state->events.run_state == CPU_HALTED ||
	       at->debug->machine->config.irqchip != IRQCHIP_KERNEL;
}

bool core_aside_starts(struct step_at *at)
{
	struct aside *aside = &at->debug->vcpu[at->vcpu->index].aside;

	if (!at->step->asides || aside->stepping || !accepted(at))
		return false;
	*aside = (struct aside){.entering = true, .place = core_place_of(at->state)};
	return true;
}

/* Points at the handler's first instruction have had their say; those where it came from have not, for all
 * that follows. */
bool core_aside_runs(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!v->aside.entering || !state)
		return false;
	v->aside.entering = false;
	if (debug->comparing) {
		v->aside.stepping = true;
		core_step_let_in(debug, (unsigned)vcpu->index);
		return false;
	}
	v->aside.running = true;
	v->seen = v->judged && cpu_linear_pc(state) != v->aside.place.pc;
	v->seen_pc = cpu_linear_pc(state);
	core_park_briefly(debug);
	return true;
}

static bool is_back(const struct aside *aside, struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	return state && core_is_back(&aside->place, state);
}

/* Points there had their say before the interrupt came. */
bool core_aside_ends(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct aside *aside = &v->aside;

	if (!aside->running || aside->sprint || !is_back(aside, vcpu))
		return false;
	v->aside.running = v->comes_back.expected = false;
	v->seen = true;
	v->seen_pc = aside->place.pc;
	core_park_briefly(debug);
	return true;
}

bool core_aside_is_over(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct aside *aside = &v->aside;

	if (!aside->stepping)
		return false;
	if (aside->sprint) {
		core_sprint_is_over(debug, vcpu);
		return false;
	}
	if (!is_back(aside, vcpu))
		return false;
	v->aside.stepping = v->comes_back.expected = false;
	v->seen = true;
	v->seen_pc = aside->place.pc;
	core_step_let_in(debug, (unsigned)vcpu->index);
	return true;
}
