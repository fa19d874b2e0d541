// SPDX-License-Identifier: GPL-3.0-or-later
/* The list of points: who asked for what. How they are realised is rungs.c and planting.c. */
#include "debug/core.h"

#include <errno.h>
#include <stdlib.h>

/* Far more than anybody uses; a bound because a peer chooses the number. */
#define MAX_POINTS 4096

static bool same(const struct core_point *p, const struct point_spec *spec, enum debug_owner owner)
{
	const struct point_spec *have = &p->point.spec;

	return p->point.owner == owner && have->kind == spec->kind &&
	       have->address == spec->address &&
	       (!core_is_watch(spec->kind) || have->length == spec->length);
}

struct core_point *core_point_at(struct debug *debug, uint64_t pc)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (!core_is_watch(p->point.spec.kind) && p->point.spec.address == pc)
			return p;
	return NULL;
}

struct core_point *core_point_numbered(struct debug *debug, int number)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->point.number == number)
			return p;
	return NULL;
}

int debug_point_find(struct debug *debug, const struct point_spec *spec, enum debug_owner owner)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (same(p, spec, owner))
			return p->point.number;
	return 0;
}

const struct point *debug_point_next(struct debug *debug, const struct point *after)
{
	struct core_point *p = debug->points;

	while (after && p && p->point.number <= after->number)
		p = p->next;
	if (!p)
		return NULL;
	core_lock(debug);
	p->point.hits = p->hits;
	p->point.rung = core_rung_text(debug, p);
	core_unlock(debug);
	return &p->point;
}

/* Debug registers that the other points would take if the machine ran now. */
static unsigned slots_wanted(struct debug *debug)
{
	unsigned taken = 0;

	for (struct core_point *p = debug->points; p; p = p->next)
		if (core_choose_rung(debug, p, taken, NULL) == RUNG_SLOT)
			taken = taken << 1 | 1;
	return taken;
}

static void append(struct debug *debug, struct core_point *point)
{
	struct core_point **tail = &debug->points;

	while (*tail)
		tail = &(*tail)->next;
	*tail = point;
}

static unsigned count_points(const struct debug *debug)
{
	unsigned n = 0;

	for (const struct core_point *p = debug->points; p; p = p->next)
		n++;
	return n;
}

/* Parked; gate.lock held. */
static int add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
	       struct error *err)
{
	struct core_point *point = calloc(1, sizeof(*point));
	struct error why = {0};

	if (!point || count_points(debug) >= MAX_POINTS) {
		free(point);
		return error_set(err, -ENOMEM, "too many breakpoints: delete some");
	}
	point->point = (struct point){.owner = owner, .spec = *spec};
	point->rung = core_choose_rung(debug, point, slots_wanted(debug), &why);
	if (point->rung == RUNG_NONE) {
		free(point);
		return error_set(err, why.code, "%s", why.text);
	}
	point->slot = (unsigned)__builtin_popcount(slots_wanted(debug));
	point->point.number = ++debug->next_number;
	append(debug, point);
	return point->point.number;
}

int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err)
{
	int number = debug_point_find(debug, spec, owner);

	if (number)
		return number;
	core_lock(debug);
	core_quiesce(debug);
	number = add(debug, spec, owner, err);
	core_go_on(debug);
	core_unlock(debug);
	return number;
}

/* Parked; gate.lock held. Pending hits name points by address, so none dangles. */
static void unlink_points(struct debug *debug,
			  bool (*wanted)(const struct core_point *, const void *), const void *arg)
{
	struct core_point **link = &debug->points;

	while (*link) {
		struct core_point *p = *link;

		if (!wanted(p, arg)) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		free(p);
	}
}

static bool is_numbered(const struct core_point *p, const void *arg)
{
	return p->point.number == *(const int *)arg;
}

static bool is_owned(const struct core_point *p, const void *arg)
{
	return p->point.owner == *(const enum debug_owner *)arg;
}

int debug_point_remove(struct debug *debug, int number, struct error *err)
{
	if (!core_point_numbered(debug, number))
		return error_set(err, -ENOENT, "there is no breakpoint %d", number);
	core_lock(debug);
	core_quiesce(debug);
	unlink_points(debug, is_numbered, &number);
	core_go_on(debug);
	core_unlock(debug);
	return 0;
}

void debug_points_forget(struct debug *debug, enum debug_owner owner)
{
	core_lock(debug);
	core_quiesce(debug);
	unlink_points(debug, is_owned, &owner);
	core_go_on(debug);
	core_unlock(debug);
}
