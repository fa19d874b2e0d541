/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files of simulate_instruction(), and for locked.c, which computes with the same parts. */
#ifndef X86_SIMULATE_PRIVATE_H
#define X86_SIMULATE_PRIVATE_H

#include "x86/mode.h"
#include "x86/simulate.h"

#include <Zydis/Zydis.h>

#define RFLAGS_ARITHMETIC 0x8d5u /* CF, PF, AF, ZF, SF, OF */

/* One instruction on its way: it reads from before and writes to after, which becomes the state when
 * nothing was refused and the one store was done. */
struct simulation {
	const struct cpu_state *before;
	struct cpu_general after;
	const struct simulate_memory *memory;
	unsigned code_bits, stack_bits; /* 16, 32, 64 */
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	struct {
		unsigned size; /* bytes; 0: there is none */
		uint64_t linear, value;
	} store;
};

static inline uint64_t low_bits(uint64_t value, unsigned bits)
{
	return bits < 64 ? value & ((1ull << bits) - 1) : value;
}

static inline uint64_t sign_extend(uint64_t value, unsigned bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* ---- operands (simulate_operand.c): false refuses ------------------------------------------ */

/* Operand number n, zero-extended from its size. */
bool operand_get(struct simulation *s, unsigned n, uint64_t *value);
/* Its low bits; memory is written when everything else is done. */
bool operand_put(struct simulation *s, unsigned n, uint64_t value);
/* The offset into its segment of an operand in memory. */
uint64_t operand_offset(const struct simulation *s, unsigned n);

/* Bits 16 and 8 keep what lies above them, 32 clear it. */
void put_gpr(struct simulation *s, enum cpu_gpr gpr, unsigned bits, uint64_t value);

/* At an offset into the stack segment, as wide as the stack's pointer is. */
bool stack_get(struct simulation *s, uint64_t offset, unsigned size, uint64_t *value);
bool stack_push(struct simulation *s, unsigned size, uint64_t value);

/* Goes on at an offset into CS, if the processor could. */
bool set_rip(struct simulation *s, uint64_t offset);
/* Where the instruction ends. */
uint64_t next_rip(const struct simulation *s);

/* ---- arithmetic (simulate_alu.c) ----------------------------------------------------------- */

/* As ModRM.reg numbers them in opcodes 80-83, and with them the opcodes below 40. */
enum alu_binary { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };
/* As it numbers them in opcodes c0, c1, d0, d1. */
enum alu_shift { ALU_ROL, ALU_ROR, ALU_RCL, ALU_RCR, ALU_SHL, ALU_SHR, ALU_SAL, ALU_SAR };
enum alu_unary { ALU_INC, ALU_DEC, ALU_NEG };

/* bits: 8, 16, 32, 64. Flags go in and out through *rflags; only RFLAGS_ARITHMETIC change. ALU_CMP and
 * ALU_TEST return a as it was. */
uint64_t alu_binary(enum alu_binary op, unsigned bits, uint64_t a, uint64_t b, uint64_t *rflags);
uint64_t alu_shift(enum alu_shift op, unsigned bits, uint64_t a, uint8_t count, uint64_t *rflags);
uint64_t alu_unary(enum alu_unary op, unsigned bits, uint64_t a, uint64_t *rflags);

/* ---- instructions (simulate_execute.c) ----------------------------------------------------- */

/* Does everything but RIP where execution goes on behind the instruction. */
typedef bool execute_fn(struct simulation *s);
/* What executes this opcode; NULL: nothing here. */
execute_fn *execute_opcode(const ZydisDecodedInstruction *insn);

#endif
