// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A step that ends in a handler. KVM steps with the processor's trap flag, which the processor clears when it
 * delivers an exception: the step would run on until the handler returns. Software interrupts do
 * the same, syscall where FMASK says so, and on AMD-V iret. The processor cannot be asked to stop there, but a
 * debug register on the first instruction of the handler does. There are four, so they go to what is certain,
 * and then to what is likely.
 *
 * The trap flag is among the flags that were pushed for the handler. Left there, it would come back with the
 * handler's iret and trap a guest that nobody steps any more.
 */
#include "debug/compare.h"
#include "debug/core.h"

#include "x86/descriptors.h"
#include "x86/exceptions.h"

#define CR0_EM		 (1ull << 2)
#define CR0_TS		 (1ull << 3)
#define NO_VECTOR	 (-1)
#define RF_BYTE		 2 /* of the flags in memory … */
#define RF_BIT		 1 /* … and in that byte */
#define STACK_WORD(bits) ((bits) / 8)

bool core_slots_fire(const struct debug *debug, const struct cpu_state *state)
{
	return debug->capabilities.slot[core_kernel_mode_of(state)];
}

/* ---- the debug registers ----------------------------------------------------------------- */

static bool guarded_already(const struct guards *guards, uint64_t address)
{
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if ((guards->slots >> i & 1) && guards->address[i] == address)
			return true;
	return false;
}

bool core_guard(struct step_at *at, uint64_t linear, int vector)
{
	struct guards *guards = &at->step->guards;
	struct accel_debug *wish = &at->vcpu->debug;

	if (guarded_already(guards, linear))
		return true;
	for (unsigned i = 0; i < DR_SLOTS; i++) {
		if (wish->dr7 >> 2 * i & 3)
			continue;
		guards->slots |= 1u << i;
		guards->address[i] = linear;
		guards->vector[i] = vector;
		wish->dr[i] = linear;
		wish->dr7 = dr7_enable(wish->dr7, i, DR_EXEC, 1);
		wish->slots = true;
		return true;
	}
	return false;
}

/* ---- where it may lead ------------------------------------------------------------------- */

/* A guard under the present instruction would stop what has not moved. */
static void guard_handler(struct step_at *at, unsigned vector)
{
	struct core_place place = {at->debug, at->vcpu};
	uint64_t address;

	if (interrupt_handler(at->state, (uint8_t)vector, core_read_linear, &place, &address) ==
		    0 &&
	    address != cpu_linear_pc(at->state))
		core_guard(at, address, (int)vector);
}

void core_guard_exceptions(struct step_at *at)
{
	uint64_t cr0 = at->state->system.cr0;

	if (!core_slots_fire(at->debug, at->state))
		return;
	if (cr0 & CR0_PG)
		guard_handler(at, VECTOR_PF);
	guard_handler(at, VECTOR_GP);
	guard_handler(at, VECTOR_UD);
	guard_handler(at, cr0 & (CR0_TS | CR0_EM) ? VECTOR_NM : VECTOR_DE);
	guard_handler(at, VECTOR_SS);
}

/* The vector of a software interrupt; or NO_VECTOR. */
static int software_vector(const struct instruction *insn)
{
	switch (insn->kind) {
	case INSN_INT: return (int)(insn->immediate & 0xff);
	case INSN_INT3: return VECTOR_BP;
	case INSN_INTO: return VECTOR_OF;
	case INSN_INT1: return VECTOR_DB;
	default: return NO_VECTOR;
	}
}

static bool forgets_trap_flag(const struct instruction *insn)
{
	return software_vector(insn) != NO_VECTOR || insn->kind == INSN_IRET ||
	       insn->kind == INSN_SYSCALL || insn->kind == INSN_SYSRET;
}

/* RF in the flags that iret loads would keep the guard on its target from firing. It is there for the guest's
 * own breakpoints alone; and what iret has popped is the guest's no more. */
static void drop_resume_flag(struct step_at *at, const struct instruction *insn)
{
	struct core_place place = {at->debug, at->vcpu};
	uint64_t rf = cpu_linear_sp(at->state) + 2ull * insn->operand_bits / 8 + RF_BYTE;
	struct paging_walk walk;
	uint8_t byte;

	if (insn->operand_bits < 32 || at->step->guests ||
	    !core_read_linear(&place, rf, &byte, 1) || !(byte & RF_BIT))
		return;
	byte &= (uint8_t)~RF_BIT;
	if (core_walk(at->debug, at->vcpu, rf, &walk) != PAGING_OK)
		return;
	mem_write_phys(at->debug->machine->memory, walk.gpa, &byte, 1);
	core_compare_forget(at->debug, walk.gpa, 1);
}

bool core_guard_certain(struct step_at *at, const struct instruction *insn)
{
	struct core_place place = {at->debug, at->vcpu};
	struct successors next;
	bool guarded = true;

	if (!forgets_trap_flag(insn) || !core_slots_fire(at->debug, at->state))
		return true;
	if (insn->kind == INSN_SYSCALL && !vcpu_state(at->vcpu, CPU_MSRS))
		return true;
	instruction_successors(insn, at->state, core_read_linear, &place, &next);
	if (insn->kind == INSN_IRET)
		drop_resume_flag(at, insn);
	for (unsigned i = 0; i < next.count; i++)
		if (next.linear[i] != insn->linear)
			guarded &= core_guard(at, next.linear[i], software_vector(insn));
	return guarded;
}

/* ---- a guard was hit --------------------------------------------------------------------- */

int core_guard_hit(const struct step *step, const struct vm_exit *exit)
{
	for (int i = 0; i < DR_SLOTS; i++)
		if ((step->guards.slots >> i & 1) && exit->debug.pc == step->guards.address[i])
			return i;
	return -1;
}

static bool is_pushed_copy(uint64_t pushed, uint64_t before, unsigned bits)
{
	const uint64_t differ = RFLAGS_TF | RFLAGS_RF;
	const uint64_t mask = bits == 16 ? 0xffff : 0xffffffff;

	return (pushed & RFLAGS_TF) && ((pushed ^ before) & mask & ~differ) == 0;
}

/* The frame, from its top: an error code with some vectors, RIP, CS, RFLAGS. */
void core_clean_frame(struct debug *debug, struct vcpu *vcpu, int vector, uint64_t rflags)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct core_place place = {debug, vcpu};
	unsigned bits, words;
	struct paging_walk walk;
	uint64_t at, pushed = 0;

	if (!state || (rflags & RFLAGS_TF))
		return;
	bits = cpu_mode_bits(cpu_mode(state));
	words = cpu_mode(state) != MODE_REAL && exception_has_error_code((unsigned)vector) ? 3 : 2;
	at = cpu_linear_sp(state) + words * STACK_WORD(bits);
	if (!core_read_linear(&place, at, &pushed, STACK_WORD(bits)) ||
	    !is_pushed_copy(pushed, rflags, bits))
		return;
	pushed &= ~(uint64_t)RFLAGS_TF;
	if (core_walk(debug, vcpu, at, &walk) == PAGING_OK)
		mem_write_phys(debug->machine->memory, walk.gpa, &pushed, 2);
}
