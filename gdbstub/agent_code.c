// SPDX-License-Identifier: GPL-3.0-or-later
/* Bytecode to instructions, one after the other. What a program must be beyond that, program_finish() checks. */
#include "gdbstub/agent_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_INSN UINT32_MAX

struct decoder {
	const struct agent_view *view;
	struct agent_code *code;
	struct error *err;
	const uint8_t *start, *at, *end;
	uint32_t *number; /* of the instruction that begins at a byte, or NO_INSN */
	int *coming;	  /* the stack's depth at a byte that a jump was seen to lead to, or -1 */
	int depth;	  /* now; -1: only a jump can lead here */
};

struct bytecode;
typedef int decode_fn(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand);

struct bytecode {
	const char *name;
	decode_fn *decode;
	enum program_op op;
	unsigned operand; /* bytes */
	int takes, gives; /* words of the stack */
};

/* ---- what a bytecode becomes ---------------------------------------------------------------- */

static void append(struct decoder *decoder, enum program_op op, uint64_t arg)
{
	program_append(&decoder->code->code, op, arg);
}

static int decode_plain(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand)
{
	append(decoder, bytecode->op, operand);
	return 0;
}

/* To a byte, until all are known. */
static int decode_jump(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand)
{
	if (operand < (uint64_t)(decoder->end - decoder->start))
		decoder->coming[operand] = decoder->depth;
	return decode_plain(decoder, bytecode, operand);
}

static int decode_read(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand)
{
	static const unsigned sizes[] = {[PROGRAM_READ8] = 1,
					 [PROGRAM_READ16] = 2,
					 [PROGRAM_READ32] = 4,
					 [PROGRAM_READ64] = 8};

	if (decoder->view->space == SPACE_LINEAR)
		return decode_plain(decoder, bytecode, operand);
	append(decoder, PROGRAM_READ_PHYSICAL, sizes[bytecode->op]);
	return 0;
}

/* Without sign, as wide as gdb was told that it is. */
static int decode_register(struct decoder *decoder, const struct bytecode *bytecode, uint64_t reg)
{
	const struct agent_view *view = decoder->view;
	size_t size = reg < view->layout->count ? view->layout->reg[reg].bytes : 0;
	unsigned row = size ? layout_row(view->layout, (unsigned)reg) : 0;

	(void)bytecode;
	if (!size)
		return error_set(decoder->err, -EINVAL, "gdb was told of no register %u",
				 (unsigned)reg);
	if (size > 8)
		return error_set(decoder->err, -ENOTSUP,
				 "$%s has %zu bits, and what is evaluated here has 64",
				 registers[row].name, 8 * size);
	if ((int)row == view->rip)
		append(decoder, PROGRAM_PC, 0);
	else if ((int)row == view->rsp)
		append(decoder, PROGRAM_SP, 0);
	else
		append(decoder, PROGRAM_REGISTER, row);
	if (8 * size < registers[row].bits)
		append(decoder, PROGRAM_ZERO_EXTEND, 8 * size);
	return 0;
}

/* Behind the number of values come two bytes of length, and the format with a NUL. It is no instruction. */
static int decode_printf(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand)
{
	struct agent_code *code = decoder->code;
	size_t left = (size_t)(decoder->end - decoder->at), size = operand & 0xffff;

	(void)bytecode;
	if (!size || size > left || memchr(decoder->at, 0, size) != decoder->at + size - 1)
		return error_set(decoder->err, -EINVAL, "the format of a printf is not whole");
	if (decoder->depth >= 0)
		decoder->depth -= (int)(operand >> 16);
	code->prints = true;
	code->printf_at = code->code.count;
	code->printf_args = (unsigned)(operand >> 16);
	code->format = (const char *)decoder->at;
	code->format_size = size - 1;
	decoder->at += size;
	return 0;
}

static int refuse(struct decoder *decoder, const struct bytecode *bytecode, uint64_t operand)
{
	(void)operand;
	return error_set(decoder->err, -ENOTSUP, "gdb's `%s` is not evaluated here",
			 bytecode->name);
}

