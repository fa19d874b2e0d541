// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Before a sprint (sprint.c): which code it would run through, where that can be left, and whether all of this can be
 * told. Nothing is changed here but what is known.
 */
#include "debug/pages.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#define PAGE	    4096ull
#define DR7_ENABLES 0xffu

static const uint8_t guarded[SPRINT_GUARDS] = {VECTOR_PF, VECTOR_GP, VECTOR_SS};

/* ---- the code ---------------------------------------------------------------------------- */

struct survey {
	struct core_place place;
	const struct cpu_state *state;
	const struct plan *plan;
	struct sprint *sprint;
};

static bool runs_through(const struct instruction *insn)
{
	return (insn->kind == INSN_PLAIN || insn->kind == INSN_JUMP || insn->kind == INSN_BRANCH) &&
	       insn->simple && !insn->moves_sp;
}

bool core_sprint_among(const uint64_t *list, unsigned count, uint64_t linear)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i] == linear)
			return true;
	return false;
}

static bool add(uint64_t *list, unsigned *count, unsigned most, uint64_t linear)
{
	if (core_sprint_among(list, *count, linear))
		return true;
	if (*count == most)
		return false;
	list[(*count)++] = linear;
	return true;
}

/* What comes behind an instruction: to be looked at, or an exit. */
static bool add_place(struct survey *s, uint64_t linear)
{
	struct sprint *sprint = s->sprint;
	struct instruction insn;

	if (core_sprint_among(sprint->insn, sprint->insn_count, linear))
		return true;
	if (linear < s->plan->low || linear >= s->plan->high ||
	    !instruction_fetch(s->state, linear, core_read_linear, &s->place, &insn) ||
	    !runs_through(&insn))
		return add(sprint->exit, &sprint->exit_count, SPRINT_EXITS, linear);
	if (sprint->insn_count == SPRINT_INSNS)
		return false;
	sprint->length[sprint->insn_count] = insn.length;
	sprint->insn[sprint->insn_count++] = linear;
	return true;
}

static bool add_successors(struct survey *s, uint64_t linear)
{
	struct instruction insn;
	struct successors next;

	if (!instruction_fetch(s->state, linear, core_read_linear, &s->place, &insn))
		return false;
	instruction_successors(&insn, s->state, core_read_linear, &s->place, &next);
	if (next.unknown)
		return false;
	for (unsigned i = 0; i < next.count; i++)
		if (!add_place(s, next.linear[i]))
			return false;
	return true;
}

static bool add_code(struct survey *s)
{
	uint64_t pc = cpu_linear_pc(s->state);

	if (!add_place(s, pc) || s->sprint->insn_count == 0)
		return false;
	for (unsigned i = 0; i < s->sprint->insn_count; i++)
		if (!add_successors(s, s->sprint->insn[i]))
			return false;
	return true;
}

/* Where there is no handler, a step has nothing to stop at either. */
static bool add_guards(struct survey *s)
{
	struct sprint *sprint = s->sprint;

	for (unsigned i = 0; i < SPRINT_GUARDS; i++) {
		uint64_t handler;

		if (interrupt_handler(s->state, guarded[i], core_read_linear, &s->place,
				      &handler) == 0 &&
		    !add(sprint->guard, &sprint->guard_count, SPRINT_GUARDS, handler))
			return false;
	}
	return true;
}

/* No breakpoint may change what is run through: a jump may lead into the middle of another instruction. */
static bool is_apart(const struct sprint *sprint, uint64_t point)
{
	for (unsigned i = 0; i < sprint->insn_count; i++)
		if (point - sprint->insn[i] < sprint->length[i])
			return false;
	return true;
}

static bool points_are_apart(const struct sprint *sprint)
{
	bool apart = true;

	for (unsigned i = 0; i < sprint->exit_count; i++)
		apart &= is_apart(sprint, sprint->exit[i]);
	for (unsigned i = 0; i < sprint->guard_count; i++)
		apart &= is_apart(sprint, sprint->guard[i]);
	return apart;
}

/* ---- the pages that it lies on ----------------------------------------------------------- */

static bool can_protect(struct survey *s, uint64_t linear, uint64_t size)
{
	struct debug *debug = s->place.debug;
	struct core_point code = {
		.point.spec = {.kind = POINT_WRITE, .address = linear, .length = size}};

	for (unsigned mode = 0; mode < CAP_MODE_COUNT; mode++)
		if (!debug->capabilities.page_write[mode])
			return false;
	return core_pages_carry(debug, &code, NULL);
}

static bool add_piece(struct survey *s, uint64_t linear, uint64_t size)
{
	struct sprint *sprint = s->sprint;
	struct paging_walk walk;

	if (core_walk(s->place.debug, s->place.vcpu, linear, &walk) != PAGING_OK)
		return false;
	sprint->code[sprint->code_count++] = (struct sprint_code){walk.gpa, size};
	return true;
}

static bool add_pieces(struct survey *s)
{
	const struct sprint *sprint = s->sprint;
	uint64_t low = sprint->insn[0], high = low, room;

	for (unsigned i = 0; i < sprint->insn_count; i++) {
		uint64_t end = sprint->insn[i] + sprint->length[i];

		low = sprint->insn[i] < low ? sprint->insn[i] : low;
		high = end > high ? end : high;
	}
	room = PAGE - low % PAGE;
	if (high - low > PAGE || !can_protect(s, low, high - low))
		return false;
	if (high - low <= room)
		return add_piece(s, low, high - low);
	return add_piece(s, low, room) && add_piece(s, low + room, high - low - room);
}

/* ---- whether it can be told -------------------------------------------------------------- */

/* The guest's own trap flag and debug registers trap in the middle of it; and who is not in ring 0 is interrupted onto
 * another stack, by handlers that see to his page faults. */
static bool is_plain(const struct cpu_state *state)
{
	enum cpu_mode mode = cpu_mode(state);

	return (mode == MODE_LONG || mode == MODE_PROT32) && cpu_cpl(state) == 0 &&
	       !(state->general.rflags & RFLAGS_TF) && !(state->debug.dr7 & DR7_ENABLES) &&
	       !state->events.exception.injected && !state->events.exception.pending &&
	       state->events.run_state == CPU_RUNNABLE;
}

static bool survey(struct debug *debug, unsigned i)
{
	struct core_vcpu *v = &debug->vcpu[i];
	struct survey s = {.place = {debug, &debug->machine->vcpus[i]},
			   .plan = &v->plan,
			   .sprint = &v->sprint};

	v->sprint.insn_count = v->sprint.exit_count = v->sprint.guard_count = 0;
	v->sprint.code_count = 0;
	s.state = vcpu_state(s.place.vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_DEBUG | CPU_EVENTS);
	return s.state && is_plain(s.state) && add_code(&s) && add_guards(&s) &&
	       points_are_apart(&v->sprint) && add_pieces(&s);
}

static unsigned append(uint64_t *to, unsigned at, const uint64_t *from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		to[at + i] = from[i];
	return at + count;
}

unsigned core_sprint_points(struct debug *debug, unsigned i, uint64_t point[SPRINT_POINTS],
			    bool *known)
{
	struct sprint *sprint = &debug->vcpu[i].sprint;
	unsigned count = 0;

	*known = sprint->surveyed || survey(debug, i);
	sprint->surveyed = *known;
	sprint->refused |= !*known;
	count = append(point, count, sprint->exit, sprint->exit_count);
	count = append(point, count, sprint->guard, sprint->guard_count);
	return sprint->written ? append(point, count, sprint->insn, sprint->insn_count) : count;
}
