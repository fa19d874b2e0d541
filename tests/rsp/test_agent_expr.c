// SPDX-License-Identifier: GPL-3.0-or-later
/* gdb's bytecode: what each opcode calculates, what is refused, and what a hostile peer may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gdbstub/agent_expr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a vCPU to look at ---------------------------------------------------------------------- */

#define MEMORY_AT 0x1000
static const uint8_t memory[16] = {0xf1, 0x82, 0x73, 0x84, 0x55, 0x66, 0x77, 0x88,
				   9,	 10,   11,   12,   13,	 14,   15,   16};

static struct cpu_state cpu;
static struct layout layout;
static struct agent_view view;

static const struct cpu_state *give_state(void *ctx, unsigned groups)
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

static bool read_linear(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx;
	return read_at(linear - MEMORY_AT, buf, len);
}

static bool read_physical(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	return read_at(gpa, buf, len);
}

static const struct program_context context = {&cpu, 0, give_state, read_linear, read_physical};

static int set_up(void **state)
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

/* ---- making and running --------------------------------------------------------------------- */

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

static int64_t run(const struct program *program)
{
	struct program_fault fault = {0};
	int64_t result;

	if (program_run(program, &context, &result, &fault))
		fail_msg("fault: %s", fault.text);
	return result;
}

static struct program *compile(const uint8_t *bytes, size_t size)
{
	const struct agent_expr expr = {bytes, size};
	struct program *program = NULL;
	struct error err = {0};

	if (agent_condition(&expr, 1, &view, &program, &err))
		fail_msg("refused: %s", err.text);
	return program;
}

static int64_t value_of(const uint8_t *bytes, size_t size)
{
	struct program *program = compile(bytes, size);
	int64_t result = run(program);

	program_free(program);
	return result;
}
#define VALUE(...) value_of(BYTES(__VA_ARGS__))

/* The result is exactly that: all 64 bits. */
#define IS(result, ...) assert_true(VALUE(__VA_ARGS__) == (int64_t)(result))

/* Copied to its exact size, so that a sanitizer sees who looks beyond. */
static void refused_with(int error, const char *words, const uint8_t *bytes, size_t size)
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
#define REFUSED(error, words, ...) refused_with(error, words, BYTES(__VA_ARGS__))

/* ---- every opcode --------------------------------------------------------------------------- */

static void test_constants(void **state)
{
	(void)state;
	IS(0xff, C8(0xff), END);
	IS(0xfedc, C16(0xfedc), END);
	IS(0xfedcba98, C32(0xfedcba98), END);
	IS(0xfedcba9876543210, C64(0xfedcba9876543210), END);
}

static void test_arithmetic(void **state)
{
	(void)state;
	IS(7, C8(3), C8(4), ADD, END);
	IS(-1, C8(3), C8(4), SUB, END);
	IS(12, C8(3), C8(4), MUL, END);
	IS(-3, C64(-7), C8(2), DIV_SIGNED, END);
	IS(0x7ffffffffffffffc, C64(-7), C8(2), DIV_UNSIGNED, END);
	IS(-1, C64(-7), C8(2), REM_SIGNED, END);
	IS(1, C64(-7), C8(2), REM_UNSIGNED, END);
	IS(0x3000, C8(3), C8(12), LSH, END);
	IS(-4, C64(-7), C8(1), RSH_SIGNED, END);
	IS(0x7ffffffffffffffc, C64(-7), C8(1), RSH_UNSIGNED, END);
	IS(0, C8(7), LOG_NOT, END);
	IS(1, C8(0), LOG_NOT, END);
	IS(0x10, C8(0x1c), C8(0x33), BIT_AND, END);
	IS(0x3f, C8(0x1c), C8(0x33), BIT_OR, END);
	IS(0x2f, C8(0x1c), C8(0x33), BIT_XOR, END);
	IS(~0x1cll, C8(0x1c), BIT_NOT, END);
}

static void test_comparisons(void **state)
{
	(void)state;
	IS(1, C8(5), C8(5), EQUAL, END);
	IS(0, C8(5), C8(6), EQUAL, END);
	IS(1, C64(-1), C8(1), LESS_SIGNED, END);
	IS(0, C64(-1), C8(1), LESS_UNSIGNED, END);
	IS(0, C8(5), C8(5), LESS_SIGNED, END);
	IS(1, C8(5), C8(6), LESS_UNSIGNED, END);
}

