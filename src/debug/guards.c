// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A step that ends in a handler. KVM steps with the processor's trap flag, which the processor clears when it
 * delivers an exception: the step would run on until the handler returns. Software interrupts do
 * the same, and on AMD-V iret. The processor cannot be asked to stop there, but a debug register on the
 * first instruction of the handler does. There are four, so they go to what is likely.
 *
 * The trap flag is among the flags that were pushed for the handler. Left there, it would come back with the
 * handler's iret and trap a guest that nobody steps any more.
 */
#include "debug/core.h"

#include "x86/descriptors.h"
#include "x86/exceptions.h"

#define DR7_ENABLES	 0xffu
#define CR0_EM		 (1ull << 2)
#define CR0_TS		 (1ull << 3)
#define NO_VECTOR	 (-1)
#define MAX_CANDIDATES	 8
#define IRET		 0xcf
#define REX_W		 0x48
#define STACK_WORD(bits) ((bits) / 8)

struct candidates {
	struct core_place place;
	const struct cpu_state *state;
	int vector[MAX_CANDIDATES]; /* in the order of likelihood */
	unsigned count;
};

/* ---- where it may lead ------------------------------------------------------------------- */

static void add(struct candidates *c, int vector)
{
	if (c->count < MAX_CANDIDATES)
		c->vector[c->count++] = vector;
}

/* What the CPU will deliver before it executes anything. */
static void add_waiting(struct candidates *c, const struct accel_debug *wish)
{
	const struct cpu_events *events = &c->state->events;

	if (events->exception.injected || events->exception.pending)
		add(c, events->exception.vector);
	if (wish->inject >= 0)
		add(c, wish->inject);
}

/* INT3, INT n, INTO, INT1. */
static void add_software_interrupt(struct candidates *c, const uint8_t code[2])
{
	switch (code[0]) {
	case 0xcc: add(c, VECTOR_BP); break;
	case 0xcd: add(c, code[1]); break;
	case 0xce: add(c, VECTOR_OF); break;
	case 0xf1: add(c, VECTOR_DB); break;
	default: break;
	}
}

static void add_exceptions(struct candidates *c)
{
	if (c->state->system.cr0 & CR0_PG)
		add(c, VECTOR_PF);
	add(c, VECTOR_GP);
	add(c, VECTOR_UD);
	add(c, c->state->system.cr0 & (CR0_TS | CR0_EM) ? VECTOR_NM : VECTOR_DE);
	add(c, VECTOR_SS);
}

/* ---- the debug registers ----------------------------------------------------------------- */

/* A guard under the present instruction, or inside a range that is stepped on and on, would stop what
 * has not moved. */
static bool hinders(const struct candidates *c, const struct plan *plan, uint64_t address)
{
	return address == cpu_linear_pc(c->state) ||
	       (plan->action == PLAN_STEP_RANGE && address >= plan->low && address < plan->high);
}

static bool guarded_already(const struct guards *guards, uint64_t address)
{
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if ((guards->slots >> i & 1) && guards->address[i] == address)
			return true;
	return false;
}

static void guard(struct guards *guards, struct accel_debug *wish, uint64_t address, int vector)
{
	for (unsigned i = 0; i < DR_SLOTS; i++) {
		if (wish->dr7 >> 2 * i & 3)
			continue;
		guards->slots |= 1u << i;
		guards->address[i] = address;
		guards->vector[i] = vector;
		wish->dr[i] = address;
		wish->dr7 = dr7_enable(wish->dr7, i, DR_EXEC, 1);
		wish->slots = true;
		return;
	}
}

static void guard_handler(struct candidates *c, const struct plan *plan, struct guards *guards,
			  struct accel_debug *wish, int vector)
{
	uint64_t address;

	if (interrupt_handler(c->state, (uint8_t)vector, core_read_linear, &c->place, &address) ==
		    0 &&
	    !hinders(c, plan, address) && !guarded_already(guards, address))
		guard(guards, wish, address, vector);
}

