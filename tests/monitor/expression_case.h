/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and memory for expressions. */
#ifndef TESTS_EXPRESSION_CASE_H
#define TESTS_EXPRESSION_CASE_H

#include "monitor/expression.h"

#include <stddef.h>

int symbol(void *ctx, const char *name, uint64_t *value, uint64_t *size, struct error *err);
int reg(void *ctx, const char *name, struct program_builder *builder, struct error *err);

static const struct expression_names names = {NULL, symbol, reg};

int evaluate(const char *text, uint64_t *value, const char **end, struct error *err);
uint64_t value_of(const char *text);
int error_of(const char *text);

#endif
