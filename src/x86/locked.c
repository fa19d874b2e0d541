// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The state before the instruction is not known any more; but what it did can be undone as far as is
 * needed. Sources in registers are still there, except xadd's and xchg's, which hold what was read; and
 * what was read, together with what was to be written, tells the source. Operand 0 is memory.
 */
#include "x86/locked.h"

#include "x86/mode.h"
#include "x86/simulate_private.h"

#include <string.h>

struct redo {
	struct simulation s;
	unsigned bits;
	uint64_t given, now;
	uint64_t flags; /* in: as the instruction left them */
	struct locked_result *result;
};

typedef void redo_fn(struct redo *r, unsigned op);

static uint64_t source(struct redo *r)
{
	uint64_t value = 0;

	operand_get(&r->s, 1, &value);
	return low_bits(value, r->bits);
}

/* ---- arithmetic and logic ---------------------------------------------------------------- */

/* add with carry has swallowed the carry that it began with. Of the two that may have been, the flags rule
 * out one at times; otherwise it is the one with which nobody has written in between. */
static uint64_t carry_before(const struct redo *r, unsigned op, uint64_t source)
{
	uint64_t carry = 0;

	for (uint64_t c = 0; c <= RFLAGS_CF; c++) {
		uint64_t read = op == ALU_ADC ? r->given - source - c : r->given + source + c;
		uint64_t flags = c;

		read = low_bits(read, r->bits);
		alu_binary(op, r->bits, read, source, &flags);
		if ((flags ^ r->flags) & RFLAGS_ARITHMETIC)
			continue;
		carry = c;
		if (read == r->now)
			break;
	}
	return carry;
}

static void redo_binary(struct redo *r, unsigned op)
{
	uint64_t src = source(r), carry = 0;

	if (op == ALU_ADC || op == ALU_SBB)
		carry = carry_before(r, op, src);
	r->flags = (r->flags & ~(uint64_t)RFLAGS_CF) | carry;
	r->result->data = alu_binary(op, r->bits, r->now, src, &r->flags);
}

static void redo_unary(struct redo *r, unsigned op)
{
	r->result->data = alu_unary(op, r->bits, r->now, &r->flags);
}

static void redo_not(struct redo *r, unsigned op)
{
	(void)op;
	r->result->data = low_bits(~r->now, r->bits);
}

