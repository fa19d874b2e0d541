// SPDX-License-Identifier: GPL-3.0-or-later
/* What each opcode does: SDM vol. 2. The tables at the end are its opcode maps, as far as we go. */
#include "x86/simulate_private.h"

static unsigned modrm_reg(const struct simulation *s)
{
	return s->insn.raw.modrm.reg;
}

static bool nothing(struct simulation *s)
{
	ZydisMnemonic mnemonic = s->insn.mnemonic;

	return mnemonic == ZYDIS_MNEMONIC_NOP || mnemonic == ZYDIS_MNEMONIC_PAUSE ||
	       mnemonic == ZYDIS_MNEMONIC_ENDBR32 || mnemonic == ZYDIS_MNEMONIC_ENDBR64;
}

/* ---- moves ------------------------------------------------------------------------------- */

/* c6 and c7 are moves with ModRM.reg = 0 alone. */
static bool move(struct simulation *s)
{
	uint64_t value;

	return s->insn.mnemonic == ZYDIS_MNEMONIC_MOV && operand_get(s, 1, &value) &&
	       operand_put(s, 0, value);
}

static bool move_zero_extended(struct simulation *s)
{
	uint64_t value;

	return operand_get(s, 1, &value) && operand_put(s, 0, value);
}

/* movsxd to 16 bits reads two bytes on some processors, and four on others. */
static bool move_sign_extended(struct simulation *s)
{
	uint64_t value;

	if (s->insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD && s->operand[0].size == 16)
		return false;
	return (s->insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD ||
		s->insn.mnemonic == ZYDIS_MNEMONIC_MOVSX) &&
	       operand_get(s, 1, &value) &&
	       operand_put(s, 0, sign_extend(value, s->operand[1].size));
}

static bool load_address(struct simulation *s)
{
	return s->operand[1].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       operand_put(s, 0, operand_offset(s, 1));
}

/* With memory it would be atomic. 90 is nop, and pause with f3; what that is with REX.B, too, depends. */
static bool exchange(struct simulation *s)
{
	uint64_t a, b;

	if (nothing(s))
		return !s->insn.raw.rex.B;
	return s->operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       s->operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER && operand_get(s, 0, &a) &&
	       operand_get(s, 1, &b) && operand_put(s, 0, b) && operand_put(s, 1, a);
}

/* cbw, cwde, cdqe: the accumulator from its lower half. */
static bool widen(struct simulation *s)
{
	unsigned bits = s->insn.operand_width;

	put_gpr(s, GPR_RAX, bits, sign_extend(s->before->general.gpr[GPR_RAX], bits / 2));
	return true;
}

/* cwd, cdq, cqo */
static bool spread_sign(struct simulation *s)
{
	unsigned bits = s->insn.operand_width;

	put_gpr(s, GPR_RDX, bits, s->before->general.gpr[GPR_RAX] >> (bits - 1) & 1 ? ~0ull : 0);
	return true;
}

/* Of 16 bits it is undefined. */
static bool swap_bytes(struct simulation *s)
{
	uint64_t value;

	if (s->operand[0].size < 32 || !operand_get(s, 0, &value))
		return false;
	return operand_put(s, 0, __builtin_bswap64(value) >> (64 - s->operand[0].size));
}

/* ---- arithmetic -------------------------------------------------------------------------- */

static bool binary(struct simulation *s, enum alu_binary op)
{
	unsigned bits = s->operand[0].size;
	uint64_t a, b;

	if (!operand_get(s, 0, &a) || !operand_get(s, 1, &b))
		return false;
	a = alu_binary(op, bits, a, b, &s->after.rflags);
	return op == ALU_CMP || op == ALU_TEST || operand_put(s, 0, a);
}

static bool by_opcode(struct simulation *s)
{
	return binary(s, (enum alu_binary)(s->insn.opcode >> 3));
}