/* By their codes (gdb manual, "Bytecode Descriptions"). printf takes its values besides. */
/* clang-format off */
static const struct bytecode bytecodes[] = {
	[0x01] = {.name = "float", .decode = refuse},
	[0x02] = {"add", decode_plain, PROGRAM_ADD, 0, 2, 1},
	[0x03] = {"sub", decode_plain, PROGRAM_SUB, 0, 2, 1},
	[0x04] = {"mul", decode_plain, PROGRAM_MUL, 0, 2, 1},
	[0x05] = {"div_signed", decode_plain, PROGRAM_DIV_SIGNED, 0, 2, 1},
	[0x06] = {"div_unsigned", decode_plain, PROGRAM_DIV_UNSIGNED, 0, 2, 1},
	[0x07] = {"rem_signed", decode_plain, PROGRAM_REM_SIGNED, 0, 2, 1},
	[0x08] = {"rem_unsigned", decode_plain, PROGRAM_REM_UNSIGNED, 0, 2, 1},
	[0x09] = {"lsh", decode_plain, PROGRAM_LSH, 0, 2, 1},
	[0x0a] = {"rsh_signed", decode_plain, PROGRAM_RSH_SIGNED, 0, 2, 1},
	[0x0b] = {"rsh_unsigned", decode_plain, PROGRAM_RSH_UNSIGNED, 0, 2, 1},
	[0x0c] = {.name = "trace", .decode = refuse},
	[0x0d] = {.name = "trace_quick", .decode = refuse},
	[0x0e] = {"log_not", decode_plain, PROGRAM_LOG_NOT, 0, 1, 1},
	[0x0f] = {"bit_and", decode_plain, PROGRAM_BIT_AND, 0, 2, 1},
	[0x10] = {"bit_or", decode_plain, PROGRAM_BIT_OR, 0, 2, 1},
	[0x11] = {"bit_xor", decode_plain, PROGRAM_BIT_XOR, 0, 2, 1},
	[0x12] = {"bit_not", decode_plain, PROGRAM_BIT_NOT, 0, 1, 1},
	[0x13] = {"equal", decode_plain, PROGRAM_EQUAL, 0, 2, 1},
	[0x14] = {"less_signed", decode_plain, PROGRAM_LESS_SIGNED, 0, 2, 1},
	[0x15] = {"less_unsigned", decode_plain, PROGRAM_LESS_UNSIGNED, 0, 2, 1},
	[0x16] = {"ext", decode_plain, PROGRAM_SIGN_EXTEND, 1, 1, 1},
	[0x17] = {"ref8", decode_read, PROGRAM_READ8, 0, 1, 1},
	[0x18] = {"ref16", decode_read, PROGRAM_READ16, 0, 1, 1},
	[0x19] = {"ref32", decode_read, PROGRAM_READ32, 0, 1, 1},
	[0x1a] = {"ref64", decode_read, PROGRAM_READ64, 0, 1, 1},
	[0x1b] = {.name = "ref_float", .decode = refuse},
	[0x1c] = {.name = "ref_double", .decode = refuse},
	[0x1d] = {.name = "ref_long_double", .decode = refuse},
	[0x1e] = {.name = "l_to_d", .decode = refuse},
	[0x1f] = {.name = "d_to_l", .decode = refuse},
	[0x20] = {"if_goto", decode_jump, PROGRAM_IF_GOTO, 2, 1, 0},
	[0x21] = {"goto", decode_jump, PROGRAM_GOTO, 2, 0, 0},
	[0x22] = {"const8", decode_plain, PROGRAM_CONST, 1, 0, 1},
	[0x23] = {"const16", decode_plain, PROGRAM_CONST, 2, 0, 1},
	[0x24] = {"const32", decode_plain, PROGRAM_CONST, 4, 0, 1},
	[0x25] = {"const64", decode_plain, PROGRAM_CONST, 8, 0, 1},
	[0x26] = {"reg", decode_register, PROGRAM_REGISTER, 2, 0, 1},
	[0x27] = {"end", decode_plain, PROGRAM_END, 0, 0, 0},
	[0x28] = {"dup", decode_plain, PROGRAM_DUP, 0, 1, 2},
	[0x29] = {"pop", decode_plain, PROGRAM_POP, 0, 1, 0},
	[0x2a] = {"zero_ext", decode_plain, PROGRAM_ZERO_EXTEND, 1, 1, 1},
	[0x2b] = {"swap", decode_plain, PROGRAM_SWAP, 0, 2, 2},
	[0x2c] = {.name = "getv", .decode = refuse},
	[0x2d] = {.name = "setv", .decode = refuse},
	[0x2e] = {.name = "tracev", .decode = refuse},
	[0x2f] = {.name = "tracenz", .decode = refuse},
	[0x30] = {.name = "trace16", .decode = refuse},
	[0x32] = {"pick", decode_plain, PROGRAM_PICK, 1, 0, 1},
	[0x33] = {"rot", decode_plain, PROGRAM_ROTATE, 0, 3, 3},
	[0x34] = {"printf", decode_printf, PROGRAM_END, 3, 2, 0},
};
/* clang-format on */

/* ---- all of them ---------------------------------------------------------------------------- */

/* Operands are in the order in which people write numbers. */
static bool take_operand(struct decoder *decoder, unsigned size, uint64_t *operand)
{
	if ((size_t)(decoder->end - decoder->at) < size)
		return false;
	for (*operand = 0; size; size--)
		*operand = *operand << 8 | *decoder->at++;
	return true;
}

