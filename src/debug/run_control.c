// SPDX-License-Identifier: GPL-3.0-or-later
/* The state machine that core.h draws: pausing, resuming, stepping off, and the certainty of a
 * stop. */
#include "debug/core.h"

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- small questions --------------------------------------------------------------------- */

bool core_stopped(struct debug *debug)
{
	return debug->state == CORE_STOPPED;
}

int core_can_step(struct debug *debug, int vcpu, struct error *err)
{
	struct cpu_state *state = vcpu_state(&debug->machine->vcpus[vcpu],
					     CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	if (!state)
		return error_set(err, -EIO, "cannot read the registers of vCPU %d", vcpu);
	if (state->events.run_state == CPU_WAIT_INIT || state->events.run_state == CPU_WAIT_SIPI)
		return error_set(err, -ENOTSUP,
				 "vCPU %d waits for the guest to start it (INIT, startup IPI): "
				 "there is no instruction to step",
				 vcpu);
	switch (core_step_rung(debug, core_mode_of(state), err)) {
	case RUNG_NONE: return -ENOTSUP;
	case RUNG_SLOT: return core_slot_can_step(debug, &debug->machine->vcpus[vcpu], err);
	default: return 0;
	}
}

static bool any_plan(const struct debug *debug, enum plan_action action)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (debug->vcpu[i].plan.action == action)
			return true;
	return false;
}

/* ---- coming to a stop -------------------------------------------------------------------- */

static void describe_pause(struct debug *debug)
{
	static const char *const by[OWNER_COUNT] = {[OWNER_NONE] = "paused",
						    [OWNER_GDB] = "paused by gdb",
						    [OWNER_CONSOLE] = "paused from the console"};

	debug->stop.pc = core_linear_pc(debug, (unsigned)debug->stop.vcpu);
	snprintf(debug->stop.text, sizeof(debug->stop.text), "%s", by[debug->stop_actor]);
}

/* All parked, points lifted, and a reason to tell. */
static void finish_stop(struct debug *debug)
{
	if (debug->stop.reason == STOP_PAUSE)
		describe_pause(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		debug->vcpu[i].stepping_off = false;
	core_forget_asides(debug);
	core_mark_seen(debug);
	debug->dead |= debug->stop.reason == STOP_TRIPLE_FAULT;
	debug->state = CORE_STOPPED;
	core_tell(debug, DEBUG_STOPPED, debug->stop_actor);
}

static void all_parked(struct debug *debug)
{
	core_lift(debug);
	clock_stop(&debug->machine->clock);
	if (debug->have_stop)
		finish_stop(debug);
	else if (debug->request.waiting)
		core_wake(debug);
	else if (debug->quiesce)
		debug->state = CORE_QUIESCED;
	else if (debug->passing)
		core_launch(debug);
}

void core_parked(void *ctx)
{
	struct debug *debug = ctx;

	if (debug->state == CORE_STEPPING_OFF)
		core_launch(debug);
	else if (debug->state == CORE_STOPPING)
		all_parked(debug);
}

void core_stop(struct debug *debug, const struct stop *stop)
{
	core_lock(debug);
	if (!debug->have_stop) {
		debug->have_stop = true;
		debug->stop = *stop;
	} else {
		debug->vcpu[stop->vcpu].pending = true;
		debug->vcpu[stop->vcpu].pending_stop = *stop;
	}
	debug->state = CORE_STOPPING;
	gate_hold_all(debug->machine);
	core_unlock(debug);
}

static void park_briefly(struct debug *debug)
{
	debug->passing = true;
	if (debug->state == CORE_RUNNING)
		debug->state = CORE_STOPPING;
	gate_hold_all(debug->machine);
}

void core_park_briefly(struct debug *debug)
{
	core_lock(debug);
	park_briefly(debug);
	core_unlock(debug);
}

void core_pass_slowly(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];

	core_lock(debug);
	v->seen = true;
	v->seen_pc = core_linear_pc(debug, (unsigned)vcpu->index);
	park_briefly(debug);
	core_unlock(debug);
}

static void ask_pause(struct debug *debug, enum debug_owner actor)
{
	if (debug->state == CORE_STOPPED || debug->have_stop)
		return;
	debug->have_stop = true;
	debug->stop = (struct stop){.reason = STOP_PAUSE, .vcpu = debug->stop.vcpu};
	debug->stop_actor = actor;
	debug->state = CORE_STOPPING;
	gate_hold_all(debug->machine);
	/* All stand still already when a reset was waiting to be served. */
	if (gate_all_parked(&debug->machine->gate))
		all_parked(debug);
}

void debug_pause(struct debug *debug, enum debug_owner actor)
{
	core_lock(debug);
	ask_pause(debug, actor);
	core_unlock(debug);
}

int debug_pause_wait(struct debug *debug, enum debug_owner actor, int timeout_ms)
{
	int rc = 0;

	core_lock(debug);
	ask_pause(debug, actor);
	if (debug->state != CORE_STOPPED)
		rc = gate_wait_parked(&debug->machine->gate, timeout_ms);
	core_unlock(debug);
	return rc;
}

/* ---- starting ---------------------------------------------------------------------------- */

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
	finish_stop(debug);
	return true;
}

/* One instruction each, with no breakpoint planted and everybody else held. */
static bool begin_stepping_off(struct debug *debug)
{
	bool any = false;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		v->stepping_off = core_must_step_off(debug, i) || core_pages_lifting(debug, i);
		any |= v->stepping_off;
		arm(debug, i, v->stepping_off ? VCPU_STEP : VCPU_HOLD, false);
	}
	if (!any)
		return false;
	debug->state = CORE_STEPPING_OFF;
	clock_start(&debug->machine->clock);
	gate_open(debug->machine);
	return true;
}

