// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/expression.h"

#include "monitor/expression_parser.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nesting than anyone types; it bounds the recursion. */
#define MAX_DEPTH 64

static int parse_binary(struct parser *parser, int lowest, struct type *type);
static int parse_unary(struct parser *parser, struct type *type);

static unsigned emit(struct parser *parser, enum program_op op, uint64_t arg)
{
	return program_append(&parser->builder, op, arg);
}

/* ---- unary operators ----------------------------------------------------------------------------- */

/* &symbol is the symbol's value already: symbols are addresses. */
static int parse_address_of(struct parser *parser, struct type *type)
{
	parse_space(parser);
	if (!parse_is_name(*parser->at))
		return error_set(parser->err, -EINVAL, "& wants a symbol, as in &counter");
	return parse_name(parser, false, type);
}

static void emit_unary(struct parser *parser, char sign, struct type *type)
{
	bool is_signed = sign == '!' || type_is_signed(type);

	switch (sign) {
	case '*': type_read(&parser->builder, type); return;
	case '-':
		emit(parser, PROGRAM_BIT_NOT, 0);
		emit(parser, PROGRAM_CONST, 1);
		emit(parser, PROGRAM_ADD, 0);
		break;
	case '~': emit(parser, PROGRAM_BIT_NOT, 0); break;
	case '!': emit(parser, PROGRAM_LOG_NOT, 0); break;
	default: break;
	}
	*type = type_number(is_signed);
}

static int parse_cast(struct parser *parser, const struct type *to, struct type *type)
{
	int ret = parse_unary(parser, type);

	if (!ret)
		type_cast(&parser->builder, to, type);
	return ret;
}

static int parse_operand(struct parser *parser, struct type *type)
{
	struct type to;
	char c;
	int ret;

	parse_space(parser);
	if (type_parse(&parser->at, &to))
		return parse_cast(parser, &to, type);
	c = *parser->at;
	if (!c || !strchr("+-~!*&", c))
		return parse_postfix(parser, type);
	parser->at++;
	if (c == '&')
		return parse_address_of(parser, type);
	ret = parse_unary(parser, type);
	if (!ret)
		emit_unary(parser, c, type);
	return ret;
}

static int parse_unary(struct parser *parser, struct type *type)
{
	int ret;

	*type = type_number(false);
	if (++parser->depth > MAX_DEPTH)
		return error_set(parser->err, -EINVAL, "the expression nests deeper than %d levels",
				 MAX_DEPTH);
	ret = parse_operand(parser, type);
	parser->depth--;
	return ret;
}

/* ---- binary operators ---------------------------------------------------------------------------- */

enum shape { ADDS, CALCULATES, SHIFTS, COMPARES, CHOOSES };

struct operation {
	const char *text;
	int precedence; /* C's: higher binds tighter */
	enum shape shape;
	enum program_op plain, with_sign;
	bool swap, negate; /* a > b is b < a; a >= b is not a < b */
};

/* Longer spellings first, so that << is not read as < twice. */
static const struct operation operators[] = {
	{"<<", 8, SHIFTS, PROGRAM_LSH, PROGRAM_LSH, false, false},
	{">>", 8, SHIFTS, PROGRAM_RSH_UNSIGNED, PROGRAM_RSH_SIGNED, false, false},
	{"<=", 7, COMPARES, PROGRAM_LESS_UNSIGNED, PROGRAM_LESS_SIGNED, true, true},
	{">=", 7, COMPARES, PROGRAM_LESS_UNSIGNED, PROGRAM_LESS_SIGNED, false, true},
	{"==", 6, COMPARES, PROGRAM_EQUAL, PROGRAM_EQUAL, false, false},
	{"!=", 6, COMPARES, PROGRAM_EQUAL, PROGRAM_EQUAL, false, true},
	{"&&", 2, CHOOSES, 0, 0, false, false},
	{"||", 1, CHOOSES, 0, 0, false, false},
	{"*", 10, CALCULATES, PROGRAM_MUL, PROGRAM_MUL, false, false},
	{"/", 10, CALCULATES, PROGRAM_DIV_UNSIGNED, PROGRAM_DIV_SIGNED, false, false},
	{"%", 10, CALCULATES, PROGRAM_REM_UNSIGNED, PROGRAM_REM_SIGNED, false, false},
	{"+", 9, ADDS, PROGRAM_ADD, PROGRAM_ADD, false, false},
	{"-", 9, ADDS, PROGRAM_SUB, PROGRAM_SUB, false, false},
	{"<", 7, COMPARES, PROGRAM_LESS_UNSIGNED, PROGRAM_LESS_SIGNED, false, false},
	{">", 7, COMPARES, PROGRAM_LESS_UNSIGNED, PROGRAM_LESS_SIGNED, true, false},
	{"&", 5, CALCULATES, PROGRAM_BIT_AND, PROGRAM_BIT_AND, false, false},
	{"^", 4, CALCULATES, PROGRAM_BIT_XOR, PROGRAM_BIT_XOR, false, false},
	{"|", 3, CALCULATES, PROGRAM_BIT_OR, PROGRAM_BIT_OR, false, false},
};

static const struct operation *operator_at(const char *text)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(text, operators[i].text, strlen(operators[i].text)))
			return &operators[i];
	return NULL;
}

static void emit_operation(struct parser *parser, const struct operation *operation,
			   struct type *left, const struct type *right)
{
	bool is_signed = type_is_signed(left) &&
			 (operation->shape == SHIFTS || type_is_signed(right));

