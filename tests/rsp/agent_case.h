/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU to look at, and bytecode that does. */
#ifndef TESTS_AGENT_CASE_H
#define TESTS_AGENT_CASE_H

#include "gdbstub/agent_expr.h"

#include <stddef.h>
#include <stdint.h>

#define MEMORY_AT 0x1000

extern struct cpu_state cpu;
extern struct layout layout;
extern struct agent_view view;

const struct cpu_state *give_state(void *ctx, unsigned groups);
bool read_linear(void *ctx, uint64_t linear, void *buf, size_t len);
bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len);

static const struct program_context agent_context = {&cpu, 0, give_state, read_linear,
						     read_physical};

int set_up(void **state);

/* Each opcode by its name, with its operands as bytes. */
#define B(x)   ((uint8_t)(x))
#define W(x)   B((x) >> 8), B(x)
#define L(x)   W((x) >> 16), W(x)
#define Q(x)   L((uint64_t)(x) >> 32), L((uint64_t)(x))
#define C8(x)  0x22, B(x)
#define C16(x) 0x23, W(x)
#define C32(x) 0x24, L(x)
#define C64(x) 0x25, Q(x)
#define REG(x) 0x26, W(x)

enum {
	FLOAT = 1,
	ADD,
	SUB,
	MUL,
	DIV_SIGNED,
	DIV_UNSIGNED,
	REM_SIGNED,
	REM_UNSIGNED,
	LSH,
	RSH_SIGNED,
	RSH_UNSIGNED,
	TRACE,
	TRACE_QUICK,
	LOG_NOT,
	BIT_AND,
	BIT_OR,
	BIT_XOR,
	BIT_NOT,
	EQUAL,
	LESS_SIGNED,
	LESS_UNSIGNED,
	EXT,
	REF8,
	REF16,
	REF32,
	REF64,
	REF_FLOAT,
	REF_DOUBLE,
	REF_LONG_DOUBLE,
	L_TO_D,
	D_TO_L,
	IF_GOTO,
	GOTO,
	END = 0x27,
	DUP,
	POP,
	ZERO_EXT,
	SWAP,
	GETV,
	SETV,
	TRACEV,
	TRACENZ,
	TRACE16,
	PICK = 0x32,
	ROT,
	PRINTF
};

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

int64_t agent_run(const struct program *program);
struct program *compile(const uint8_t *bytes, size_t size);
int64_t value_of(const uint8_t *bytes, size_t size);
/* Copied to its exact size, so that a sanitizer sees who looks beyond. */
void refused_with(int error, const char *words, const uint8_t *bytes, size_t size);

#define REFUSED(error, words, ...) refused_with(error, words, BYTES(__VA_ARGS__))

#endif
