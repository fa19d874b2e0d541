// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Nothing says where the tables are. The table of tokens gives itself away: 256 strings, with an index behind them that
 * agrees with where each one begins. The names stand before that, behind their number and before a table of
 * markers that says where every 256th is. Where their addresses are depends on the kernel's age: before the
 * names (until Linux 6.3), or behind the index. What is right is known by one name, _text, whose address the
 * image's own headers tell.
 */
#include "boot/kallsyms.h"

#include <endian.h>
#include <string.h>

#define TOKENS	    256
#define INDEX_SIZE  (TOKENS * 2)
#define DIGITS	    "0\0001\0002\0003\0004\0005\0006\0007\0008\0009" /* each one is a token of its own */
#define DIGITS_SIZE 20
#define FEWEST	    1000
#define MOST	    4000000
#define MARKED	    256		/* names between two markers */
#define REACH	    (64u << 20) /* how far before the tokens the names begin at most */
#define PATIENCE    (64u << 20) /* names that are looked at before the search is given up */

static uint64_t load(const struct kallsyms *k, size_t at, unsigned size)
{
	uint64_t value = 0;

	if (at <= k->size && size <= k->size - at)
		memcpy(&value, k->bytes + at, size);
	return le64toh(value);
}

static size_t align(size_t at)
{
	return (at + 7) & ~(size_t)7;
}

/* ---- tokens ----------------------------------------------------------------------------------- */

/* Whether 256 strings begin at tokens, each where the index behind them says. */
static bool index_agrees(struct kallsyms *k, size_t tokens)
{
	size_t at = tokens, index;
	uint16_t begins[TOKENS];

	for (unsigned i = 0; i < TOKENS; i++) {
		const uint8_t *end = memchr(k->bytes + at, 0, k->size - at);

		if (!end || at - tokens > UINT16_MAX)
			return false;
		begins[i] = (uint16_t)(at - tokens);
		at = (size_t)(end - k->bytes) + 1;
		if (at >= k->size)
			return false;
	}
	index = align(at);
	for (unsigned i = 0; i < TOKENS; i++)
		if (load(k, index + i * 2, 2) != begins[i])
			return false;
	k->tokens = tokens;
	k->token_index = index;
	return true;
}

/* The start of the token that is count before the one at at; 0 when there is no such. */
static size_t tokens_before(const struct kallsyms *k, size_t at, unsigned count)
{
	while (count-- > 0 && at > 1) {
		at--; /* onto the zero byte that ends the one before */
		while (at > 0 && k->bytes[at - 1])
			at--;
	}
	return at;
}

static bool find_tokens(struct kallsyms *k)
{
	const uint8_t *from = k->bytes, *end = k->bytes + k->size;

	while ((from = memmem(from, (size_t)(end - from), DIGITS, DIGITS_SIZE))) {
		size_t first = tokens_before(k, (size_t)(from - k->bytes), '0');

		if (first && index_agrees(k, first))
			return true;
		from++;
	}
	return false;
}

/* ---- names ------------------------------------------------------------------------------------ */

/* The bytes of the name at *at, each of which stands for a token; *at moves behind it. NULL: there is none. */
static const uint8_t *name_at(const struct kallsyms *k, size_t *at, size_t *length)
{
	size_t here = *at;

	if (here + 2 > k->size || !k->bytes[here])
		return NULL;
	*length = k->bytes[here++];
	if (*length & 0x80)
		*length = (*length & 0x7f) | (size_t)k->bytes[here++] << 7;
	if (*length > k->size - here)
		return NULL;
	*at = here + *length;
	return k->bytes + here;
}

static bool markers_agree(const struct kallsyms *k, size_t markers, unsigned width, size_t second)
{
	return load(k, markers, width) == 0 && load(k, markers + width, width) == second;
}

/* Whether count names begin at names, and markers follow. *patience is what is left of it. */
static bool names_agree(const struct kallsyms *k, size_t names, uint32_t count, uint32_t *patience)
{
	size_t at = names, length, second = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i == MARKED)
			second = at - names;
		if (!*patience || at >= k->tokens || !name_at(k, &at, &length))
			return false;
		--*patience;
	}
	return markers_agree(k, align(at), 4, second) || markers_agree(k, align(at), 8, second);
}

