// SPDX-License-Identifier: GPL-3.0-or-later
#include "expression_case.h"
#include "monitor/expression.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int symbol(void *ctx, const char *name, uint64_t *value, uint64_t *size, struct error *err)
{
	static const struct {
		const char *name;
		uint64_t value, size;
	} symbols[] = {
		{"main", 0x1000, 77}, {"a.b$c", 0x1000, 0}, {"byte", 0x1f0, 1},
		{"half", 0x1f0, 2},   {"word", 0x1f0, 4},   {"counter", 0x1f0, 8},
		{"minus", 0x1f8, 0},
	};

	(void)ctx;
	for (unsigned i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (strcmp(name, symbols[i].name))
			continue;
		*value = symbols[i].value;
		*size = symbols[i].size;
		return 0;
	}
	return error_set(err, -ENOENT, "no %s", name);
}

int reg(void *ctx, const char *name, struct program_builder *builder, struct error *err)
{
	(void)ctx;
	if (strcmp(name, "rax"))
		return error_set(err, -ENOENT, "no $%s", name);
	program_append(builder, PROGRAM_REGISTER, (uint64_t)register_find("rax"));
	return 0;
}

/* Eight bytes at an address hold the address after it; a few are special. */
static bool read_memory(void *ctx, uint64_t address, void *buf, size_t len)
{
	static const uint64_t special[] = {0x8081828384858687, UINT64_MAX - 4};
	uint64_t value = address + 1;

	(void)ctx;
	if (address >= 0x8000)
		return false;
	if (address == 0x1f0 || address == 0x1f8)
		value = special[address == 0x1f8];
	memcpy(buf, &value, len);
	return true;
}

static const struct cpu_state *give_state(void *ctx, unsigned groups)
{
	static struct cpu_state state = {.general.gpr[GPR_RAX] = 7};

	(void)ctx;
	(void)groups;
	return &state;
}

static const struct program_context context = {NULL, 0, give_state, read_memory, NULL};

int evaluate(const char *text, uint64_t *value, const char **end, struct error *err)
{
	struct program_fault fault;
	struct program *program;
	int64_t result;
	int ret = expression_compile(text, &names, &program, NULL, end, err);

	if (ret)
		return ret;
	ret = program_run(program, &context, &result, &fault);
	program_free(program);
	*value = (uint64_t)result;
	return ret ? error_set(err, ret, "%s", fault.text) : 0;
}

uint64_t value_of(const char *text)
{
	struct error err = {0};
	uint64_t value = 0;
	int ret = evaluate(text, &value, NULL, &err);

	if (ret)
		fail_msg("%s: %s", text, err.text);
	return value;
}

int error_of(const char *text)
{
	struct error err = {0};
	uint64_t value;
	int ret = evaluate(text, &value, NULL, &err);

	assert_int_equal(ret, err.code);
	if (ret)
		assert_true(strlen(err.text) > 5);
	return ret;
}
