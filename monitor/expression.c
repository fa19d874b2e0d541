// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nesting than anyone types; it bounds the recursion. */
#define MAX_DEPTH 64
#define MAX_NAME  256

struct parser {
	const char *at;
	const struct expression_source *source;
	struct error *err;
	int depth;
};

struct operation {
	const char *text;
	int precedence; /* C's: higher binds tighter */
	int (*apply)(uint64_t left, uint64_t right, uint64_t *value);
};

#define OPERATION(name, result)                                                                    \
	static int apply_##name(uint64_t a, uint64_t b, uint64_t *value)                           \
	{                                                                                          \
		*value = (result);                                                                 \
		return 0;                                                                          \
	}
OPERATION(multiply, a *b)
OPERATION(add, a + b)
OPERATION(subtract, a - b)
OPERATION(shift_left, b < 64 ? a << b : 0)
OPERATION(shift_right, b < 64 ? a >> b : 0)
OPERATION(less, a < b)
OPERATION(less_equal, a <= b)
OPERATION(greater, a > b)
OPERATION(greater_equal, a >= b)
OPERATION(equal, a == b)
OPERATION(not_equal, a != b)
OPERATION(and, a &b)
OPERATION(xor, a ^ b)
OPERATION(or, a | b)
OPERATION(both, a &&b)
OPERATION(either, a || b)

static int apply_divide(uint64_t a, uint64_t b, uint64_t *value)
{
	if (!b)
		return -EDOM;
	*value = a / b;
	return 0;
}

static int apply_modulo(uint64_t a, uint64_t b, uint64_t *value)
{
	if (!b)
		return -EDOM;
	*value = a % b;
	return 0;
}

/* Longer spellings first, so that << is not read as < twice. */
static const struct operation operators[] = {
	{"<<", 8, apply_shift_left}, {">>", 8, apply_shift_right},
	{"<=", 7, apply_less_equal}, {">=", 7, apply_greater_equal},
	{"==", 6, apply_equal},	     {"!=", 6, apply_not_equal},
	{"&&", 2, apply_both},	     {"||", 1, apply_either},
	{"*", 10, apply_multiply},   {"/", 10, apply_divide},
	{"%", 10, apply_modulo},     {"+", 9, apply_add},
	{"-", 9, apply_subtract},    {"<", 7, apply_less},
	{">", 7, apply_greater},     {"&", 5, apply_and},
	{"^", 4, apply_xor},	     {"|", 3, apply_or},
};

static int parse_binary(struct parser *parser, int lowest, uint64_t *value);
static int parse_unary(struct parser *parser, uint64_t *value);

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static const struct operation *operator_at(const char *text)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(text, operators[i].text, strlen(operators[i].text)))
			return &operators[i];
	return NULL;
}

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.';
}

static bool is_name(char c)
{
	return is_name_start(c) || isdigit((unsigned char)c) || c == '$' || c == '@';
}

static int parse_number(struct parser *parser, uint64_t *value)
{
	const char *digits = parser->at;
	bool binary = digits[0] == '0' && (digits[1] | 0x20) == 'b';
	char *end;

	errno = 0;
	*value = binary ? strtoull(digits + 2, &end, 2) : strtoull(digits, &end, 0);
	if (errno)
		return error_set(parser->err, -EINVAL,
				 "the number %.20s... does not fit into 64 bits", digits);
	if (end == digits || isalnum((unsigned char)*end) || *end == '_')
		return error_set(parser->err, -EINVAL,
				 "%.40s is not a number; write 16, 0x10, 020 or 0b10000", digits);
	parser->at = end;
	return 0;
}

static int parse_character(struct parser *parser, uint64_t *value)
{
	if (!parser->at[1] || parser->at[2] != '\'')
		return error_set(parser->err, -EINVAL,
				 "a character constant is one character between quotes: 'A'");
	*value = (unsigned char)parser->at[1];
	parser->at += 3;
	return 0;
}

