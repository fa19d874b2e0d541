// SPDX-License-Identifier: GPL-3.0-or-later
/* The console's expressions, by libFuzzer: what can be compiled is run, on registers and memory that are there in
 * part. */
#include "monitor/expression.h"
#include "run_program.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	if (expression_compile(text, &names, &program, &points_to, &end, &err) == 0) {
		run_program(program);
		program_free(program);
	} else {
		must_have_words(&err, "an expression");
	}
	free(text);
	return 0;
}
