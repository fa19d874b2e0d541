// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How it came to a triple fault. In shutdown the registers are those of the instruction that began it,
 * since no handler was entered. What was wrong with it is looked for in its bytes and the page tables; how
 * each fault in turn failed to be delivered, in IDT, GDT, TSS and stack, all as they are now.
 */
#include "debug/core.h"

#include "x86/exceptions.h"
#include "x86/fault_delivery.h"
#include "x86/instruction.h"

#include <stdio.h>
#include <string.h>

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER	   4u
#define MODRM_REG  7u
#define OP_DIV	   6u
#define OP_IDIV	   7u

struct first {
	unsigned vector;
	char text[120]; /* behind "at 0x200a30" */
};

static enum paging_fault walk_linear(void *ctx, uint64_t linear, struct paging_walk *walk)
{
	const struct core_place *place = ctx;

	return core_walk(place->debug, place->vcpu, linear, walk);
}

/* ---- what was wrong with the instruction --------------------------------------------------- */

static void set_page_fault(struct first *first, const struct cpu_state *state, uint64_t address,
			   bool present, unsigned kind)
{
	unsigned code = (present ? PF_PRESENT : 0) | kind | (cpu_cpl(state) == 3 ? PF_USER : 0);

	first->vector = VECTOR_PF;
	snprintf(first->text, sizeof(first->text), ", %s 0x%llx, error code 0x%x",
		 kind & PF_WRITE ? "write to" : "read of", (unsigned long long)address, code);
}

static bool fetch_faults(struct core_place *place, const struct cpu_state *state,
			 struct first *first)
{
	struct paging_walk walk;
	uint64_t pc = cpu_linear_pc(state);
	bool mapped = core_walk(place->debug, place->vcpu, pc, &walk) == PAGING_OK;

	if (mapped && walk.exec && (cpu_cpl(state) < 3 || walk.user))
		return false;
	first->vector = VECTOR_PF;
	snprintf(first->text, sizeof(first->text), ": there is no code, %s",
		 mapped ? "its page does not allow it" : "the address is not mapped");
	return true;
}

static bool access_faults(struct core_place *place, const struct cpu_state *state,
			  const struct instruction_access *access, uint64_t at, struct first *first)
{
	struct paging_walk walk;
	bool mapped, allowed;

	if (!cpu_canonical(state, at)) {
		first->vector = VECTOR_GP;
		snprintf(first->text, sizeof(first->text),
			 ", access to the impossible address 0x%llx", (unsigned long long)at);
		return true;
	}
	mapped = core_walk(place->debug, place->vcpu, at, &walk) == PAGING_OK;
	allowed = mapped && (cpu_cpl(state) < 3 || walk.user) &&
		  (!access->write || walk.write ||
		   (cpu_cpl(state) < 3 && !(state->system.cr0 & CR0_WP)));
	if (allowed)
		return false;
	set_page_fault(first, state, at, mapped, access->write ? PF_WRITE : 0);
	return true;
}

static bool memory_faults(struct core_place *place, const struct cpu_state *state,
			  const struct instruction *insn, struct first *first)
{
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	unsigned count = instruction_memory(insn, state, access);

	for (unsigned i = 0; i < count; i++) {
		uint64_t last = access[i].linear + (access[i].size ? access[i].size - 1 : 0);

		if (access_faults(place, state, &access[i], access[i].linear, first) ||
		    access_faults(place, state, &access[i], last, first))
			return true;
	}
	return false;
}

/* div and idiv by a register that holds 0: f6 and f7, /6 and /7. */
static bool divides_by_zero(const struct cpu_state *state, const struct instruction *insn,
			    struct first *first)
{
	unsigned i = 0, rex = 0, modrm, reg;
	uint64_t divisor;

	while (i + 1 < insn->length && insn->bytes[i] != 0xf6 && insn->bytes[i] != 0xf7) {
		rex = insn->bits == 64 && (insn->bytes[i] & 0xf0) == 0x40 ? insn->bytes[i] : 0;
		i++;
	}
	if (i + 1 >= insn->length || insn->operand_count)
		return false;
	modrm = insn->bytes[i + 1];
	reg = (modrm & 7) | (rex & 1) << 3;
	if (modrm >> 6 != 3 ||
	    ((modrm >> 3 & MODRM_REG) != OP_DIV && (modrm >> 3 & MODRM_REG) != OP_IDIV))
		return false;
	divisor = state->general.gpr[reg];
	if (insn->bytes[i] == 0xf6)
		divisor &= 0xff;
	else if (insn->operand_bits < 64)
		divisor &= (1ull << insn->operand_bits) - 1;
	first->vector = VECTOR_DE;
	snprintf(first->text, sizeof(first->text), ", division by 0");
	return divisor == 0;
}

