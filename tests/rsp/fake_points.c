// SPDX-License-Identifier: GPL-3.0-or-later
/* The points of the core with no machine. */
#include "fake_debug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

unsigned fake_point_count(const struct debug *debug, enum debug_owner owner)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_POINTS; i++)
		count += debug->point[i].number && debug->point[i].owner == owner;
	return count;
}

static struct point *numbered(struct debug *debug, int number, struct error *err)
{
	for (unsigned i = 0; i < FAKE_POINTS; i++) {
		if (number && debug->point[i].number == number)
			return &debug->point[i];
	}
	error_set(err, -ENOENT, "no such point");
	return NULL;
}

int debug_point_find(struct debug *debug, const struct point_spec *spec, enum debug_owner owner)
{
	for (unsigned i = 0; i < FAKE_POINTS; i++) {
		const struct point *p = &debug->point[i];

		if (p->number && p->owner == owner && p->spec.kind == spec->kind &&
		    p->spec.address == spec->address && p->spec.length == spec->length)
			return p->number;
	}
	return 0;
}

int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err)
{
	int number = spec->separate ? 0 : debug_point_find(debug, spec, owner);

	if (debug->refuse_point)
		return error_set(err, debug->refuse_point, "no int3 in ring 3 here; use a *watch*");
	if (number)
		return number;
	for (unsigned i = 0; i < FAKE_POINTS; i++) {
		if (debug->point[i].number)
			continue;
		debug->point[i] = (struct point){.number = ++debug->last_number,
						 .owner = owner,
						 .spec = *spec,
						 .enabled = !spec->disabled};
		return debug->last_number;
	}
	return error_set(err, -ENOSPC, "too many points");
}

static void forget(struct point *point)
{
	program_free((struct program *)point->condition);
	point_action_free((struct point_action *)point->action);
	*point = (struct point){0};
}

int debug_point_remove(struct debug *debug, int number, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	forget(point);
	return 0;
}

void debug_points_forget(struct debug *debug, enum debug_owner owner)
{
	for (unsigned i = 0; i < FAKE_POINTS; i++) {
		if (debug->point[i].number && debug->point[i].owner == owner)
			forget(&debug->point[i]);
	}
}

const struct point *debug_point_next(struct debug *debug, const struct point *after)
{
	for (const struct point *p = after ? after + 1 : debug->point;
	     p < debug->point + FAKE_POINTS; p++) {
		if (p->number)
			return p;
	}
	return NULL;
}

int debug_point_condition(struct debug *debug, int number, struct program *condition,
			  struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	program_free((struct program *)point->condition);
	point->condition = condition;
	return 0;
}

int debug_point_action(struct debug *debug, int number, struct point_action *action,
		       struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point_action_free((struct point_action *)point->action);
	point->action = action;
	return 0;
}

int debug_point_enable(struct debug *debug, int number, bool enabled, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point->enabled = enabled;
	return 0;
}

int debug_point_give(struct debug *debug, int number, enum debug_owner owner, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point->owner = owner;
	return 0;
}

void point_action_free(struct point_action *action)
{
	while (action) {
		struct point_action *next = action->next;

		for (unsigned i = 0; i < action->arg_count; i++)
			program_free(action->args[i]);
		free(action->format);
		free(action);
		action = next;
	}
}

const char *debug_catch_name(enum point_kind kind)
{
	return kind == POINT_CATCH_IO ? "io" : NULL;
}

void debug_catch_place(const struct point_spec *spec, char *buf, size_t size)
{
	snprintf(buf, size, "%s", spec->kind == POINT_CATCH_IO ? "0x60-0x64 r" : "");
}
