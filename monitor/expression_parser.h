/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parser of expressions: expression.c (operators, segments), expression_primary.c (what they stand between). Each
 * function compiles what stands at parser->at, so that its value ends up on the stack, and says of which type it is. */
#ifndef MONITOR_EXPRESSION_PARSER_H
#define MONITOR_EXPRESSION_PARSER_H

#include "monitor/expression.h"
#include "monitor/expression_types.h"

struct parser {
	const char *at;
	const struct expression_names *names;
	struct program_builder builder;
	struct error *err;
	int depth;
};

void parse_space(struct parser *parser);
bool parse_is_name(char c); /* a name may begin with it */

/* A number, a character, a symbol, $name, or what stands in parentheses; and elements of it. */
int parse_postfix(struct parser *parser, struct type *type);
/* A symbol, or $name when reg says so. */
int parse_name(struct parser *parser, bool reg, struct type *type);
/* A whole expression. */
int parse_all(struct parser *parser, struct type *type);

#endif
