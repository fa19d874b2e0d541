/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A picture of guest RAM, page by page. Pictures share what is the same: a copy costs nothing, and a page
 * that is set in one of them costs itself and the few nodes that lead to it. Pages of zeros cost nothing
 * at all. Not for several threads at once.
 */
#ifndef MACHINE_PAGE_TREE_H
#define MACHINE_PAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define TREE_PAGE 4096

struct page_tree {
	uint64_t pages; /* indices are below this */
	unsigned levels;
	void *root; /* NULL: all zeros */
};

/* All zeros. */
struct page_tree page_tree_new(uint64_t pages);
struct page_tree page_tree_copy(const struct page_tree *tree);
void page_tree_free(struct page_tree *tree); /* leaves all zeros */

/* NULL: a page of zeros. Valid until the page is set in this tree, or the last tree that has it goes. */
const uint8_t *page_tree_get(const struct page_tree *tree, uint64_t index);
/* Copies the page; NULL, or zeros, for zeros. -ENOMEM: the tree is as it was. */
int page_tree_set(struct page_tree *tree, uint64_t index, const uint8_t *bytes);

/* Calls fn in ascending order until it returns other than 0, and returns that.
 * _differences: for pages that two trees of one size do not share; they may hold the same bytes.
 * _pages: for those that are not zeros. */
typedef int page_tree_fn(void *ctx, uint64_t index);
int page_tree_differences(const struct page_tree *a, const struct page_tree *b, page_tree_fn *fn,
			  void *ctx);
int page_tree_pages(const struct page_tree *tree, page_tree_fn *fn, void *ctx);

bool page_is_zero(const uint8_t *bytes);

#endif
