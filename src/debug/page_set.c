// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From watches to pages. Each launch translates anew, through the paging of every vCPU, because the guest
 * may have mapped the address elsewhere meanwhile; as long as that gives the same pages nothing is changed
 * for the guest, and while the machine stands still the protection stays: nobody of ours is hindered by it.
 */
#include "debug/pages.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE	  4096ull
#define PAGE_MASK (PAGE - 1)

int core_pages_create(struct debug *debug, struct error *err)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (!pages)
		return error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&pages->queue.lock, NULL);
	pthread_cond_init(&pages->queue.moved, NULL);
	pthread_mutex_init(&pages->lock, NULL);
	debug->pages = pages;
	pages->vcpu = calloc(debug->machine->vcpu_count, sizeof(*pages->vcpu));
	return pages->vcpu ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* The machine goes on without a debugger, and nothing may exit then. */
void core_pages_destroy(struct debug *debug)
{
	struct pages *pages = debug->pages;

	if (!pages)
		return;
	if (pages->run_count)
		memory_protect(debug->machine->memory, NULL, 0, NULL);
	pthread_mutex_destroy(&pages->lock);
	pthread_mutex_destroy(&pages->queue.lock);
	pthread_cond_destroy(&pages->queue.moved);
	for (unsigned i = 0; pages->vcpu && i < debug->machine->vcpu_count; i++)
		free(pages->vcpu[i].lift);
	free(pages->vcpu);
	free(pages->seen);
	free(pages->piece);
	free(pages->reach);
	free(pages->run);
	free(pages);
	debug->pages = NULL;
}

/* ---- the range of a watch, stretch by stretch --------------------------------------------- */

/* How much of what is left lies behind this address without a break. */
static uint64_t stretch_size(const struct paging_walk *walk, uint64_t linear, uint64_t left)
{
	uint64_t room = walk->page_size - (linear & (walk->page_size - 1));

	return walk->levels == 0 || room > left ? left : room;
}

/* -EFAULT with *missing at the first address that is not mapped. */
static int each_stretch(struct debug *debug, const struct point_spec *spec, struct vcpu *vcpu,
			page_stretch_fn *fn, void *ctx, uint64_t *missing)
{
	for (uint64_t done = 0; done < spec->length;) {
		struct paging_walk walk;
		uint64_t size;
		int rc;

		*missing = spec->address + done;
		if (core_point_walk(debug, spec, vcpu, *missing, &walk) != PAGING_OK)
			return -EFAULT;
		size = stretch_size(&walk, *missing, spec->length - done);
		rc = fn(ctx, *missing, walk.gpa, size);
		if (rc < 0)
			return rc;
		done += size;
	}
	return 0;
}

bool page_waits_for_start(struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	return !state || state->events.run_state == CPU_WAIT_INIT ||
	       state->events.run_state == CPU_WAIT_SIPI;
}

static bool same_regs(const struct paging_regs *a, const struct paging_regs *b)
{
	return a->cr0 == b->cr0 && a->cr3 == b->cr3 && a->cr4 == b->cr4 && a->efer == b->efer &&
	       a->phys_bits == b->phys_bits;
}

/* Whether an earlier vCPU translates as this one does. */
static bool same_paging(struct debug *debug, unsigned i)
{
	const struct cpu_state *state = vcpu_state(&debug->machine->vcpus[i], CPU_SYSTEM);
	struct paging_regs regs = paging_regs_of(state ? state : &debug->machine->vcpus[i].state);

	for (unsigned j = 0; j < i; j++) {
		struct vcpu *other = &debug->machine->vcpus[j];
		struct paging_regs its;

		if (page_waits_for_start(other) || !vcpu_state(other, CPU_SYSTEM))
			continue;
		its = paging_regs_of(&other->state);
		if (same_regs(&its, &regs))
			return true;
	}
	return false;
}