	if (operation->shape == ADDS && (left->stars || right->stars)) {
		type_add(&parser->builder, operation->plain, left, right);
		return;
	}
	if (operation->swap)
		emit(parser, PROGRAM_SWAP, 0);
	emit(parser, is_signed ? operation->with_sign : operation->plain, 0);
	if (operation->negate)
		emit(parser, PROGRAM_LOG_NOT, 0);
	*left = type_number(is_signed || operation->shape == COMPARES);
}

/* && and ||: the right side is run only when it decides. The value is 0 or 1. */
static int parse_choice(struct parser *parser, const struct operation *operation)
{
	bool both = operation->text[0] == '&';
	unsigned go_on, skip;
	struct type right;
	int ret;

	if (!both)
		emit(parser, PROGRAM_LOG_NOT, 0);
	go_on = emit(parser, PROGRAM_IF_GOTO, 0);
	emit(parser, PROGRAM_CONST, !both);
	skip = emit(parser, PROGRAM_GOTO, 0);
	program_aim(&parser->builder, go_on, parser->builder.count);
	ret = parse_binary(parser, operation->precedence + 1, &right);
	emit(parser, PROGRAM_LOG_NOT, 0);
	emit(parser, PROGRAM_LOG_NOT, 0);
	program_aim(&parser->builder, skip, parser->builder.count);
	return ret;
}

static int parse_right(struct parser *parser, const struct operation *operation, struct type *left)
{
	struct type right;
	int ret;

	if (operation->shape == CHOOSES) {
		ret = parse_choice(parser, operation);
		*left = type_number(true);
		return ret;
	}
	ret = parse_binary(parser, operation->precedence + 1, &right);
	if (!ret)
		emit_operation(parser, operation, left, &right);
	return ret;
}

/* Precedence climbing: takes operators that bind at least as tightly as lowest. */
static int parse_binary(struct parser *parser, int lowest, struct type *type)
{
	const struct operation *operation;
	int ret = parse_unary(parser, type);

	while (!ret) {
		parse_space(parser);
		operation = operator_at(parser->at);
		if (!operation || operation->precedence < lowest)
			break;
		parser->at += strlen(operation->text);
		ret = parse_right(parser, operation, type);
	}
	return ret;
}

/* ---- segments ------------------------------------------------------------------------------------ */

/* "$fs:" or "fs:": the offset follows. Blanks may stand before the colon, but not in front of a name alone,
 * which could be a symbol's. */
static bool segment_register(const char **text, enum cpu_segment_name *segment)
{
	static const char names[][3] = {"es", "cs", "ss", "ds", "fs", "gs"};
	const char *name = *text + (**text == '$'), *colon = name + 2;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strncmp(name, names[i], 2))
			continue;
		if (name != *text)
			colon += strspn(colon, " \t");
		if (*colon != ':')
			return false;
		*text = colon + 1;
		*segment = (enum cpu_segment_name)i;
		return true;
	}
	return false;
}

static int parse_offset(struct parser *parser, enum program_op op, uint64_t arg, struct type *type)
{
	int ret = parse_binary(parser, 0, type);

	if (!ret)
		emit(parser, op, arg);
	*type = type_number(false);
	return ret;
}

/* SEGMENT:OFFSET, or anything else. */
int parse_all(struct parser *parser, struct type *type)
{
	enum cpu_segment_name segment;
	int ret;

	parse_space(parser);
	if (segment_register(&parser->at, &segment))
		return parse_offset(parser, PROGRAM_LINEAR, segment, type);
	ret = parse_binary(parser, 0, type);
	parse_space(parser);
	if (ret || *parser->at != ':')
		return ret;
	parser->at++;
	return parse_offset(parser, PROGRAM_SELECTOR, 0, type);
}

bool expression_is_far(const char *text)
{
	enum cpu_segment_name segment;

	return segment_register(&text, &segment) ||
	       (isdigit((unsigned char)*text) &&
		text[strspn(text, "0123456789abcdefABCDEFxX")] == ':');
}

/* ---- all of it ----------------------------------------------------------------------------------- */

/* The parser has seen to everything but the size. */
static int finish(struct parser *parser, const char *text, size_t size, struct program **program)
{
	char *copy;
	int ret;

	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	copy = strndup(text, size);
	if (!copy)
		parser->builder.failed = -ENOMEM;
	emit(parser, PROGRAM_END, 0);
	ret = program_finish(&parser->builder, copy, program, parser->err);
	free(copy);
	if (ret == -EINVAL || ret == -E2BIG)
		error_set(parser->err, -EINVAL, "the expression is too long, or nests too deeply");
	return ret == -E2BIG ? -EINVAL : ret;
}

int expression_compile(const char *text, const struct expression_names *names,
		       struct program **program, uint64_t *size, const char **end,
		       struct error *err)
{
	struct parser parser = {.names = names, .err = err};
	struct type type;
	int ret;

	text += strspn(text, " \t\n");
	parser.at = text;
	ret = parse_all(&parser, &type);
	parse_space(&parser);
	if (!ret && !end && *parser.at)
		ret = error_set(err, -EINVAL, "`%.40s` does not continue the expression",
				parser.at);
	if (!ret)
		ret = finish(&parser, text, parser.at - text, program);
	program_abandon(&parser.builder);
	if (!ret && size)
		*size = type_size(&type);
	if (!ret && end)
		*end = parser.at;
	return ret;
}
