// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A range is stepped, but a loop in it may take a million steps. After some hundred of them it is run through instead, if
 * it can be told where the vCPU will be when it has left the range, or may have. There the core stops it with breakpoints
 * of its own, and it stops where steps would have ended:
 *
 *   - The code is decoded that can be reached without leaving the range. Moves, arithmetic and direct jumps are run
 *     through, as long as they leave the stack pointer alone. Any other instruction is an exit, and so is
 *     what lies outside. An exit is met by int3; for an interrupt's iret may bring RF along, which keeps a debug register silent.
 *   - All that such instructions can do besides is to fault in their access to memory. So the handlers of these exceptions are
 *     watched, too; a step into one ends there.
 *   - Interrupts come and are handled aside, which runs in any case (aside.c). What a handler comes upon is not meant: there the
 *     stack pointer is another one. The frame of an exception tells whose it is.
 *   - The code is read-only meanwhile. Before somebody writes to it the vCPU is parked, and then stopped wherever
 *     it is in the range, to be stepped.
 *
 * Whatever else stops a machine that runs stops it as ever: points, catches, a pause. Where all this is not to be had,
 * the range is stepped on.
 */
#include "debug/pages.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#define PAGE 4096ull
#define TURNS                                                                                      \
	256 /* steps before it is worth while: to begin and to end costs as much as a hundred */
#define MOST_TURNS  (1u << 20)
#define MOST_WRITES 64 /* beside the code, on its pages: each is an exit */
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

static bool is_among(const uint64_t *list, unsigned count, uint64_t linear)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i] == linear)
			return true;
	return false;
}

static bool add(uint64_t *list, unsigned *count, unsigned most, uint64_t linear)
{
	if (is_among(list, *count, linear))
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

	if (is_among(sprint->insn, sprint->insn_count, linear))
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

static bool is_protected(const struct debug *debug, const struct sprint *sprint)
{
	for (unsigned i = 0; i < sprint->code_count; i++)
		if (memory_access_at(debug->machine->memory, sprint->code[i].gpa) !=
		    MEMORY_READ_ONLY)
			return false;
	return true;
}

void core_sprints_check(struct debug *debug)
{
	for (unsigned i = 0; debug->sprints && i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		if (!v->aside.sprint || !v->aside.running || is_protected(debug, &v->sprint))
			continue;
		v->aside.running = false;
		v->aside.stepping = v->sprint.refused = true;
	}
}

/* ---- the beginning ----------------------------------------------------------------------- */

/* One at a time: who writes to another one's code waits for it. */
static bool somebody_sprints(const struct debug *debug)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (debug->vcpu[i].aside.sprint)
			return true;
	return false;
}

static bool is_due(const struct debug *debug, struct core_vcpu *v)
{
	struct sprint *sprint = &v->sprint;

	if (v->plan.action != PLAN_STEP_RANGE || sprint->refused || debug->comparing ||
	    !v->step.asides || v->aside.entering || v->aside.stepping)
		return false;
	return ++sprint->turns >= (sprint->wait ? sprint->wait : TURNS);
}

