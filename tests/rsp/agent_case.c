// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent_case.h"
#include "gdbstub/agent_expr.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t memory[16] = {0xf1, 0x82, 0x73, 0x84, 0x55, 0x66, 0x77, 0x88,
				   9,	 10,   11,   12,   13,	 14,   15,   16};
struct cpu_state cpu;
struct layout layout;
struct agent_view view;

const struct cpu_state *give_state(void *ctx, unsigned groups)
{
	(void)groups;
	return ctx;
}

static bool read_at(uint64_t offset, void *buf, size_t len)
{
	if (offset > sizeof(memory) || len > sizeof(memory) - offset)
		return false;
	memcpy(buf, memory + offset, len);
	return true;
}

bool read_linear(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx;
	return read_at(linear - MEMORY_AT, buf, len);
}

bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	return read_at(gpa, buf, len);
}

int set_up(void **state)
{
	(void)state;
	cpu_state_reset(&cpu, true);
	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu.general.gpr[i] = 0xa1b2c3d400000000 + i;
	layout_set(&layout, GDB_ARCH_X86_64, NAMES_64, NULL);
	view = (struct agent_view){.layout = &layout,
				   .rip = register_find("rip"),
				   .rsp = register_find("rsp"),
				   .space = SPACE_LINEAR};
	return 0;
}

int64_t agent_run(const struct program *program)
{
	struct program_fault fault = {0};
	int64_t result;

	if (program_run(program, &agent_context, &result, &fault))
		fail_msg("fault: %s", fault.text);
	return result;
}

struct program *compile(const uint8_t *bytes, size_t size)
{
	const struct agent_expr expr = {bytes, size};
	struct program *program = NULL;
	struct error err = {0};

	if (agent_condition(&expr, 1, &view, &program, &err))
		fail_msg("refused: %s", err.text);
	return program;
}

int64_t value_of(const uint8_t *bytes, size_t size)
{
	struct program *program = compile(bytes, size);
	int64_t result = agent_run(program);

	program_free(program);
	return result;
}

void refused_with(int error, const char *words, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	const struct agent_expr expr = {copy, size};
	struct program *program = NULL;
	struct error err = {0};
	int ret;

	memcpy(copy, bytes, size);
	ret = agent_condition(&expr, 1, &view, &program, &err);
	free(copy);
	assert_null(program);
	if (ret != error || !strstr(err.text, words))
		fail_msg("wanted %d with `%s`, got %d: %s", error, words, ret, err.text);
}
