// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A range is stepped, but a loop in it may take a million steps. After some hundred of them it is run through
 * instead, if it can be told where the vCPU will be when it has left the range, or may have. There the core stops it
 * with breakpoints of its own, and it stops where steps would have ended:
 *
 *   - The code is decoded that can be reached without leaving the range. Moves, arithmetic and direct jumps are run
 *     through, as long as they leave the stack pointer alone. Any other instruction is an exit, and so is what lies
 *     outside. An exit is met by int3; for an interrupt's iret may bring RF along, which keeps a debug register
 *     silent.
 *   - All that such instructions can do besides is to fault in their access to memory. So the handlers of these
 *     exceptions are watched, too; a step into one ends there.
 *   - Interrupts come and are handled aside, which runs in any case (aside.c). What a handler comes upon is not
 *     meant: there the stack pointer is another one. The frame of an exception tells whose it is.
 *   - The code is read-only meanwhile. Before somebody writes to it the vCPU is parked, and then stopped wherever
 *     it is in the range, to be stepped.
 *
 * Whatever else stops a machine that runs stops it as ever: points, catches, a pause. Where all this is not to be had,
 * the range is stepped on.
 */
#include "debug/pages.h"

#include "x86/mode.h"

#define PAGE 4096ull
#define TURNS                                                                                      \
	256 /* steps before it is worth while: to begin and to end costs as much as a hundred */
#define MOST_TURNS  (1u << 20)
#define MOST_WRITES 64 /* beside the code, on its pages: each is an exit */

/* ---- its pages ---------------------------------------------------------------------------- */

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
	return before == v->aside.place.sp &&
	       core_sprint_among(v->sprint.insn, v->sprint.insn_count, rip);
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
		return core_sprint_among(sprint->exit, sprint->exit_count, pc) ||
		       core_sprint_among(sprint->insn, sprint->insn_count, pc);
	return core_sprint_among(sprint->guard, sprint->guard_count, pc) &&
	       is_own_frame(debug, vcpu, state);
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