bool core_sprint_begins(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct cpu_state *state;
	bool begins;

	if (!is_due(debug, v))
		return false;
	v->sprint.turns = 0;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	core_lock(debug);
	begins = state && !somebody_sprints(debug);
	if (begins) {
		v->sprint.surveyed = v->sprint.written = false;
		v->sprint.writes = 0;
		v->aside = (struct aside){
			.running = true, .sprint = true, .place = core_place_of(state)};
	}
	core_unlock(debug);
	if (begins)
		core_park_briefly(debug);
	return begins;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* The frame: an error code, RIP, CS, RFLAGS, and in long mode RSP. */
static bool is_own_frame(struct debug *debug, struct vcpu *vcpu, const struct cpu_state *state)
{
	const struct core_vcpu *v = &debug->vcpu[vcpu->index];
	struct core_place place = {debug, vcpu};
	bool is_64 = cpu_mode(state) == MODE_LONG;
	unsigned size = is_64 ? 8 : 4;
	uint64_t sp = cpu_linear_sp(state), rip = 0, before = sp + 4ull * size;

	if (!core_read_linear(&place, sp + size, &rip, size) ||
	    (is_64 && !core_read_linear(&place, sp + 4ull * size, &before, size)))
		return false;
	if (!is_64)
		rip += state->system.seg[SEG_CS].base;
	return before == v->aside.place.sp && is_among(v->sprint.insn, v->sprint.insn_count, rip);
}

static bool is_back(struct debug *debug, struct vcpu *vcpu)
{
	const struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct sprint *sprint = &v->sprint;
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	uint64_t pc;

	if (!state || !sprint->surveyed || state->system.cr3 != v->aside.place.cr3)
		return state && !sprint->surveyed;
	pc = cpu_linear_pc(state);
	if (cpu_linear_sp(state) == v->aside.place.sp)
		return is_among(sprint->exit, sprint->exit_count, pc) ||
		       is_among(sprint->insn, sprint->insn_count, pc);
	return is_among(sprint->guard, sprint->guard_count, pc) && is_own_frame(debug, vcpu, state);
}

/* One that ends in the range met an instruction there that has to be stepped; in a loop that goes on and on. */
static void wait_longer(struct sprint *sprint)
{
	unsigned now = sprint->wait ? sprint->wait : TURNS;

	sprint->wait = now < MOST_TURNS ? 2 * now : now;
}

/* gate.lock held. */
static bool end(struct debug *debug, struct vcpu *vcpu)
{
	struct core_vcpu *v = &debug->vcpu[vcpu->index];

	if (!is_back(debug, vcpu))
		return false;
	v->aside = (struct aside){0};
	wait_longer(&v->sprint);
	return true;
}

bool core_sprint_ends(struct debug *debug, struct vcpu *vcpu)
{
	const struct aside *aside = &debug->vcpu[vcpu->index].aside;
	bool ends;

	if (!debug->sprints)
		return false;
	core_lock(debug);
	ends = aside->sprint && aside->running && end(debug, vcpu);
	core_unlock(debug);
	return ends;
}

void core_sprint_stepped(struct debug *debug, unsigned i)
{
	const struct aside *aside = &debug->vcpu[i].aside;

	if (aside->sprint && aside->stepping)
		end(debug, &debug->machine->vcpus[i]);
}

void core_sprint_is_over(struct debug *debug, struct vcpu *vcpu)
{
	core_lock(debug);
	core_sprint_stepped(debug, (unsigned)vcpu->index);
	core_unlock(debug);
	core_step_let_in(debug, (unsigned)vcpu->index);
}

/* ---- its code is written ----------------------------------------------------------------- */

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool disturbs(struct sprint *sprint, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < sprint->code_count; i++) {
		const struct sprint_code *code = &sprint->code[i];

		if (overlap(gpa, size, code->gpa, code->size) ||
		    (overlap(gpa, size, code->gpa & ~(PAGE - 1), PAGE) &&
		     ++sprint->writes > MOST_WRITES))
			return true;
	}
	return false;
}

/* It may be in a handler just now. So it runs on, and stops at whatever it comes back to. */
static void stop_everywhere(struct debug *debug, struct vcpu *vcpu, const struct vcpu *writer)
{
	struct gate *gate = &debug->machine->gate;
	struct sprint *sprint = &debug->vcpu[vcpu->index].sprint;

	sprint->written = sprint->refused = true;
	core_park_all(debug);
	while (writer && writer != vcpu && !vcpu->parked && !gate->quit)
		pthread_cond_wait(&gate->parked, &gate->lock);
}

void core_sprint_is_written(struct debug *debug, struct vcpu *writer, uint64_t gpa, uint64_t size)
{
	if (writer && !debug->sprints)
		return;
	core_lock(debug);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct core_vcpu *v = &debug->vcpu[i];

		if (v->aside.sprint && v->aside.running && !v->sprint.written &&
		    disturbs(&v->sprint, gpa, size))
			stop_everywhere(debug, &debug->machine->vcpus[i], writer);
	}
	core_unlock(debug);
}
