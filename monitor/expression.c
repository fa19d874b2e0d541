// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/expression.h"

#include "monitor/expression_types.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nesting than anyone types; it bounds the recursion. */
#define MAX_DEPTH 64
#define MAX_NAME  256

struct parser {
	const char *at;
	const struct expression_names *names;
	struct program_builder builder;
	struct error *err;
	int depth;
};

/* Compiles what stands at parser->at, so that its value ends up on the stack; says of which type it is. */
static int parse_all(struct parser *parser, struct type *type);
static int parse_binary(struct parser *parser, int lowest, struct type *type);
static int parse_unary(struct parser *parser, struct type *type);

static unsigned emit(struct parser *parser, enum program_op op, uint64_t arg)
{
	return program_append(&parser->builder, op, arg);
}

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.';
}

static bool is_name(char c)
{
	return is_name_start(c) || isdigit((unsigned char)c) || c == '$' || c == '@';
}

/* ---- primaries ----------------------------------------------------------------------------- */

static int parse_number(struct parser *parser, struct type *type)
{
	const char *digits = parser->at;
	bool binary = digits[0] == '0' && (digits[1] | 0x20) == 'b';
	uint64_t value;
	char *end;

	errno = 0;
	value = binary ? strtoull(digits + 2, &end, 2) : strtoull(digits, &end, 0);
	if (errno)
		return error_set(parser->err, -EINVAL,
				 "the number %.20s... does not fit into 64 bits", digits);
	if (end == digits || isalnum((unsigned char)*end) || *end == '_')
		return error_set(parser->err, -EINVAL,
				 "%.40s is not a number; write 16, 0x10, 020 or 0b10000", digits);
	parser->at = end;
	*type = type_number(value <= INT64_MAX);
	emit(parser, PROGRAM_CONST, value);
	return 0;
}

static int parse_character(struct parser *parser, struct type *type)
{
	if (!parser->at[1] || parser->at[2] != '\'')
		return error_set(parser->err, -EINVAL,
				 "a character constant is one character between quotes: 'A'");
	emit(parser, PROGRAM_CONST, (unsigned char)parser->at[1]);
	*type = type_number(true);
	parser->at += 3;
	return 0;
}

static int emit_symbol(struct parser *parser, const char *name, struct type *type)
{
	uint64_t value, size = 0;
	int ret = parser->names->symbol(parser->names->ctx, name, &value, &size, parser->err);

	if (ret)
		return ret;
	*type = type_number(false);
	type->object = size;
	if (size == 1 || size == 2 || size == 4)
		type->bits = (unsigned)size * 8;
	emit(parser, PROGRAM_CONST, value);
	return 0;
}

/* A name, or $name when reg says so. */
static int parse_name(struct parser *parser, bool reg, struct type *type)
{
	const char *start = parser->at + reg, *end = start;
	char name[MAX_NAME];

	while (is_name(*end))
		end++;
	if (end == start)
		return error_set(parser->err, -EINVAL,
				 "a register's name belongs behind $, as in $rip");
	if ((size_t)(end - start) >= sizeof(name))
		return error_set(parser->err, -EINVAL, "the name %.30s... is too long", start);
	memcpy(name, start, end - start);
	name[end - start] = 0;
	parser->at = end;
	*type = type_number(false);
	if (reg)
		return parser->names->reg(parser->names->ctx, name, &parser->builder, parser->err);
	return emit_symbol(parser, name, type);
}

/* What opens is closed, or the sentence says so. */
static int parse_closing(struct parser *parser, char closing, const char *name)
{
	skip_space(parser);
	if (*parser->at != closing)
		return error_set(parser->err, -EINVAL, "a closing %s is missing", name);
	parser->at++;
	return 0;
}

static int parse_parentheses(struct parser *parser, struct type *type)
{
	int ret;

	parser->at++;
	ret = parse_all(parser, type);
	return ret ? ret : parse_closing(parser, ')', "parenthesis");
}

static int parse_primary(struct parser *parser, struct type *type)
{
	char c = *parser->at;

	if (c == '(')
		return parse_parentheses(parser, type);
	if (c == '\'')
		return parse_character(parser, type);
	if (isdigit((unsigned char)c))
		return parse_number(parser, type);
	if (c == '$' || is_name_start(c))
		return parse_name(parser, c == '$', type);
	if (!c)
		return error_set(parser->err, -EINVAL,
				 "a number, a symbol or a $register is missing at the end");
	return error_set(parser->err, -EINVAL,
			 "a number, a symbol or a $register is missing at `%.20s`", parser->at);
}

static int parse_index(struct parser *parser, struct type *type)
{
	struct type index;
	int ret;

	if (!type->stars)
		return error_set(parser->err, -EINVAL,
				 "[] wants a pointer that says how large its elements are, as in "
				 "((u32 *)table)[3]");
	parser->at++;
	ret = parse_all(parser, &index);
	if (!ret)
		ret = parse_closing(parser, ']', "bracket");
	if (ret)
		return ret;
	type_add(&parser->builder, PROGRAM_ADD, type, &index);
	type_read(&parser->builder, type);
	return 0;
}

static int parse_postfix(struct parser *parser, struct type *type)
{
	int ret = parse_primary(parser, type);

	for (skip_space(parser); !ret && *parser->at == '['; skip_space(parser))
		ret = parse_index(parser, type);
	return ret;
}

/* ---- unary operators ----------------------------------------------------------------------- */

/* &symbol is the symbol's value already: symbols are addresses. */
static int parse_address_of(struct parser *parser, struct type *type)
{
	skip_space(parser);
	if (!is_name_start(*parser->at))
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

	skip_space(parser);
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

/* ---- binary operators ---------------------------------------------------------------------- */

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
		skip_space(parser);
		operation = operator_at(parser->at);
		if (!operation || operation->precedence < lowest)
			break;
		parser->at += strlen(operation->text);
		ret = parse_right(parser, operation, type);
	}
	return ret;
}

/* ---- segments ------------------------------------------------------------------------------ */

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
static int parse_all(struct parser *parser, struct type *type)
{
	enum cpu_segment_name segment;
	int ret;

	skip_space(parser);
	if (segment_register(&parser->at, &segment))
		return parse_offset(parser, PROGRAM_LINEAR, segment, type);
	ret = parse_binary(parser, 0, type);
	skip_space(parser);
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

/* ---- all of it ----------------------------------------------------------------------------- */

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
	skip_space(&parser);
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
