/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs: compiled expressions over one vCPU's registers and memory. A condition is one; it is run
 * in the vCPU's own thread, so that nobody has to be woken when it is false.
 *
 * The machine is a stack of 64-bit words. A program is checked once, when it is finished: every jump
 * leads into it, the stack is as deep wherever two ways meet, and never deeper than PROGRAM_STACK.
 * Running it needs no checks then but for what only running can show (struct program_fault). Loops
 * are allowed, and cut after PROGRAM_STEPS.
 *
 * The operations are a superset of gdb's agent expressions (gdb manual, "The Agent Expression
 * Mechanism"): each of gdb's that an expression of integers and pointers can become is one of these,
 * so that bytecode is translated instruction by instruction. What gdb's have in floating point, in
 * trace frames and in trace variables has no counterpart here.
 *
 * Part of debug/debug.h, the only door.
 */
#ifndef DEBUG_PROGRAM_H
#define DEBUG_PROGRAM_H

#include "error.h"
#include "x86/cpu_state.h"
#include "x86/descriptors.h"

#include <stdint.h>

#define PROGRAM_STACK 128   /* words */
#define PROGRAM_SIZE  32768 /* instructions, at most */
#define PROGRAM_STEPS 65536 /* instructions run, at most */

/* Effect on the stack, its top at the right. gdb's name and code where gdb has the same one. */
/* clang-format off */
enum program_op {
	PROGRAM_ADD,           /* a b => a + b          gdb: add, 0x02 */
	PROGRAM_SUB,           /* a b => a - b          sub, 0x03 */
	PROGRAM_MUL,           /* a b => a * b          mul, 0x04 */
	PROGRAM_DIV_SIGNED,    /* a b => a / b          div_signed, 0x05; towards 0, wraps */
	PROGRAM_DIV_UNSIGNED,  /*                       div_unsigned, 0x06 */
	PROGRAM_REM_SIGNED,    /* a b => a % b          rem_signed, 0x07; sign of a */
	PROGRAM_REM_UNSIGNED,  /*                       rem_unsigned, 0x08 */
	PROGRAM_LSH,           /* a b => a << b         lsh, 0x09; b unsigned, all gone from 64 on */
	PROGRAM_RSH_SIGNED,    /* a b => a >> b         rsh_signed, 0x0a */
	PROGRAM_RSH_UNSIGNED,  /*                       rsh_unsigned, 0x0b */
	PROGRAM_LOG_NOT,       /* a => !a               log_not, 0x0e */
	PROGRAM_BIT_AND,       /* a b => a & b          bit_and, 0x0f */
	PROGRAM_BIT_OR,        /*                       bit_or, 0x10 */
	PROGRAM_BIT_XOR,       /*                       bit_xor, 0x11 */
	PROGRAM_BIT_NOT,       /* a => ~a               bit_not, 0x12 */
	PROGRAM_EQUAL,         /* a b => a == b         equal, 0x13 */
	PROGRAM_LESS_SIGNED,   /* a b => a < b          less_signed, 0x14 */
	PROGRAM_LESS_UNSIGNED, /*                       less_unsigned, 0x15 */
	PROGRAM_SIGN_EXTEND,   /* a => a                ext, 0x16; arg: from so many bits, 1-64 */
	PROGRAM_ZERO_EXTEND,   /* a => a                zero_ext, 0x2a */
	PROGRAM_READ8,         /* linear => value       ref8, 0x17; without sign */
	PROGRAM_READ16,        /*                       ref16, 0x18 */
	PROGRAM_READ32,        /*                       ref32, 0x19 */
	PROGRAM_READ64,        /*                       ref64, 0x1a */
	PROGRAM_READ_PHYSICAL, /* physical => value     arg: 1, 2, 4 or 8 bytes */
	PROGRAM_IF_GOTO,       /* a =>                  if_goto, 0x20; arg: instruction */
	PROGRAM_GOTO,          /* =>                    goto, 0x21 */
	PROGRAM_CONST,         /* => arg                const8, const16, const32, const64, 0x22-0x25 */
	PROGRAM_REGISTER,      /* => value              reg, 0x26; arg: row of the register table */
	PROGRAM_LINEAR,        /* offset => linear      arg: enum cpu_segment_name */
	PROGRAM_PC,            /* => RIP, linear        what gdb sees as its value: reg */
	PROGRAM_SP,            /* => RSP, linear        the same */
	PROGRAM_SELECTOR,      /* selector offset => linear */
	PROGRAM_VCPU,          /* => number of the vCPU */
	PROGRAM_DUP,           /* a => a a              dup, 0x28 */
	PROGRAM_POP,           /* a =>                  pop, 0x29 */
	PROGRAM_SWAP,          /* a b => b a            swap, 0x2b */
	PROGRAM_PICK,          /* a ... b => a ... b a  pick, 0x32; arg: 0 is the top */
	PROGRAM_ROTATE,        /* a b c => c a b        rot, 0x33 */
	PROGRAM_END,           /* result =>             end, 0x27 */
	PROGRAM_OP_COUNT
};
/* clang-format on */

