// SPDX-License-Identifier: GPL-3.0-or-later
/* The console's expressions, by libFuzzer: what can be compiled is run, on registers and memory that are there in
 * part. */
#include "monitor/expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cpu_state state;

/* Every other symbol is there. */
static int symbol(void *ctx, const char *name, uint64_t *value, uint64_t *size, struct error *err)
{
	(void)ctx;
	if (strlen(name) % 2)
		return error_set(err, -1, "no symbol %s", name);
	*value = 0x1000 + strlen(name);
	*size = (uint64_t)name[0] % 16;
	return 0;
}

static int reg(void *ctx, const char *name, struct program_builder *builder, struct error *err)
{
	int row = register_find(name);

	(void)ctx;
	if (row < 0)
		return error_set(err, -1, "no register %s", name);
	program_append(builder, PROGRAM_REGISTER, (uint64_t)row);
	return 0;
}

static const struct cpu_state *state_of(void *ctx, unsigned groups)
{
	(void)ctx;
	return groups & CPU_MSRS ? NULL : &state;
}

/* Where bit 12 is set there is nothing. */
static bool read_memory(void *ctx, uint64_t address, void *buf, size_t size)
{
	(void)ctx;
	if (address & 0x1000)
		return false;
	memset(buf, (int)(address & 0xff), size);
	return true;
}

static void run(const struct program *program)
{
	const struct program_context context = {
		.vcpu = 1, .state = state_of, .read = read_memory, .read_physical = read_memory};
	struct program_fault fault;
	int64_t result;

	memset(&fault, 0, sizeof(fault));
	if (program_run(program, &context, &result, &fault) == 0 || fault.text[0])
		return;
	fprintf(stderr, "vitrine: a program fails without a word\n");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct expression_names names = {.symbol = symbol, .reg = reg};
	struct program *program = NULL;
	struct error err = {0};
	const char *end;
	uint64_t points_to;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	cpu_state_reset(&state, true);
	if (expression_compile(text, &names, &program, &points_to, &end, &err) == 0) {
		run(program);
		program_free(program);
	} else if (!err.text[0]) {
		fprintf(stderr, "vitrine: an expression is refused without a word\n");
		abort();
	}
	free(text);
	return 0;
}
