/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU to look at, and programs that do. */
#ifndef TESTS_PROGRAM_CASE_H
#define TESTS_PROGRAM_CASE_H

#include "debug/program.h"
#include "x86/registers.h"

#define MEMORY_AT 0x1000

extern struct cpu_state program_cpu;
extern unsigned fetched, fetches;
extern bool refuse_state;

bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len);

extern struct program_context program_context;

int set_up(void **state);

#define CODE(...)                                                                                  \
	(const struct program_insn[])                                                              \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define COUNT(...) (sizeof(CODE(__VA_ARGS__)) / sizeof(struct program_insn))

#define OP(name)                                                                                   \
	{                                                                                          \
		.op = PROGRAM_##name                                                               \
	}

#define OP_ARG(name, a)                                                                            \
	{                                                                                          \
		.op = PROGRAM_##name, .arg = (uint64_t)(a)                                         \
	}
#define CONST(value) OP_ARG(CONST, value)

int program_make(const struct program_insn *code, size_t count, struct program **program,
		 struct error *err);
int64_t result_of(const struct program_insn *code, size_t count);

#define RESULT(...) result_of(CODE(__VA_ARGS__), COUNT(__VA_ARGS__))

unsigned program_reg(const char *name);

#endif
