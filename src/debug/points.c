// SPDX-License-Identifier: GPL-3.0-or-later
/* The list of points: who asked for what. How they are realised is rungs.c and planting.c. */
#include "debug/core.h"

#include <errno.h>
#include <stdlib.h>

/* Far more than anybody uses; a bound because a peer chooses the number. */
#define MAX_POINTS 4096

static bool same_limit(const struct point_limit *a, const struct point_limit *b)
{
	return a->by == b->by && (!(a->by & LIMIT_VCPU) || a->vcpu == b->vcpu) &&
	       (!(a->by & LIMIT_CR3) || a->cr3 == b->cr3) &&
	       (!(a->by & LIMIT_RING) || a->ring == b->ring);
}

static bool same(const struct core_point *p, const struct point_spec *spec, enum debug_owner owner)
{
	const struct point_spec *have = &p->point.spec;

	return p->point.owner == owner && have->kind == spec->kind &&
	       have->address == spec->address && have->physical == spec->physical &&
	       have->direction == spec->direction && have->temporary == spec->temporary &&
	       same_limit(&have->limit, &spec->limit) &&
	       (core_is_breakpoint(spec->kind) || have->length == spec->length);
}

struct core_point *core_point_at(struct debug *debug, uint64_t pc)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->enabled && core_is_breakpoint(p->point.spec.kind) &&
		    !p->point.spec.physical && p->point.spec.address == pc)
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

/* While the machine runs, the core's own points come and go in the list with the vCPUs' threads; those with a number
 * do in this thread alone, so that one that was found stays. */
static struct core_point *find_numbered(struct debug *debug, int number)
{
	struct core_point *point;

	core_lock(debug);
	point = core_point_numbered(debug, number);
	core_unlock(debug);
	return point;
}

bool core_point_is_temporary(struct debug *debug, int number)
{
	const struct core_point *point = find_numbered(debug, number);

	return point && point->point.spec.temporary;
}

static int find_same(struct debug *debug, const struct point_spec *spec, enum debug_owner owner)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (same(p, spec, owner))
			return p->point.number;
	return 0;
}

int debug_point_find(struct debug *debug, const struct point_spec *spec, enum debug_owner owner)
{
	int number;

	core_lock(debug);
	number = find_same(debug, spec, owner);
	core_unlock(debug);
	return number;
}

static const struct point *as_of_now(struct debug *debug, struct core_point *p)
{
	p->point.hits = p->hits;
	p->point.evaluations = p->evaluations;
	p->point.ignore = p->ignore;
	p->point.enabled = p->enabled;
	p->point.condition = p->condition;
	p->point.action = p->action;
	p->point.rung = core_rung_text(debug, p);
	return &p->point;
}

/* The core's own goals have no number and are nobody's business. */
const struct point *debug_point_next(struct debug *debug, const struct point *after)
{
	const struct point *next = NULL;
	struct core_point *p;

	core_lock(debug);
	p = debug->points;
	while (p && (!p->point.number || (after && p->point.number <= after->number)))
		p = p->next;
	if (p)
		next = as_of_now(debug, p);
	core_unlock(debug);
	return next;
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

void core_point_free(struct core_point *point)
{
	program_free(point->condition);
	point_action_free(point->action);
	free(point);
}

static int carried(struct debug *debug, struct core_point *point, unsigned taken, struct error *err)
{
	struct error why = {0};

	if (count_points(debug) >= MAX_POINTS)
		return error_set(err, -ENOMEM, "too many breakpoints: delete some");
	point->rung = core_choose_rung(debug, point, taken, &why);
	return point->rung == RUNG_NONE ? error_set(err, why.code, "%s", why.text) : 0;
}

int core_point_insert(struct debug *debug, struct core_point *point, struct error *err)
{
	unsigned taken = slots_wanted(debug);
	int rc = carried(debug, point, taken, err);

	if (rc < 0) {
		core_point_free(point);
		return rc;
	}
	point->enabled = !point->point.spec.disabled;
	point->slot = (unsigned)__builtin_popcount(taken);
	append(debug, point);
	return 0;
}

/* Parked; gate.lock held. */
static int add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
	       struct error *err)
{
	struct core_point *point = calloc(1, sizeof(*point));
	int rc, number = debug->next_number + 1;

	if (!point)
		return error_set(err, -ENOMEM, "out of memory");
	point->point = (struct point){.owner = owner, .spec = *spec, .number = number};
	rc = core_point_insert(debug, point, err);
	if (rc < 0)
		return rc;
	debug->next_number = number;
	return number;
}

int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err)
{
	int number = spec->separate ? 0 : debug_point_find(debug, spec, owner);

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
		core_point_free(p);
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
	if (!find_numbered(debug, number))
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
	core_mend_all(debug); /* perhaps nobody will be there to meet them */
	core_go_on(debug);
	core_unlock(debug);
}

/* ---- what a point has beside its place --------------------------------------------------- */

/* With all parked, since vCPUs look at points without a lock. Returns the point; core_go_on() ends it. */
static struct core_point *begin_change(struct debug *debug, int number, struct error *err)
{
	struct core_point *point = find_numbered(debug, number);

	if (!point || number <= 0) {
		error_set(err, -ENOENT, "there is no breakpoint %d", number);
		return NULL;
	}
	core_lock(debug);
	core_quiesce(debug);
	return point;
}

static int end_change(struct debug *debug)
{
	core_go_on(debug);
	core_unlock(debug);
	return 0;
}

int debug_point_condition(struct debug *debug, int number, struct program *condition,
			  struct error *err)
{
	struct core_point *point = begin_change(debug, number, err);

	if (!point)
		return -ENOENT;
	program_free(point->condition);
	point->condition = condition;
	return end_change(debug);
}

int debug_point_action(struct debug *debug, int number, struct point_action *action,
		       struct error *err)
{
	struct core_point *point = begin_change(debug, number, err);

	if (!point)
		return -ENOENT;
	point_action_free(point->action);
	point->action = action;
	return end_change(debug);
}

int debug_point_ignore(struct debug *debug, int number, uint64_t count, struct error *err)
{
	struct core_point *point = begin_change(debug, number, err);

	if (!point)
		return -ENOENT;
	point->ignore = count;
	return end_change(debug);
}

int debug_point_enable(struct debug *debug, int number, bool enabled, struct error *err)
{
	struct core_point *point = begin_change(debug, number, err);

	if (!point)
		return -ENOENT;
	point->enabled = enabled;
	return end_change(debug);
}

int debug_point_give(struct debug *debug, int number, enum debug_owner owner, struct error *err)
{
	struct core_point *point = begin_change(debug, number, err);

	if (!point)
		return -ENOENT;
	point->point.owner = owner;
	return end_change(debug);
}
