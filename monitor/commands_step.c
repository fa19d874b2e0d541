// SPDX-License-Identifier: GPL-3.0-or-later
/* Letting one vCPU, or all of them, go on: by steps, to a place, or until something stops them. */
#include "monitor/commands.h"
#include "x86/instruction.h"

#include <errno.h>
#include <inttypes.h>

#define STEP_MAX 1000000

static bool is_step(const struct plan *plan)
{
	return plan->action == PLAN_STEP || plan->action == PLAN_STEP_OVER;
}

/* What `set scheduler-locking` says about the vCPUs that the command is not about. */
static enum plan_action plan_of_others(const struct monitor *monitor, const struct plan *plan)
{
	if (monitor->locking == LOCKING_ON)
		return PLAN_HOLD;
	return monitor->locking == LOCKING_STEP && is_step(plan) ? PLAN_HOLD : PLAN_RUN;
}

int monitor_resume(struct monitor *monitor, int cpu, const struct plan *plan,
		   enum debug_owner owner, struct error *err)
{
	unsigned count = debug_vcpu_count(monitor->debug);

	for (unsigned i = 0; i < count; i++)
		monitor->plans[i] = (struct plan){.action = plan_of_others(monitor, plan)};
	monitor->plans[cpu] = *plan;
	return debug_resume(monitor->debug, monitor->plans, owner, err);
}

static int go(struct call *call, const struct plan *plan)
{
	int ret = monitor_resume(call->monitor, call->cpu, plan, call->owner, call->err);

	if (ret)
		return ret;
	call->monitor->expects_stop = true;
	fact_count(call->out, "vcpu", (uint64_t)call->cpu);
	return 0;
}

/* ---- steps --------------------------------------------------------------------------------- */

int monitor_check_steps(uint64_t count, struct error *err)
{
	return count && count <= STEP_MAX
		       ? 0
		       : error_set(err, -EINVAL, "the number of steps is from 1 to %d", STEP_MAX);
}

int monitor_step(struct call *call, enum plan_action action, uint64_t count)
{
	struct plan plan = {.action = action};
	int ret = monitor_check_steps(count, call->err);

	if (!ret)
		ret = go(call, &plan);
	if (ret)
		return ret;
	call->monitor->steps_left = count - 1;
	call->monitor->step_plan = plan;
	call->monitor->step_cpu = call->cpu;
	return 0;
}

int run_step(struct call *call)
{
	return monitor_step(call, PLAN_STEP, call->arg[0].given ? call->arg[0].value : 1);
}

int run_next(struct call *call)
{
	return monitor_step(call, PLAN_STEP_OVER, call->arg[0].given ? call->arg[0].value : 1);
}

/* ---- further ------------------------------------------------------------------------------- */

int run_continue(struct call *call)
{
	struct plan plan = {.action = PLAN_RUN};
	bool alone = call->monitor->locking == LOCKING_ON &&
		     debug_vcpu_count(call->monitor->debug) > 1;
	int ret = go(call, &plan);

	if (ret)
		return ret;
	if (alone)
		out_printf(call->out, "vCPU %d running, the others are held; ", call->cpu);
	out_printf(call->out,
		   alone ? "Ctrl-C or `stop` pauses\n" : "running; Ctrl-C or `stop` pauses\n");
	return 0;
}

static int go_until(struct call *call, const struct plan *plan)
{
	char where[160];
	int ret = go(call, plan);

	if (!ret)
		fact_hex(call->out, "address", plan->address);
	if (!ret)
		out_printf(call->out, "running until 0x%" PRIx64 ": %s\n", plan->address,
			   address_text(call->monitor, plan->address, where, sizeof(where)));
	return ret;
}

int run_advance(struct call *call)
{
	const struct plan plan = {.action = PLAN_UNTIL, .address = call->arg[0].value};

	return go_until(call, &plan);
}

/* What is behind a jump back, where a loop ends; 0: it is none. */
static uint64_t behind_loop(struct call *call)
{
	const struct cpu_state *state = debug_state(call->monitor->debug, call->cpu,
						    CPU_GENERAL | CPU_SYSTEM);
	uint64_t pc = debug_pc(call->monitor->debug, call->cpu);
	struct guest_view view = {call->monitor, call->cpu};
	struct instruction insn;

	if (!state || !instruction_fetch(state, pc, guest_view_read, &view, &insn))
		return 0;
	return insn.kind == INSN_BRANCH && insn.immediate < 0 ? pc + insn.length : 0;
}

int run_until(struct call *call)
{
	struct plan plan = {.action = PLAN_UNTIL};

	if (call->arg[0].given)
		return run_advance(call);
	plan.address = behind_loop(call);
	return plan.address ? go_until(call, &plan) : monitor_step(call, PLAN_STEP_OVER, 1);
}

int run_finish(struct call *call)
{
	struct plan plan;
	int ret = plan_to_caller(call->monitor, call->cpu, &plan, call->err);

	return ret ? ret : go_until(call, &plan);
}
