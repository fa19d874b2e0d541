// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/instruction.h"

#include "x86/mode.h"

#include <string.h>

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? ~0ull : (1ull << bits) - 1;
}

/* ---- before it is executed --------------------------------------------------------------- */

static unsigned stack_bits(const struct cpu_state *state)
{
	if (cpu_mode(state) == MODE_LONG)
		return 64;
	return state->system.seg[SEG_SS].db ? 32 : 16;
}

static uint64_t value_of(const struct instruction *insn, const struct cpu_state *state, uint8_t reg)
{
	if (reg == INSTRUCTION_NO_REG)
		return 0;
	return reg == INSTRUCTION_REG_RIP ? insn->offset + insn->length : state->general.gpr[reg];
}

/* The bit number is signed, and as wide as the operand: whole operands away from the base. */
static int64_t bit_displacement(const struct cpu_state *state, const struct instruction_operand *op)
{
	int64_t bit = 0;

	if (op->bit_reg == INSTRUCTION_NO_REG)
		return 0;
	memcpy(&bit, &state->general.gpr[op->bit_reg], sizeof(bit));
	switch (op->size) {
	case 2: return ((int16_t)bit >> 4) * 2;
	case 4: return ((int32_t)bit >> 5) * 4;
	default: return (bit >> 6) * 8;
	}
}

static uint64_t address_of(const struct instruction *insn, const struct cpu_state *state,
			   const struct instruction_operand *op)
{
	unsigned bits = op->stack ? stack_bits(state) : insn->address_bits;
	uint64_t offset = (uint64_t)op->displacement - (op->push ? op->size : 0);

	offset += value_of(insn, state, op->base);
	offset += value_of(insn, state, op->index) * (op->scale ? op->scale : 1);
	offset += (uint64_t)bit_displacement(state, op);
	return cpu_linear(state, op->segment, offset & mask_of(bits));
}

unsigned instruction_memory(const struct instruction *insn, const struct cpu_state *state,
			    struct instruction_access access[INSTRUCTION_MAX_MEMORY])
{
	for (unsigned i = 0; i < insn->operand_count; i++)
		access[i] = (struct instruction_access){
			.linear = address_of(insn, state, &insn->operand[i]),
			.size = insn->operand[i].size,
			.read = insn->operand[i].read,
			.write = insn->operand[i].write,
		};
	return insn->operand_count;
}

uint64_t instruction_turns(const struct instruction *insn, const struct cpu_state *state)
{
	return insn->repeat ? state->general.gpr[GPR_RCX] & mask_of(insn->address_bits) : 1;
}

/* ---- after it was executed --------------------------------------------------------------- */

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

/* RDI stands one element further; behind a rep, every turn's element lies on the same side of it. */
static bool string_wrote(const struct instruction *insn, const struct cpu_state *after,
			 const struct instruction_operand *op, uint64_t linear, uint64_t length)
{
	bool down = after->general.rflags & RFLAGS_DF;
	uint64_t end = address_of(insn, after, op);
	uint64_t last = down ? end + op->size : end - op->size;

	if (overlaps(last, op->size, linear, length))
		return true;
	return insn->repeat && (down ? linear + length > last : linear < last + op->size);
}

/* A stack operand's pointer has moved by what was pushed: it points to it now. */
static bool operand_wrote(const struct instruction *insn, const struct cpu_state *after,
			  const struct instruction_operand *op, uint64_t linear, uint64_t length)
{
	struct instruction_operand now = *op;

	if (insn->kind == INSN_STRING || insn->kind == INSN_IO_STRING)
		return string_wrote(insn, after, op, linear, length);
	if (op->size == 0 || op->moved)
		return true;
	now.push = false;
	if (insn->operand_count > 1 && op->base == GPR_RSP && !op->stack)
		now.displacement -= op->size; /* pop to memory */
	return overlaps(address_of(insn, after, &now), op->size, linear, length);
}

bool instruction_may_have_written(const struct instruction *insn, const struct cpu_state *after,
				  uint64_t linear, uint64_t length)
{
	if (insn->memory_unknown)
		return true;
	for (unsigned i = 0; i < insn->operand_count; i++) {
		const struct instruction_operand *op = &insn->operand[i];

		if (op->write && operand_wrote(insn, after, op, linear, length))
			return true;
	}
	return false;
}