/* A name, or $name when reg says so. */
static int parse_name(struct parser *parser, bool reg, uint64_t *value)
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
	if (reg)
		return parser->source->reg(parser->source->ctx, name, value, parser->err);
	return parser->source->symbol(parser->source->ctx, name, value, parser->err);
}

static int parse_parentheses(struct parser *parser, uint64_t *value)
{
	int ret;

	parser->at++;
	ret = parse_binary(parser, 0, value);
	if (ret)
		return ret;
	skip_space(parser);
	if (*parser->at != ')')
		return error_set(parser->err, -EINVAL, "a closing parenthesis is missing");
	parser->at++;
	return 0;
}

static int parse_primary(struct parser *parser, uint64_t *value)
{
	char c = *parser->at;

	if (c == '(')
		return parse_parentheses(parser, value);
	if (c == '\'')
		return parse_character(parser, value);
	if (isdigit((unsigned char)c))
		return parse_number(parser, value);
	if (c == '$' || is_name_start(c))
		return parse_name(parser, c == '$', value);
	if (!c)
		return error_set(parser->err, -EINVAL,
				 "a number, a symbol or a $register is missing at the end");
	return error_set(parser->err, -EINVAL,
			 "a number, a symbol or a $register is missing at `%.20s`", parser->at);
}

/* &symbol is the symbol's value already: symbols are addresses. */
static int parse_address_of(struct parser *parser, uint64_t *value)
{
	skip_space(parser);
	if (!is_name_start(*parser->at))
		return error_set(parser->err, -EINVAL, "& wants a symbol, as in &counter");
	return parse_name(parser, false, value);
}

static int apply_unary(struct parser *parser, char sign, uint64_t *value)
{
	switch (sign) {
	case '-': *value = -*value; return 0;
	case '~': *value = ~*value; return 0;
	case '!': *value = !*value; return 0;
	case '*': return parser->source->read(parser->source->ctx, *value, value, parser->err);
	default: return 0;
	}
}

static int parse_operand(struct parser *parser, uint64_t *value)
{
	char c;
	int ret;

	skip_space(parser);
	c = *parser->at;
	if (!c || !strchr("+-~!*&", c))
		return parse_primary(parser, value);
	parser->at++;
	if (c == '&')
		return parse_address_of(parser, value);
	ret = parse_unary(parser, value);
	return ret ? ret : apply_unary(parser, c, value);
}

static int parse_unary(struct parser *parser, uint64_t *value)
{
	int ret;

	if (++parser->depth > MAX_DEPTH)
		return error_set(parser->err, -EINVAL, "the expression nests deeper than %d levels",
				 MAX_DEPTH);
	ret = parse_operand(parser, value);
	parser->depth--;
	return ret;
}

/* Precedence climbing: takes operators that bind at least as tightly as lowest. */
static int parse_binary(struct parser *parser, int lowest, uint64_t *value)
{
	const struct operation *operation;
	uint64_t right;
	int ret = parse_unary(parser, value);

	while (!ret) {
		skip_space(parser);
		operation = operator_at(parser->at);
		if (!operation || operation->precedence < lowest)
			break;
		parser->at += strlen(operation->text);
		ret = parse_binary(parser, operation->precedence + 1, &right);
		if (!ret && operation->apply(*value, right, value))
			ret = error_set(parser->err, -EDOM, "division by zero");
	}
	return ret;
}

int expression_evaluate(const char *text, const struct expression_source *source, uint64_t *value,
			const char **end, struct error *err)
{
	struct parser parser = {.at = text, .source = source, .err = err};
	int ret = parse_binary(&parser, 0, value);

	if (ret)
		return ret;
	skip_space(&parser);
	if (end)
		*end = parser.at;
	else if (*parser.at)
		return error_set(err, -EINVAL, "`%.40s` does not continue the expression",
				 parser.at);
	return 0;
}
