// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How many conditions a second are evaluated once a vCPU has stopped: registers and memory are at hand, so
 * this is what a false condition costs besides the exit. The middle round counts.
 *
 * One figure per line: name value unit.
 */
#include "debug/program.h"
#include "x86/registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 21, PER_ROUND = 200000 };

static struct cpu_state cpu;
static const uint32_t memory = 5;

static const struct cpu_state *give_state(void *ctx, unsigned groups)
{
	(void)ctx, (void)groups;
	return &cpu;
}

static bool read_memory(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx, (void)linear;
	memcpy(buf, &memory, len < sizeof(memory) ? len : sizeof(memory));
	return true;
}

static const struct program_context context = {NULL, 0, give_state, read_memory, NULL};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double rate(const struct program *program)
{
	struct program_fault fault;
	double rounds[ROUNDS];
	int64_t result, sum = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (unsigned j = 0; j < PER_ROUND; j++) {
			program_run(program, &context, &result, &fault);
			sum += result;
		}
		rounds[i] = PER_ROUND / (seconds() - start);
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return sum ? 0 : rounds[ROUNDS / 2]; /* they are all false */
}

static void append(struct program_builder *builder, enum program_op op, uint64_t arg)
{
	program_append(builder, op, arg);
}

/* $rax == 5 */
static void register_condition(struct program_builder *builder)
{
	append(builder, PROGRAM_REGISTER, (uint64_t)register_find("rax"));
	append(builder, PROGRAM_CONST, 5);
	append(builder, PROGRAM_EQUAL, 0);
}

/* *(s32 *)($rdi + 8) > 5 && $cr3 == 0x1000: the first half decides. */
static void memory_condition(struct program_builder *builder)
{
	append(builder, PROGRAM_REGISTER, (uint64_t)register_find("rdi"));
	append(builder, PROGRAM_CONST, 8);
	append(builder, PROGRAM_ADD, 0);
	append(builder, PROGRAM_READ32, 0);
	append(builder, PROGRAM_SIGN_EXTEND, 32);
	append(builder, PROGRAM_CONST, 5);
	append(builder, PROGRAM_SWAP, 0);
	append(builder, PROGRAM_LESS_SIGNED, 0);
	append(builder, PROGRAM_IF_GOTO, builder->count + 3);
	append(builder, PROGRAM_CONST, 0);
	append(builder, PROGRAM_GOTO, builder->count + 4);
	append(builder, PROGRAM_REGISTER, (uint64_t)register_find("cr3"));
	append(builder, PROGRAM_CONST, 0x1000);
	append(builder, PROGRAM_EQUAL, 0);
}

static int measure(const char *name, void (*build)(struct program_builder *builder))
{
	struct program_builder builder = {0};
	struct program *program;
	struct error err = {0};

	build(&builder);
	append(&builder, PROGRAM_END, 0);
	if (program_finish(&builder, NULL, &program, &err)) {
		fprintf(stderr, "programs: %s\n", err.text);
		return 1;
	}
	printf("%s %.0f 1/s\n", name, rate(program));
	program_free(program);
	return 0;
}

int main(void)
{
	return measure("condition_on_register", register_condition) |
	       measure("condition_on_memory", memory_condition);
}