static bool by_modrm(struct simulation *s)
{
	return binary(s, (enum alu_binary)modrm_reg(s));
}

static bool test(struct simulation *s)
{
	return binary(s, ALU_TEST);
}

static bool unary(struct simulation *s, enum alu_unary op)
{
	uint64_t a;

	return operand_get(s, 0, &a) &&
	       operand_put(s, 0, alu_unary(op, s->operand[0].size, a, &s->after.rflags));
}

static bool increment(struct simulation *s)
{
	return unary(s, ALU_INC);
}

static bool decrement(struct simulation *s)
{
	return unary(s, ALU_DEC);
}

static bool shift(struct simulation *s)
{
	enum alu_shift op = (enum alu_shift)modrm_reg(s);
	uint64_t a, count;

	return operand_get(s, 0, &a) && operand_get(s, 1, &count) &&
	       operand_put(s, 0,
			   alu_shift(op, s->operand[0].size, a, (uint8_t)count, &s->after.rflags));
}

static bool complement(struct simulation *s)
{
	uint64_t a;

	return operand_get(s, 0, &a) && operand_put(s, 0, ~a);
}

/* Multiplication and division are others' business. */
static bool group_f6(struct simulation *s)
{
	static execute_fn *const table[8] = {[0] = test, [1] = test, [2] = complement};

	if (modrm_reg(s) == 3)
		return unary(s, ALU_NEG);
	return table[modrm_reg(s)] && table[modrm_reg(s)](s);
}

/* ---- conditions -------------------------------------------------------------------------- */

/* SDM vol. 1, appendix B; the lowest bit of the opcode turns it round. */
static bool condition_holds(const struct simulation *s)
{
	uint64_t f = s->before->general.rflags;
	bool cf = f & 1, pf = f >> 2 & 1, zf = f >> 6 & 1, sf = f >> 7 & 1, of = f >> 11 & 1;
	const bool met[8] = {of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of};

	return met[s->insn.opcode >> 1 & 7] != (s->insn.opcode & 1);
}

static bool set_on_condition(struct simulation *s)
{
	return operand_put(s, 0, condition_holds(s));
}

/* Memory is read, and the upper half of a 32-bit register is cleared, whatever comes of the condition. */
static bool move_on_condition(struct simulation *s)
{
	uint64_t old, value;

	return operand_get(s, 0, &old) && operand_get(s, 1, &value) &&
	       operand_put(s, 0, condition_holds(s) ? value : old);
}

/* ---- jumps ------------------------------------------------------------------------------- */

static bool go_to(struct simulation *s, uint64_t offset)
{
	return set_rip(s, low_bits(offset, s->insn.operand_width));
}

static bool go_relative(struct simulation *s)
{
	return go_to(s, next_rip(s) + s->operand[0].imm.value.u);
}

static bool jump_on_condition(struct simulation *s)
{
	return condition_holds(s) ? go_relative(s) : true;
}

static bool push_next(struct simulation *s)
{
	return stack_push(s, s->insn.operand_width / 8, next_rip(s));
}

static bool call_relative(struct simulation *s)
{
	return go_relative(s) && push_next(s);
}

static bool jump_indirect(struct simulation *s)
{
	uint64_t target;

	return operand_get(s, 0, &target) && go_to(s, target);
}

static bool call_indirect(struct simulation *s)
{
	return jump_indirect(s) && push_next(s);
}

static bool pop_value(struct simulation *s, uint64_t from, unsigned size, uint64_t *value)
{
	put_gpr(s, GPR_RSP, s->stack_bits, from + size);
	return stack_get(s, from, size, value);
}

static bool ret(struct simulation *s)
{
	unsigned size = s->insn.operand_width / 8;
	uint64_t target;

	if (!pop_value(s, s->before->general.gpr[GPR_RSP], size, &target))
		return false;
	if (s->insn.opcode == 0xc2)
		put_gpr(s, GPR_RSP, s->stack_bits,
			s->after.gpr[GPR_RSP] + s->operand[0].imm.value.u);
	return go_to(s, target);
}

