// SPDX-License-Identifier: GPL-3.0-or-later
/* Types as a Linux kernel describes them: right ones, and damaged ones. */
#include "debug/btf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	INT = 1,
	PTR,
	ARRAY,
	STRUCT,
	UNION,
	ENUM,
	FWD,
	TYPEDEF,
	VOLATILE,
	CONST,
	RESTRICT,
	FUNC,
	FUNC_PROTO,
	VAR,
	DATASEC,
	FLOAT,
	DECL_TAG,
	TYPE_TAG,
	ENUM64
};

#define INFO(kind, length) ((uint32_t)(kind) << 24 | (length))
#define BIT_FIELDS	   (1u << 31)
#define BITS(size, offset) ((uint32_t)(size) << 24 | (offset))

/* One string after the other; names are where they begin. */
static const char strings[] = "\0int\0first\0second\0outer\0third\0inner\0list\0field";
enum {
	S_INT = 1,
	S_FIRST = 5,
	S_SECOND = 11,
	S_OUTER = 18,
	S_THIRD = 24,
	S_INNER = 30,
	S_LIST = 36,
	S_FIELD = 41
};

static const uint32_t types[] = {
	S_INT,	     INFO(INT, 0),
	4,	     32, /* 1 */
	0,	     INFO(ARRAY, 0),
	0,	     5,
	1,	     7, /* 2: of type 5, seven of them */
	S_LIST,	     INFO(TYPEDEF, 0),
	2, /* 3 */
	0,	     INFO(CONST, 0),
	3, /* 4 */
	S_INNER,     INFO(STRUCT, 2),
	16,	     S_FIRST,
	1,	     0,
	S_SECOND,    1,
	64, /* 5 */
	0,	     INFO(UNION, 1),
	8,	     S_THIRD,
	1,	     32, /* 6, nameless */
	S_FIRST,     INFO(ENUM, 1),
	4,	     0,
	0, /* 7 */
	S_FIRST,     INFO(FUNC_PROTO, 1),
	0,	     0,
	0, /* 8 */
	S_FIRST,     INFO(VAR, 0),
	1,	     0, /* 9 */
	S_FIRST,     INFO(DATASEC, 1),
	4,	     9,
	0,	     4, /* 10 */
	S_FIRST,     INFO(DECL_TAG, 0),
	5,	     0, /* 11 */
	S_FIRST,     INFO(ENUM64, 1),
	8,	     0,
	0,	     0, /* 12 */
	S_OUTER,     INFO(STRUCT, 4) | BIT_FIELDS,
	200, /* 13 */
	S_FIRST,     1,
	BITS(0, 0),  S_FIELD,
	1,	     BITS(3, 32),
	0,	     6,
	BITS(0, 64), S_LIST,
	4,	     BITS(0, 128),
};

struct section {
	uint32_t magic, header, types_at, types_size, strings_at, strings_size;
	uint8_t bytes[sizeof(types) + sizeof(strings)];
};

static void make(struct section *section)
{
	*section = (struct section){.magic = 0xeb9f | 1 << 16,
				    .header = 24,
				    .types_size = sizeof(types),
				    .strings_at = sizeof(types),
				    .strings_size = sizeof(strings)};
	memcpy(section->bytes, types, sizeof(types));
	memcpy(section->bytes + sizeof(types), strings, sizeof(strings));
}

static void test_members(void **state)
{
	struct section section;
	struct btf_member member;
	struct btf btf;
	uint32_t outer;

	(void)state;
	make(&section);
	assert_true(btf_read(&section, sizeof(section), &btf));
	assert_int_equal(btf.count, 13);
	assert_int_equal(btf_struct(&btf, "inner"), 5);
	assert_int_equal(btf_struct(&btf, "first"), 0); /* that is no structure */
	assert_int_equal(btf_struct(&btf, "inne"), 0);
	outer = btf_struct(&btf, "outer");
	assert_int_equal(outer, 13);
	assert_int_equal(btf_size(&btf, outer), 200);
	assert_true(btf_member(&btf, 5, "second", &member));
	assert_int_equal(member.offset, 8);
	assert_int_equal(btf_size(&btf, member.type), 4);
	assert_int_equal(member.count, 1);
	/* In the nameless one, at 8 of this one. */
	assert_true(btf_member(&btf, outer, "third", &member));
	assert_int_equal(member.offset, 12);
	/* Through a qualifier and another name. */
	assert_true(btf_member(&btf, outer, "list", &member));
	assert_int_equal(member.offset, 16);
	assert_int_equal(member.type, 5);
	assert_int_equal(member.count, 7);
	assert_int_equal(btf_size(&btf, member.type), 16);
	assert_false(btf_member(&btf, outer, "field", &member)); /* of bits */
	assert_false(btf_member(&btf, outer, "second", &member));
	assert_false(btf_member(&btf, 1, "first", &member));
	assert_false(btf_member(&btf, 0, "first", &member));
	assert_false(btf_member(&btf, 99, "first", &member));
	assert_int_equal(btf_size(&btf, 99), 0);
	btf_free(&btf);
}