/* ---- building ---------------------------------------------------------------------------- */

struct program;

struct program_insn {
	uint64_t arg;
	enum program_op op;
};

/* Starts as zeroes. What goes wrong on the way is told at the end. */
struct program_builder {
	struct program_insn *insn;
	unsigned count, room;
	int failed; /* -E2BIG, -ENOMEM */
};

/* Returns the instruction's number, for program_aim(); the next one's is program->count. */
unsigned program_append(struct program_builder *builder, enum program_op op, uint64_t arg);
/* Where the jump with this number leads, when that is known later. */
void program_aim(struct program_builder *builder, unsigned jump, unsigned target);

/* Checks what was built and makes it a program. text: what it was compiled from, for people; may be
 * NULL. The builder is empty afterwards, whatever comes of it. 0, or with a sentence: -EINVAL
 * (a jump out of the program, an end that is not reached, a stack too deep, too shallow, or different where
 * ways meet, an argument out of range), -E2BIG, -ENOMEM. */
int program_finish(struct program_builder *builder, const char *text, struct program **program,
		   struct error *err);
void program_abandon(struct program_builder *builder);

void program_free(struct program *program);		 /* NULL is fine */
const char *program_text(const struct program *program); /* or NULL */
/* Whatever registers it may look at: a mask of enum cpu_group. */
unsigned program_groups(const struct program *program);

/* ---- running ----------------------------------------------------------------------------- */

/* The vCPU that a program looks at. */
struct program_context {
	void *ctx;
	int vcpu;
	/* The state with these groups valid, or NULL; asked for a group when it is first needed. */
	const struct cpu_state *(*state)(void *ctx, unsigned groups);
	linear_read_fn *read;	       /* linear memory */
	linear_read_fn *read_physical; /* may be NULL: there is none */
};

enum program_fault_kind {
	PROGRAM_OK,
	PROGRAM_MEMORY,	  /* address cannot be read; -EFAULT */
	PROGRAM_DIVISION, /* by zero; -EDOM */
	PROGRAM_NO_VALUE, /* a register that cannot be read, or that this host does not have; or a selector
			   * that names no segment; -ENXIO */
	PROGRAM_TOO_LONG, /* PROGRAM_STEPS; -ELOOP */
};

struct program_fault {
	enum program_fault_kind kind;
	uint64_t address;
	unsigned size; /* PROGRAM_MEMORY: bytes */
	bool physical;
	char text[120]; /* a sentence, without a full stop */
};

/* 0 and *result, or -errno and *fault. Any number of threads may run one program. */
int program_run(const struct program *program, const struct program_context *context,
		int64_t *result, struct program_fault *fault);

#endif
