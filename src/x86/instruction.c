// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/instruction_private.h"
#include "x86/mode.h"

#include <stdio.h>
#include <string.h>

#define PAGE 4096u

/* ---- its operands ------------------------------------------------------------------------ */

static uint8_t gpr_of(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_IP)
		return INSTRUCTION_REG_RIP;
	if (ZydisRegisterGetClass(whole) == ZYDIS_REGCLASS_GPR64)
		return (uint8_t)ZydisRegisterGetId(whole);
	return INSTRUCTION_NO_REG;
}

static uint8_t segment_of(ZydisRegister reg)
{
	return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_SEGMENT
		       ? (uint8_t)ZydisRegisterGetId(reg)
		       : SEG_DS;
}

/* Operands that only look like memory. */
static bool is_access(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operand)
{
	static const ZydisMnemonic address_only[] = {ZYDIS_MNEMONIC_INVLPG,
						     ZYDIS_MNEMONIC_CLDEMOTE};

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN || !operand->actions ||
	    z->meta.category == ZYDIS_CATEGORY_PREFETCH ||
	    z->meta.category == ZYDIS_CATEGORY_WIDENOP || z->meta.category == ZYDIS_CATEGORY_NOP)
		return false;
	for (size_t i = 0; i < sizeof(address_only) / sizeof(address_only[0]); i++)
		if (z->mnemonic == address_only[i])
			return false;
	return true;
}

/* bt and its kin with a bit number in a register: SDM vol. 1, 3.1.1.9. */
static uint8_t bit_register(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	if (z->meta.category != ZYDIS_CATEGORY_BITBYTE || z->operand_count_visible != 2 ||
	    operands[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return INSTRUCTION_NO_REG;
	return gpr_of(operands[1].reg.value);
}

static struct instruction_operand memory_operand(const ZydisDecodedInstruction *z,
						 const ZydisDecodedOperand *operand)
{
	bool hidden = operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
	uint8_t base = gpr_of(operand->mem.base);

	return (struct instruction_operand){
		.segment = segment_of(operand->mem.segment),
		.base = base,
		.index = gpr_of(operand->mem.index),
		.scale = operand->mem.scale,
		.bit_reg = INSTRUCTION_NO_REG,
		.read = operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ,
		.write = operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE,
		.stack = hidden && (base == GPR_RSP || z->mnemonic == ZYDIS_MNEMONIC_LEAVE),
		.push = hidden && base == GPR_RSP &&
			(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE),
		.size = operand->size / 8,
		.displacement = operand->mem.disp.value,
	};
}

/* pop to memory addresses it by the stack pointer after the pop (SDM vol. 2B, POP). */
static bool pops_relative_to_sp(const ZydisDecodedInstruction *z,
				const struct instruction_operand *operand)
{
	return z->mnemonic == ZYDIS_MNEMONIC_POP && operand->write && operand->base == GPR_RSP;
}

/* Where the stack pointer and the registers of string instructions go is known. */
static bool loads_address(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
			  const struct instruction_operand *operand)
{
	for (unsigned i = 0; i < z->operand_count; i++) {
		uint8_t reg = gpr_of(operands[i].reg.value);

		if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) || reg == GPR_RSP ||
		    reg == INSTRUCTION_NO_REG)
			continue;
		if (reg == operand->base || reg == operand->index)
			return true;
	}
	return false;
}

static void add_memory(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
		       unsigned i, struct instruction *insn)
{
	struct instruction_operand *operand = &insn->operand[insn->operand_count];

	if (insn->operand_count == INSTRUCTION_MAX_MEMORY ||
	    operands[i].mem.type == ZYDIS_MEMOP_TYPE_VSIB) {
		insn->memory_unknown = true;
		return;
	}
	*operand = memory_operand(z, &operands[i]);
	if (i == 0)
		operand->bit_reg = bit_register(z, operands);
	if (pops_relative_to_sp(z, operand))
		operand->displacement += operand->size;
	operand->moved = loads_address(z, operands, operand);
	insn->operand_count++;
	insn->reads |= operand->read;
	insn->writes |= operand->write;
}

static bool writes_sp(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
	       gpr_of(operand->reg.value) == GPR_RSP;
}

static void take_operands(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
			  struct instruction *insn)
{
	const ZydisDecodedOperand *first = &operands[0];