#define WIDE 16u /* nameless members of each level */
#define DEEP 7u	 /* levels */

/* Each structure has sixteen nameless ones in it: to look through all of them would take for ever. */
static void test_nesting(void **state)
{
	struct {
		uint32_t head[6], int_type[4], level[DEEP][3 + 3 * WIDE];
		char strings[sizeof(strings)];
	} section = {
		.head = {0xeb9f | 1 << 16, 24, 0, sizeof(section.int_type) + sizeof(section.level),
			 sizeof(section.int_type) + sizeof(section.level), sizeof(section.strings)},
		.int_type = {S_INT, INFO(INT, 0), 4, 32}};
	struct btf_member member;
	struct btf btf;

	(void)state;
	memcpy(section.strings, strings, sizeof(strings));
	for (unsigned i = 0; i < DEEP; i++) {
		section.level[i][0] = i ? 0 : S_OUTER;
		section.level[i][1] = INFO(STRUCT, WIDE);
		section.level[i][2] = 8;
		for (unsigned n = 0; n < WIDE; n++)
			section.level[i][3 + 3 * n + 1] = i + 1 < DEEP ? i + 3 : 1;
	}
	section.level[0][3 + 3 * (WIDE - 1)] = S_THIRD;
	assert_true(btf_read(&section, sizeof(section), &btf));
	assert_false(btf_member(&btf, btf_struct(&btf, "outer"), "third", &member));
	section.level[0][3] = S_THIRD;
	assert_true(btf_member(&btf, btf_struct(&btf, "outer"), "third", &member));
	assert_int_equal(member.offset, 0);
	btf_free(&btf);
}

static bool reads(const struct section *section, size_t size)
{
	struct btf btf;
	bool read = btf_read(section, size, &btf);

	btf_free(&btf);
	return read;
}

static void test_damaged(void **state)
{
	struct section section;

	(void)state;
	make(&section);
	for (size_t size = 0; size < offsetof(struct section, bytes) + sizeof(section.bytes);
	     size++)
		assert_false(reads(&section, size));
	section.magic ^= 1;
	assert_false(reads(&section, sizeof(section)));
	make(&section);
	section.header = UINT32_MAX;
	assert_false(reads(&section, sizeof(section)));
	make(&section);
	section.types_size--;
	assert_false(reads(&section, sizeof(section)));
	make(&section);
	section.types_size = 0;
	assert_false(reads(&section, sizeof(section)));
	make(&section);
	section.bytes[4 + 3] = 0; /* the first one is of no kind */
	assert_false(reads(&section, sizeof(section)));
	section.bytes[4 + 3] = 20; /* or of one that is not known */
	assert_false(reads(&section, sizeof(section)));
}

/* Whatever is in there, questions end. */
static void test_garbage(void **state)
{
	static const char *const names[] = {"outer", "inner", "list", "first", ""};
	struct section section;
	unsigned good = 0;

	(void)state;
	srandom(11);
	for (unsigned round = 0; round < 20000; round++) {
		struct btf btf;

		make(&section);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			section.bytes[(size_t)random() % sizeof(section.bytes)] = (uint8_t)random();
		if (!btf_read(&section, sizeof(section), &btf)) {
			btf_free(&btf);
			continue;
		}
		good++;
		for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
			struct btf_member member;

			assert_true(btf_struct(&btf, names[i]) <= btf.count);
			for (uint32_t type = 0; type <= btf.count + 1; type++)
				if (btf_member(&btf, type, names[i], &member))
					btf_size(&btf, member.type);
		}
		btf_free(&btf);
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