static void test_extensions(void **state)
{
	(void)state;
	IS(-1, C8(0xff), EXT, 8, END);
	IS(0x7f, C16(0xff7f), EXT, 8, END);
	IS(-4, C8(0x0c), EXT, 4, END); /* a bit field */
	IS(-1, C64(-1), EXT, 64, END);
	IS(0x7f, C16(0xff7f), ZERO_EXT, 8, END);
	IS(1, C8(0xff), ZERO_EXT, 1, END);
	IS(-1, C64(-1), ZERO_EXT, 64, END);
	REFUSED(-EINVAL, "1 to 64 bits", C8(1), EXT, 0, END);
	REFUSED(-EINVAL, "1 to 64 bits", C8(1), ZERO_EXT, 65, END);
}

static void test_memory(void **state)
{
	(void)state;
	IS(0xf1, C16(MEMORY_AT), REF8, END);
	IS(0x82f1, C16(MEMORY_AT), REF16, END);
	IS(0x847382f1, C16(MEMORY_AT), REF32, END);
	IS(0x88776655847382f1, C16(MEMORY_AT), REF64, END);
	view.space = SPACE_PHYSICAL;
	IS(0x73, C16(2), REF8, END);
	IS(0x8473, C16(2), REF16, END);
	IS(0x66558473, C16(2), REF32, END);
	IS(0x0a09887766558473, C16(2), REF64, END);
}

static void test_memory_that_is_not_there(void **state)
{
	struct program *program = compile(BYTES(C8(5), REF32, END));
	struct program_fault fault = {0};
	int64_t result;

	(void)state;
	assert_int_equal(program_run(program, &context, &result, &fault), -EFAULT);
	assert_string_equal(fault.text, "4 bytes at 0x5 cannot be read");
	program_free(program);
}

static void test_stack(void **state)
{
	(void)state;
	IS(10, C8(5), DUP, ADD, END);
	IS(5, C8(5), C8(6), POP, END);
	IS(1, C8(5), C8(6), SWAP, SUB, END);
	IS(5, C8(5), C8(6), C8(7), PICK, 2, END);
	IS(7, C8(5), C8(6), C8(7), PICK, 0, END);
	/* a b c => c a b */
	IS(6, C8(5), C8(6), C8(7), ROT, END);
	IS(5, C8(5), C8(6), C8(7), ROT, POP, END);
	IS(7, C8(5), C8(6), C8(7), ROT, POP, POP, END);
}

static void test_jumps(void **state)
{
	(void)state;
	/* 0: C8 1   2: IF_GOTO 8   5: C8 7   7: END   8: C8 9   10: END */
	IS(9, C8(1), IF_GOTO, W(8), C8(7), END, C8(9), END);
	IS(7, C8(0), IF_GOTO, W(8), C8(7), END, C8(9), END);
	/* 0: GOTO 6   3: C8 7   5: END   6: C8 9   8: END */
	IS(9, GOTO, W(6), C8(7), END, C8(9), END);
	/* backwards: 0: GOTO 6   3: C8 7   5: END   6: GOTO 3 */
	IS(7, GOTO, W(6), C8(7), END, GOTO, W(3));
	REFUSED(-EINVAL, "byte 1", GOTO, W(1), END);
	REFUSED(-EINVAL, "byte 4", GOTO, W(4), END);
	REFUSED(-EINVAL, "byte 65535", C8(0), IF_GOTO, W(0xffff), C8(1), END);
	/* What becomes two instructions is jumped over as a whole. */
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 32);
	layout_set(&layout, GDB_ARCH_I386, NAMES_32, NULL);
	IS(3, C8(1), IF_GOTO, W(9), REG(0), POP, C8(3), END);
}

/* counts to 10 and comes to its end; then without one */
static void test_circles(void **state)
{
	struct program *program = compile(
		BYTES(C8(0), C8(1), ADD, DUP, C8(10), EQUAL, LOG_NOT, IF_GOTO, W(2), END));
	struct program_fault fault = {0};
	int64_t result;

	(void)state;
	assert_int_equal(run(program), 10);
	program_free(program);
	program = compile(BYTES(GOTO, W(0)));
	assert_int_equal(program_run(program, &context, &result, &fault), -ELOOP);
	program_free(program);
}

/* ---- registers ------------------------------------------------------------------------------ */