/* For every address space that vCPUs are in. */
int page_each_mapping(struct debug *debug, const struct point_spec *spec, page_stretch_fn *fn,
		      void *ctx, uint64_t *missing)
{
	int rc = -EFAULT;

	*missing = spec->address;
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct vcpu *vcpu = &debug->machine->vcpus[i];
		int one;

		if (page_waits_for_start(vcpu) || same_paging(debug, i))
			continue;
		one = each_stretch(debug, spec, vcpu, fn, ctx, missing);
		if (one < 0 && one != -EFAULT)
			return one;
		rc = rc == 0 ? 0 : one;
		if (spec->physical || (spec->limit.by & LIMIT_CR3))
			break;
	}
	return rc;
}

/* ---- pieces and runs ---------------------------------------------------------------------- */

/* The array with room for one more; NULL, and the array as it was, when there is no memory. */
static void *with_room(void *array, unsigned *room, unsigned count, size_t size)
{
	unsigned more = *room ? *room * 2 : 16;
	void *bigger;

	if (count < *room)
		return array;
	bigger = reallocarray(array, more, size);
	if (bigger)
		*room = more;
	return bigger;
}

int page_add_piece(struct pages *pages, const struct page_piece *piece)
{
	struct page_piece *last = pages->count ? &pages->piece[pages->count - 1] : NULL, *more;

	if (last && last->point == piece->point && last->gpa + last->size == piece->gpa &&
	    last->linear + last->size == piece->linear) {
		last->size += piece->size;
		return 0;
	}
	more = with_room(pages->piece, &pages->room, pages->count, sizeof(*pages->piece));
	if (!more)
		return -ENOMEM;
	pages->piece = more;
	pages->piece[pages->count++] = *piece;
	return 0;
}

static int append_run(struct pages *pages, uint64_t gpa, uint64_t size, enum memory_access access)
{
	struct memory_run *more = with_room(pages->run, &pages->run_room, pages->run_count,
					    sizeof(*pages->run));

	if (!more)
		return -ENOMEM;
	pages->run = more;
	pages->run[pages->run_count++] = (struct memory_run){gpa, size, access};
	return 0;
}

int page_add_run(struct pages *pages, uint64_t gpa, uint64_t size, enum memory_access access)
{
	uint64_t first = gpa & ~PAGE_MASK, end = (gpa + size + PAGE_MASK) & ~PAGE_MASK;
	struct memory_run *last = pages->run_count ? &pages->run[pages->run_count - 1] : NULL;

	if (!last || last->access != access || first < last->gpa || first > last->gpa + last->size)
		return append_run(pages, first, end - first, access);
	if (end > last->gpa + last->size)
		last->size = end - last->gpa;
	return 0;
}

enum memory_access page_access_for(enum point_kind kind)
{
	return kind == POINT_WRITE ? MEMORY_READ_ONLY : MEMORY_WITHDRAWN;
}

static int add_stretch(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct page_adding *a = ctx;
	const struct page_piece piece = {
		.gpa = gpa, .size = size, .linear = linear, .point = a->point};
	int rc = page_add_piece(a->pages, &piece);

	if (rc < 0 || a->point->rung == RUNG_COMPARE)
		return rc;
	return page_add_run(a->pages, gpa, size, page_access_for(a->point->point.spec.kind));
}

int page_add_point(struct debug *debug, struct core_point *point, page_stretch_fn *add)
{
	struct page_adding a = {debug->pages, point};
	uint64_t missing;
	int rc = page_each_mapping(debug, &point->point.spec, add, &a, &missing);

	return rc == -EFAULT ? 0 : rc;
}

/* ---- in order, to be found --------------------------------------------------------------- */

