// SPDX-License-Identifier: GPL-3.0-or-later
/* What an instruction is: its kind, and which knowledge of it suffices. */
#include "x86/instruction_private.h"

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

enum instruction_kind instruction_kind_of(const ZydisDecodedInstruction *z,
					  const ZydisDecodedOperand *operands)
{
	if (z->mnemonic == ZYDIS_MNEMONIC_RET)
		return z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? INSN_RET_FAR : INSN_RET;
	for (size_t i = 0; i < sizeof(by_mnemonic) / sizeof(by_mnemonic[0]); i++)
		if (by_mnemonic[i].mnemonic == z->mnemonic)
			return by_mnemonic[i].kind;
	return by_category(z, operands);
}

/* ---- what is known of it ------------------------------------------------------------------ */

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

bool instruction_is_simd(const ZydisDecodedInstruction *z)
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
bool instruction_is_simple(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands,
			   enum instruction_kind kind)
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

	if (needs_privilege(kind) || z->mnemonic == ZYDIS_MNEMONIC_DIV ||
	    z->mnemonic == ZYDIS_MNEMONIC_IDIV || z->mnemonic == ZYDIS_MNEMONIC_CMPXCHG16B ||
	    z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return false;
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		known |= simple[i] == z->meta.category;
	for (unsigned i = 0; known && i < z->operand_count; i++)
		known = operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
			ZydisRegisterGetClass(operands[i].reg.value) != ZYDIS_REGCLASS_SEGMENT;
	return known;
}

/* Frames go to the stack of whichever ring the gate names; segment loads read descriptors; XSAVE areas
 * are as large as XCR0 makes them. */
bool instruction_touches_more(const ZydisDecodedInstruction *z, enum instruction_kind kind)
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
