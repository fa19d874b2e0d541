/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one instruction is, which memory it touches, and where it can lead: pure knowledge, from its bytes
 * and the state of the CPU that is about to execute it. Zydis decodes; nobody else sees it.
 *
 * Guests choose every byte here. Nothing loops without a bound, and what cannot be known is said.
 */
#ifndef X86_INSTRUCTION_H
#define X86_INSTRUCTION_H

#include "x86/cpu_state.h"
#include "x86/descriptors.h"

#include <stddef.h>

enum instruction_kind {
	INSN_INVALID,	    /* no instruction begins so; length is 1 */
	INSN_PLAIN,	    /* none of the below: execution goes on behind it */
	INSN_JUMP,	    /* relative */
	INSN_BRANCH,	    /* conditional, loop, jcxz, xbegin */
	INSN_JUMP_INDIRECT, /* through a register or memory */
	INSN_JUMP_FAR,
	INSN_CALL,
	INSN_CALL_INDIRECT,
	INSN_CALL_FAR,
	INSN_RET,
	INSN_RET_FAR,
	INSN_INT, /* int n; immediate is the vector */
	INSN_INT3,
	INSN_INTO,
	INSN_INT1,
	INSN_IRET,
	INSN_SYSCALL,
	INSN_SYSRET,
	INSN_SYSENTER,
	INSN_SYSEXIT,
	INSN_RSM,
	INSN_HYPERCALL,	 /* vmcall, vmmcall */
	INSN_VIRTUALISE, /* vmlaunch, vmresume, vmrun: another CPU state altogether */
	INSN_UNDEFINED,	 /* ud0, ud1, ud2: #UD by definition */
	INSN_HLT,
	INSN_MWAIT,
	INSN_IO,     /* in, out */
	INSN_STRING, /* movs, stos, …; repeat says whether with a rep prefix */
	INSN_IO_STRING,
	INSN_PUSHF,
	INSN_POPF,
	INSN_CLI,
	INSN_STI,
	INSN_MOV_SS, /* mov ss: interrupts and traps are held back for one instruction */
	INSN_POP_SS, /* likewise */
	INSN_CPUID,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_MOV_CR, /* and lmsw, clts */
	INSN_MOV_DR,
	INSN_LGDT,
	INSN_LIDT,
	INSN_LLDT,
	INSN_LTR,
	INSN_KIND_COUNT
};

/* "conditional jump", "port I/O", …; static text. */
const char *instruction_kind_name(enum instruction_kind kind);

#define INSTRUCTION_MAX_BYTES  15
#define INSTRUCTION_NO_REG     0xff
#define INSTRUCTION_REG_RIP    0x80 /* a base that is the end of the instruction */
#define INSTRUCTION_MAX_MEMORY 4

/* An operand in memory, as encoded; instruction_memory() has its address. */
struct instruction_operand {
	uint8_t segment;     /* enum cpu_segment_name */
	uint8_t base, index; /* enum cpu_gpr, or one of the two above */
	uint8_t scale;	     /* 1, 2, 4, 8 */
	uint8_t bit_reg;     /* bt, bts, …: the register that moves the address; or NO_REG */
	bool read, write;
	bool push;     /* the address is the stack pointer less size */
	bool stack;    /* the stack pointer's width is SS's, not the address size */
	bool moved;    /* the instruction loads a register that the address is made of */
	uint16_t size; /* bytes of one turn; 0: not known */
	int64_t displacement;
};

struct instruction {
	uint64_t linear; /* where it was decoded */
	uint64_t offset; /* the same as RIP would say it */
	enum instruction_kind kind;
	uint8_t length; /* 1 … 15 */
	uint8_t bits;	/* 16, 32, 64: the mode it was decoded for */
	uint8_t operand_bits, address_bits;
	uint8_t bytes[INSTRUCTION_MAX_BYTES];

	bool lock;	     /* a lock prefix, or xchg with memory, which locks by itself */
	bool repeat;	     /* rep, repe, repne on a string instruction */
	bool reads, writes;  /* memory */
	bool compares;	     /* cmpxchg and its kin: writes only what ZF tells afterwards */
	bool memory_unknown; /* it touches memory that operand[] does not tell: gathers, XSAVE areas,
				the stack of another ring, descriptor tables */
	bool simple;   /* registers and the memory of operand[]: only an access there can fault */
	bool simd;     /* x87, MMX, SSE, AVX and their state */
	bool moves_sp; /* it loads the stack pointer, or a part of it */
	uint8_t condition;  /* INSN_BRANCH: the opcode's lowest byte */
	uint8_t target_reg; /* jumps and calls through a register; or NO_REG */
	uint16_t selector;  /* direct far transfers */
	int64_t immediate;  /* relative displacement, far offset, vector of int n */