	for (unsigned i = 0; i < z->operand_count; i++) {
		insn->moves_sp |= writes_sp(&operands[i]);
		if (is_access(z, &operands[i]))
			add_memory(z, operands, i, insn);
	}
	insn->target_reg = INSTRUCTION_NO_REG;
	if (z->operand_count_visible == 0)
		return;
	if (first->type == ZYDIS_OPERAND_TYPE_REGISTER)
		insn->target_reg = gpr_of(first->reg.value);
	if (first->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		insn->immediate = first->imm.value.s;
	if (first->type == ZYDIS_OPERAND_TYPE_POINTER) {
		insn->selector = first->ptr.segment;
		insn->immediate = first->ptr.offset;
	}
}

/* ---- decoding ---------------------------------------------------------------------------- */

static void init_decoder(ZydisDecoder *decoder, unsigned bits)
{
	static const struct {
		ZydisMachineMode mode;
		ZydisStackWidth stack;
	} modes[] = {{ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
		     {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
		     {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64}};

	ZydisDecoderInit(decoder, modes[bits / 32].mode, modes[bits / 32].stack);
}

static bool decode(unsigned bits, const uint8_t *bytes, size_t size, ZydisDecodedInstruction *z,
		   ZydisDecodedOperand *operands)
{
	ZydisDecoder decoder;

	init_decoder(&decoder, bits);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, z, operands));
}

static void fill(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
		 struct instruction *insn)
{
	const ZydisInstructionAttributes reps = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
						ZYDIS_ATTRIB_HAS_REPNE;

	insn->kind = instruction_kind_of(z, operands);
	insn->length = z->length;
	insn->operand_bits = z->operand_width;
	insn->address_bits = z->address_width;
	insn->condition = z->opcode;
	take_operands(z, operands, insn);
	insn->lock = (z->attributes & ZYDIS_ATTRIB_HAS_LOCK) ||
		     (z->mnemonic == ZYDIS_MNEMONIC_XCHG && insn->operand_count);
	insn->repeat = (insn->kind == INSN_STRING || insn->kind == INSN_IO_STRING) &&
		       (z->attributes & reps);
	insn->compares = z->mnemonic == ZYDIS_MNEMONIC_CMPXCHG ||
			 z->mnemonic == ZYDIS_MNEMONIC_CMPXCHG8B ||
			 z->mnemonic == ZYDIS_MNEMONIC_CMPXCHG16B;
	insn->memory_unknown |= instruction_touches_more(z, insn->kind);
	insn->simd = instruction_is_simd(z);
	insn->simple = !insn->simd && !insn->memory_unknown &&
		       instruction_is_simple(z, operands, insn->kind);
}

static uint64_t offset_of(const struct cpu_state *state, uint64_t linear)
{
	if (cpu_mode(state) == MODE_LONG)
		return linear;
	return (linear - state->system.seg[SEG_CS].base) & 0xffffffff;
}

bool instruction_decode(const struct cpu_state *state, uint64_t linear, const uint8_t *bytes,
			size_t size, struct instruction *insn)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;

	*insn = (struct instruction){.linear = linear,
				     .offset = offset_of(state, linear),
				     .kind = INSN_INVALID,
				     .length = 1,
				     .target_reg = INSTRUCTION_NO_REG,
				     .bits = (uint8_t)cpu_mode_bits(cpu_mode(state))};
	size = size < INSTRUCTION_MAX_BYTES ? size : INSTRUCTION_MAX_BYTES;
	memcpy(insn->bytes, bytes, size);
	if (!decode(insn->bits, bytes, size, &z, operands))
		return false;
	fill(&z, operands, insn);
	return true;
}

bool instruction_fetch(const struct cpu_state *state, uint64_t linear, linear_read_fn *read,
		       void *ctx, struct instruction *insn)
{
	uint8_t bytes[INSTRUCTION_MAX_BYTES] = {0};
	size_t room = PAGE - (linear & (PAGE - 1)), size = sizeof(bytes);

	if (!read(ctx, linear, bytes, size)) {
		size = room < size ? room : size;
		if (!read(ctx, linear, bytes, size))
			size = 0;
	}
	return instruction_decode(state, linear, bytes, size, insn);
}

/* ---- as text ----------------------------------------------------------------------------- */

static void init_formatter(ZydisFormatter *f)
{
	ZydisFormatterInit(f, ZYDIS_FORMATTER_STYLE_ATT);
	ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE);
	ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
				  ZYDIS_PADDING_DISABLED);
}

void instruction_text(const struct instruction *insn, char *buf, size_t size)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	ZydisFormatter formatter;

	snprintf(buf, size, "%s", "(bad)");
	if (size == 0 || insn->kind == INSN_INVALID ||
	    !decode(insn->bits, insn->bytes, insn->length, &z, operands))
		return;
	init_formatter(&formatter);
	if (ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &z, operands,
							z.operand_count_visible, buf, size,
							insn->offset, NULL)))
		snprintf(buf, size, "%s", "(bad)");
}