static void test_registers(void **state)
{
	(void)state;
	cpu.system.cr0 = CR0_PE | CR0_PG;
	cpu.system.efer = EFER_LME | EFER_LMA;
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 64);
	cpu.general.rip = 0xffffffff80001234;
	cpu.system.cr3 = 0x123456789000;
	IS(0xa1b2c3d400000000, REG(0), END);
	IS(cpu.general.gpr[GPR_RDI], REG(register_find("rdi")), END);
	IS(0xffffffff80001234, REG(register_find("rip")), END);
	IS(cpu.general.gpr[GPR_RSP], REG(register_find("rsp")), END);
	IS(8, REG(register_find("cs")), END);
	IS(0x123456789000, REG(register_find("cr3_value")), END);
	REFUSED(-EINVAL, "no register 65535", REG(0xffff), END);
	REFUSED(-EINVAL, "no register", REG(register_count), END);
	REFUSED(-EINVAL, "no register", REG(register_find("ymm0h")), END);
	REFUSED(-ENOTSUP, "$xmm0 has 128 bits", REG(register_find("xmm0")), END);
	REFUSED(-ENOTSUP, "$st0 has 80 bits", REG(register_find("st0")), END);
}

static void test_segments_of_real_mode(void **state)
{
	(void)state;
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x1234);
	cpu_segment_real(&cpu.system.seg[SEG_SS], 0x2000);
	cpu.general.rip = 0x10;
	cpu.general.gpr[GPR_RSP] = 0xdead0ffc;
	IS(0x12350, REG(register_find("rip")), END);
	IS(0x20ffc, REG(register_find("rsp")), END);
}

static void test_narrow_registers(void **state)
{
	(void)state;
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 32);
	cpu.general.rip = 0x100000;
	layout_set(&layout, GDB_ARCH_I386, NAMES_32, NULL);
	IS(1, REG(register_find("rcx")), END);
	IS(0x100000, REG(register_find("rip")), END);
	REFUSED(-EINVAL, "no register", REG(register_find("r9")), END);
}

