// SPDX-License-Identifier: GPL-3.0-or-later
#include "program_case.h"
#include "debug/program.h"

#include "x86/registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t memory[16] = {0xf1, 0x82, 0x73, 0x84, 0x55, 0x66, 0x77, 0x88,
				   9,	 10,   11,   12,   13,	 14,   15,   16};
struct cpu_state program_cpu;
unsigned fetched, fetches;
bool refuse_state;

static const struct cpu_state *give_state(void *ctx, unsigned groups)
{
	assert_ptr_equal(ctx, &program_cpu);
	fetched |= groups;
	fetches++;
	return refuse_state ? NULL : &program_cpu;
}

static bool read_at(uint64_t base, uint64_t address, void *buf, size_t len)
{
	if (address < base || address - base > sizeof(memory) ||
	    len > sizeof(memory) - (address - base))
		return false;
	memcpy(buf, memory + (address - base), len);
	return true;
}

static bool read_linear(void *ctx, uint64_t linear, void *buf, size_t len)
{
	assert_ptr_equal(ctx, &program_cpu);
	return read_at(MEMORY_AT, linear, buf, len);
}

bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	assert_ptr_equal(ctx, &program_cpu);
	return read_at(0, gpa, buf, len);
}

struct program_context program_context = {&program_cpu, 3, give_state, read_linear, read_physical};

int set_up(void **state)
{
	(void)state;
	memset(&program_cpu, 0, sizeof(program_cpu));
	fetched = fetches = 0;
	refuse_state = false;
	program_context.read_physical = read_physical;
	return 0;
}

int program_make(const struct program_insn *code, size_t count, struct program **program,
		 struct error *err)
{
	struct program_builder builder = {0};
	int ret;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(program_append(&builder, code[i].op, code[i].arg), i);
	ret = program_finish(&builder, NULL, program, err);
	assert_int_equal(builder.count, 0);
	assert_null(builder.insn);
	return ret;
}

int64_t result_of(const struct program_insn *code, size_t count)
{
	struct program_fault fault = {0};
	struct program *program;
	struct error err = {0};
	int64_t result;

	if (program_make(code, count, &program, &err))
		fail_msg("refused: %s", err.text);
	if (program_run(program, &program_context, &result, &fault))
		fail_msg("fault: %s", fault.text);
	program_free(program);
	return result;
}

unsigned program_reg(const char *name)
{
	int index = register_find(name);

	assert_true(index >= 0);
	return (unsigned)index;
}