static int by_gpa(const void *a, const void *b)
{
	const struct page_piece *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

static int sort_pieces(struct pages *pages)
{
	uint64_t reach = 0;

	if (!pages->count)
		return 0;
	free(pages->reach);
	pages->reach = calloc(pages->count, sizeof(*pages->reach));
	if (!pages->reach)
		return -ENOMEM;
	qsort(pages->piece, pages->count, sizeof(*pages->piece), by_gpa);
	for (unsigned i = 0; i < pages->count; i++) {
		uint64_t end = pages->piece[i].gpa + pages->piece[i].size;

		pages->reach[i] = reach = end > reach ? end : reach;
	}
	return 0;
}

/* The first piece that begins at gpa or behind it. */
static unsigned first_from(const struct pages *pages, uint64_t gpa)
{
	unsigned low = 0, high = pages->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (pages->piece[middle].gpa < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Backwards from the first that begins behind it, until nothing reaches that far. */
void page_each_touched(const struct pages *pages, uint64_t gpa, uint64_t size, page_touch_fn *fn,
		       void *ctx)
{
	for (unsigned i = first_from(pages, gpa + size); i-- > 0 && pages->reach[i] > gpa;)
		if (pages->piece[i].gpa + pages->piece[i].size > gpa)
			fn(ctx, &pages->piece[i]);
}

/* ---- pages that are open for a moment ------------------------------------------------------ */

/* The run without this page: what lies before it, and what lies behind it. */
static int cut_out(struct pages *pages, unsigned i, uint64_t page)
{
	struct memory_run *run = &pages->run[i];
	uint64_t end = run->gpa + run->size;
	enum memory_access access = run->access;

	run->size = page - run->gpa;
	return end > page + PAGE ? append_run(pages, page + PAGE, end - (page + PAGE), access) : 0;
}

static int leave_out(struct pages *pages, uint64_t page)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < pages->run_count; i++)
		if (page - pages->run[i].gpa < pages->run[i].size)
			rc = cut_out(pages, i, page);
	return rc;
}

static int leave_out_lifted(struct debug *debug)
{
	int rc = 0;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		for (unsigned n = 0; rc == 0 && n < debug->pages->vcpu[i].lifted; n++)
			rc = leave_out(debug->pages, debug->pages->vcpu[i].lift[n].gpa);
	return rc;
}

/* ---- planting ---------------------------------------------------------------------------- */

static void tell_failure(struct pages *pages, const struct error *err)
{
	if (!pages->warned)
		log_warn("debug", "watches are not armed: %s", err->text);
	pages->warned = true;
}

/* The code that it runs through stays as it is. */
static int add_sprint(struct pages *pages, const struct core_vcpu *v)
{
	int rc = 0;

	for (unsigned i = 0; v->aside.sprint && i < v->sprint.code_count && rc == 0; i++)
		rc = page_add_run(pages, v->sprint.code[i].gpa, v->sprint.code[i].size,
				  MEMORY_READ_ONLY);
	return rc;
}

static int collect(struct debug *debug)
{
	struct pages *pages = debug->pages;
	int rc = 0;

	pages->count = pages->run_count = 0;
	for (struct core_point *p = debug->points; p && rc == 0; p = p->next)
		if (p->enabled && (p->rung == RUNG_PAGE || p->rung == RUNG_COMPARE))
			rc = page_add_point(debug, p, add_stretch);
	for (unsigned i = 0; i < pages->code_count && rc == 0; i++)
		if (page_is_covered(debug, i))
			rc = page_add_run(pages, pages->code[i].gpa, PAGE, MEMORY_READ_ONLY);
	for (unsigned i = 0; i < debug->machine->vcpu_count && rc == 0; i++)
		rc = add_sprint(pages, &debug->vcpu[i]);
	if (rc == 0 && pages->run_count)
		rc = page_add_beside(debug);
	if (rc == 0)
		rc = leave_out_lifted(debug);
	if (rc == 0)
		rc = sort_pieces(pages);
	return rc < 0 ? rc : page_see_all(debug);
}

void core_pages_plant(struct debug *debug)
{
	struct pages *pages = debug->pages;
	struct error err = {0};
	int rc = collect(debug);

	if (rc < 0)
		error_set(&err, rc, "out of memory");
	else
		rc = memory_protect(debug->machine->memory, pages->run, pages->run_count, &err);
	if (rc < 0) {
		pages->count = 0;
		tell_failure(pages, &err);
	}
	pages->warned = rc < 0;
}

bool core_pages_any(const struct debug *debug)
{
	return debug->pages->run_count > 0;
}
