// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Breakpoints under the feet of vCPUs: one that was told must be stepped off, one that was not must
 * be hit, and one that was hit while another stop was being told waits for its turn.
 */
#include "debug/core.h"

#include <stdio.h>

uint64_t core_linear_pc(struct debug *debug, unsigned i)
{
	struct cpu_state *state = vcpu_state(&debug->machine->vcpus[i], CPU_GENERAL | CPU_SYSTEM);

	return state ? cpu_linear_pc(state) : 0;
}

/* ---- which breakpoint is there ----------------------------------------------------------- */

bool core_point_covers(struct debug *debug, const struct core_point *point, uint64_t gpa)
{
	const struct point_spec *spec = &point->point.spec;
	uint64_t place;
	bool is_64;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct paging_walk walk;

		if (core_point_walk(debug, spec, &debug->machine->vcpus[i], spec->address, &walk) ==
			    PAGING_OK &&
		    walk.gpa == gpa)
			return true;
	}
	return core_image_place(debug, spec->address, &place, &is_64) && place == gpa;
}

/* An int3 is met by whoever executes its byte, whatever the address is called. Most points are
 * ruled out by their place in the page. */
static struct core_point *alias_of(struct debug *debug, unsigned i, uint64_t pc)
{
	struct paging_walk walk;

	if (core_walk(debug, &debug->machine->vcpus[i], pc, &walk) != PAGING_OK)
		return NULL;
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->enabled && p->rung == RUNG_INT3 && !((p->point.spec.address ^ pc) & 0xfff) &&
		    core_point_covers(debug, p, walk.gpa))
			return p;
	return NULL;
}

static struct core_point *point_under(struct debug *debug, unsigned i)
{
	uint64_t pc = core_linear_pc(debug, i);
	struct core_point *point = core_point_at(debug, pc);

	return point ? point : alias_of(debug, i, pc);
}

bool core_point_under(struct debug *debug, unsigned i)
{
	return point_under(debug, i);
}

/* ---- what was told ----------------------------------------------------------------------- */

static bool tells_of_breakpoint(const struct stop *stop)
{
	return stop->reason == STOP_BREAKPOINT || stop->reason == STOP_HW_BREAKPOINT ||
	       stop->reason == STOP_EXCEPTION || (stop->reason == STOP_STEP && stop->point);
}

/* A pause, or a watch, may come just before a breakpoint is hit: that hit is still to come. But one
 * that the user sets where the vCPU was shown to stand is no news to him. */
void core_mark_seen(struct debug *debug)
{
	struct core_vcpu *v = &debug->vcpu[debug->stop.vcpu];
	unsigned i = (unsigned)debug->stop.vcpu;

	if (!tells_of_breakpoint(&debug->stop) && !v->judged && point_under(debug, i))
		return;
	v->seen = true;
	v->seen_pc = core_linear_pc(debug, i);
}

void core_had_their_say(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];

	v->seen = true;
	v->seen_pc = core_linear_pc(debug, (unsigned)vcpu->index);
}

void core_moved_on(struct debug *debug, struct vcpu *vcpu)
{
	debug->vcpu[vcpu->index].seen = false;
}

/* Who sleeps would be waited for while those who could wake it are held. */
static bool sleeps(struct vcpu *vcpu)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	return vcpu->halted || (state && state->events.run_state != CPU_RUNNABLE);
}

bool core_was_told(struct debug *debug, unsigned i)
{
	const struct core_vcpu *v = &debug->vcpu[i];

	return v->seen && v->seen_pc == core_linear_pc(debug, i);
}

bool core_must_step_off(struct debug *debug, unsigned i)
{
	return debug->vcpu[i].plan.action != PLAN_HOLD && core_was_told(debug, i) &&
	       point_under(debug, i) && !sleeps(&debug->machine->vcpus[i]);
}

/* ---- what is still to be told ------------------------------------------------------------ */

/* A goal is reached like the end of a step. */
static void describe_goal(struct stop *stop, const struct core_point *goal)
{
	stop->reason = STOP_STEP;
	stop->point = 0;
	snprintf(stop->text, sizeof(stop->text), "%s", goal->arrives ? "arrived" : "step");
}

void core_describe_hit(struct stop *stop, const struct core_point *point)
{
	enum point_kind kind = point->point.spec.kind;
	bool step = stop->reason == STOP_STEP;

	if (point->catch)
		return; /* it has described the exception */
	if (!point->point.number) {
		describe_goal(stop, point);
		return;
	}
	stop->point = point->point.number;
	if (!core_is_breakpoint(kind) && stop->text[0])
		return;
	if (core_is_breakpoint(kind) && !step)
		stop->reason = kind == POINT_HARDWARE ? STOP_HW_BREAKPOINT : STOP_BREAKPOINT;
	stop->address = point->point.spec.address;
	snprintf(stop->text, sizeof(stop->text), "%s %d",
		 step ? "step onto breakpoint" : stop_reason_name(stop->reason), stop->point);
}

static struct core_point *same_watch(struct debug *debug, const struct stop *stop)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (core_is_watch(p->point.spec.kind) &&
		    stop->address - p->point.spec.address < p->point.spec.length)
			return p;
	return NULL;
}

/* The one that was met, while it is there: others at the same place may not be for this vCPU. */
static struct core_point *same_breakpoint(struct debug *debug, unsigned i, const struct stop *stop)
{
	struct core_point *point = stop->point ? core_point_numbered(debug, stop->point) : NULL;

	if (point && point->enabled)
		return point;
	point = point_under(debug, i);
	/* One that has more to ask is met anew when the vCPU runs. */
	return point && !point->condition && !point->ignore &&
			       !core_point_limited(&debug->machine->vcpus[i], point)
		       ? point
		       : NULL;
}

/* What is told because somebody catches it, and for no other reason. */
static bool is_of_catch(const struct stop *stop)
{
	static const bool caught[STOP_REASON_COUNT] = {
		[STOP_EXCEPTION] = true, [STOP_IO] = true,	    [STOP_MMIO] = true,
		[STOP_MSR] = true,	 [STOP_MODE_SWITCH] = true, [STOP_GUEST_INT3] = true,
		[STOP_HLT] = true,	 [STOP_ONLINE] = true,	    [STOP_RESET] = true,
	};

	return stop->point && caught[stop->reason];
}

/* The point may be gone, or back under another number, and the vCPU elsewhere by now. */
static bool worth_telling(struct debug *debug, unsigned i)
{
	struct stop *stop = &debug->vcpu[i].pending_stop;
	bool watch = stop->reason == STOP_WATCH_WRITE || stop->reason == STOP_WATCH_READ ||
		     stop->reason == STOP_WATCH_ACCESS;
	struct core_point *point = NULL;

	if (is_of_catch(stop))
		return core_point_numbered(debug, stop->point);
	if (watch)
		point = same_watch(debug, stop);
	else if (!tells_of_breakpoint(stop))
		return stop->reason != STOP_STEP;
	else if (stop->pc == core_linear_pc(debug, i))
		point = same_breakpoint(debug, i, stop);
	if (point)
		core_describe_hit(stop, point);
	return point;
}

bool core_take_pending(struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		if (!v->pending || v->plan.action == PLAN_HOLD)
			continue;
		v->pending = false;
		if (!worth_telling(debug, i))
			continue;
		debug->stop = v->pending_stop;
		debug->have_stop = true;
		return true;
	}
	return false;
}
