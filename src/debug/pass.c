// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Past a breakpoint that has nothing to tell, without stopping anybody: the instruction there is executed
 * by vitrine, in the vCPU's own thread, while every int3 stays where it is and no other vCPU can slip by.
 * What cannot be done exactly so is left to a step.
 *
 * Memory is touched where the vCPU itself could, without an exit, a fault, or a change of the page tables'
 * accessed and dirty bits: see reachable().
 */
#include "debug/core.h"

#include "x86/instruction.h"
#include "x86/simulate.h"

#define PAGE	    4096u
#define ACCESSED    (1u << 5) /* in an entry of any level (SDM vol. 3A, 4.8) */
#define DIRTY	    (1u << 6)
#define CR4_SMEP    (1ull << 20)
#define CR4_SMAP    (1ull << 21)
#define CR4_PKE	    (1ull << 22)
#define CR4_PKS	    (1ull << 24)
#define DR7_ENABLES 0xffu

enum access { FETCH, READ, WRITE };

/* ---- what the page tables say ------------------------------------------------------------ */

static bool allowed(const struct cpu_state *state, const struct paging_walk *walk,
		    enum access access)
{
	uint64_t cr4 = state->system.cr4;
	bool ring3 = cpu_cpl(state) == 3;

	if (ring3 && !walk->user)
		return false;
	if (!ring3 && walk->user && (cr4 & (access == FETCH ? CR4_SMEP : CR4_SMAP)))
		return false;
	if (access == FETCH)
		return walk->exec;
	/* Protection keys may forbid it, too. */
	if (cr4 & (walk->user ? CR4_PKE : CR4_PKS))
		return false;
	return access == READ || walk->write;
}

/* Entries of PAE's first table have no accessed bit. */
static bool marked_already(const struct cpu_state *state, const struct paging_walk *walk,
			   enum access access)
{
	bool pae = (state->system.cr4 & CR4_PAE) && !(state->system.efer & EFER_LMA);

	for (unsigned i = pae ? 1 : 0; i < walk->levels; i++) {
		bool last = i + 1 == walk->levels;
		uint64_t wanted = ACCESSED | (last && access == WRITE ? DIRTY : 0);

		if ((walk->level[i].entry & wanted) != wanted)
			return false;
	}
	return true;
}

static bool reachable(struct debug *debug, struct vcpu *vcpu, uint64_t linear, unsigned size,
		      enum access access, uint64_t *gpa)
{
	const struct cpu_state *state = &vcpu->state;
	struct paging_walk walk;

	if ((linear & (PAGE - 1)) + size > PAGE ||
	    core_walk(debug, vcpu, linear, &walk) != PAGING_OK)
		return false;
	*gpa = walk.gpa;
	return !(state->system.cr0 & CR0_PG) ||
	       (allowed(state, &walk, access) && marked_already(state, &walk, access));
}

/* ---- who else looks at memory ------------------------------------------------------------ */

static bool touches_int3(const struct debug *debug, uint64_t gpa, unsigned size)
{
	const struct planted *planted = &debug->planted;

	for (unsigned i = 0; i < planted->place_count; i++)
		if (planted->place[i].gpa - gpa < size)
			return true;
	return false;
}

static bool in_slot(const struct debug *debug, uint64_t linear, unsigned size)
{
	for (unsigned i = 0; i < DR_SLOTS; i++) {
		const struct core_point *point = debug->planted.slot[i];

		if (point && core_is_watch(point->point.spec.kind) &&
		    (debug->planted.dr[i] - linear < size ||
		     linear - debug->planted.dr[i] < point->point.spec.length))
			return true;
	}
	return false;
}

/* By ours, or by the guest's own where we have none in force. */
static bool watched_by_register(struct debug *debug, struct vcpu *vcpu, uint64_t linear,
				unsigned size)
{
	struct cpu_state *state;

	if (debug->planted.dr7)
		return in_slot(debug, linear, size);
	state = vcpu_state(vcpu, CPU_DEBUG);
	return !state || (state->debug.dr7 & DR7_ENABLES);
}

static bool watched_by_page(struct debug *debug, uint64_t gpa, enum access access)
{
	enum memory_access open = memory_access_at(debug->machine->memory, gpa);

	return open != MEMORY_OPEN && (open == MEMORY_WITHDRAWN || access == WRITE);
}

/* KVM may keep translations of the guest's page tables, and hear of writes to them by traps that vitrine's
 * own writes do not spring. Which pages are tables nobody can tell from here; but the one that a stack grows
 * into is none, and without paging there are none. */
static bool may_be_page_table(const struct cpu_state *state, uint64_t linear)
{
	uint64_t below = cpu_linear_sp(state) - 1;

	return (state->system.cr0 & CR0_PG) && (linear ^ below) >= PAGE;
}

/* ---- memory, as simulate_instruction() asks for it --------------------------------------- */

static bool may_touch(struct core_place *place, uint64_t linear, unsigned size, enum access access,
		      uint64_t *gpa)
{
	return reachable(place->debug, place->vcpu, linear, size, access, gpa) &&
	       !touches_int3(place->debug, *gpa, size) &&
	       !watched_by_page(place->debug, *gpa, access) &&
	       !watched_by_register(place->debug, place->vcpu, linear, size);
}

static bool pass_read(void *ctx, uint64_t linear, uint64_t *value, unsigned size)
{
	struct core_place *place = ctx;
	uint64_t gpa;

	return may_touch(place, linear, size, READ, &gpa) &&
	       mem_load(place->debug->machine->memory, gpa, size, value);
}

static bool pass_write(void *ctx, uint64_t linear, uint64_t value, unsigned size)
{
	struct core_place *place = ctx;
	uint64_t gpa;

	return !may_be_page_table(&place->vcpu->state, linear) &&
	       may_touch(place, linear, size, WRITE, &gpa) &&
	       mem_store(place->debug->machine->memory, gpa, size, value);
}

/* ---- the instruction --------------------------------------------------------------------- */

/* As many bytes as lie on the page: an instruction that goes on behind it is left alone. */
static unsigned fetch(struct debug *debug, struct vcpu *vcpu, uint8_t *bytes)
{
	uint64_t pc = cpu_linear_pc(&vcpu->state), gpa;
	unsigned room = PAGE - (pc & (PAGE - 1)), count;

	if (!reachable(debug, vcpu, pc, 1, FETCH, &gpa))
		return 0;
	count = room < INSTRUCTION_MAX_BYTES ? room : INSTRUCTION_MAX_BYTES;
	return (unsigned)core_read_original(debug, gpa, bytes, count);
}

bool core_pass(struct debug *debug, struct vcpu *vcpu)
{
	struct core_place place = {debug, vcpu};
	const struct simulate_memory memory = {
		.ctx = &place, .read = pass_read, .write = pass_write};
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	uint8_t bytes[INSTRUCTION_MAX_BYTES];
	unsigned length, changed;

	if (!state || vcpu->completion_due || vcpu->halted)
		return false;
	length = fetch(debug, vcpu, bytes);
	if (!simulate_instruction(state, &memory, bytes, length, &changed))
		return false;
	vcpu_dirty(vcpu, changed);
	return true;
}
