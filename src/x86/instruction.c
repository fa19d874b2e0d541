// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/instruction.h"

#include "x86/mode.h"

#include <Zydis/Zydis.h>

#include <stdio.h>
#include <string.h>

#define PAGE 4096u

static const char *const kind_names[INSN_KIND_COUNT] = {
	[INSN_INVALID] = "no instruction",
	[INSN_PLAIN] = "plain instruction",
	[INSN_JUMP] = "jump",
	[INSN_BRANCH] = "conditional jump",
	[INSN_JUMP_INDIRECT] = "indirect jump",
	[INSN_JUMP_FAR] = "far jump",
	[INSN_CALL] = "call",
	[INSN_CALL_INDIRECT] = "indirect call",
	[INSN_CALL_FAR] = "far call",
	[INSN_RET] = "return",
	[INSN_RET_FAR] = "far return",
	[INSN_INT] = "software interrupt",
	[INSN_INT3] = "breakpoint instruction",
	[INSN_INTO] = "overflow trap",
	[INSN_INT1] = "debug trap",
	[INSN_IRET] = "return from interrupt",
	[INSN_SYSCALL] = "system call",
	[INSN_SYSRET] = "return from system call",
	[INSN_SYSENTER] = "fast system call",
	[INSN_SYSEXIT] = "return from fast system call",
	[INSN_RSM] = "return from system management mode",
	[INSN_HYPERCALL] = "hypercall",
	[INSN_VIRTUALISE] = "entry of a virtual machine",
	[INSN_UNDEFINED] = "undefined instruction",
	[INSN_HLT] = "halt",
	[INSN_MWAIT] = "wait",
	[INSN_IO] = "port I/O",
	[INSN_STRING] = "string instruction",
	[INSN_IO_STRING] = "string port I/O",
	[INSN_PUSHF] = "push of the flags",
	[INSN_POPF] = "pop of the flags",
	[INSN_CLI] = "interrupt disable",
	[INSN_STI] = "interrupt enable",
	[INSN_MOV_SS] = "load of the stack segment",
	[INSN_POP_SS] = "load of the stack segment",
	[INSN_CPUID] = "processor identification",
	[INSN_RDMSR] = "MSR read",
	[INSN_WRMSR] = "MSR write",
	[INSN_MOV_CR] = "control register access",
	[INSN_MOV_DR] = "debug register access",
	[INSN_LGDT] = "load of the GDT's address",
	[INSN_LIDT] = "load of the IDT's address",
	[INSN_LLDT] = "load of the LDT",
	[INSN_LTR] = "load of the task register",
};

const char *instruction_kind_name(enum instruction_kind kind)
{
	return kind < INSN_KIND_COUNT ? kind_names[kind] : "no instruction";
}

/* ---- what it is -------------------------------------------------------------------------- */

static const struct {
	ZydisMnemonic mnemonic;
	enum instruction_kind kind;
} by_mnemonic[] = {
	{ZYDIS_MNEMONIC_INT, INSN_INT},
	{ZYDIS_MNEMONIC_INT3, INSN_INT3},
	{ZYDIS_MNEMONIC_INTO, INSN_INTO},
	{ZYDIS_MNEMONIC_INT1, INSN_INT1},
	{ZYDIS_MNEMONIC_IRET, INSN_IRET},
	{ZYDIS_MNEMONIC_IRETD, INSN_IRET},
	{ZYDIS_MNEMONIC_IRETQ, INSN_IRET},
	{ZYDIS_MNEMONIC_SYSCALL, INSN_SYSCALL},
	{ZYDIS_MNEMONIC_SYSRET, INSN_SYSRET},
	{ZYDIS_MNEMONIC_SYSENTER, INSN_SYSENTER},
	{ZYDIS_MNEMONIC_SYSEXIT, INSN_SYSEXIT},
	{ZYDIS_MNEMONIC_RSM, INSN_RSM},
	{ZYDIS_MNEMONIC_VMCALL, INSN_HYPERCALL},
	{ZYDIS_MNEMONIC_VMMCALL, INSN_HYPERCALL},
	{ZYDIS_MNEMONIC_VMLAUNCH, INSN_VIRTUALISE},
	{ZYDIS_MNEMONIC_VMRESUME, INSN_VIRTUALISE},
	{ZYDIS_MNEMONIC_VMRUN, INSN_VIRTUALISE},
	{ZYDIS_MNEMONIC_UD0, INSN_UNDEFINED},
	{ZYDIS_MNEMONIC_UD1, INSN_UNDEFINED},
	{ZYDIS_MNEMONIC_UD2, INSN_UNDEFINED},
	{ZYDIS_MNEMONIC_HLT, INSN_HLT},
	{ZYDIS_MNEMONIC_MWAIT, INSN_MWAIT},
	{ZYDIS_MNEMONIC_MWAITX, INSN_MWAIT},
	{ZYDIS_MNEMONIC_IN, INSN_IO},
	{ZYDIS_MNEMONIC_OUT, INSN_IO},
	{ZYDIS_MNEMONIC_PUSHF, INSN_PUSHF},
	{ZYDIS_MNEMONIC_PUSHFD, INSN_PUSHF},
	{ZYDIS_MNEMONIC_PUSHFQ, INSN_PUSHF},
	{ZYDIS_MNEMONIC_POPF, INSN_POPF},
	{ZYDIS_MNEMONIC_POPFD, INSN_POPF},
	{ZYDIS_MNEMONIC_POPFQ, INSN_POPF},
	{ZYDIS_MNEMONIC_CLI, INSN_CLI},
	{ZYDIS_MNEMONIC_STI, INSN_STI},
	{ZYDIS_MNEMONIC_CPUID, INSN_CPUID},
	{ZYDIS_MNEMONIC_RDMSR, INSN_RDMSR},
	{ZYDIS_MNEMONIC_WRMSR, INSN_WRMSR},
	{ZYDIS_MNEMONIC_LMSW, INSN_MOV_CR},
	{ZYDIS_MNEMONIC_CLTS, INSN_MOV_CR},
	{ZYDIS_MNEMONIC_LGDT, INSN_LGDT},
	{ZYDIS_MNEMONIC_LIDT, INSN_LIDT},
	{ZYDIS_MNEMONIC_LLDT, INSN_LLDT},
	{ZYDIS_MNEMONIC_LTR, INSN_LTR},
};

