/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Expressions as C writes them, over 64-bit words: 0x10, 16, 020, 0b1, 'A', $register, symbol (its
 * address), unary + - ~ ! & *, then * / % + - << >> < <= > >= == != & ^ | && ||, and parentheses.
 * Arithmetic is unsigned and wraps. *ADDR reads eight bytes.
 */
#ifndef MONITOR_EXPRESSION_H
#define MONITOR_EXPRESSION_H

#include "error.h"

#include <stdint.h>

/* Where names and memory come from. Each returns 0 or -errno with a sentence. */
struct expression_source {
	void *ctx;
	int (*symbol)(void *ctx, const char *name, uint64_t *value, struct error *err);
	int (*reg)(void *ctx, const char *name, uint64_t *value,
		   struct error *err); /* name without $ */
	int (*read)(void *ctx, uint64_t address, uint64_t *value, struct error *err);
};

/* Evaluates the longest expression at the start of text; *end (may be NULL: all of text must be
 * one) is where it stops. -EINVAL for what cannot be read, -EDOM for a division by zero, or the
 * source's. */
int expression_evaluate(const char *text, const struct expression_source *source, uint64_t *value,
			const char **end, struct error *err);

#endif
