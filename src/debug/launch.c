// SPDX-License-Identifier: GPL-3.0-or-later
/* From all parked to running: what is pending is told, breakpoints underfoot are left behind, points are planted, and
 * every vCPU gets its plan. gate.lock is held throughout. */
#include "debug/compare.h"
#include "debug/core.h"

#include <string.h>

static bool any_plan(const struct debug *debug, enum plan_action action)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (debug->vcpu[i].plan.action == action)
			return true;
	return false;
}

static void arm(struct debug *debug, unsigned i, enum vcpu_plan plan, bool points)
{
	struct vcpu *vcpu = &debug->machine->vcpus[i];
	const struct planted *planted = &debug->planted;
	struct accel_debug *wish = &vcpu->debug;

	vcpu->stepping = plan == VCPU_STEP;
	wish->step = false;
	wish->block_irq = vcpu->stepping;
	wish->int3 = points && (planted->place_count > 0 || core_catches_int3(debug));
	wish->slots = planted->dr7 != 0;
	memcpy(wish->dr, planted->dr, sizeof(wish->dr));
	wish->dr7 = planted->dr7;
	core_step_begin(debug, i);
	vcpu->debug_changed = true;
	vcpu->accel->ops->sync_state(
		vcpu->accel, vcpu->stepping || wish->int3 || wish->slots || debug->trace_pc ||
				     debug->catches || planted->pending || core_pages_any(debug));
	/* INIT and startup IPIs reach a held vCPU too: what was fetched grows old. */
	if (plan == VCPU_HOLD)
		vcpu->valid = vcpu->dirty;
	gate_set_plan(vcpu, plan);
}

/* What another vCPU hit while the last stop was being told. */
static bool tell_pending(struct debug *debug)
{
	if (!core_take_pending(debug))
		return false;
	core_finish_stop(debug);
	return true;
}

/* Who runs on in any case can be taken past its breakpoint here and now, if vitrine can execute the instruction. */
static bool passes(struct debug *debug, unsigned i)
{
	struct core_vcpu *v = &debug->vcpu[i];

	if (v->plan.action != PLAN_RUN || !core_pass(debug, &debug->machine->vcpus[i]))
		return false;
	v->seen = false;
	return true;
}

static bool steps_off(struct debug *debug, unsigned i)
{
	if (core_pages_lifting(debug, i))
		return true;
	return !debug->comparing && core_must_step_off(debug, i) && !passes(debug, i);
}

/* One instruction each, with no breakpoint planted and everybody else held. */
static bool begin_stepping_off(struct debug *debug)
{
	bool any = false;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		v->stepping_off = steps_off(debug, i);
		any |= v->stepping_off;
		arm(debug, i, v->stepping_off ? VCPU_STEP : VCPU_HOLD, false);
	}
	if (!any)
		return false;
	debug->state = CORE_STEPPING_OFF;
	machine_time_starts(debug->machine);
	gate_open(debug->machine);
	return true;
}

static enum vcpu_plan vcpu_plan_of(const struct debug *debug, const struct core_vcpu *v)
{
	static const enum vcpu_plan table[] = {[PLAN_HOLD] = VCPU_HOLD,
					       [PLAN_RUN] = VCPU_RUN,
					       [PLAN_STEP] = VCPU_STEP,
					       [PLAN_STEP_RANGE] = VCPU_STEP,
					       /* Goals have made these runs, or steps. */
					       [PLAN_STEP_OVER] = VCPU_STEP,
					       [PLAN_UNTIL] = VCPU_RUN};
	enum vcpu_plan its = v->aside.running ? VCPU_RUN : table[v->plan.action];

	return its == VCPU_RUN && debug->comparing ? VCPU_STEP : its;
}

/* Steps alone need no points: a step ends after one instruction, and a range looks at the pc. So does a run that is
 * made of steps. */
static void plant_for_run(struct debug *debug)
{
	if (!debug->comparing) {
		core_lift(debug);
		core_plant(debug);
		/* Breakpoints may have taken the debug registers of a watch that has nothing else. */
		if (core_compare_point(debug))
			core_plant_compared(debug);
	}
	core_pages_cover(debug);
	core_pages_plant(debug); /* debug registers may have come free, or run out */
	if (debug->planted.pending)
		atomic_store(&debug->machine->attentive, true);
}

/* Whoever moves may come back, and what it meets then is new. A step says so itself. */
static void begin_plan(struct debug *debug, unsigned i, bool runs)
{
	struct core_vcpu *v = &debug->vcpu[i];

	v->seen &= !runs || debug->comparing || v->plan.action == PLAN_HOLD;
	if (debug->comparing && v->aside.running) {
		v->aside.running = v->aside.entering = false;
		v->aside.stepping = true;
	}
	v->begins = debug->comparing && v->plan.action == PLAN_RUN;
	if (vcpu_plan_of(debug, v) == VCPU_RUN)
		v->comes_back.expected &= !v->comes_back.silent;
	arm(debug, i, vcpu_plan_of(debug, v), runs);
}

void core_launch(struct debug *debug)
{
	bool runs = core_set_asides(debug) || any_plan(debug, PLAN_RUN);

	debug->have_stop = debug->passing = false;
	debug->stop_actor = OWNER_NONE;
	core_lift(debug); /* the watches of those who stepped off */
	if (tell_pending(debug))
		return;
	core_plant_watches(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		debug->vcpu[i].judged = false;
	core_catch_prepare(debug);
	core_pages_plant(debug);
	if (runs && begin_stepping_off(debug))
		return;
	if (runs)
		plant_for_run(debug);
	core_sprints_check(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		begin_plan(debug, i, runs);
	debug->state = CORE_RUNNING;
	machine_time_starts(debug->machine);
	gate_open(debug->machine);
}
