// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/btf.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	    0xeb9f
#define HEADER_SIZE 24
#define TYPE_SIZE   12
#define MEMBER_SIZE 12
#define DEPTH_MAX   8 /* nameless structures within each other, names and qualifiers of a type */
#define PATIENCE    65536 /* members to look at for one; Linux has a few hundred */

enum kind {
	KIND_INT = 1,
	KIND_ARRAY = 3,
	KIND_STRUCT,
	KIND_UNION,
	KIND_TYPEDEF = 8,
	KIND_VOLATILE,
	KIND_CONST,
	KIND_RESTRICT,
	KIND_TYPE_TAG = 18,
	KIND_COUNT = 20
};

struct type {
	uint32_t name;
	enum kind kind;
	bool bits; /* members' offsets have a size of bits, too */
	uint32_t length;
	uint32_t value; /* size, or another type */
	size_t rest;	/* where members, or what else belongs to it, are */
};

static uint32_t load(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

/* Bytes behind a type's head: so many, and so many more for each of its parts. -1: no such kind. */
static int64_t rest_of(const struct type *type)
{
	static const signed char fixed[KIND_COUNT] = {
		[0] = -1, [KIND_INT] = 4, [KIND_ARRAY] = 12, [14] = 4, [17] = 4};
	static const unsigned char each[KIND_COUNT] = {[KIND_STRUCT] = MEMBER_SIZE,
						       [KIND_UNION] = MEMBER_SIZE,
						       [6] = 8,
						       [13] = 8,
						       [15] = 12,
						       [19] = 12};

	if (type->kind >= KIND_COUNT || fixed[type->kind] < 0)
		return -1;
	return fixed[type->kind] + (int64_t)each[type->kind] * type->length;
}

static bool read_head(const struct btf *btf, size_t at, struct type *type)
{
	uint32_t info;
	int64_t rest;

	if (at > btf->types_size || btf->types_size - at < TYPE_SIZE)
		return false;
	info = load(btf->types + at + 4);
	*type = (struct type){.name = load(btf->types + at),
			      .kind = info >> 24 & 31,
			      .bits = info >> 31,
			      .length = info & 0xffff,
			      .value = load(btf->types + at + 8),
			      .rest = at + TYPE_SIZE};
	rest = rest_of(type);
	return rest >= 0 && (uint64_t)rest <= btf->types_size - type->rest;
}

/* Twice: to count, and to note where each one is. */
static bool index_types(struct btf *btf)
{
	struct type type;

	btf->count = 0;
	for (size_t at = 0; at < btf->types_size; at = type.rest + (size_t)rest_of(&type)) {
		if (!read_head(btf, at, &type))
			return false;
		if (btf->at)
			btf->at[btf->count] = (uint32_t)at;
		btf->count++;
	}
	return btf->count > 0;
}

/* The head says where the types and the strings are, behind itself. */
static bool take_part(const uint8_t *bytes, size_t size, unsigned field, const uint8_t **part,
		      size_t *part_size)
{
	uint64_t at = (uint64_t)load(bytes + 4) + load(bytes + field);
	uint32_t length = load(bytes + field + 4);

	if (at > size || length > size - at)
		return false;
	*part = bytes + at;
	*part_size = length;
	return true;
}

bool btf_read(const void *bytes, size_t size, struct btf *btf)
{
	*btf = (struct btf){0};
	if (size < HEADER_SIZE || (load(bytes) & 0xffff) != MAGIC ||
	    !take_part(bytes, size, 8, &btf->types, &btf->types_size) ||
	    !take_part(bytes, size, 16, &btf->strings, &btf->strings_size) || !index_types(btf))
		return false;
	btf->at = calloc(btf->count, sizeof(*btf->at));
	return btf->at && index_types(btf);
}

void btf_free(struct btf *btf)
{
	free(btf->at);
	*btf = (struct btf){0};
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool has_name(const struct btf *btf, uint32_t at, const char *name)
{
	size_t size = strlen(name) + 1;

	return at < btf->strings_size && size <= btf->strings_size - at &&
	       !memcmp(btf->strings + at, name, size);
}

static bool read_type(const struct btf *btf, uint32_t number, struct type *type)
{
	return number && number <= btf->count && read_head(btf, btf->at[number - 1], type);
}

/* The same without names and qualifiers. */
static bool read_plain(const struct btf *btf, uint32_t *number, struct type *type)
{
	for (unsigned i = 0; i < DEPTH_MAX && read_type(btf, *number, type); i++) {
		if ((type->kind < KIND_TYPEDEF || type->kind > KIND_RESTRICT) &&
		    type->kind != KIND_TYPE_TAG)
			return true;
		*number = type->value;
	}
	return false;
}

uint32_t btf_struct(const struct btf *btf, const char *name)
{
	struct type type;

	for (uint32_t number = 1; number <= btf->count; number++)
		if (read_type(btf, number, &type) && type.kind == KIND_STRUCT &&
		    has_name(btf, type.name, name))
			return number;
	return 0;
}

uint32_t btf_size(const struct btf *btf, uint32_t number)
{
	struct type type;

	if (!read_plain(btf, &number, &type) ||
	    (type.kind != KIND_INT && type.kind != KIND_STRUCT && type.kind != KIND_UNION))
		return 0;
	return type.value;
}

static void take_array(const struct btf *btf, struct btf_member *member)
{
	struct type type;

	member->count = 1;
	if (!read_plain(btf, &member->type, &type) || type.kind != KIND_ARRAY)
		return;
	member->type = load(btf->types + type.rest);
	member->count = load(btf->types + type.rest + 8);
}

/* A search for a member. */
struct search {
	const struct btf *btf;
	const char *name;
	unsigned patience; /* members that are still looked at */
};

static bool find_member(struct search *s, uint32_t number, unsigned depth,
			struct btf_member *member)
{
	const struct btf *btf = s->btf;
	struct type type;

	if (depth == DEPTH_MAX || !read_plain(btf, &number, &type) ||
	    (type.kind != KIND_STRUCT && type.kind != KIND_UNION))
		return false;
	for (uint32_t i = 0; i < type.length && s->patience; i++) {
		const uint8_t *at = btf->types + type.rest + (size_t)i * MEMBER_SIZE;
		uint32_t offset = load(at + 8), bits = type.bits ? offset >> 24 : 0;

		s->patience--;
		offset = (type.bits ? offset & 0xffffff : offset) / 8;
		*member = (struct btf_member){.offset = offset, .type = load(at + 4)};
		if (!bits && has_name(btf, load(at), s->name))
			return true;
		if (!load(at) && find_member(s, load(at + 4), depth + 1, member)) {
			member->offset += offset;
			return true;
		}
	}
	return false;
}

bool btf_member(const struct btf *btf, uint32_t type, const char *name, struct btf_member *member)
{
	struct search search = {btf, name, PATIENCE};

	if (!find_member(&search, type, 0, member))
		return false;
	take_array(btf, member);
	return true;
}
