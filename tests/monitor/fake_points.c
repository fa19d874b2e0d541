// SPDX-License-Identifier: GPL-3.0-or-later
/* The fake debugger core's points: a list, and nothing that meets them. */
#include "fake_debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fake_point_clear(struct point *point)
{
	program_free((struct program *)(uintptr_t)point->condition);
	point_action_free((struct point_action *)(uintptr_t)point->action);
}

int debug_point_add(struct debug *debug, const struct point_spec *spec, enum debug_owner owner,
		    struct error *err)
{
	struct point *point = &debug->points[debug->point_count];

	if (debug->point_count == FAKE_POINTS)
		return error_set(err, -ENOSPC, "no room for a point");
	debug->point_count++;
	*point = (struct point){.number = debug->next_number++,
				.owner = owner,
				.spec = *spec,
				.enabled = !spec->disabled,
				.rung = "fake"};
	return point->number;
}

static struct point *numbered(struct debug *debug, int number, struct error *err)
{
	for (unsigned i = 0; i < debug->point_count; i++)
		if (debug->points[i].number == number)
			return &debug->points[i];
	error_set(err, -ENOENT, "there is no point %d", number);
	return NULL;
}

int debug_point_condition(struct debug *debug, int number, struct program *condition,
			  struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	program_free((struct program *)(uintptr_t)point->condition);
	point->condition = condition;
	return 0;
}

int debug_point_action(struct debug *debug, int number, struct point_action *action,
		       struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point_action_free((struct point_action *)(uintptr_t)point->action);
	point->action = action;
	return 0;
}

int debug_point_ignore(struct debug *debug, int number, uint64_t count, struct error *err)
{
	struct point *point = numbered(debug, number, err);

	if (!point)
		return -ENOENT;
	point->ignore = count;
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

void point_action_free(struct point_action *action)
{
	if (!action)
		return;
	for (unsigned i = 0; i < action->arg_count; i++)
		program_free(action->args[i]);
	free(action->format);
	free(action);
}

int debug_point_remove(struct debug *debug, int number, struct error *err)
{
	for (unsigned i = 0; i < debug->point_count; i++) {
		if (debug->points[i].number != number)
			continue;
		debug->point_count--;
		fake_point_clear(&debug->points[i]);
		memmove(&debug->points[i], &debug->points[i + 1],
			(debug->point_count - i) * sizeof(debug->points[0]));
		return 0;
	}
	return error_set(err, -ENOENT, "there is no point %d", number);
}

const struct point *debug_point_next(struct debug *debug, const struct point *after)
{
	const struct point *next = after ? after + 1 : debug->points;

	return next < debug->points + debug->point_count ? next : NULL;
}