/* Instructions that raise something by themselves. */
static bool raises(const struct instruction *insn, struct first *first)
{
	switch (insn->kind) {
	case INSN_INVALID:
	case INSN_UNDEFINED: first->vector = VECTOR_UD; break;
	case INSN_INT3: first->vector = VECTOR_BP; break;
	case INSN_INT1: first->vector = VECTOR_DB; break;
	case INSN_INT: first->vector = (unsigned)insn->immediate & 0xff; break;
	default: return false;
	}
	instruction_text(insn, first->text + 2, sizeof(first->text) - 2);
	memcpy(first->text, ", ", 2);
	return true;
}

/* Those that check what they are given, and find it wrong by #GP. */
static bool checks(const struct cpu_state *state, const struct instruction *insn,
		   struct first *first)
{
	static const bool strict[INSN_KIND_COUNT] = {
		[INSN_IRET] = true,	[INSN_RET_FAR] = true, [INSN_JUMP_FAR] = true,
		[INSN_CALL_FAR] = true, [INSN_LTR] = true,     [INSN_LLDT] = true,
		[INSN_WRMSR] = true,	[INSN_RDMSR] = true,   [INSN_MOV_CR] = true,
		[INSN_MOV_SS] = true,
	};
	bool privileged = insn->kind == INSN_HLT || insn->kind == INSN_LGDT ||
			  insn->kind == INSN_LIDT || insn->kind == INSN_CLI ||
			  insn->kind == INSN_IO;

	if (!strict[insn->kind] && !(privileged && cpu_cpl(state) == 3))
		return false;
	first->vector = VECTOR_GP;
	instruction_text(insn, first->text + 2, sizeof(first->text) - 2);
	memcpy(first->text, ", ", 2);
	return true;
}

static bool find_first(struct core_place *place, const struct cpu_state *state, struct first *first)
{
	struct instruction insn;

	*first = (struct first){0};
	if (fetch_faults(place, state, first))
		return true;
	instruction_fetch(state, cpu_linear_pc(state), core_read_linear, place, &insn);
	return raises(&insn, first) || memory_faults(place, state, &insn, first) ||
	       divides_by_zero(state, &insn, first) || checks(state, &insn, first);
}

/* ---- the chain ----------------------------------------------------------------------------- */

static const char *ordinal(unsigned n)
{
	static const char *const names[] = {"1st", "2nd", "3rd", "4th"};

	return names[n];
}

static unsigned follow(struct core_place *place, const struct cpu_state *state, unsigned vector,
		       struct fault_line line[FAULT_CHAIN])
{
	const char *while_delivering = "it";
	unsigned count = 1;

	while (count < FAULT_CHAIN) {
		struct delivery next = fault_deliver(state, (uint8_t)vector, core_read_linear,
						     walk_linear, place);
		char why[96];
		int then = fault_after(vector, next.raises);

		if (next.problem == DELIVERY_FINE)
			return count;
		delivery_text(&next, (uint8_t)vector, why, sizeof(why));
		snprintf(line[count].text, sizeof(line[count].text),
			 "%s  %s  while delivering %s: %s%s%s", ordinal(count),
			 exception_mnemonic(next.raises), while_delivering, why,
			 then < 0 ? " → shutdown" : "", then == VECTOR_DF ? " → #DF" : "");
		count++;
		if (then < 0)
			return count;
		while_delivering = then == VECTOR_DF ? "#DF" : "it";
		vector = (unsigned)then;
	}
	return count;
}

static unsigned chain_of(struct debug *debug, struct vcpu *vcpu,
			 struct fault_line line[FAULT_CHAIN])
{
	struct core_place place = {debug, vcpu};
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct first first;
	unsigned count;

	if (!state || !find_first(&place, state, &first))
		return 0;
	snprintf(line[0].text, sizeof(line[0].text), "1st  %s  at 0x%llx%s",
		 exception_mnemonic(first.vector), (unsigned long long)cpu_linear_pc(state),
		 first.text);
	count = follow(&place, state, first.vector, line);
	/* A fault that can be delivered is none that ends so: the guess was wrong. */
	return count > 1 ? count : 0;
}

void core_fault_chain_text(struct debug *debug, struct vcpu *vcpu, char *buf, size_t size)
{
	struct fault_line line[FAULT_CHAIN];

	buf[0] = '\0';
	if (chain_of(debug, vcpu, line) > 0)
		snprintf(buf, size, "%s", line[0].text + 5);
}

unsigned debug_fault_chain(struct debug *debug, int vcpu, struct fault_line line[FAULT_CHAIN])
{
	if (vcpu < 0 || (unsigned)vcpu >= debug->machine->vcpu_count || debug_running(debug))
		return 0;
	return chain_of(debug, &debug->machine->vcpus[vcpu], line);
}