/* ---- the stack --------------------------------------------------------------------------- */

static bool push(struct simulation *s)
{
	uint64_t value;

	return operand_get(s, 0, &value) && stack_push(s, s->insn.operand_width / 8, value);
}

/* pop %rsp: what was popped wins. */
static bool pop(struct simulation *s)
{
	uint64_t value;

	return pop_value(s, s->before->general.gpr[GPR_RSP], s->insn.operand_width / 8, &value) &&
	       operand_put(s, 0, value);
}

static bool leave(struct simulation *s)
{
	uint64_t value;

	if (!pop_value(s, s->before->general.gpr[GPR_RBP], s->insn.operand_width / 8, &value))
		return false;
	put_gpr(s, GPR_RBP, s->insn.operand_width, value);
	return true;
}

static bool group_ff(struct simulation *s)
{
	static execute_fn *const table[8] = {increment,	    decrement, call_indirect, NULL,
					     jump_indirect, NULL,      push,	      NULL};

	return table[modrm_reg(s)] && table[modrm_reg(s)](s);
}

static bool group_fe(struct simulation *s)
{
	return modrm_reg(s) < 2 && group_ff(s);
}

/* ---- the opcode maps --------------------------------------------------------------------- */

// clang-format off
static execute_fn *const one_byte[256] = {
	[0x00 ... 0x05] = by_opcode, [0x08 ... 0x0d] = by_opcode, [0x10 ... 0x15] = by_opcode,
	[0x18 ... 0x1d] = by_opcode, [0x20 ... 0x25] = by_opcode, [0x28 ... 0x2d] = by_opcode,
	[0x30 ... 0x35] = by_opcode, [0x38 ... 0x3d] = by_opcode,
	[0x40 ... 0x47] = increment, [0x48 ... 0x4f] = decrement, /* REX in 64-bit code */
	[0x50 ... 0x57] = push,      [0x58 ... 0x5f] = pop,
	[0x63] = move_sign_extended, [0x68] = push,               [0x6a] = push,
	[0x70 ... 0x7f] = jump_on_condition,
	[0x80 ... 0x83] = by_modrm,  [0x84 ... 0x85] = test,      [0x86 ... 0x87] = exchange,
	[0x88 ... 0x8b] = move,      [0x8d] = load_address,
	[0x90 ... 0x97] = exchange,  [0x98] = widen,              [0x99] = spread_sign,
	[0xa0 ... 0xa3] = move,      [0xa8 ... 0xa9] = test,
	[0xb0 ... 0xbf] = move,
	[0xc0 ... 0xc1] = shift,     [0xc2 ... 0xc3] = ret,
	[0xc6 ... 0xc7] = move,      [0xc9] = leave,
	[0xd0 ... 0xd1] = shift,
	[0xe8] = call_relative,      [0xe9] = go_relative,        [0xeb] = go_relative,
	[0xf6 ... 0xf7] = group_f6,  [0xfe] = group_fe,           [0xff] = group_ff,
};

static execute_fn *const two_byte[256] = {
	[0x1e ... 0x1f] = nothing,
	[0x40 ... 0x4f] = move_on_condition,
	[0x80 ... 0x8f] = jump_on_condition,
	[0x90 ... 0x9f] = set_on_condition,
	[0xb6 ... 0xb7] = move_zero_extended,
	[0xbe ... 0xbf] = move_sign_extended,
	[0xc8 ... 0xcf] = swap_bytes,
};
// clang-format on

execute_fn *execute_opcode(const ZydisDecodedInstruction *insn)
{
	if (insn->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return NULL;
	if (insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
		return one_byte[insn->opcode];
	return insn->opcode_map == ZYDIS_OPCODE_MAP_0F ? two_byte[insn->opcode] : NULL;
}
