/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an expression's parts are: numbers, and pointers to numbers. Each function appends the code that
 * its effect on the value on top of the stack needs. */
#ifndef MONITOR_EXPRESSION_TYPES_H
#define MONITOR_EXPRESSION_TYPES_H

#include "debug/debug.h"

struct type {
	uint64_t object; /* a symbol's: bytes of what is there; else 0 */
	unsigned stars;	 /* 0: a number, whatever it was made of as wide as a word */
	unsigned bits;	 /* of what it is, or the last star, points to */
	bool is_signed;	 /* that, or the number */
};

/* * reads eight bytes there. */
struct type type_number(bool is_signed);
bool type_is_signed(const struct type *type); /* pointers are not */
uint64_t type_size(const struct type *type);  /* bytes of what it points to; 0: not known */

/* "(u32 *)" at *text: true, and *text is behind it. */
bool type_parse(const char **text, struct type *type);

void type_cast(struct program_builder *builder, const struct type *to, struct type *type);
void type_read(struct program_builder *builder, struct type *type); /* *pointer */
/* PROGRAM_ADD or PROGRAM_SUB where a pointer is among the operands: it moves by whole elements, and
 * the difference of two counts them. */
void type_add(struct program_builder *builder, enum program_op op, struct type *left,
	      const struct type *right);

#endif