/* `break f if $eax == 1` where the description has both names. */
static void test_two_names_for_one_register(void **state)
{
	(void)state;
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x1234);
	cpu.general.rip = 0x10;
	layout_set(&layout, GDB_ARCH_I8086, NAMES_BOTH, NULL);
	IS(0xa1b2c3d400000000, REG(register_find("rax")), END);
	IS(0, REG(layout_narrow(&layout, (unsigned)register_find("rax"))), END);
	IS(1, REG(layout_narrow(&layout, (unsigned)register_find("rcx"))), END);
	IS(0x12350, REG(layout_narrow(&layout, (unsigned)register_find("rip"))), END);
	REFUSED(-EINVAL, "no register", REG(layout.count), END);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void test_not_for_us(void **state)
{
	static const struct {
		uint8_t code;
		const char *name;
	} rows[] = {
		{FLOAT, "`float`"},
		{TRACE, "`trace`"},
		{TRACE_QUICK, "`trace_quick`"},
		{REF_FLOAT, "`ref_float`"},
		{REF_DOUBLE, "`ref_double`"},
		{REF_LONG_DOUBLE, "`ref_long_double`"},
		{L_TO_D, "`l_to_d`"},
		{D_TO_L, "`d_to_l`"},
		{GETV, "`getv`"},
		{SETV, "`setv`"},
		{TRACEV, "`tracev`"},
		{TRACENZ, "`tracenz`"},
		{TRACE16, "`trace16`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		REFUSED(-ENOTSUP, rows[i].name, C8(1), rows[i].code, 0, 0, END);
}

/* Together with the above: each of 256 codes is known, refused, or none. */
static void test_codes_that_are_none(void **state)
{
	(void)state;
	REFUSED(-EINVAL, "0x00", C8(1), 0, END);
	REFUSED(-EINVAL, "0x31", C8(1), 0x31, END);
	for (unsigned code = PRINTF + 1; code < 256; code++)
		REFUSED(-EINVAL, "none of gdb's bytecodes", C8(1), B(code), END);
}

static void test_truncated(void **state)
{
	static const uint8_t whole[] = {REG(0), C8(1),	ADD, C16(2), SUB,      C32(3), EQUAL,
					C64(4), BIT_OR, EXT, 8,	     ZERO_EXT, 8,      IF_GOTO,
					W(36),	C8(5),	END, C8(6),  PICK,     0,      END};

	(void)state;
	assert_int_equal(value_of(whole, sizeof(whole)), 6);
	for (size_t size = 0; size < sizeof(whole); size++)
		refused_with(-EINVAL, "", whole, size);
}

static void test_no_result(void **state)
{
	(void)state;
	refused_with(-EINVAL, "no `end`", (const uint8_t *)"", 0);
	REFUSED(-EINVAL, "no `end`", C8(1));
	REFUSED(-EINVAL, "", END);
	REFUSED(-EINVAL, "", ADD, END);
	REFUSED(-EINVAL, "", C8(1), ADD, END);
	REFUSED(-EINVAL, "", C8(1), PICK, 1, END);
	REFUSED(-EINVAL, "", C8(1), C8(1), ROT, END);
	/* deeper by one way than by the other: 0: C8 1  2: IF_GOTO 7  5: C8 7  7: END */
	REFUSED(-EINVAL, "", C8(9), C8(1), IF_GOTO, W(9), C8(7), END);
}

static void test_too_deep(void **state)
{
	uint8_t bytes[2 * 200 + 1];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(bytes + 2 * i, (const uint8_t[]){C8(1)}, 2);
	bytes[400] = END;
	refused_with(-EINVAL, "too deep", bytes, sizeof(bytes));
}

static void test_too_long(void **state)
{
	size_t size = 0x10000;
	uint8_t *bytes = malloc(size);

	(void)state;
	memset(bytes, LOG_NOT, size);
	memcpy(bytes, (const uint8_t[]){C8(1)}, 2);
	bytes[size - 1] = END;
	refused_with(-E2BIG, "", bytes, size);
	memset(bytes, LOG_NOT, size);
	memcpy(bytes, (const uint8_t[]){C8(1)}, 2);
	bytes[30001] = END;
	assert_int_equal(value_of(bytes, 30002), 0); /* negated 29999 times */
	free(bytes);
}

/* ---- several conditions --------------------------------------------------------------------- */

static void test_any_of_several(void **state)
{
	/* 0: REG 0   3: C64 x   12: EQUAL   13: IF_GOTO 19   16: C8 0   18: END   19: C8 1   21: END */
#define RAX_IS(x) REG(0), C64(x), EQUAL, IF_GOTO, W(19), C8(0), END, C8(1), END
	static const uint8_t one[] = {RAX_IS(1)}, two[] = {RAX_IS(2)}, three[] = {RAX_IS(3)};
	const struct agent_expr exprs[] = {
		{one, sizeof(one)}, {two, sizeof(two)}, {three, sizeof(three)}};
	struct program *program = NULL;

	(void)state;
	for (unsigned count = 1; count <= 3; count++) {
		assert_int_equal(agent_condition(exprs, count, &view, &program, NULL), 0);
		for (unsigned rax = 0; rax < 6; rax++) {
			cpu.general.gpr[GPR_RAX] = rax;
			assert_int_equal(run(program), rax >= 1 && rax <= count);
		}
		program_free(program);
	}
}

static void test_one_bad_of_several(void **state)
{
	static const uint8_t good[] = {C8(1), END}, bad[] = {C8(1)}, foreign[] = {TRACE, END};
	struct agent_expr exprs[3] = {{good, 3}, {good, 3}, {good, 3}};
	struct program *program = NULL;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		exprs[i] = (struct agent_expr){bad, sizeof(bad)};
		assert_int_equal(agent_condition(exprs, 3, &view, &program, NULL), -EINVAL);
		exprs[i] = (struct agent_expr){foreign, sizeof(foreign)};
		assert_int_equal(agent_condition(exprs, 3, &view, &program, NULL), -ENOTSUP);
		exprs[i] = (struct agent_expr){good, 3};
	}
	assert_null(program);
}

/* ---- dprintf -------------------------------------------------------------------------------- */

/* The values, a channel and a function, and the format; gdb's own escapes are still in it. */
static int compile_print(const uint8_t *values, size_t size, unsigned count, const char *format,
			 struct point_action **action, struct error *err)
{
	static const uint8_t where[] = {C8(0), C8(0)};
	size_t length = strlen(format) + 1, total = size + sizeof(where) + 4 + length + 1;
	const uint8_t head[] = {PRINTF, B(count), W(length)};
	uint8_t *bytes = malloc(total), *at = bytes;
	const struct agent_expr expr = {bytes, total};
	int ret;

	at = (uint8_t *)memcpy(at, values, size) + size;
	at = (uint8_t *)memcpy(at, where, sizeof(where)) + sizeof(where);
	at = (uint8_t *)memcpy(at, head, sizeof(head)) + sizeof(head);
	at = (uint8_t *)memcpy(at, format, length) + length;
	*at = END;
	ret = agent_printf(&expr, &view, action, err);
	free(bytes);
	return ret;
}

static struct point_action *printed(const uint8_t *values, size_t size, unsigned count,
				    const char *format)
{
	struct point_action *action = NULL;
	struct error err = {0};

	if (compile_print(values, size, count, format, &action, &err))
		fail_msg("%s: %s", format, err.text);
	assert_int_equal(action->arg_count, count);
	return action;
}

static void not_printed(int error, const char *words, const uint8_t *values, size_t size,
			unsigned count, const char *format)
{
	struct point_action *action = NULL;
	struct error err = {0};
	int ret = compile_print(values, size, count, format, &action, &err);

	assert_null(action);
	if (ret != error || !strstr(err.text, words))
		fail_msg("%s: wanted %d with `%s`, got %d: %s", format, error, words, ret,
			 err.text);
}

/* Of each value, the last one first. */
static void test_values_of_a_printf(void **state)
{
	struct point_action *action = printed(
		BYTES(C8(3), REG(0), C8(0), EQUAL, REG(0), C8(1), ADD), 3, "%d %d %d\\n");

	(void)state;
	assert_true(run(action->args[0]) == (int64_t)cpu.general.gpr[GPR_RAX] + 1);
	assert_int_equal(run(action->args[1]), 0);
	assert_int_equal(run(action->args[2]), 3);
	assert_string_equal(action->format, "%d %d %d\n");
	point_action_free(action);
}

/* `a ? b : c`, and `a && b`, as gdb makes them: with jumps from value to value of the same expression. */
static void test_values_with_jumps(void **state)
{
	/* 0: C8 x  2: IF_GOTO 10  5: C8 7  7: GOTO 12  10: C8 8  12: */
#define CHOICE(at, x) C8(x), IF_GOTO, W((at) + 10), C8(7), GOTO, W((at) + 12), C8(8)
	struct point_action *action = printed(BYTES(CHOICE(0, 0), CHOICE(12, 1), C8(5)), 3,
					      "%d,%d,%d");

	(void)state;
	assert_int_equal(run(action->args[0]), 5);
	assert_int_equal(run(action->args[1]), 8);
	assert_int_equal(run(action->args[2]), 7);
	point_action_free(action);
}

/* One that cannot be read leaves the others alone. */
static void test_a_value_that_is_not_there(void **state)
{
	struct point_action *action = printed(BYTES(C8(1), C8(0), REF8, C8(3)), 3, "%d%d%d");
	struct program_fault fault;
	int64_t result;

	(void)state;
	assert_int_equal(run(action->args[0]), 3);
	assert_int_equal(program_run(action->args[1], &context, &result, &fault), -EFAULT);
	assert_int_equal(run(action->args[2]), 1);
	point_action_free(action);
}

static void test_format(void **state)
{
	static const struct {
		const char *format, *becomes;
		unsigned values;
	} rows[] = {
		{"plain", "plain", 0},
		{"a\\nb\\tc\\\\d\\\"e\\r\\f\\b\\a\\e", "a\nb\tc\\d\"e\r\f\b\a\033", 0},
		{"100%%", "100%%", 0},
		{"%d%i%u%x%X%o%c%p%s", NULL, 9},
		{"%hhd %hd %ld %lld %zu %jd %tx", NULL, 7},
		{"%-+ #08.3lx %'d %-20s %.5s %5c %-18p", NULL, 6},
	};
	static const uint8_t values[] = {C8(1), C8(2), C8(3), C8(4), C8(5),
					 C8(6), C8(7), C8(8), C8(9)};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct point_action *action = printed(values, 2 * rows[i].values, rows[i].values,
						      rows[i].format);

		assert_string_equal(action->format,
				    rows[i].becomes ? rows[i].becomes : rows[i].format);
		assert_true(action->exact && action->go_on);
		point_action_free(action);
	}
}

