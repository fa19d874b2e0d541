// SPDX-License-Identifier: GPL-3.0-or-later
/* Pictures of RAM that share pages, against plain copies. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "machine/page_tree.h"

#include <stdlib.h>
#include <string.h>

#define PAGES	 1500 /* two levels */
#define PICTURES 6

static const uint8_t *page_of(unsigned value)
{
	static uint8_t bytes[TREE_PAGE];

	memset(bytes, (int)(value & 0xff), sizeof(bytes));
	memcpy(bytes + TREE_PAGE - sizeof(value), &value, sizeof(value));
	return bytes;
}

static unsigned value_at(const struct page_tree *tree, uint64_t index)
{
	const uint8_t *bytes = page_tree_get(tree, index);
	unsigned value = 0;

	if (bytes)
		memcpy(&value, bytes + TREE_PAGE - sizeof(value), sizeof(value));
	return value;
}

static void test_starts_with_zeros(void **state)
{
	struct page_tree tree = page_tree_new(PAGES);

	(void)state;
	for (uint64_t i = 0; i < PAGES; i++)
		assert_null(page_tree_get(&tree, i));
	assert_int_equal(page_tree_set(&tree, 7, page_of(0)), 0);
	assert_null(tree.root);
	page_tree_free(&tree);
}

static void test_a_page_of_zeros_is_none(void **state)
{
	struct page_tree tree = page_tree_new(PAGES);

	(void)state;
	assert_int_equal(page_tree_set(&tree, 1400, page_of(3)), 0);
	assert_int_equal(value_at(&tree, 1400), 3);
	assert_int_equal(page_tree_set(&tree, 1400, page_of(0)), 0);
	assert_null(page_tree_get(&tree, 1400));
	assert_int_equal(page_tree_set(&tree, 1400, page_of(4)), 0);
	assert_int_equal(page_tree_set(&tree, 1400, NULL), 0);
	assert_null(page_tree_get(&tree, 1400));
	page_tree_free(&tree);
}

static void test_zeros_are_seen_to_the_last_byte(void **state)
{
	uint8_t bytes[TREE_PAGE] = {0};

	(void)state;
	assert_true(page_is_zero(bytes));
	for (unsigned i = 0; i < TREE_PAGE; i++) {
		bytes[i] = 1;
		assert_false(page_is_zero(bytes));
		bytes[i] = 0;
	}
}

/* What is not changed is the same memory, not a copy. */
static void test_copies_share(void **state)
{
	struct page_tree a = page_tree_new(PAGES), b;

	(void)state;
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(page_tree_set(&a, i, page_of(i + 1)), 0);
	b = page_tree_copy(&a);
	assert_int_equal(page_tree_set(&b, 600, page_of(9999)), 0);
	for (unsigned i = 0; i < PAGES; i++) {
		assert_int_equal(value_at(&a, i), i + 1);
		assert_int_equal(value_at(&b, i), i == 600 ? 9999 : i + 1);
		assert_true((page_tree_get(&a, i) == page_tree_get(&b, i)) == (i != 600));
	}
	page_tree_free(&a);
	assert_int_equal(value_at(&b, 601), 602);
	page_tree_free(&b);
}

struct found {
	unsigned count;
	uint64_t last;
	bool seen[PAGES];
};

static int note(void *ctx, uint64_t index)
{
	struct found *found = ctx;

	assert_true(index < PAGES);
	assert_true(found->count == 0 || index > found->last);
	found->seen[index] = true;
	found->last = index;
	found->count++;
	return 0;
}

static int stop_at_once(void *ctx, uint64_t index)
{
	(void)index;
	++*(unsigned *)ctx;
	return -5;
}

static void test_a_walk_can_be_ended(void **state)
{
	struct page_tree tree = page_tree_new(PAGES);
	unsigned calls = 0;

	(void)state;
	assert_int_equal(page_tree_set(&tree, 3, page_of(1)), 0);
	assert_int_equal(page_tree_set(&tree, 900, page_of(2)), 0);
	assert_int_equal(page_tree_pages(&tree, stop_at_once, &calls), -5);
	assert_int_equal(calls, 1);
	page_tree_free(&tree);
}

/* Pictures are copied, changed and dropped at random; each must stay what its own array says. */
static void check(struct page_tree *tree, unsigned (*model)[PAGES])
{
	for (unsigned p = 0; p < PICTURES; p++) {
		struct found found = {0};

		page_tree_pages(&tree[p], note, &found);
		for (unsigned i = 0; i < PAGES; i++) {
			assert_int_equal(value_at(&tree[p], i), model[p][i]);
			assert_int_equal(found.seen[i], model[p][i] != 0);
		}
	}
	for (unsigned p = 1; p < PICTURES; p++) {
		struct found found = {0};

		page_tree_differences(&tree[0], &tree[p], note, &found);
		for (unsigned i = 0; i < PAGES; i++)
			if (model[0][i] != model[p][i])
				assert_true(found.seen[i]);
	}
}

static void test_at_random(void **state)
{
	static unsigned model[PICTURES][PAGES];
	struct page_tree tree[PICTURES];
	unsigned seed = 1;

	(void)state;
	for (unsigned p = 0; p < PICTURES; p++)
		tree[p] = page_tree_new(PAGES);
	for (unsigned round = 0; round < 3000; round++) {
		unsigned p = (unsigned)rand_r(&seed) % PICTURES;
		unsigned q = (unsigned)rand_r(&seed) % PICTURES;
		unsigned i = (unsigned)rand_r(&seed) % PAGES;

		if (round % 40 == 0 && p != q) {
			page_tree_free(&tree[p]);
			tree[p] = page_tree_copy(&tree[q]);
			memcpy(model[p], model[q], sizeof(model[p]));
		}
		model[p][i] = (unsigned)rand_r(&seed) % 4;
		assert_int_equal(page_tree_set(&tree[p], i, page_of(model[p][i])), 0);
		if (round % 300 == 0)
			check(tree, model);
	}
	check(tree, model);
	for (unsigned p = 0; p < PICTURES; p++)
		page_tree_free(&tree[p]);
}

/* A tree for an odd number of pages, and one so large that it needs many levels. */
static void test_sizes(void **state)
{
	const uint64_t sizes[] = {1, 511, 512, 513, 512ull * 512, 512ull * 512 + 1, 1ull << 28};

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct page_tree tree = page_tree_new(sizes[i]);

		assert_int_equal(page_tree_set(&tree, sizes[i] - 1, page_of(5)), 0);
		assert_int_equal(page_tree_set(&tree, 0, page_of(6)), 0);
		assert_int_equal(value_at(&tree, sizes[i] - 1), sizes[i] == 1 ? 6 : 5);
		assert_int_equal(value_at(&tree, 0), 6);
		page_tree_free(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_with_zeros),
		cmocka_unit_test(test_a_page_of_zeros_is_none),
		cmocka_unit_test(test_zeros_are_seen_to_the_last_byte),
		cmocka_unit_test(test_copies_share),
		cmocka_unit_test(test_a_walk_can_be_ended),
		cmocka_unit_test(test_at_random),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
