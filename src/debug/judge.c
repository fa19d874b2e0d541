// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a point that was come upon stops the machine: limits first, then its condition, its ignore count
 * and its action. All of it in the thread of the vCPU that came upon it, so that a condition which is
 * false costs no more than the exit, and no front end wakes for it.
 */
#include "debug/core.h"

#include <stdio.h>
#include <string.h>

/* ---- limits ------------------------------------------------------------------------------ */

static bool same_space(const struct cpu_state *state, uint64_t cr3)
{
	const struct paging_regs regs = paging_regs_of(state);

	return paging_same_tables(&regs, regs.cr3, cr3);
}

bool core_point_limited(struct vcpu *vcpu, const struct core_point *point)
{
	const struct point_limit *limit = &point->point.spec.limit;
	const struct cpu_state *state;

	if (!limit->by)
		return false;
	if ((limit->by & LIMIT_VCPU) && limit->vcpu != vcpu->index)
		return true;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	if (!state)
		return false;
	return ((limit->by & LIMIT_CR3) && !same_space(state, limit->cr3)) ||
	       ((limit->by & LIMIT_RING) && limit->ring != cpu_cpl(state));
}

/* A deeper call; or something else than the way back has touched the frame. */
static bool goal_is_ahead(struct vcpu *vcpu, const struct core_point *point)
{
	const struct cpu_state *state;

	if (!point->above_sp && !point->leads_to)
		return false;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	if (!state)
		return false;
	return (point->above_sp && cpu_linear_sp(state) <= point->above_sp) ||
	       (point->leads_to && cpu_linear_pc(state) != point->leads_to);
}

/* ---- the condition ----------------------------------------------------------------------- */

static const struct cpu_state *state_of(void *ctx, unsigned groups)
{
	const struct core_place *place = ctx;

	return vcpu_state(place->vcpu, groups);
}

static bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	const struct core_place *place = ctx;

	return mem_read_phys(place->debug->machine->memory, gpa, buf, len) == len;
}

struct program_context core_program_context(struct core_place *place)
{
	return (struct program_context){.ctx = place,
					.vcpu = place->vcpu->index,
					.state = state_of,
					.read = core_read_linear,
					.read_physical = read_physical};
}

/* What cannot be evaluated is told: silence would look like a condition that never holds. */
static bool condition_holds(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
			    struct stop *stop, bool *broken)
{
	struct core_place place = {debug, vcpu};
	const struct program_context context = core_program_context(&place);
	struct program_fault fault;
	int64_t result;

	if (!point->condition)
		return true;
	if (program_run(point->condition, &context, &result, &fault) == 0)
		return result != 0;
	*broken = stop->undecided = true;
	core_describe_hit(stop, point);
	if (point->point.owner == OWNER_GDB) /* gdb's numbers are others */
		snprintf(stop->text, sizeof(stop->text),
			 "the condition of a breakpoint here cannot be evaluated: %s", fault.text);
	else
		snprintf(stop->text, sizeof(stop->text),
			 "the condition of %d cannot be evaluated: %s", point->point.number,
			 fault.text);
	return true;
}

/* ---- the verdict ------------------------------------------------------------------------- */

static bool let_pass(struct debug *debug, struct core_point *point)
{
	bool pass;

	core_lock(debug);
	point->hits++;
	pass = point->ignore > 0;
	point->ignore -= pass;
	core_unlock(debug);
	return pass;
}

static void count_evaluation(struct debug *debug, struct core_point *point)
{
	core_lock(debug);
	point->evaluations++;
	core_unlock(debug);
}

bool core_judge(struct debug *debug, struct vcpu *vcpu, struct core_point *point, struct stop *stop)
{
	bool broken = false;

	if (point->catch)
		return core_catch_entry(debug, vcpu, point, stop);
	if (point->aside || !point->enabled || core_point_limited(vcpu, point) ||
	    goal_is_ahead(vcpu, point))
		return false;
	count_evaluation(debug, point);
	if (!condition_holds(debug, vcpu, point, stop, &broken))
		return false;
	if (broken)
		return true;
	if (let_pass(debug, point))
		return false;
	if (point->action)
		core_act(debug, vcpu, point, stop);
	if (point->action && point->action->go_on)
		return false;
	core_describe_hit(stop, point);
	return true;
}

/* ---- all that are in one place ----------------------------------------------------------- */

static bool is_planted(const struct debug *debug, const struct core_point *point, uint64_t gpa)
{
	for (unsigned i = 0; i < debug->planted.place_count; i++)
		if (debug->planted.place[i].gpa == gpa && debug->planted.place[i].point == point)
			return true;
	return false;
}

/* By its linear address, or by the byte that its int3 took the place of. */
static bool is_here(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
		    uint64_t pc)
{
	const struct point_spec *spec = &point->point.spec;
	struct paging_walk here;

	if (!core_is_breakpoint(spec->kind) || ((spec->address ^ pc) & 0xfff))
		return false;
	if (spec->address == pc && !spec->physical && !(spec->limit.by & LIMIT_CR3))
		return true;
	if (core_walk(debug, vcpu, pc, &here) != PAGING_OK)
		return false;
	return is_planted(debug, point, here.gpa) || core_point_covers(debug, point, here.gpa);
}

/* The user's points before goals: they have more to say. All are asked, since each counts. */
bool core_judge_here(struct debug *debug, struct vcpu *vcpu, struct stop *stop, bool *any)
{
	uint64_t pc = core_linear_pc(debug, (unsigned)vcpu->index);
	const struct stop blank = *stop;
	bool tell = false;

	*any = false;
	for (struct core_point *p = debug->points; p; p = p->next) {
		struct stop its = blank;
		bool told = tell && stop->point;

		if (!is_here(debug, vcpu, p, pc))
			continue;
		*any = true;
		if (!core_judge(debug, vcpu, p, &its))
			continue;
		tell = true;
		if (!told)
			*stop = its;
	}
	return tell;
}
