// SPDX-License-Identifier: GPL-3.0-or-later
/* Resuming. All of these packets end in a plan, one row per vCPU, and in one call of the core. */
#include "gdbstub/stub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* c and C must both be there, and s and S, or gdb does not use vCont at all. */
int command_resume_query(struct gdb_session *s, struct request *request)
{
	(void)request;
	reply_text(&s->reply, "vCont;c;C;s;S;t;r");
	return 0;
}

int command_why(struct gdb_session *s, struct request *request)
{
	(void)request;
	if (!s->exited && debug_running(s->debug))
		return -EBUSY;
	stop_reply(s, debug_last_stop(s->debug));
	return 0;
}

static bool all_run(const struct plan *plans, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (plans[i].action != PLAN_RUN)
			return false;
	}
	return true;
}

/* As all stops, at a vCPU that gdb wanted to go on: of the others it expects no news. */
static int stays(struct gdb_session *s, const struct plan *plans, enum unmoved why)
{
	unsigned count = debug_vcpu_count(s->debug), vcpu = s->general;

	for (unsigned i = 0; i < count && plans[vcpu].action == PLAN_HOLD; i++)
		vcpu = (vcpu + 1) % count;
	s->general = vcpu;
	stop_reply_unmoved(s, why);
	return 0;
}

/* gdb's user reads why; and that the guest stands where it stood, if it does. */
static int refuse(struct gdb_session *s, const struct plan *plans, int error)
{
	if (s->error.text[0]) {
		session_print(s, s->error.text, strlen(s->error.text));
		session_print(s, "\n", 1);
	}
	return error == -ENOTSUP ? stays(s, plans, UNMOVED_REFUSED) : error;
}

static int find_step(const struct plan *plans, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (plans[i].action == PLAN_STEP || plans[i].action == PLAN_STEP_RANGE)
			return (int)i;
	}
	return -1;
}

static int tell_of_interrupt(struct gdb_session *s, const struct plan *plans)
{
	s->interrupted = s->between_steps = false;
	return stays(s, plans, UNMOVED_INTERRUPTED);
}

static int resume(struct gdb_session *s, const struct plan *plans)
{
	int ret;

	if (s->interrupted)
		return tell_of_interrupt(s, plans);
	if (!points_carried(s))
		return refuse(s, plans, -ENOTSUP);
	ret = debug_resume(s->debug, plans, OWNER_GDB, &s->error);
	/* The console was faster, and the guest does what gdb asks for: gdb may wait with it. */
	if (ret == -EBUSY && debug_running(s->debug) && all_run(plans, debug_vcpu_count(s->debug)))
		ret = 0;
	if (ret)
		return refuse(s, plans, ret);
	s->waiting = true;
	s->stepped = find_step(plans, debug_vcpu_count(s->debug));
	output_kept(s);
	return SILENT;
}

static struct plan *new_plans(struct gdb_session *s)
{
	return calloc(debug_vcpu_count(s->debug), sizeof(struct plan)); /* all zero: PLAN_HOLD */
}

/* ---- vCont ---------------------------------------------------------------------- */

/* One action: `c`, `Cxx`, `s`, `Sxx`, `t`, `rLOW,HIGH`. A guest takes no signals; they are not looked
 * at. To stop means to be held: everything stands still already. */
static bool take_action(struct request *request, struct plan *plan)
{
	uint8_t signal;

	*plan = (struct plan){.action = PLAN_STEP};
	if (take_char(request, 's'))
		return true;
	if (take_char(request, 'S'))
		return take_byte(request, &signal);
	plan->action = PLAN_RUN;
	if (take_char(request, 'c'))
		return true;
	if (take_char(request, 'C'))
		return take_byte(request, &signal);
	plan->action = PLAN_HOLD;
	if (take_char(request, 't'))
		return true;
	plan->action = PLAN_STEP_RANGE;
	return take_char(request, 'r') && take_hex(request, &plan->low) &&
	       take_char(request, ',') && take_hex(request, &plan->high) && plan->low <= plan->high;
}