static bool find_names(struct kallsyms *k)
{
	size_t lowest = k->tokens > REACH ? k->tokens - REACH : 0;
	uint32_t patience = PATIENCE;

	for (size_t at = k->tokens & ~(size_t)7; at >= lowest + 8; at -= 8) {
		uint64_t count = load(k, at - 8, 8);

		if (count < FEWEST || count > MOST ||
		    !names_agree(k, at, (uint32_t)count, &patience))
			continue;
		k->names = at;
		k->count = (uint32_t)count;
		return true;
	}
	return false;
}

/* ---- addresses -------------------------------------------------------------------------------- */

static uint64_t address_of(const struct kallsyms *k, uint32_t index)
{
	int32_t offset;

	if (k->absolute)
		return load(k, k->addresses + index * 8ull, 8);
	offset = (int32_t)load(k, k->addresses + index * 4ull, 4);
	if (!k->percpu_apart)
		return k->base + (uint32_t)offset;
	return offset >= 0 ? (uint64_t)offset : k->base - 1 - (int64_t)offset;
}

/* The index of a name; false when there is none. */
static bool find_name(const struct kallsyms *k, const char *text, uint32_t *index)
{
	struct kallsyms_cursor cursor = {0};
	struct kallsyms_name name;

	while (kallsyms_next(k, &cursor, &name)) {
		*index = cursor.index - 1;
		if (!strcmp(name.text, text))
			return true;
	}
	return false;
}

/* The tables as each age of the kernel has them; those of before stand right before the number of names. */
static bool find_addresses(struct kallsyms *k, uint64_t text)
{
	size_t behind = align(k->token_index + INDEX_SIZE), before = k->names - 8;
	size_t offsets = align(k->count * 4ull);
	const struct {
		size_t addresses, base;
		bool absolute;
	} ages[] = {{behind, behind + offsets, false},
		    {before - 8 - offsets, before - 8, false},
		    {before - k->count * 8ull, 0, true}};
	uint32_t index;

	if (!find_name(k, "_text", &index))
		return false;
	for (unsigned i = 0; i < 6; i++) {
		k->addresses = ages[i / 2].addresses;
		k->absolute = ages[i / 2].absolute;
		k->percpu_apart = i % 2 == 0;
		k->base = load(k, ages[i / 2].base, 8);
		if (k->addresses < k->size && address_of(k, index) == text)
			return true;
	}
	return false;
}

bool kallsyms_find(const uint8_t *bytes, size_t size, uint64_t text, struct kallsyms *k)
{
	*k = (struct kallsyms){.bytes = bytes, .size = size};
	return find_tokens(k) && find_names(k) && find_addresses(k, text);
}

bool kallsyms_address(const struct kallsyms *k, uint32_t index, uint64_t *address)
{
	if (index >= k->count)
		return false;
	*address = address_of(k, index);
	return true;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void expand(const struct kallsyms *k, const uint8_t *pieces, size_t count,
		   struct kallsyms_name *name)
{
	char text[sizeof(name->text) + 1];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = k->tokens + load(k, k->token_index + pieces[i] * 2u, 2);

		while (at < k->size && k->bytes[at] && length < sizeof(text) - 1)
			text[length++] = (char)k->bytes[at++];
	}
	text[length] = '\0';
	name->type = text[0];
	memcpy(name->text, text + (length > 0), length ? length : 1);
}

bool kallsyms_next(const struct kallsyms *k, struct kallsyms_cursor *cursor,
		   struct kallsyms_name *name)
{
	const uint8_t *pieces;
	size_t length;

	if (cursor->index == 0)
		cursor->at = k->names;
	if (cursor->index == k->count || !(pieces = name_at(k, &cursor->at, &length)))
		return false;
	expand(k, pieces, length, name);
	name->address = address_of(k, cursor->index++);
	return true;
}