static enum vcpu_plan vcpu_plan_of(const struct core_vcpu *v)
{
	static const enum vcpu_plan table[] = {[PLAN_HOLD] = VCPU_HOLD,
					       [PLAN_RUN] = VCPU_RUN,
					       [PLAN_STEP] = VCPU_STEP,
					       [PLAN_STEP_RANGE] = VCPU_STEP,
					       /* Goals have made these runs, or steps. */
					       [PLAN_STEP_OVER] = VCPU_STEP,
					       [PLAN_UNTIL] = VCPU_RUN};

	return v->aside.running ? VCPU_RUN : table[v->plan.action];
}

/* Steps alone need no points: a step ends after one instruction, and a range looks at the pc. */
void core_launch(struct debug *debug)
{
	bool points = core_set_asides(debug) || any_plan(debug, PLAN_RUN);

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
	if (points && begin_stepping_off(debug))
		return;
	if (points) {
		core_lift(debug);
		core_plant(debug);
		core_pages_cover(debug);
		core_pages_plant(debug); /* debug registers may have come free, or run out */
		if (debug->planted.pending)
			atomic_store(&debug->machine->attentive, true);
	}
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		/* Whoever moves may come back, and what it meets then is new. A step says so itself. */
		v->seen &= !points || v->plan.action == PLAN_HOLD;
		arm(debug, i, vcpu_plan_of(v), points);
	}
	debug->state = CORE_RUNNING;
	clock_start(&debug->machine->clock);
	gate_open(debug->machine);
}

static bool steps(const struct plan *plan)
{
	return plan->action == PLAN_STEP || plan->action == PLAN_STEP_RANGE;
}

static int check_plans(struct debug *debug, const struct plan *plans, struct error *err)
{
	bool any = false;

	if (debug->dead)
		return error_set(err, -ENOTSUP,
				 "the guest is in shutdown after a triple fault and cannot go on: "
				 "use `monitor reset` "
				 "(or reset), or change a register first");
	core_clear_goals(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		int rc;

		any |= plans[i].action != PLAN_HOLD;
		debug->vcpu[i].plan = plans[i];
		rc = core_set_goal(debug, i, err);
		if (rc == 0 && (steps(&debug->vcpu[i].plan) || core_must_step_off(debug, i)))
			rc = core_can_step(debug, (int)i, err);
		if (rc < 0)
			return rc;
	}
	return any ? 0 : error_set(err, -EINVAL, "nothing would run: every vCPU is held");
}

int debug_resume(struct debug *debug, const struct plan *plans, enum debug_owner actor,
		 struct error *err)
{
	int rc;

	debug_dispatch(debug);
	core_lock(debug);
	if (debug->exited)
		rc = error_set(err, -ESHUTDOWN, "the guest has ended");
	else if (!core_stopped(debug))
		rc = error_set(err, -EBUSY, "the guest is running already");
	else
		rc = check_plans(debug, plans, err);
	if (rc == 0) {
		core_tell(debug, DEBUG_RESUMED, actor);
		core_forget_written(debug);
		if (!core_serve_before_resume(debug))
			core_launch(debug);
	}
	core_unlock(debug);
	if (rc == 0)
		core_tell_resumed(debug);
	return rc;
}

/* ---- parking without a word -------------------------------------------------------------- */

/* quiesce is set all the while: whoever parks to let others step off a point would launch again, else. */
bool core_quiesce(struct debug *debug)
{
	struct gate *gate = &debug->machine->gate;

	debug->quiesce = true;
	if (debug->state == CORE_RUNNING || debug->state == CORE_STEPPING_OFF) {
		debug->state = CORE_STOPPING;
		gate_hold_all(debug->machine);
	}
	while (debug->state == CORE_STOPPING && !gate_all_parked(gate))
		pthread_cond_wait(&gate->parked, &gate->lock);
	debug->quiesce = false;
	/* Parked for a request that the main thread has not served yet: served by core_go_on(). */
	if (debug->state == CORE_STOPPING && !debug->have_stop)
		debug->state = CORE_QUIESCED;
	return debug->state == CORE_QUIESCED;
}

void core_go_on(struct debug *debug)
{
	if (debug->state != CORE_QUIESCED)
		return;
	if (debug->request.waiting) {
		debug->state = CORE_STOPPING;
		core_wake(debug);
	} else {
		core_launch(debug);
	}
}

/* ---- the simple requests ----------------------------------------------------------------- */

unsigned debug_vcpu_count(const struct debug *debug)
{
	return debug->machine->vcpu_count;
}

bool debug_running(struct debug *debug)
{
	bool stopped;

	core_lock(debug);
	stopped = core_stopped(debug);
	core_unlock(debug);
	return !stopped;
}

const struct stop *debug_last_stop(struct debug *debug)
{
	return &debug->stop;
}

void debug_set_step_interrupts(struct debug *debug, bool on)
{
	core_lock(debug);
	debug->step_interrupts = on;
	core_unlock(debug);
}

static int resume_with(struct debug *debug, enum plan_action all, int one, enum plan_action its,
		       enum debug_owner actor, struct error *err)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		debug->scratch[i] = (struct plan){.action = (int)i == one ? its : all};
	return debug_resume(debug, debug->scratch, actor, err);
}

int debug_continue(struct debug *debug, enum debug_owner actor, struct error *err)
{
	return resume_with(debug, PLAN_RUN, -1, PLAN_RUN, actor, err);
}

int debug_step(struct debug *debug, int vcpu, enum debug_owner actor, struct error *err)
{
	return resume_with(debug, PLAN_HOLD, vcpu, PLAN_STEP, actor, err);
}