	unsigned operand_count;
	struct instruction_operand operand[INSTRUCTION_MAX_MEMORY];
};

/* Decodes what begins at a linear address, in the mode that state (CPU_GENERAL, CPU_SYSTEM) is in; size
 * bytes are at hand. False: INSN_INVALID; no such instruction, or it needs more bytes. */
bool instruction_decode(const struct cpu_state *state, uint64_t linear, const uint8_t *bytes,
			size_t size, struct instruction *insn);

/* The same with bytes from memory, as many as are there. */
bool instruction_fetch(const struct cpu_state *state, uint64_t linear, linear_read_fn *read,
		       void *ctx, struct instruction *insn);

/* "mov    %eax,0x10(%rdi)", AT&T, without symbols; "(bad)" for INSN_INVALID. Targets are offsets into
 * CS. */
void instruction_text(const struct instruction *insn, char *buf, size_t size);

/* ---- memory (instruction_memory.c) --------------------------------------------------------- */

struct instruction_access {
	uint64_t linear;
	uint32_t size; /* bytes of one turn; 0: not known */
	bool read, write;
};

/* What the instruction will touch when it is executed in this state (CPU_GENERAL, CPU_SYSTEM), the
 * implicit operands included: the stack of push, pop, call and ret, RSI and RDI of string instructions (one
 * turn of rep). Returns how many; insn->memory_unknown says that there is more. */
unsigned instruction_memory(const struct instruction *insn, const struct cpu_state *state,
			    struct instruction_access access[INSTRUCTION_MAX_MEMORY]);

/* How many turns a repeated string instruction has left; 1 for any other instruction. */
uint64_t instruction_turns(const struct instruction *insn, const struct cpu_state *state);

/* Whether the instruction, which has just been executed and left this state, can have written one of length
 * bytes at linear. True when in doubt: registers that formed the address may have changed. */
bool instruction_may_have_written(const struct instruction *insn, const struct cpu_state *after,
				  uint64_t linear, uint64_t length);

/* ---- what comes next (instruction_flow.c) -------------------------------------------------- */

#define INSTRUCTION_MAX_SUCCESSORS 4

struct successors {
	unsigned count;
	uint64_t linear[INSTRUCTION_MAX_SUCCESSORS];
	const char *unknown; /* NULL: these are all; else why there may be others. Static text. */
};

/* All linear addresses at which execution can be once the instruction is complete, no interrupt or
 * exception having come in between: the fall-through first where there is one, each once. A rep may be
 * interrupted between two turns: its own address is a successor, too. state: CPU_GENERAL, CPU_SYSTEM,
 * and CPU_MSRS for syscall and sysenter; memory (targets, return addresses, gates, descriptors) through read.
 * Rights are not checked: an instruction that faults goes elsewhere. */
void instruction_successors(const struct instruction *insn, const struct cpu_state *state,
			    linear_read_fn *read, void *ctx, struct successors *next);

enum instruction_taken { TAKEN_NO, TAKEN_YES, TAKEN_UNKNOWN };
/* What an INSN_BRANCH will do in this state (CPU_GENERAL). */
enum instruction_taken instruction_taken(const struct instruction *insn,
					 const struct cpu_state *state);

/* ---- what came before (instruction_back.c) ------------------------------------------------- */

typedef bool instruction_match_fn(void *ctx, const struct instruction *insn);

/* The instruction whose last byte lies just below linear end, in the mode that state is in, and for which
 * match (NULL: any) says yes. x86 code cannot be read backwards for certain: of several candidates the one
 * wins on which most decodings that start further back agree, then the longest. Returns how many
 * candidates matched; 0: none, and insn is not changed. */
unsigned instruction_ends_at(const struct cpu_state *state, uint64_t end, linear_read_fn *read,
			     void *ctx, instruction_match_fn *match, void *match_ctx,
			     struct instruction *insn);

#endif
