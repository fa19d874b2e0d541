// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/expression_types.h"

#include <ctype.h>
#include <string.h>

#define WORD_BITS 64
#define MAX_STARS 8

static const struct {
	const char *name;
	unsigned bits;
	bool is_signed;
} names[] = {
	{"u8", 8, false},	  {"s8", 8, true},
	{"u16", 16, false},	  {"s16", 16, true},
	{"u32", 32, false},	  {"s32", 32, true},
	{"u64", 64, false},	  {"s64", 64, true},
	{"uint8_t", 8, false},	  {"int8_t", 8, true},
	{"uint16_t", 16, false},  {"int16_t", 16, true},
	{"uint32_t", 32, false},  {"int32_t", 32, true},
	{"uint64_t", 64, false},  {"int64_t", 64, true},
	{"char", 8, true},	  {"unsigned char", 8, false},
	{"short", 16, true},	  {"unsigned short", 16, false},
	{"int", 32, true},	  {"unsigned int", 32, false},
	{"long", 64, true},	  {"unsigned long", 64, false},
	{"long long", 64, true},  {"unsigned long long", 64, false},
	{"signed char", 8, true}, {"unsigned", 32, false},
};

struct type type_number(bool is_signed)
{
	return (struct type){.bits = WORD_BITS, .is_signed = is_signed};
}

bool type_is_signed(const struct type *type)
{
	return !type->stars && type->is_signed;
}

/* Copies letters, with one blank for any number of them; what follows is no part of a name. */
static const char *take_words(const char *text, char *words, size_t size)
{
	size_t used = 0;

	while (isalnum((unsigned char)*text) || *text == '_' || isspace((unsigned char)*text)) {
		bool blank = isspace((unsigned char)*text);

		if (used + 1 < size && !(blank && (!used || words[used - 1] == ' ')))
			words[used++] = blank ? ' ' : *text;
		text++;
	}
	while (used && words[used - 1] == ' ')
		used--;
	words[used] = 0;
	return text;
}

static bool find_name(const char *words, struct type *type)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(words, names[i].name))
			continue;
		*type = (struct type){.bits = names[i].bits, .is_signed = names[i].is_signed};
		return true;
	}
	return false;
}

bool type_parse(const char **text, struct type *type)
{
	const char *at = *text;
	char words[24];

	if (*at != '(')
		return false;
	at = take_words(at + 1, words, sizeof(words));
	if (!find_name(words, type))
		return false;
	for (; *at == '*' || isspace((unsigned char)*at); at++)
		type->stars += *at == '*';
	if (*at != ')' || type->stars > MAX_STARS)
		return false;
	*text = at + 1;
	return true;
}

/* Bits above are made what the type says. */
static void extend(struct program_builder *builder, const struct type *type)
{
	if (type->bits < WORD_BITS)
		program_append(builder, type->is_signed ? PROGRAM_SIGN_EXTEND : PROGRAM_ZERO_EXTEND,
			       type->bits);
}

void type_cast(struct program_builder *builder, const struct type *to, struct type *type)
{
	*type = *to;
	if (to->stars)
		return;
	extend(builder, to);
	type->bits = WORD_BITS;
}

/* Bits of what is pointed to. */
static unsigned element_bits(const struct type *type)
{
	return type->stars > 1 ? WORD_BITS : type->bits;
}

uint64_t type_size(const struct type *type)
{
	return type->stars ? element_bits(type) / 8 : type->object;
}

void type_read(struct program_builder *builder, struct type *type)
{
	static const enum program_op reads[] = {[1] = PROGRAM_READ8,
						[2] = PROGRAM_READ16,
						[4] = PROGRAM_READ32,
						[8] = PROGRAM_READ64};
	bool is_signed = type->stars == 1 && type->is_signed;

	program_append(builder, reads[element_bits(type) / 8], 0);
	if (is_signed)
		extend(builder, type);
	if (type->stars > 1)
		type->stars--;
	else
		*type = type_number(is_signed);
}

static void scale(struct program_builder *builder, const struct type *type)
{
	program_append(builder, PROGRAM_CONST, element_bits(type) / 8);
	program_append(builder, PROGRAM_MUL, 0);
}

void type_add(struct program_builder *builder, enum program_op op, struct type *left,
	      const struct type *right)
{
	bool count = left->stars && right->stars && op == PROGRAM_SUB;

	if (left->stars && !right->stars) {
		scale(builder, left);
	} else if (!left->stars) {
		program_append(builder, PROGRAM_SWAP, 0);
		scale(builder, right);
		if (op == PROGRAM_SUB)
			program_append(builder, PROGRAM_SWAP, 0);
	}
	program_append(builder, op, 0);
	if (count) {
		program_append(builder, PROGRAM_CONST, element_bits(left) / 8);
		program_append(builder, PROGRAM_DIV_SIGNED, 0);
		*left = type_number(true);
	} else if (!left->stars) {
		*left = *right;
	}
}