/* "" has a meaning of its own for the core. */
static void test_nothing_to_print(void **state)
{
	struct point_action *action = printed((const uint8_t *)"", 0, 0, "");

	(void)state;
	assert_null(action->format);
	point_action_free(action);
}

static void test_formats_that_are_not_for_us(void **state)
{
	static const char *const formats[] = {"%f",  "%e", "%g", "%Lf", "%a",  "%ls", "%lc", "%n",
					      "%*d", "%q", "%",	 "%l",	"%5.", "%Dd", "%hs", "%lp"};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		not_printed(-ENOTSUP, "is not printed here", BYTES(C8(1)), 1, formats[i]);
	not_printed(-EINVAL, "for 2 values, and there are 1", BYTES(C8(1)), 1, "%d%d");
	not_printed(-EINVAL, "for 0 values, and there are 1", BYTES(C8(1)), 1, "none");
	not_printed(-EINVAL, "escape", BYTES(C8(1)), 1, "%d\\");
	not_printed(-EINVAL, "escape", BYTES(C8(1)), 1, "%d\\z");
}

static void test_printfs_that_are_none(void **state)
{
	(void)state;
	not_printed(-EINVAL, "", BYTES(C8(1)), 2, "%d%d");
	not_printed(-EINVAL, "", BYTES(LOG_NOT, C8(1)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(C8(1), C8(2)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(ADD), 0, "x");
	not_printed(-EINVAL, "circles", BYTES(C8(0), C8(1), IF_GOTO, W(2)), 1, "%d");
	not_printed(-EINVAL, "", BYTES(C8(1), IF_GOTO, W(6), END, C8(1)), 1, "%d");
	/* from within one value into the other */
	not_printed(-EINVAL, "", BYTES(C8(1), C8(1), IF_GOTO, W(9), C8(2), C8(3)), 2, "%d%d");
	not_printed(-ENOTSUP, "`trace`", BYTES(TRACE, C8(1)), 1, "%d");
	REFUSED(-EINVAL, "prints", C8(1), C8(0), C8(0), PRINTF, 0, 0, 2, 'x', 0, END);
}

static void test_printfs_that_are_not_whole(void **state)
{
	static const uint8_t whole[] = {C8(0), C8(0), PRINTF, 0, W(3), 'a', 'b', 0, END};
	static const uint8_t endless[] = {C8(0), C8(0), PRINTF, 0, W(2), 'a', 'b', 0, END};
	static const uint8_t nul[] = {C8(0), C8(0), PRINTF, 0, W(4), 'a', 0, 'b', 0, END};
	static const uint8_t empty[] = {C8(0), C8(0), PRINTF, 0, W(0), END};
	static const uint8_t more[] = {C8(0), C8(0), PRINTF, 0, W(2), 'a', 0, C8(1), POP, END};
	static const uint8_t lone[] = {PRINTF, 0, W(2), 'a', 0, END};
	static const uint8_t none[] = {C8(0), C8(0), END};
	static const uint8_t twice[] = {C8(0), C8(0),  PRINTF, 0,    W(2), 'a', 0,  C8(0),
					C8(0), PRINTF, 0,      W(2), 'a',  0,	END};
	static const struct agent_expr wrong[] = {
		{endless, sizeof(endless)}, {nul, sizeof(nul)},	  {empty, sizeof(empty)},
		{more, sizeof(more)},	    {lone, sizeof(lone)}, {none, sizeof(none)},
		{twice, sizeof(twice)},
	};
	struct point_action *action = NULL;
	struct agent_expr expr = {whole, sizeof(whole)};

	(void)state;
	assert_int_equal(agent_printf(&expr, &view, &action, NULL), 0);
	point_action_free(action);
	action = NULL;
	for (expr.size = 0; expr.size < sizeof(whole); expr.size++)
		assert_int_equal(agent_printf(&expr, &view, &action, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(agent_printf(&wrong[i], &view, &action, NULL), -EINVAL);
	assert_null(action);
}

static void test_many_values(void **state)
{
	uint8_t values[2 * (ACTION_ARGS + 1)];
	char format[2 * (ACTION_ARGS + 1) + 1] = "";
	struct point_action *action;

	(void)state;
	for (unsigned i = 0; i <= ACTION_ARGS; i++) {
		memcpy(values + 2 * i, (const uint8_t[]){C8(i)}, 2);
		strcat(format, "%d");
	}
	not_printed(-ENOTSUP, "32 values at most", values, sizeof(values), ACTION_ARGS + 1, format);
	action = printed(values, 2 * ACTION_ARGS, ACTION_ARGS, format + 2);
	for (int i = 0; i < ACTION_ARGS; i++)
		assert_int_equal(run(action->args[i]), ACTION_ARGS - 1 - i);
	point_action_free(action);
}

/* ---- nonsense ------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	return *seed = *seed * 1664525 + 1013904223;
}

/* A program of whole opcodes, so that many come through, and now and then a byte that is wrong. */
static size_t make_nonsense(uint32_t *seed, uint8_t *bytes)
{
	static const struct {
		uint8_t size, bytes[8];
	} pieces[] = {
		{2, {C8(0)}},
		{2, {C8(1)}},
		{3, {C16(MEMORY_AT)}},
		{3, {REG(1)}},
		{3, {REG(16)}},
		{1, {ADD}},
		{1, {SUB}},
		{1, {REM_SIGNED}},
		{1, {EQUAL}},
		{1, {DUP}},
		{1, {SWAP}},
		{1, {POP}},
		{1, {REF8}},
		{1, {REF64}},
		{2, {EXT, 8}},
		{2, {PICK, 1}},
		{1, {ROT}},
		{3, {IF_GOTO, W(6)}},
		{3, {IF_GOTO, W(11)}},
		{3, {GOTO, W(9)}},
		{1, {END}},
	};
	static const uint8_t print[] = {C8(0), C8(0), PRINTF, 1, W(3), '%', 'd', 0};
	unsigned count = 1 + (next_random(seed) >> 16) % 9;
	bool prints = (next_random(seed) >> 16) % 2;
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned piece = (next_random(seed) >> 16) %
				 (unsigned)(sizeof(pieces) / sizeof(pieces[0]));

		memcpy(bytes + size, pieces[piece].bytes, pieces[piece].size);
		size += pieces[piece].size;
	}
	if (prints) {
		memcpy(bytes + size, print, sizeof(print));
		size += sizeof(print);
	}
	bytes[size++] = END;
	if ((next_random(seed) >> 16) % 4 == 0)
		bytes[(next_random(seed) >> 16) % size] = (uint8_t)(next_random(seed) >> 16);
	return size;
}

static void run_anyhow(struct program *program)
{
	struct program_fault fault;
	int64_t result;

	program_run(program, &context, &result, &fault);
}

/* Whatever comes through is run. */
static void test_nonsense(void **state)
{
	unsigned programs = 0, prints = 0;
	uint32_t seed = 42;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t made[64], *bytes;
		size_t size = make_nonsense(&seed, made);
		struct agent_expr exprs[2];
		struct point_action *action = NULL;
		struct program *program = NULL;

		bytes = memcpy(malloc(size), made, size);
		exprs[0] = exprs[1] = (struct agent_expr){bytes, size};
		if (agent_condition(exprs, 1 + round % 2, &view, &program, NULL) == 0) {
			run_anyhow(program);
			program_free(program);
			programs++;
		}
		if (agent_printf(exprs, &view, &action, NULL) == 0) {
			for (unsigned i = 0; i < action->arg_count; i++)
				run_anyhow(action->args[i]);
			point_action_free(action);
			prints++;
		}
		free(bytes);
	}
	print_message("# %u of 100000 were conditions, %u printed\n", programs, prints);
	assert_true(programs > 500 && prints > 500);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_constants),
		TEST(test_arithmetic),
		TEST(test_comparisons),
		TEST(test_extensions),
		TEST(test_memory),
		TEST(test_memory_that_is_not_there),
		TEST(test_stack),
		TEST(test_jumps),
		TEST(test_circles),
		TEST(test_registers),
		TEST(test_segments_of_real_mode),
		TEST(test_narrow_registers),
		TEST(test_two_names_for_one_register),
		TEST(test_not_for_us),
		TEST(test_codes_that_are_none),
		TEST(test_truncated),
		TEST(test_no_result),
		TEST(test_too_deep),
		TEST(test_too_long),
		TEST(test_any_of_several),
		TEST(test_one_bad_of_several),
		TEST(test_values_of_a_printf),
		TEST(test_values_with_jumps),
		TEST(test_a_value_that_is_not_there),
		TEST(test_format),
		TEST(test_nothing_to_print),
		TEST(test_formats_that_are_not_for_us),
		TEST(test_printfs_that_are_none),
		TEST(test_printfs_that_are_not_whole),
		TEST(test_many_values),
		TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
