// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Plans that run to a place: over a call, to a return address, to any address. The place is a breakpoint of
 * the core's own, for this vCPU alone, which goes with the next stop.
 */
#include "debug/core.h"

#include "x86/instruction.h"

#include <errno.h>
#include <stdlib.h>

static struct core_point *new_goal(unsigned vcpu, uint64_t address)
{
	struct core_point *goal = calloc(1, sizeof(*goal));

	if (!goal)
		return NULL;
	goal->point.owner = OWNER_NONE;
	goal->point.spec = (struct point_spec){
		.kind = POINT_SOFTWARE,
		.address = address,
		.vcpu = (int)vcpu,
		.limit = {.by = LIMIT_VCPU, .vcpu = (int)vcpu},
	};
	return goal;
}

/* iret loads RF from the frame, and RF keeps a debug register on its target from firing. Faults push it, some
 * processors do with every interrupt, and so may one that comes on the way back. So another one sees
 * the frame being read: that is a trap, behind the iret and before any interrupt (SDM vol. 3A, table 6-2). Whoever
 * has no debug register left for it has to do without. */
static void watch_frame(struct debug *debug, unsigned vcpu, const struct plan *plan)
{
	struct core_point *goal = new_goal(vcpu, plan->frame);

	if (!goal)
		return;
	goal->point.spec.kind = POINT_ACCESS;
	goal->point.spec.length = 1;
	goal->above_sp = plan->above_sp;
	goal->arrives = plan->action == PLAN_UNTIL;
	goal->leads_to = plan->address;
	if (core_choose_rung(debug, goal, 0, NULL) == RUNG_SLOT)
		core_point_insert(debug, goal, NULL);
	else
		core_point_free(goal);
}

static bool may_be_silent(const struct debug *debug, const struct core_point *goal)
{
	return goal->rung == RUNG_SLOT && !debug->capabilities.slot_ignores_rf;
}

static int add_goal(struct debug *debug, unsigned vcpu, const struct plan *plan, struct error *err)
{
	struct core_point *goal = new_goal(vcpu, plan->address);
	int rc;

	if (!goal)
		return error_set(err, -ENOMEM, "out of memory");
	goal->above_sp = plan->above_sp;
	goal->arrives = plan->action == PLAN_UNTIL;
	rc = core_point_insert(debug, goal, err);
	if (rc == 0 && plan->frame && may_be_silent(debug, goal) && goal->slot + 1 < DR_SLOTS)
		watch_frame(debug, vcpu, plan);
	return rc;
}

/* To where the vCPU stands already means: once around. */
static int run_to(struct debug *debug, unsigned vcpu, const struct plan *plan, struct error *err)
{
	struct core_vcpu *v = &debug->vcpu[vcpu];
	int rc = add_goal(debug, vcpu, plan, err);

	if (rc < 0)
		return rc;
	if (plan->address == core_linear_pc(debug, vcpu)) {
		v->seen = true;
		v->seen_pc = plan->address;
	}
	v->plan.action = PLAN_RUN;
	return 0;
}

/* What runs on its own until it comes back to the next instruction. */
static bool comes_back(const struct instruction *insn)
{
	switch (insn->kind) {
	case INSN_CALL:
	case INSN_CALL_INDIRECT:
	case INSN_CALL_FAR:
	case INSN_INT:
	case INSN_INTO:
	case INSN_SYSCALL:
	case INSN_SYSENTER: return true;
	case INSN_STRING:
	case INSN_IO_STRING: return insn->repeat;
	default: return false;
	}
}

/* A return leaves the stack pointer where it was before the call, or above; deeper calls come by with
 * it below. */
static int step_over(struct debug *debug, unsigned vcpu, struct error *err)
{
	struct core_place place = {debug, &debug->machine->vcpus[vcpu]};
	struct cpu_state *state = vcpu_state(place.vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct instruction insn;

	debug->vcpu[vcpu].plan.action = PLAN_STEP;
	if (!state ||
	    !instruction_fetch(state, cpu_linear_pc(state), core_read_linear, &place, &insn) ||
	    !comes_back(&insn))
		return 0;
	return run_to(debug, vcpu,
		      &(struct plan){.address = insn.linear + insn.length,
				     .above_sp = cpu_linear_sp(state) - 1},
		      err);
}

int core_set_goal(struct debug *debug, unsigned vcpu, struct error *err)
{
	const struct plan *plan = &debug->vcpu[vcpu].plan;

	switch (plan->action) {
	case PLAN_STEP_OVER: return step_over(debug, vcpu, err);
	case PLAN_UNTIL: return run_to(debug, vcpu, plan, err);
	default: return 0;
	}
}

static void clear_goals(struct debug *debug, bool all)
{
	struct core_point **link = &debug->points;

	while (*link) {
		struct core_point *p = *link;

		if (p->point.number || p->catch || !(all || p->aside)) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		core_point_free(p);
	}
}

void core_clear_goals(struct debug *debug)
{
	clear_goals(debug, true);
}

/* ---- asides ------------------------------------------------------------------------------ */

/* Not by a debug register: another interrupt may come on the way back, and its frame bring RF along, which keeps
 * the register from firing. */
static bool add_aside(struct debug *debug, unsigned vcpu, uint64_t address)
{
	struct core_point *goal = new_goal(vcpu, address);

	if (!goal)
		return false;
	goal->aside = true;
	if (core_choose_rung(debug, goal, 0, NULL) == RUNG_INT3)
		return core_point_insert(debug, goal, NULL) == 0;
	core_point_free(goal);
	return false;
}

/* Where a sprint cannot be stopped everywhere, it is stepped, and so ends at once. */
static bool add_sprint(struct debug *debug, unsigned vcpu)
{
	uint64_t point[SPRINT_POINTS];
	bool known;
	unsigned count = core_sprint_points(debug, vcpu, point, &known);

	for (unsigned i = 0; known && i < count; i++)
		known = add_aside(debug, vcpu, point[i]);
	return known;
}

static bool set_aside(struct debug *debug, unsigned vcpu)
{
	struct aside *aside = &debug->vcpu[vcpu].aside;

	aside->running = aside->sprint ? add_sprint(debug, vcpu)
				       : add_aside(debug, vcpu, aside->place.pc);
	aside->stepping = !aside->running;
	debug->vcpu[vcpu].sprint.refused |= aside->stepping;
	return aside->running;
}

bool core_set_asides(struct debug *debug)
{
	bool any = false;

	clear_goals(debug, false);
	debug->sprints = false;
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct aside *aside = &debug->vcpu[i].aside;

		any |= aside->running && set_aside(debug, i);
		debug->sprints |= aside->sprint && aside->running;
	}
	return any;
}

void core_forget_asides(struct debug *debug)
{
	clear_goals(debug, false);
	debug->sprints = false;
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		debug->vcpu[i].aside = (struct aside){0};
		debug->vcpu[i].sprint = (struct sprint){0};
	}
}