/* Marks a vCPU that no action has named yet; nothing in vCont asks for that plan. */
#define UNNAMED PLAN_UNTIL

/* The first action that names a vCPU, or all of them, is the one that counts for it. */
static void assign(struct plan *plans, unsigned count, const struct thread_id *id,
		   const struct plan *plan)
{
	for (unsigned i = 0; i < count; i++) {
		if (plans[i].action == UNNAMED && (id->kind != THREAD_ONE || id->vcpu == i))
			plans[i] = *plan;
	}
}

static int take_actions(struct gdb_session *s, struct request *request, struct plan *plans)
{
	if (take_end(request))
		return -EINVAL;
	while (!take_end(request)) {
		struct thread_id id = {.kind = THREAD_ALL};
		struct plan plan;

		if (!take_char(request, ';') || !take_action(request, &plan))
			return -EINVAL;
		if (take_char(request, ':') && !take_thread(request, &id))
			return -EINVAL;
		if (!vcpu_exists(s, &id))
			return -EINVAL;
		assign(plans, debug_vcpu_count(s->debug), &id, &plan);
	}
	return 0;
}

/* Who is not named is held. */
static int take_plans(struct gdb_session *s, struct request *request, struct plan *plans)
{
	unsigned count = debug_vcpu_count(s->debug);
	int ret;

	for (unsigned i = 0; i < count; i++)
		plans[i].action = UNNAMED;
	ret = take_actions(s, request, plans);
	for (unsigned i = 0; i < count; i++) {
		if (plans[i].action == UNNAMED)
			plans[i].action = PLAN_HOLD;
	}
	return ret;
}

int command_resume(struct gdb_session *s, struct request *request)
{
	struct plan *plans = new_plans(s);
	int ret;

	if (!plans)
		return -ENOMEM;
	ret = take_plans(s, request, plans);
	if (!ret)
		ret = resume(s, plans);
	free(plans);
	return ret;
}

/* ---- c C s S, from clients that do not know vCont ------------------------------- */

/* With Hc naming a vCPU, it alone goes on. Otherwise all do, and a step is the current one's. */
static int resume_plain(struct gdb_session *s, enum plan_action action)
{
	bool one = s->resume.kind == THREAD_ONE;
	unsigned vcpu = one ? s->resume.vcpu : s->general;
	struct plan *plans = new_plans(s);
	int ret;

	if (!plans)
		return -ENOMEM;
	for (unsigned i = 0; i < debug_vcpu_count(s->debug) && !one; i++)
		plans[i].action = PLAN_RUN;
	plans[vcpu].action = action;
	ret = resume(s, plans);
	free(plans);
	return ret;
}

/* `[addr]`, or behind a signal `[;addr]`: where to go on. */
static int resume_at(struct gdb_session *s, struct request *request, enum plan_action action)
{
	unsigned vcpu = s->resume.kind == THREAD_ONE ? s->resume.vcpu : s->general;
	uint64_t addr;
	int ret;

	if (!take_end(request)) {
		if (!take_hex(request, &addr) || !take_end(request))
			return -EINVAL;
		ret = view_set(s, vcpu, (unsigned)s->rip, &addr);
		if (ret)
			return ret;
	}
	return resume_plain(s, action);
}

static int resume_signal(struct gdb_session *s, struct request *request, enum plan_action action)
{
	uint8_t signal;

	if (!take_byte(request, &signal))
		return -EINVAL;
	if (!take_end(request) && (!take_char(request, ';') || take_end(request)))
		return -EINVAL;
	return resume_at(s, request, action);
}

int command_continue(struct gdb_session *s, struct request *request)
{
	return resume_at(s, request, PLAN_RUN);
}

int command_continue_signal(struct gdb_session *s, struct request *request)
{
	return resume_signal(s, request, PLAN_RUN);
}

int command_step(struct gdb_session *s, struct request *request)
{
	return resume_at(s, request, PLAN_STEP);
}

int command_step_signal(struct gdb_session *s, struct request *request)
{
	return resume_signal(s, request, PLAN_STEP);
}