/* A return to another code segment is taken to be one of base 0, except in real mode. */
static void guard_return(struct candidates *c, struct guards *guards, struct accel_debug *wish,
			 unsigned bits)
{
	const struct cpu_segment *cs = &c->state->system.seg[SEG_CS];
	uint64_t sp = cpu_linear_sp(c->state), offset = 0, base = 0;
	uint16_t selector = 0;

	if (!core_read_linear(&c->place, sp, &offset, STACK_WORD(bits)) ||
	    !core_read_linear(&c->place, sp + STACK_WORD(bits), &selector, sizeof(selector)))
		return;
	if (cpu_mode(c->state) == MODE_REAL)
		base = (uint64_t)selector << 4;
	else if (selector == cs->selector && bits < 64)
		base = cs->base;
	if (base + offset != cpu_linear_pc(c->state))
		guard(guards, wish, base + offset, NO_VECTOR);
}

static void guard_iret(struct candidates *c, struct guards *guards, struct accel_debug *wish,
		       const uint8_t code[2])
{
	unsigned bits = cpu_mode_bits(cpu_mode(c->state));

	if (code[0] == IRET)
		guard_return(c, guards, wish, bits == 64 ? 32 : bits);
	else if (bits == 64 && code[0] == REX_W && code[1] == IRET)
		guard_return(c, guards, wish, 64);
}

/* Handlers run in ring 0, wherever the vCPU is now. A guest that uses the debug registers itself keeps
 * them. */
static bool may_guard(struct debug *debug, const struct cpu_state *state)
{
	return state && debug->capabilities.slot[core_kernel_mode_of(state)] &&
	       !(state->debug.dr7 & DR7_ENABLES);
}

void core_guard_step(struct debug *debug, unsigned i, struct accel_debug *wish)
{
	struct candidates c = {.place = {debug, &debug->machine->vcpus[i]}};
	const struct plan *plan = &debug->vcpu[i].plan;
	struct guards *guards = &debug->vcpu[i].guards;
	uint8_t code[2] = {0};

	guards->slots = 0;
	if (!wish->step)
		return;
	c.state = vcpu_state(c.place.vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS | CPU_DEBUG);
	if (!may_guard(debug, c.state))
		return;
	guards->rflags = c.state->general.rflags;
	core_read_linear(&c.place, cpu_linear_pc(c.state), code, sizeof(code));
	guard_iret(&c, guards, wish, code);
	add_waiting(&c, wish);
	add_software_interrupt(&c, code);
	add_exceptions(&c);
	for (unsigned n = 0; n < c.count; n++)
		guard_handler(&c, plan, guards, wish, c.vector[n]);
}

/* ---- a guard was hit --------------------------------------------------------------------- */

static bool is_pushed_copy(uint64_t pushed, uint64_t before, unsigned bits)
{
	const uint64_t differ = RFLAGS_TF | RFLAGS_RF;
	const uint64_t mask = bits == 16 ? 0xffff : 0xffffffff;

	return (pushed & RFLAGS_TF) && ((pushed ^ before) & mask & ~differ) == 0;
}

/* The frame, from its top: an error code with some vectors, RIP, CS, RFLAGS. */
static void clear_pushed_trap_flag(struct core_place *place, int vector, uint64_t before)
{
	const struct cpu_state *state = vcpu_state(place->vcpu, CPU_GENERAL | CPU_SYSTEM);
	unsigned bits, words;
	struct paging_walk walk;
	uint64_t at, pushed = 0;

	if (!state || (before & RFLAGS_TF))
		return;
	bits = cpu_mode_bits(cpu_mode(state));
	words = cpu_mode(state) != MODE_REAL && exception_has_error_code((unsigned)vector) ? 3 : 2;
	at = cpu_linear_sp(state) + words * STACK_WORD(bits);
	if (!core_read_linear(place, at, &pushed, STACK_WORD(bits)) ||
	    !is_pushed_copy(pushed, before, bits))
		return;
	pushed &= ~(uint64_t)RFLAGS_TF;
	if (core_walk(place->debug, place->vcpu, at, &walk) == PAGING_OK)
		mem_write_phys(place->debug->machine->memory, walk.gpa, &pushed, 2);
}

bool core_guard_hit(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct core_place place = {debug, vcpu};
	struct guards *guards = &debug->vcpu[vcpu->index].guards;

	if (!vcpu->debug.step)
		return false;
	for (unsigned i = 0; i < DR_SLOTS; i++) {
		if (!(guards->slots >> i & 1) || exit->debug.pc != guards->address[i])
			continue;
		if (guards->vector[i] != NO_VECTOR)
			clear_pushed_trap_flag(&place, guards->vector[i], guards->rflags);
		return true;
	}
	return false;
}