static const struct bytecode *take_bytecode(struct decoder *decoder)
{
	uint8_t code = *decoder->at++;

	return code < sizeof(bytecodes) / sizeof(bytecodes[0]) && bytecodes[code].name
		       ? &bytecodes[code]
		       : NULL;
}

static bool goes_on(const struct bytecode *bytecode)
{
	return bytecode->decode == decode_printf ||
	       (bytecode->op != PROGRAM_GOTO && bytecode->op != PROGRAM_END);
}

static int change(int depth, const struct bytecode *bytecode)
{
	return depth < bytecode->takes ? -1 : depth - bytecode->takes + bytecode->gives;
}

/* The depth in front of what has been appended since. */
static void note_depth(struct agent_code *code, unsigned since, int depth)
{
	for (unsigned i = since; i < code->code.count; i++)
		code->depth[i] = i == since ? depth : -1;
}

static int decode_one(struct decoder *decoder)
{
	size_t place = (size_t)(decoder->at - decoder->start);
	int ret, depth = decoder->depth < 0 ? decoder->coming[place] : decoder->depth;
	const struct bytecode *bytecode = take_bytecode(decoder);
	unsigned before = decoder->code->code.count;
	uint64_t operand;

	if (!bytecode)
		return error_set(decoder->err, -EINVAL, "0x%02x is none of gdb's bytecodes",
				 decoder->start[place]);
	if (!take_operand(decoder, bytecode->operand, &operand))
		return error_set(decoder->err, -EINVAL, "the expression ends within its `%s`",
				 bytecode->name);
	decoder->number[place] = before;
	decoder->depth = change(depth, bytecode);
	ret = bytecode->decode(decoder, bytecode, operand);
	note_depth(decoder->code, before, depth);
	if (!goes_on(bytecode))
		decoder->depth = -1;
	return ret;
}

/* From bytes to instructions. */
static int aim_jumps(const struct decoder *decoder)
{
	struct program_builder *code = &decoder->code->code;

	for (unsigned i = 0; i < code->count; i++) {
		uint64_t target = code->insn[i].arg;

		if (code->insn[i].op != PROGRAM_GOTO && code->insn[i].op != PROGRAM_IF_GOTO)
			continue;
		if (target >= (uint64_t)(decoder->end - decoder->start) ||
		    decoder->number[target] == NO_INSN)
			return error_set(decoder->err, -EINVAL, "no bytecode begins at byte %u",
					 (unsigned)target);
		program_aim(code, i, decoder->number[target]);
	}
	return 0;
}

static int decode_all(struct decoder *decoder)
{
	struct agent_code *code = decoder->code;
	int ret = 0;

	while (!ret && decoder->at < decoder->end)
		ret = decode_one(decoder);
	if (!ret && code->code.failed)
		ret = error_set(decoder->err, code->code.failed, "the expression is too long");
	if (ret)
		return ret;
	if (decoder->depth >= 0)
		return error_set(decoder->err, -EINVAL, "the expression has no `end`");
	return aim_jumps(decoder);
}

int agent_decode(const struct agent_expr *expr, const struct agent_view *view,
		 struct agent_code *code, struct error *err)
{
	struct decoder decoder = {.view = view,
				  .code = code,
				  .err = err,
				  .start = expr->bytes,
				  .at = expr->bytes,
				  .end = expr->bytes + expr->size,
				  .number = malloc((expr->size + 1) * sizeof(*decoder.number)),
				  .coming = malloc((expr->size + 1) * sizeof(*decoder.coming))};
	int ret;

	/* No bytecode becomes more than two instructions. */
	code->depth = malloc((2 * expr->size + 1) * sizeof(*code->depth));
	if (decoder.number && decoder.coming && code->depth) {
		memset(decoder.number, 0xff, (expr->size + 1) * sizeof(*decoder.number));
		memset(decoder.coming, 0xff, (expr->size + 1) * sizeof(*decoder.coming));
		ret = decode_all(&decoder);
	} else {
		ret = error_set(err, -ENOMEM, "no memory for an expression");
	}
	free(decoder.number);
	free(decoder.coming);
	return ret;
}

void agent_code_free(struct agent_code *code)
{
	program_abandon(&code->code);
	free(code->depth);
}

bool agent_copy(const struct agent_code *code, unsigned from, unsigned to,
		struct program_builder *builder)
{
	unsigned first = builder->count;

	for (unsigned i = from; i < to; i++) {
		struct program_insn insn = code->code.insn[i];

		if (insn.op == PROGRAM_GOTO || insn.op == PROGRAM_IF_GOTO) {
			if (insn.arg < from || insn.arg > to)
				return false;
			insn.arg = insn.arg - from + first;
		}
		program_append(builder, insn.op, insn.arg);
	}
	return true;
}
