// SPDX-License-Identifier: GPL-3.0-or-later
#include "debug/pages.h"

#include "debug/ladder.h"

#include <errno.h>
#include <stdlib.h>

/* What a launch copies, and a step may have to look through. */
#define MOST_BYTES (1ull << 20)

static bool is_compared(const struct core_point *point)
{
	return point->enabled && point->rung == RUNG_COMPARE;
}

struct core_point *core_compare_point(const struct debug *debug)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (is_compared(p))
			return p;
	return NULL;
}

/* ---- whether it can be ------------------------------------------------------------------- */

static uint64_t bytes_of_others(const struct debug *debug, const struct core_point *point)
{
	uint64_t bytes = 0;

	for (const struct core_point *p = debug->points; p; p = p->next)
		bytes += p != point && is_compared(p) ? p->point.spec.length : 0;
	return bytes;
}

struct checking {
	struct debug *debug;
	struct error *err;
};

static int check_stretch(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct checking *c = ctx;
	uint64_t room = 0;

	if (mem_hva(c->debug->machine->memory, gpa, &room) && room >= size)
		return 0;
	return error_set(c->err, -ENOTSUP,
			 "0x%llx cannot be watched: there is no RAM, but perhaps a device",
			 (unsigned long long)linear);
}

static int check_length(const struct debug *debug, const struct core_point *point,
			struct error *err)
{
	const struct point_spec *spec = &point->point.spec;
	uint64_t others = bytes_of_others(debug, point);

	if (spec->length == 0 || spec->address + spec->length - 1 < spec->address)
		return error_set(err, -EINVAL, "a watch needs at least one byte, and an end");
	if (spec->length > MOST_BYTES || others + spec->length > MOST_BYTES)
		return error_set(err, -ENOSPC,
				 "watches by step and compare hold %llu bytes together, and this "
				 "one would make them %llu: watch less",
				 MOST_BYTES, (unsigned long long)(others + spec->length));
	return 0;
}

bool core_compare_carries(struct debug *debug, const struct core_point *point, struct error *err)
{
	struct checking c = {debug, err};
	uint64_t missing;
	int rc = check_length(debug, point, err);

	if (rc < 0)
		return false;
	rc = page_each_mapping(debug, &point->point.spec, check_stretch, &c, &missing);
	if (rc == -EFAULT)
		error_set(err, -ENOTSUP,
			  "0x%llx is not mapped at present: set the watch when the guest has "
			  "mapped it",
			  (unsigned long long)missing);
	return rc == 0;
}

int core_compare_can_run(struct debug *debug, unsigned vcpu, struct error *err)
{
	const struct core_point *point = core_compare_point(debug);
	struct error why = {0};

	if (!point || core_choose_rung(debug, point, 0, NULL) != RUNG_COMPARE ||
	    page_waits_for_start(&debug->machine->vcpus[vcpu]) ||
	    core_can_step(debug, (int)vcpu, &why) == 0)
		return 0;
	return core_compare_refuse(debug, (int)vcpu, &why, err);
}

int core_compare_refuse(const struct debug *debug, int vcpu, const struct error *why,
			struct error *err)
{
	const struct core_point *point = core_compare_point(debug);

	return error_set(err, -ENOTSUP,
			 "watch %d is by step and compare: disable it to let vCPU %d go on, since "
			 "%s",
			 point ? point->point.number : 0, vcpu, why->text);
}

/* ---- which are --------------------------------------------------------------------------- */

/* One that needs a debug register and has it anyway leaves fewer for the ends of steps. */
void core_compare_all(struct debug *debug)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->enabled && p->rung == RUNG_SLOT && core_is_watch(p->point.spec.kind) &&
		    !debug->config.strategy.forced[core_wish_of(p->point.spec.kind)] &&
		    core_compare_carries(debug, p, NULL))
			p->rung = RUNG_COMPARE;
}

/* ---- their bytes ------------------------------------------------------------------------- */

static uint64_t seen_bytes(const struct pages *pages)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < pages->count; i++)
		bytes += is_compared(pages->piece[i].point) ? pages->piece[i].size : 0;
	return bytes;
}

int page_see_all(struct debug *debug)
{
	struct pages *pages = debug->pages;
	uint64_t bytes = seen_bytes(pages), used = 0;

	free(pages->seen);
	pages->seen = bytes ? malloc(bytes) : NULL;
	if (bytes && !pages->seen)
		return -ENOMEM;
	for (unsigned i = 0; i < pages->count; i++) {
		struct page_piece *piece = &pages->piece[i];

		piece->seen = is_compared(piece->point) ? pages->seen + used : NULL;
		if (!piece->seen)
			continue;
		page_read(debug, piece->gpa, piece->seen, piece->size);
		used += piece->size;
	}
	return 0;
}
