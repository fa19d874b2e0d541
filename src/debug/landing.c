// SPDX-License-Identifier: GPL-3.0-or-later
/* Where a step ends: what it came upon, and whether its plan is done with that. In the vCPU's thread. */
#include "debug/compare.h"
#include "debug/core.h"

#include <stdio.h>

static bool still_in_range(const struct plan *plan, uint64_t pc)
{
	return plan->action == PLAN_STEP_RANGE && pc >= plan->low && pc < plan->high;
}

/* A run may be made of steps, and so may an aside. */
static bool goes_on(const struct core_vcpu *v, uint64_t pc)
{
	return v->plan.action == PLAN_RUN || v->aside.stepping || still_in_range(&v->plan, pc);
}

/* A vCPU that stepped off a breakpoint only to go on parks without a word; core_parked() launches.
 */
static bool stepped_off(struct debug *debug, struct vcpu *vcpu, uint64_t pc)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	bool parks;

	core_lock(debug);
	parks = v->stepping_off && goes_on(v, pc);
	v->seen = v->stepping_off = false;
	if (parks)
		vcpu->plan = VCPU_HOLD;
	core_unlock(debug);
	return parks;
}

/* A step that ends on a breakpoint has hit it: resuming will step off it, and whoever is parked on the way
 * there does not ask it again. */
static bool lands_on_point(struct debug *debug, struct vcpu *vcpu, struct stop *stop)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	bool tell = false;

	v->judged = core_came_back(debug, vcpu);
	if (!v->judged)
		tell = core_judge_here(debug, vcpu, stop, &v->judged);
	if (v->judged)
		core_had_their_say(debug, vcpu);
	return tell;
}

/* The end of a step that somebody asked for is told as that. */
static struct stop landing(struct debug *debug, struct vcpu *vcpu)
{
	struct stop stop = {.reason = STOP_BREAKPOINT, .vcpu = vcpu->index};

	stop.pc = core_linear_pc(debug, (unsigned)vcpu->index);
	if (debug->vcpu[vcpu->index].plan.action == PLAN_RUN)
		return stop;
	stop.reason = STOP_STEP;
	snprintf(stop.text, sizeof(stop.text), "step");
	return stop;
}

/* Where it begins nothing has landed; but points that were told there, or asked, are not asked again. */
bool core_begin_on_points(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	struct stop stop = landing(debug, vcpu);
	bool begins = v->begins;

	v->begins = false;
	if (!begins || (v->seen && v->seen_pc == stop.pc) || !lands_on_point(debug, vcpu, &stop))
		return true;
	core_stop(debug, &stop);
	return false;
}

bool core_step_done(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	struct stop stop;
	bool lands;

	core_step_retire(debug, vcpu);
	if (core_take_caught(debug, vcpu, &stop)) {
		core_stop(debug, &stop);
		return false;
	}
	stop = landing(debug, vcpu);
	if (stepped_off(debug, vcpu, stop.pc))
		return false;
	if (core_aside_is_over(debug, vcpu))
		return true;
	lands = lands_on_point(debug, vcpu, &stop);
	if (!lands && core_aside_runs(debug, vcpu))
		return false;
	if (!lands && goes_on(v, stop.pc))
		return !core_sprint_begins(debug, vcpu);
	core_stop(debug, &stop);
	return false;
}

bool core_stepped(void *ctx, struct vcpu *vcpu)
{
	core_step_retire(ctx, vcpu);
	core_moved_on(ctx, vcpu);
	core_compare_end(ctx, vcpu, true);
	return core_pages_settled(ctx, vcpu) && core_step_done(ctx, vcpu);
}

bool core_settled(void *ctx, struct vcpu *vcpu)
{
	core_compare_end(ctx, vcpu, false);
	return core_pages_settled(ctx, vcpu) && core_catch_settled(ctx, vcpu);
}