enum { BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* The address has taken care of the bit number's upper part. */
static void redo_bit(struct redo *r, unsigned op)
{
	uint64_t bit = 1ull << (source(r) & (r->bits - 1));

	r->flags = (r->flags & ~(uint64_t)RFLAGS_CF) | (r->now & bit ? RFLAGS_CF : 0);
	r->result->data = op == BIT_SET	    ? r->now | bit
			  : op == BIT_RESET ? r->now & ~bit
					    : r->now ^ bit;
}

/* ---- exchanges --------------------------------------------------------------------------- */

static void redo_xadd(struct redo *r, unsigned op)
{
	uint64_t addend = low_bits(r->given - source(r), r->bits);

	(void)op;
	r->result->data = alu_binary(ALU_ADD, r->bits, r->now, addend, &r->flags);
	operand_put(&r->s, 1, r->now);
}

static void redo_xchg(struct redo *r, unsigned op)
{
	(void)op;
	r->result->data = r->given;
	operand_put(&r->s, 1, r->now);
}

/* One that failed has written what it read, which by now would undo what others wrote. */
static void redo_cmpxchg(struct redo *r, unsigned op)
{
	uint64_t expected = low_bits(r->s.before->general.gpr[GPR_RAX], r->bits);

	(void)op;
	r->result->writes = false;
	if (!(r->flags & RFLAGS_ZF))
		return;
	alu_binary(ALU_CMP, r->bits, expected, r->now, &r->flags);
	r->result->data = r->given;
	r->result->writes = expected == r->now;
	if (!r->result->writes)
		put_gpr(&r->s, GPR_RAX, r->bits, r->now);
}

static void redo_cmpxchg8b(struct redo *r, unsigned op)
{
	const uint64_t *gpr = r->s.before->general.gpr;
	uint64_t expected = low_bits(gpr[GPR_RAX], 32) | gpr[GPR_RDX] << 32;

	(void)op;
	r->result->writes = false;
	if (!(r->flags & RFLAGS_ZF))
		return;
	r->result->data = r->given;
	r->result->writes = expected == r->now;
	if (r->result->writes)
		return;
	put_gpr(&r->s, GPR_RAX, 32, r->now);
	put_gpr(&r->s, GPR_RDX, 32, r->now >> 32);
	r->flags &= ~(uint64_t)RFLAGS_ZF;
}

/* ---- which is which ---------------------------------------------------------------------- */

static const struct operation {
	ZydisMnemonic mnemonic;
	redo_fn *redo;
	unsigned op;
} operations[] = {
	// clang-format off
	{ZYDIS_MNEMONIC_ADD,       redo_binary,    ALU_ADD},
	{ZYDIS_MNEMONIC_OR,        redo_binary,    ALU_OR},
	{ZYDIS_MNEMONIC_ADC,       redo_binary,    ALU_ADC},
	{ZYDIS_MNEMONIC_SBB,       redo_binary,    ALU_SBB},
	{ZYDIS_MNEMONIC_AND,       redo_binary,    ALU_AND},
	{ZYDIS_MNEMONIC_SUB,       redo_binary,    ALU_SUB},
	{ZYDIS_MNEMONIC_XOR,       redo_binary,    ALU_XOR},
	{ZYDIS_MNEMONIC_INC,       redo_unary,     ALU_INC},
	{ZYDIS_MNEMONIC_DEC,       redo_unary,     ALU_DEC},
	{ZYDIS_MNEMONIC_NEG,       redo_unary,     ALU_NEG},
	{ZYDIS_MNEMONIC_NOT,       redo_not,       0},
	{ZYDIS_MNEMONIC_BTS,       redo_bit,       BIT_SET},
	{ZYDIS_MNEMONIC_BTR,       redo_bit,       BIT_RESET},
	{ZYDIS_MNEMONIC_BTC,       redo_bit,       BIT_COMPLEMENT},
	{ZYDIS_MNEMONIC_XADD,      redo_xadd,      0},
	{ZYDIS_MNEMONIC_XCHG,      redo_xchg,      0},
	{ZYDIS_MNEMONIC_CMPXCHG,   redo_cmpxchg,   0},
	{ZYDIS_MNEMONIC_CMPXCHG8B, redo_cmpxchg8b, 0},
	// clang-format on
};

static bool decode(const struct instruction *insn, struct simulation *s)
{
	const ZydisMachineMode mode = insn->bits == 64	 ? ZYDIS_MACHINE_MODE_LONG_64
				      : insn->bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
							 : ZYDIS_MACHINE_MODE_LEGACY_16;
	const ZydisStackWidth stack = insn->bits == 64	 ? ZYDIS_STACK_WIDTH_64
				      : insn->bits == 32 ? ZYDIS_STACK_WIDTH_32
							 : ZYDIS_STACK_WIDTH_16;
	ZydisDecoder decoder;

	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, stack)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, insn->bytes, insn->length, &s->insn,
						   s->operand)) &&
	       s->operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY && s->operand[0].size >= 8 &&
	       s->operand[0].size <= 64;
}

static const struct operation *find(const struct instruction *insn, struct simulation *s)
{
	if (!insn->lock || !decode(insn, s))
		return NULL;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].mnemonic == s->insn.mnemonic)
			return &operations[i];
	return NULL;
}

bool locked_known(const struct instruction *insn)
{
	struct simulation s;

	return find(insn, &s);
}

bool locked_redo(const struct instruction *insn, struct cpu_state *state, uint64_t given,
		 uint64_t now, struct locked_result *result)
{
	struct redo r = {.s = {.before = state, .after = state->general}, .result = result};
	const struct operation *operation = find(insn, &r.s);

	if (!operation)
		return false;
	r.bits = r.s.operand[0].size;
	r.given = low_bits(given, r.bits);
	r.now = low_bits(now, r.bits);
	r.flags = state->general.rflags;
	*result = (struct locked_result){.writes = true};
	operation->redo(&r, operation->op);
	r.s.after.rflags = r.flags;
	result->registers = memcmp(&r.s.after, &state->general, sizeof(r.s.after)) != 0;
	state->general = r.s.after;
	return true;
}
