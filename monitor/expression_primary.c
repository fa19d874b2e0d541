// SPDX-License-Identifier: GPL-3.0-or-later
/* What stands between operators: numbers, characters, names, parentheses, and elements. */
#include "monitor/expression_parser.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 256

void parse_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

bool parse_is_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.';
}

static bool is_name(char c)
{
	return parse_is_name(c) || isdigit((unsigned char)c) || c == '$' || c == '@';
}

static void emit(struct parser *parser, enum program_op op, uint64_t arg)
{
	program_append(&parser->builder, op, arg);
}

static int parse_number(struct parser *parser, struct type *type)
{
	const char *digits = parser->at;
	bool binary = digits[0] == '0' && (digits[1] | 0x20) == 'b' && (digits[2] & ~1) == '0';
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

int parse_name(struct parser *parser, bool reg, struct type *type)
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
	parse_space(parser);
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
	if (c == '$' || parse_is_name(c))
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

int parse_postfix(struct parser *parser, struct type *type)
{
	int ret = parse_primary(parser, type);

	for (parse_space(parser); !ret && *parser->at == '['; parse_space(parser))
		ret = parse_index(parser, type);
	return ret;
}
