// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_debug.h"
#include "monitor/symbols.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct symbols *symbols;
	struct error err;
	const void *image;
	size_t size;

	image = fixture_image(&size);
	if (!image || symbols_load(image, size, &symbols, &err))
		return -1;
	*state = symbols;
	return 0;
}

static int teardown(void **state)
{
	symbols_free(*state);
	return 0;
}

static uint64_t address_of(struct symbols *symbols, const char *name)
{
	uint64_t address = 0;

	assert_int_equal(symbols_find(symbols, name, &address, NULL), 0);
	return address;
}

static void test_find(void **state)
{
	uint64_t address, size;

	assert_int_equal(symbols_find(*state, "counter", &address, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(symbols_find(*state, "shared", &address, &size), 0);
	assert_int_equal(size, 8);
	assert_int_equal(address_of(*state, "twice"), 0x200000);
	assert_int_equal(symbols_find(*state, "no_such_name", &address, NULL), -ENOENT);
	assert_int_equal(symbols_find(*state, "", &address, NULL), -ENOENT);
	assert_int_equal(symbols_find(NULL, "counter", &address, NULL), -ENOENT);
}

static void check_name(struct symbols *symbols, uint64_t address, const char *wanted,
		       uint64_t distance)
{
	uint64_t offset = 0;
	const char *name = symbols_name(symbols, address, &offset);

	assert_non_null(name);
	assert_string_equal(name, wanted);
	assert_int_equal(offset, distance);
}

static void test_name(void **state)
{
	uint64_t offset, bare = address_of(*state, "bare");

	check_name(*state, address_of(*state, "add_one"), "add_one", 0);
	check_name(*state, address_of(*state, "add_one") + 5, "add_one", 5);
	check_name(*state, address_of(*state, "shared") + 7, "shared", 7);
	check_name(*state, bare + 1, "bare", 1); /* a label inside a function does not hide it */
	check_name(*state, bare + 3, "label_only", 1);
	assert_null(symbols_name(*state, 0, &offset));
	assert_null(symbols_name(*state, 0x1fffff, &offset));
	assert_null(symbols_name(*state, 0x300000, &offset));
	assert_null(symbols_name(*state, UINT64_MAX, &offset));
	assert_null(symbols_name(NULL, 0x200000, &offset));
}

/* A name that would turn the terminal red. */
static void test_names_are_printable(void **state)
{
	uint64_t address = address_of(*state, "label_only") + 2;

	check_name(*state, address, "evil\\x1b[31mname", 0);
}

static void check_line(struct symbols *symbols, uint64_t address, int wanted)
{
	const char *file = NULL;
	int line = 0;

	assert_int_equal(symbols_line(symbols, address, &file, &line), 0);
	assert_int_equal(line, wanted);
	assert_non_null(strstr(file, "tests/monitor/fixture/fixture.c"));
}

static void test_line(void **state)
{
	const char *file;
	int line;

	check_line(*state, address_of(*state, "add_one"), 18);
	check_line(*state, address_of(*state, "twice"), 11);
	assert_int_equal(symbols_line(*state, address_of(*state, "counter"), &file, &line),
			 -ENOENT);
	assert_int_equal(symbols_line(*state, 0, &file, &line), -ENOENT);
	assert_int_equal(symbols_line(NULL, 0x200000, &file, &line), -ENOENT);
}

static void test_line_address(void **state)
{
	uint64_t address, low, high;
	int found;

	assert_int_equal(symbols_line_address(*state, "fixture.c", 21, &address, &found), 0);
	assert_int_equal(found, 21);
	check_line(*state, address, 21);
	assert_int_equal(symbols_line_range(*state, address, &low, &high), 0);
	assert_true(low == address && high > low);
	check_line(*state, high - 1, 21);
	check_line(*state, high, 22);
	assert_int_equal(symbols_line_address(*state, "fixture/fixture.c", 20, &address, &found),
			 0);
	assert_int_equal(found, 21); /* line 20 is empty */
	assert_int_equal(symbols_line_address(*state, symbols_file(*state, "fixture.c"), 21,
					      &address, &found),
			 0);
	assert_int_equal(symbols_line_address(*state, "ixture.c", 21, &address, &found), -ENOENT);
	assert_int_equal(symbols_line_address(*state, "", 21, &address, &found), -ENOENT);
	assert_int_equal(symbols_line_address(*state, "fixture.c", 9999, &address, &found),
			 -ENOENT);
	assert_int_equal(symbols_line_address(NULL, "fixture.c", 21, &address, &found), -ENOENT);
}

static void test_file(void **state)
{
	assert_non_null(strstr(symbols_file(*state, "fixture.c"), "/fixture.c"));
	assert_int_equal(symbols_file(*state, "fixture.c")[0], '/');
	assert_ptr_equal(symbols_file(*state, "fixture.c"), symbols_file(*state, "fixture.c"));
	assert_null(symbols_file(*state, "other.c"));
}

/* Behind the frame's set-up, on the first line of the body; a function without one at its start. */
static void test_breakpoint_address(void **state)
{
	uint64_t start = address_of(*state, "add_one"), bare = address_of(*state, "bare");
	uint64_t address = symbols_breakpoint_address(*state, start);

	assert_true(address > start);
	check_line(*state, address, 19);
	check_line(*state, address - 1, 18);
	assert_int_equal(symbols_breakpoint_address(*state, bare), bare);
	assert_int_equal(symbols_breakpoint_address(*state, 0x123), 0x123);
	assert_int_equal(symbols_breakpoint_address(NULL, start), start);
}

static void test_next(void **state)
{
	size_t cursor = 0;

	assert_string_equal(symbols_next(*state, "bare", &cursor), "bare");
	assert_string_equal(symbols_next(*state, "bare", &cursor), "bare_inside");
	assert_null(symbols_next(*state, "bare", &cursor));
	cursor = 0;
	assert_null(symbols_next(*state, "zzz", &cursor));
	cursor = 0;
	assert_null(symbols_next(NULL, "", &cursor));
}

static void test_no_elf(void **state)
{
	struct symbols *symbols = (void *)1;
	struct error err = {0};
	uint64_t address;

	(void)state;
	assert_int_equal(
		symbols_load("no ELF file, but long enough to be read as one's header .......", 64,
			     &symbols, &err),
		-ENOEXEC);
	assert_null(symbols);
	assert_non_null(strstr(err.text, "not an ELF file"));
	assert_int_equal(symbols_load(NULL, 0, &symbols, &err), 0);
	assert_int_equal(symbols_find(symbols, "main", &address, NULL), -ENOENT);
	symbols_free(symbols);
}

struct maker {
	const void *bytes;
	size_t size;
	unsigned asked;
};

static const void *make(void *ctx, size_t *size)
{
	struct maker *maker = ctx;

	maker->asked++;
	*size = maker->size;
	return maker->bytes;
}

/* Where they are is known without them. */
static void test_made_when_asked(void **state)
{
	struct maker maker = {0};
	struct symbols *symbols = NULL;
	uint64_t address, there;

	maker.bytes = symbols_file_bytes(*state, &maker.size);
	assert_int_equal(symbols_later(make, &maker, &symbols, NULL), 0);
	symbols_set_offset(symbols, 0x1000);
	assert_int_equal(symbols_offset(symbols), 0x1000);
	assert_int_equal(maker.asked, 0);
	assert_int_equal(symbols_find(symbols, "add_one", &address, NULL), 0);
	assert_int_equal(symbols_find(*state, "add_one", &there, NULL), 0);
	assert_int_equal(address, there + 0x1000);
	assert_int_equal(symbols_find(symbols, "no such name", &address, NULL), -ENOENT);
	assert_non_null(symbols_frames(symbols));
	assert_int_equal(maker.asked, 1);
	symbols_free(symbols);
	assert_int_equal(symbols_later(make, &maker, &symbols, NULL), 0);
	symbols_free(symbols);
	assert_int_equal(maker.asked, 1);
}

/* Nothing, or nothing that is ELF: asked for once all the same. */
static void test_cannot_be_made(void **state)
{
	static const char nonsense[] =
		"no ELF file, but long enough to be read as one's header .......";
	struct maker makers[] = {{NULL, 0, 0}, {nonsense, sizeof(nonsense), 0}};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct symbols *symbols = NULL;
		const char *file;
		uint64_t address;
		size_t size;
		int line;

		assert_int_equal(symbols_later(make, &makers[i], &symbols, NULL), 0);
		assert_int_equal(symbols_line(symbols, 0x1000, &file, &line), -ENOENT);
		assert_int_equal(symbols_find(symbols, "main", &address, NULL), -ENOENT);
		assert_null(symbols_file_bytes(symbols, &size));
		assert_null(symbols_orc(symbols));
		assert_int_equal(makers[i].asked, 1);
		symbols_free(symbols);
	}
}

static void ask_everything(struct symbols *symbols)
{
	size_t cursor = 0;
	uint64_t value;
	const char *text;
	int line;

	symbols_find(symbols, "add_one", &value, NULL);
	symbols_name(symbols, 0x200020, &value);
	symbols_line(symbols, 0x200020, &text, &line);
	symbols_line_address(symbols, "fixture.c", 21, &value, &line);
	symbols_breakpoint_address(symbols, 0x200014);
	while (symbols_next(symbols, "", &cursor))
		;
}

/* The image is the guest's: cut anywhere, or with bytes turned, it may know less, and no more. */
static void test_hostile_images(void **state)
{
	size_t size;
	const char *image = fixture_image(&size);
	char *copy = malloc(size);
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		size_t length = round % 3 ? size : (size_t)rand_r(&seed) % size;
		struct symbols *symbols = NULL;

		memcpy(copy, image, size);
		for (unsigned i = 0; i < round % 8; i++) {
			size_t at = round % 2 ? (size_t)rand_r(&seed) % 64
					      : (size_t)rand_r(&seed) % size;

			copy[at] = rand_r(&seed);
		}
		if (!symbols_load(copy, length, &symbols, NULL))
			ask_everything(symbols);
		symbols_free(symbols);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_names_are_printable),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_address),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_breakpoint_address),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_made_when_asked),
		cmocka_unit_test(test_cannot_be_made),
		cmocka_unit_test(test_hostile_images),
	};

	return cmocka_run_group_tests_name("symbols", tests, setup, teardown);
}
