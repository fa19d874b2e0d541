/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Expressions as C writes them: 0x10, 16, 020, 0b1, 'A', $register, symbol (its address), casts, unary
 * + - ~ ! & *, then * / % + - << >> < <= > >= == != & ^ | && ||, pointer[index], and parentheses.
 *
 * Everything is calculated in 64 bits and wraps. A number without a u behind its back is signed, as in C,
 * so that -1 < 0; registers and symbols are unsigned, and with one unsigned operand an operation is.
 * SEGMENT:OFFSET is the linear address: $fs:0x28 (or fs:0x28) through what the register holds, 0xf000:0xfff0 as
 * the mode understands selectors.
 *
 * (s32) and its like cut a value down and extend it again. *ADDR reads what ADDR points to: as much as
 * (u32 *) says, as large as the object whose symbol it is, or else eight bytes.
 *
 * An expression is compiled to a program (debug/program.h), which a condition keeps and which is run
 * once for anything else: there is one grammar, and one meaning. Symbols are looked up when it is compiled,
 * registers and memory when it is run.
 */
#ifndef MONITOR_EXPRESSION_H
#define MONITOR_EXPRESSION_H

#include "debug/debug.h"

/* What names mean. Each returns 0 or -errno with a sentence. */
struct expression_names {
	void *ctx;
	/* size: of the object, or 0. */
	int (*symbol)(void *ctx, const char *name, uint64_t *value, uint64_t *size,
		      struct error *err);
	/* Appends what puts the register's value on the stack; name without $. */
	int (*reg)(void *ctx, const char *name, struct program_builder *builder, struct error *err);
};

/* Compiles the longest expression at the start of text; *end (may be NULL: all of text must be one) is where it
 * stops. *size (may be NULL): bytes of what it points to, 0 when it does not say. program_text() is the expression.
 * -EINVAL for what cannot be read, -ENOMEM, or what names says. */
int expression_compile(const char *text, const struct expression_names *names,
		       struct program **program, uint64_t *size, const char **end,
		       struct error *err);

/* Whether text begins as SEGMENT:OFFSET, with a number or a segment register, and not as a file's name. */
bool expression_is_far(const char *text);

#endif
