// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Watches that debug registers carry, where other watches have protected pages. An access to such a page is done by
 * KVM or by vitrine in place of the guest, and nobody looks at debug registers then. So those watches are looked at
 * with the page. An access may also begin or end on the page beside it, and is done as a whole: so a watch close to a
 * protected page has its own page protected, too, if that can be.
 */
#include "debug/pages.h"

#include "debug/core_points.h"

#include <errno.h>

#define PAGE 4096ull
/* An access with one foot on the next page; only what saves the whole state of an FPU is longer. */
#define LONGEST_ACCESS 64ull

static bool is_protected(const struct pages *pages, uint64_t gpa)
{
	for (unsigned i = 0; i < pages->run_count; i++)
		if (gpa - pages->run[i].gpa < pages->run[i].size)
			return true;
	return false;
}

static int find_protected(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct page_adding *a = ctx;

	(void)linear;
	return is_protected(a->pages, gpa) || is_protected(a->pages, gpa + size - 1) ? -EEXIST : 0;
}

/* Whether so many bytes from there on have a protected page among them. */
static bool any_protected(struct debug *debug, struct core_point *point, uint64_t address,
			  uint64_t length)
{
	struct page_adding a = {debug->pages, point};
	struct point_spec spec = point->point.spec;
	uint64_t missing;

	spec.address = address;
	spec.length = length;
	return page_each_mapping(debug, &spec, find_protected, &a, &missing) == -EEXIST;
}

static bool lies_beside(struct debug *debug, struct core_point *point)
{
	const struct point_spec *spec = &point->point.spec;
	const uint64_t reach = LONGEST_ACCESS - 1, end = spec->address + spec->length;

	return !any_protected(debug, point, spec->address, spec->length) &&
	       ((spec->address % PAGE < reach &&
		 any_protected(debug, point, spec->address - reach, reach)) ||
		((end - 1 + reach) % PAGE < reach && any_protected(debug, point, end, reach)));
}

static int protect(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct page_adding *a = ctx;

	(void)linear;
	return page_add_run(a->pages, gpa, size, page_access_for(a->point->point.spec.kind));
}

static int look_there(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct page_adding *a = ctx;
	const struct page_piece piece = {
		.gpa = gpa, .size = size, .linear = linear, .point = a->point};

	return is_protected(a->pages, gpa) ? page_add_piece(a->pages, &piece) : 0;
}

static struct core_point *next_by_slot(struct core_point *p)
{
	while (p && !(p->enabled && p->rung == RUNG_SLOT && core_is_watch(p->point.spec.kind)))
		p = p->next;
	return p;
}

/* Each page that this protects may have further watches beside it. One that has got its page lies beside none. */
static int protect_beside(struct debug *debug)
{
	bool more = true;
	int rc = 0;

	while (more && rc == 0) {
		more = false;
		for (struct core_point *p = next_by_slot(debug->points); p && rc == 0;
		     p = next_by_slot(p->next)) {
			struct error why = {0};

			if (!lies_beside(debug, p) || !core_pages_carry(debug, p, &why))
				continue;
			rc = page_add_point(debug, p, protect);
			more = true;
		}
	}
	return rc;
}

int page_add_beside(struct debug *debug)
{
	int rc = protect_beside(debug);

	for (struct core_point *p = next_by_slot(debug->points); p && rc == 0;
	     p = next_by_slot(p->next))
		rc = page_add_point(debug, p, look_there);
	return rc;
}
