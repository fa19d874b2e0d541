// SPDX-License-Identifier: GPL-3.0-or-later
/* The state machine that core.h draws: pausing, resuming, stepping off, and the certainty of a
 * stop. */
#include "debug/compare.h"
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
void core_finish_stop(struct debug *debug)
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
	machine_time_stops(debug->machine);
	if (debug->have_stop)
		core_finish_stop(debug);
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

void core_park_all(struct debug *debug)
{
	debug->passing = true;
	if (debug->state == CORE_RUNNING)
		debug->state = CORE_STOPPING;
	gate_hold_all(debug->machine);
}

void core_park_briefly(struct debug *debug)
{
	core_lock(debug);
	core_park_all(debug);
	core_unlock(debug);
}

void core_pass_slowly(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];

	core_lock(debug);
	v->seen = true;
	v->seen_pc = core_linear_pc(debug, (unsigned)vcpu->index);
	core_park_all(debug);
	core_unlock(debug);
}

unsigned core_told_at(const struct debug *debug, unsigned vcpu)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		unsigned other = (vcpu + i) % debug->machine->vcpu_count;

		if (debug->vcpu[other].plan.action != PLAN_HOLD)
			return other;
	}
	return vcpu;
}

static void ask_pause(struct debug *debug, enum debug_owner actor)
{
	if (debug->state == CORE_STOPPED || debug->have_stop)
		return;
	debug->have_stop = true;
	debug->stop = (struct stop){.reason = STOP_PAUSE,
				    .vcpu = (int)core_told_at(debug, (unsigned)debug->stop.vcpu)};
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

/* ---- going on ----------------------------------------------------------------------------- */

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
				 "use `reset` (in gdb: `monitor reset`), or change a register "
				 "first");
	core_clear_goals(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		int rc;

		any |= plans[i].action != PLAN_HOLD;
		debug->vcpu[i].plan = plans[i];
		rc = core_set_goal(debug, i, err);
		if (rc == 0 && (steps(&debug->vcpu[i].plan) || core_must_step_off(debug, i)))
			rc = core_can_step(debug, (int)i, err);
		if (rc == 0 && debug->vcpu[i].plan.action == PLAN_RUN)
			rc = core_compare_can_run(debug, i, err);
		if (rc < 0)
			return rc;
	}
	return any ? 0 : error_set(err, -EINVAL, "nothing would run: every vCPU is held");
}

static bool only_steps(const struct debug *debug, const struct plan *plans)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (plans[i].action != PLAN_HOLD && plans[i].action != PLAN_STEP)
			return false;
	return true;
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
	if (rc == 0 && only_steps(debug, plans))
		core_await_step(debug);
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

bool debug_step_interrupts(const struct debug *debug)
{
	return debug->step_interrupts;
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
