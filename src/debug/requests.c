// SPDX-License-Identifier: GPL-3.0-or-later
/* What the guest (a device, a firmware call) or the user wants of the whole machine: reset, or the
 * end. */
#include "debug/core.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void core_request(void *ctx, enum host_request request, int status, const char *why)
{
	struct debug *debug = ctx;

	core_lock(debug);
	if (!debug->request.waiting) {
		debug->request.waiting = true;
		debug->request.what = request;
		debug->request.status = status;
		snprintf(debug->request.why, sizeof(debug->request.why), "%s", why);
		if (debug->state == CORE_RUNNING || debug->state == CORE_STEPPING_OFF)
			debug->state = CORE_STOPPING;
		if (debug->state == CORE_STOPPING)
			gate_hold_all(debug->machine);
		core_catch_request(debug, request);
	}
	core_unlock(debug);
}

/* gate.lock held, all parked. */
static void end_run(struct debug *debug, int status, enum debug_owner actor, const char *why)
{
	debug->stop = (struct stop){.reason = STOP_SHUTDOWN, .exit_status = status};
	snprintf(debug->stop.text, sizeof(debug->stop.text), "%s", why);
	debug->have_stop = true;
	debug->exited = true;
	debug->state = CORE_STOPPED;
	core_tell(debug, DEBUG_EXITED, actor);
}

void core_forget_history(struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		v->seen = v->pending = v->stepping_off = v->comes_back.expected = false;
	}
	core_forget_asides(debug);
	core_pages_forget(debug);
	debug->dead = false;
}

static bool any_step(const struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (debug->vcpu[i].plan.action == PLAN_STEP ||
		    debug->vcpu[i].plan.action == PLAN_STEP_RANGE)
			return true;
	return false;
}

void core_stop_here(struct debug *debug, unsigned at, enum stop_reason reason, const char *text)
{
	debug->stop = (struct stop){.reason = reason, .vcpu = (int)at};
	snprintf(debug->stop.text, sizeof(debug->stop.text), "%.*s",
		 (int)sizeof(debug->stop.text) - 1, text);
	debug->have_stop = true;
	debug->state = CORE_STOPPED;
	core_mark_seen(debug);
	debug->stop.pc = core_linear_pc(debug, at);
}

/* gate.lock held, all parked; machine_reset() takes device_lock, which comes before gate.lock. */
static int reset_now(struct debug *debug, struct error *err)
{
	int rc;

	core_unlock(debug);
	rc = machine_reset(debug->machine, err);
	core_lock(debug);
	core_forget_history(debug);
	return rc;
}

static void serve_reset(struct debug *debug)
{
	struct error err = {0};

	if (reset_now(debug, &err) < 0) {
		core_stop_here(debug, core_told_at(debug, 0), STOP_HOST_ERROR, err.text);
		core_tell(debug, DEBUG_STOPPED, OWNER_NONE);
		return;
	}
	core_tell(debug, DEBUG_RESET, OWNER_NONE);
	if (any_step(debug)) {
		core_stop_here(debug, core_told_at(debug, 0), STOP_RESET, debug->request.why);
		core_tell(debug, DEBUG_STOPPED, OWNER_NONE);
	} else {
		core_launch(debug);
	}
}

static void serve(struct debug *debug)
{
	char why[sizeof(debug->request.why) + 32];

	debug->request.waiting = false;
	if (debug->request.what == HOST_POWER_OFF) {
		end_run(debug, debug->request.status, OWNER_NONE, debug->request.why);
	} else if (debug->config.no_reboot) {
		snprintf(why, sizeof(why), "reset (%s), and -no-reboot", debug->request.why);
		end_run(debug, 0, OWNER_NONE, why);
	} else {
		serve_reset(debug);
	}
}

/* A stop that came together with the request is told first; resuming serves the request then. */
void core_serve_request(struct debug *debug)
{
	core_lock(debug);
	if (debug->request.waiting && debug->state == CORE_STOPPING && !debug->have_stop &&
	    gate_all_parked(&debug->machine->gate))
		serve(debug);
	core_unlock(debug);
}

/* gate.lock held, stopped. True: the request decided what happens next. */
bool core_serve_before_resume(struct debug *debug)
{
	if (!debug->request.waiting)
		return false;
	debug->have_stop = false;
	serve(debug);
	return true;
}

/* gate.lock held. A step, or a range, was of code that is no longer there. */
static int reset_for(struct debug *debug, enum debug_owner actor, struct error *err)
{
	bool was_running = core_quiesce(debug);
	int rc;

	debug->request.waiting = false;
	rc = reset_now(debug, err);
	core_tell(debug, DEBUG_RESET, actor);
	if (was_running && rc == 0 && !any_step(debug)) {
		core_go_on(debug);
		return 0;
	}
	core_stop_here(debug, was_running ? core_told_at(debug, 0) : 0,
		       rc < 0 ? STOP_HOST_ERROR : STOP_RESET,
		       rc < 0 ? "the reset failed" : "reset");
	if (was_running)
		core_tell(debug, DEBUG_STOPPED, actor);
	return rc;
}

int debug_reset(struct debug *debug, enum debug_owner actor, struct error *err)
{
	int rc;

	core_lock(debug);
	rc = debug->exited ? error_set(err, -ESHUTDOWN, "the guest has ended")
			   : reset_for(debug, actor, err);
	core_unlock(debug);
	return rc;
}

void debug_kill(struct debug *debug, enum debug_owner actor, int status)
{
	core_lock(debug);
	core_quiesce(debug);
	if (!debug->exited)
		end_run(debug, status, actor, "ended by the user");
	core_unlock(debug);
}