static bool is_pop(const ZydisDecodedInstruction *z)
{
	return z->meta.category == ZYDIS_CATEGORY_POP;
}

/* mov to and from the special registers. lss does not hold interrupts back (SDM vol. 3A, 6.8.3). */
static enum instruction_kind by_register(const ZydisDecodedInstruction *z,
					 const ZydisDecodedOperand *operands)
{
	for (unsigned i = 0; i < z->operand_count_visible && i < 2; i++) {
		ZydisRegister reg = operands[i].reg.value;

		if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		if (reg == ZYDIS_REGISTER_SS && (operands[i].actions & ZYDIS_OPERAND_ACTION_WRITE))
			return is_pop(z) ? INSN_POP_SS : INSN_MOV_SS;
		if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_CONTROL)
			return INSN_MOV_CR;
		if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_DEBUG)
			return INSN_MOV_DR;
	}
	return INSN_PLAIN;
}

/* The kinds of one transfer: relative, indirect, far. */
static enum instruction_kind of_three(const ZydisDecodedInstruction *z,
				      const ZydisDecodedOperand *operands,
				      const enum instruction_kind kind[3])
{
	if (z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return kind[2];
	return operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? kind[0] : kind[1];
}

static enum instruction_kind by_category(const ZydisDecodedInstruction *z,
					 const ZydisDecodedOperand *operands)
{
	static const enum instruction_kind jumps[] = {INSN_JUMP, INSN_JUMP_INDIRECT, INSN_JUMP_FAR};
	static const enum instruction_kind calls[] = {INSN_CALL, INSN_CALL_INDIRECT, INSN_CALL_FAR};

	switch (z->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		/* xend, xabort and xtest have no target of their own. */
		return operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
				       operands[0].imm.is_relative
			       ? INSN_BRANCH
			       : INSN_PLAIN;
	case ZYDIS_CATEGORY_UNCOND_BR: return of_three(z, operands, jumps);
	case ZYDIS_CATEGORY_CALL: return of_three(z, operands, calls);
	case ZYDIS_CATEGORY_STRINGOP: return INSN_STRING;
	case ZYDIS_CATEGORY_IOSTRINGOP: return INSN_IO_STRING;
	default: return by_register(z, operands);
	}
}

static enum instruction_kind kind_of(const ZydisDecodedInstruction *z,
				     const ZydisDecodedOperand *operands)
{
	if (z->mnemonic == ZYDIS_MNEMONIC_RET)
		return z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? INSN_RET_FAR : INSN_RET;
	for (size_t i = 0; i < sizeof(by_mnemonic) / sizeof(by_mnemonic[0]); i++)
		if (by_mnemonic[i].mnemonic == z->mnemonic)
			return by_mnemonic[i].kind;
	return by_category(z, operands);
}

static const ZydisISASet vector_sets[] = {
	ZYDIS_ISA_SET_X87,	ZYDIS_ISA_SET_FCMOV,	ZYDIS_ISA_SET_PENTIUMMMX,
	ZYDIS_ISA_SET_AMD3DNOW, ZYDIS_ISA_SET_SSE,	ZYDIS_ISA_SET_SSEMXCSR,
	ZYDIS_ISA_SET_SSE2,	ZYDIS_ISA_SET_SSE2MMX,	ZYDIS_ISA_SET_SSE3,
	ZYDIS_ISA_SET_SSE3X87,	ZYDIS_ISA_SET_SSSE3,	ZYDIS_ISA_SET_SSSE3MMX,
	ZYDIS_ISA_SET_SSE4,	ZYDIS_ISA_SET_SSE42,	ZYDIS_ISA_SET_AES,
	ZYDIS_ISA_SET_XSAVE,	ZYDIS_ISA_SET_XSAVEOPT, ZYDIS_ISA_SET_XSAVEC,
	ZYDIS_ISA_SET_XSAVES,	ZYDIS_ISA_SET_FXSAVE,	ZYDIS_ISA_SET_FXSAVE64,
	ZYDIS_ISA_SET_AVX,	ZYDIS_ISA_SET_AVX2,	ZYDIS_ISA_SET_AVX2GATHER,
	ZYDIS_ISA_SET_FMA,	ZYDIS_ISA_SET_F16C,	ZYDIS_ISA_SET_PCLMULQDQ,
};

static bool is_simd(const ZydisDecodedInstruction *z)
{
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	for (size_t i = 0; i < sizeof(vector_sets) / sizeof(vector_sets[0]); i++)
		if (vector_sets[i] == z->meta.isa_set)
			return true;
	return false;
}

static bool needs_privilege(enum instruction_kind kind)
{
	return kind == INSN_STI || kind == INSN_CLI || kind == INSN_POPF || kind == INSN_MOV_CR ||
	       kind == INSN_MOV_DR;
}

/* xchg with a segment register and the like are no such thing; nor is what divides, or wants alignment. */
static bool is_simple(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	static const ZydisInstructionCategory simple[] = {
		ZYDIS_CATEGORY_BINARY,	  ZYDIS_CATEGORY_LOGICAL,  ZYDIS_CATEGORY_SHIFT,
		ZYDIS_CATEGORY_ROTATE,	  ZYDIS_CATEGORY_DATAXFER, ZYDIS_CATEGORY_NOP,
		ZYDIS_CATEGORY_WIDENOP,	  ZYDIS_CATEGORY_CONVERT,  ZYDIS_CATEGORY_FLAGOP,
		ZYDIS_CATEGORY_SETCC,	  ZYDIS_CATEGORY_CMOV,	   ZYDIS_CATEGORY_BITBYTE,
		ZYDIS_CATEGORY_PUSH,	  ZYDIS_CATEGORY_POP,	   ZYDIS_CATEGORY_UNCOND_BR,
		ZYDIS_CATEGORY_COND_BR,	  ZYDIS_CATEGORY_CALL,	   ZYDIS_CATEGORY_RET,
		ZYDIS_CATEGORY_SEMAPHORE,
	};
	bool known = z->mnemonic == ZYDIS_MNEMONIC_LEA;

	if (z->mnemonic == ZYDIS_MNEMONIC_DIV || z->mnemonic == ZYDIS_MNEMONIC_IDIV ||
	    z->mnemonic == ZYDIS_MNEMONIC_CMPXCHG16B ||
	    z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return false;
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		known |= simple[i] == z->meta.category;
	for (unsigned i = 0; known && i < z->operand_count; i++)
		known = operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
			ZydisRegisterGetClass(operands[i].reg.value) != ZYDIS_REGCLASS_SEGMENT;
	return known;
}

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

static void take_operands(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
			  struct instruction *insn)
{
	const ZydisDecodedOperand *first = &operands[0];

	for (unsigned i = 0; i < z->operand_count; i++)
		if (is_access(z, &operands[i]))
			add_memory(z, operands, i, insn);
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

/* Frames go to the stack of whichever ring the gate names; segment loads read descriptors; XSAVE areas
 * are as large as XCR0 makes them. */
static bool touches_more(const ZydisDecodedInstruction *z, enum instruction_kind kind)
{
	static const bool kinds[INSN_KIND_COUNT] = {
		[INSN_JUMP_FAR] = true, [INSN_CALL_FAR] = true,	  [INSN_RET_FAR] = true,
		[INSN_INT] = true,	[INSN_INT3] = true,	  [INSN_INTO] = true,
		[INSN_INT1] = true,	[INSN_IRET] = true,	  [INSN_RSM] = true,
		[INSN_LLDT] = true,	[INSN_LTR] = true,	  [INSN_HYPERCALL] = true,
		[INSN_MOV_SS] = true,	[INSN_VIRTUALISE] = true, [INSN_POP_SS] = true,
	};

	return kinds[kind] || z->meta.category == ZYDIS_CATEGORY_XSAVE ||
	       z->meta.category == ZYDIS_CATEGORY_XSAVEOPT ||
	       z->meta.category == ZYDIS_CATEGORY_SEGOP || z->mnemonic == ZYDIS_MNEMONIC_ENTER;
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

	insn->kind = kind_of(z, operands);
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
	insn->memory_unknown |= touches_more(z, insn->kind);
	insn->simd = is_simd(z);
	insn->simple = !insn->simd && !insn->memory_unknown && !needs_privilege(insn->kind) &&
		       is_simple(z, operands);
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
