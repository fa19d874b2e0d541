// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/page_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FANOUT_BITS 9
#define FANOUT	    (1u << FANOUT_BITS)

/* Both begin with their count of owners. A node of level 1 has pages for children, one of level n nodes
 * of level n - 1. */
struct page {
	unsigned refs;
	uint8_t bytes[TREE_PAGE];
};

struct node {
	unsigned refs;
	void *child[FANOUT];
};

static unsigned slot_of(uint64_t index, unsigned level)
{
	return index >> (FANOUT_BITS * (level - 1)) & (FANOUT - 1);
}

/* Page indices that a child of a node of this level covers. */
static uint64_t span(unsigned level)
{
	return 1ull << (FANOUT_BITS * (level - 1));
}

bool page_is_zero(const uint8_t *bytes)
{
	return bytes[0] == 0 && !memcmp(bytes, bytes + 1, TREE_PAGE - 1);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct page_tree page_tree_new(uint64_t pages)
{
	struct page_tree tree = {.pages = pages, .levels = 1};

	while (tree.levels < 7 && pages > FANOUT * span(tree.levels))
		tree.levels++;
	return tree;
}

static void *share(void *child)
{
	if (child)
		++*(unsigned *)child;
	return child;
}

struct page_tree page_tree_copy(const struct page_tree *tree)
{
	struct page_tree copy = *tree;

	share(copy.root);
	return copy;
}

static void release(void *child, unsigned level)
{
	struct node *node = child;

	if (!child || --*(unsigned *)child)
		return;
	for (unsigned i = 0; level > 0 && i < FANOUT; i++)
		release(node->child[i], level - 1);
	free(child);
}

void page_tree_free(struct page_tree *tree)
{
	release(tree->root, tree->levels);
	tree->root = NULL;
}

/* ---- one page ------------------------------------------------------------------------------ */

const uint8_t *page_tree_get(const struct page_tree *tree, uint64_t index)
{
	const struct node *node = tree->root;

	for (unsigned level = tree->levels; node && level > 0; level--)
		node = node->child[slot_of(index, level)];
	return node ? ((const struct page *)node)->bytes : NULL;
}

/* Makes *link a node that nobody shares. */
static struct node *own(void **link)
{
	struct node *old = *link, *node;

	if (old && old->refs == 1)
		return old;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->refs = 1;
	for (unsigned i = 0; old && i < FANOUT; i++)
		node->child[i] = share(old->child[i]);
	if (old)
		old->refs--;
	*link = node;
	return node;
}

static struct page *new_page(const uint8_t *bytes)
{
	struct page *page = malloc(sizeof(*page));

	if (!page)
		return NULL;
	page->refs = 1;
	memcpy(page->bytes, bytes, TREE_PAGE);
	return page;
}

int page_tree_set(struct page_tree *tree, uint64_t index, const uint8_t *bytes)
{
	void **link = &tree->root;
	struct page *page = NULL;

	if (bytes && !page_is_zero(bytes)) {
		page = new_page(bytes);
		if (!page)
			return -ENOMEM;
	} else if (!page_tree_get(tree, index)) {
		return 0;
	}
	for (unsigned level = tree->levels; level > 0; level--) {
		struct node *node = own(link);

		if (!node) {
			free(page);
			return -ENOMEM;
		}
		link = &node->child[slot_of(index, level)];
	}
	release(*link, 0);
	*link = page;
	return 0;
}

/* ---- many ---------------------------------------------------------------------------------- */

/* What is shared is the same, whole branches of it. */
static int compare(const void *a, const void *b, unsigned level, uint64_t first, page_tree_fn *fn,
		   void *ctx)
{
	const struct node *node_a = a, *node_b = b;
	int rc = 0;

	if (a == b)
		return 0;
	if (level == 0)
		return fn(ctx, first);
	for (unsigned i = 0; rc == 0 && i < FANOUT; i++)
		rc = compare(node_a ? node_a->child[i] : NULL, node_b ? node_b->child[i] : NULL,
			     level - 1, first + i * span(level), fn, ctx);
	return rc;
}

int page_tree_differences(const struct page_tree *a, const struct page_tree *b, page_tree_fn *fn,
			  void *ctx)
{
	return compare(a->root, b->root, a->levels, 0, fn, ctx);
}

int page_tree_pages(const struct page_tree *tree, page_tree_fn *fn, void *ctx)
{
	return compare(tree->root, NULL, tree->levels, 0, fn, ctx);
}
