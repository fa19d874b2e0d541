// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Z and z. Both are idempotent, since gdb may send either twice. A refusal is always an error and never the empty
 * reply, which would make gdb write int3 bytes into the guest by itself.
 *
 * A point that nothing carries on this host is refused later. gdb would say that it cannot access the memory, or that
 * there are too many breakpoints, whatever the error is; but what the stub prints when the guest is to go on, gdb
 * shows.
 */
#include "gdbstub/point_options.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Z0, Z1, … in their order. */
static const enum point_kind kinds[] = {
	POINT_SOFTWARE, POINT_HARDWARE, POINT_WRITE, POINT_READ, POINT_ACCESS,
};

/* `type,addr,kind`: kind is the length of a watch, and the size of the breakpoint instruction else.
 */
static int take_point(struct gdb_session *s, struct request *request, struct point_spec *spec)
{
	uint64_t type;

	*spec = (struct point_spec){.vcpu = (int)s->general};
	if (!take_hex(request, &type) || !take_char(request, ',') ||
	    !take_range(request, &spec->address, &spec->length))
		return -EINVAL;
	if (type >= sizeof(kinds) / sizeof(kinds[0]))
		return -ENOTSUP;
	spec->kind = kinds[type];
	if (spec->kind == POINT_SOFTWARE || spec->kind == POINT_HARDWARE)
		spec->length = 1;
	return spec->length ? 0 : -EINVAL;
}

/* ---- the points that gdb knows -------------------------------------------------------------- */

bool point_is_known(const struct gdb_session *s, int number)
{
	for (size_t i = 0; i < s->point_count; i++) {
		if (number && s->points[i].number == number)
			return true;
	}
	return false;
}

static struct gdb_point *find_point(struct gdb_session *s, const struct point_spec *spec)
{
	for (size_t i = 0; i < s->point_count; i++) {
		struct gdb_point *point = &s->points[i];

		if (point->kind == spec->kind && point->address == spec->address &&
		    point->length == spec->length)
			return point;
	}
	return NULL;
}

static struct gdb_point *new_point(struct gdb_session *s)
{
	size_t capacity = s->point_capacity ? 2 * s->point_capacity : 16;
	struct gdb_point *points;

	if (s->point_count < s->point_capacity)
		return &s->points[s->point_count];
	points = realloc(s->points, capacity * sizeof(*points));
	if (!points)
		return NULL;
	s->points = points;
	s->point_capacity = capacity;
	return &s->points[s->point_count];
}

static void forget_point(struct gdb_session *s, struct gdb_point *point)
{
	free(point->why_not);
	*point = s->points[--s->point_count];
}

/* ---- Z -------------------------------------------------------------------------------------- */

/* Taken over as far as it went well. */
static int give_options(struct gdb_session *s, int number, struct point_options *options)
{
	int ret = debug_point_condition(s->debug, number, options->condition, &s->error);

	if (ret)
		return ret;
	options->condition = NULL;
	ret = debug_point_action(s->debug, number, options->action, &s->error);
	if (!ret)
		options->action = NULL;
	return ret;
}

/* Nobody meets it before it has what makes it pass. */
static int add_point(struct gdb_session *s, struct point_spec *spec, struct point_options *options)
{
	int ret, number;

	spec->separate = true;
	spec->disabled = options->condition || options->action;
	number = debug_point_add(s->debug, spec, OWNER_GDB, &s->error);
	if (number < 0 || !spec->disabled)
		return number;
	ret = give_options(s, number, options);
	if (!ret)
		ret = debug_point_enable(s->debug, number, true, &s->error);
	if (ret)
		debug_point_remove(s->debug, number, NULL);
	return ret ? ret : number;
}

static int add_new_point(struct gdb_session *s, struct point_spec *spec,
			 struct point_options *options)
{
	struct gdb_point *point = new_point(s);
	int number;

	if (!point)
		return -ENOMEM;
	number = add_point(s, spec, options);
	if (number < 0)
		log_warn("gdb", "no breakpoint at %#llx: %s", (unsigned long long)spec->address,
			 s->error.text);
	*point = (struct gdb_point){.number = number < 0 ? 0 : number,
				    .kind = spec->kind,
				    .address = spec->address,
				    .length = spec->length,
				    .persists = options->persists};
	if (number == -ENOTSUP || number == -ENOSPC)
		point->why_not = strdup(s->error.text);
	if (number < 0 && !point->why_not)
		return number;
	s->point_count++;
	return 0;
}

bool points_carried(struct gdb_session *s)
{
	bool all = true;

	for (size_t i = 0; i < s->point_count; i++) {
		const struct gdb_point *point = &s->points[i];

		if (!point->why_not)
			continue;
		session_print(s, point->why_not, strlen(point->why_not));
		session_print(s, "\n", 1);
		all = false;
	}
	return all;
}

/* What it is told again holds from now on, in place of what it was told before. A `monitor delete` may have taken
 * the point away. */
static int set_point(struct gdb_session *s, struct point_spec *spec, struct point_options *options)
{
	struct gdb_point *point = find_point(s, spec);
	int ret;

	if (!point)
		return add_new_point(s, spec, options);
	ret = give_options(s, point->number, options);
	if (ret == -ENOENT) {
		forget_point(s, point);
		return add_new_point(s, spec, options);
	}
	point->persists = options->persists;
	return ret;
}

int command_point_add(struct gdb_session *s, struct request *request)
{
	struct point_options options;
	struct point_spec spec;
	int ret = take_point(s, request, &spec);

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	ret = take_point_options(s, request, &options);
	if (ret && s->error.text[0])
		log_warn("gdb", "no breakpoint at %#llx: %s", (unsigned long long)spec.address,
			 s->error.text);
	if (!ret)
		ret = set_point(s, &spec, &options);
	point_options_free(&options);
	return ret ? ret : reply_ok(s);
}

/* ---- z, and the end ------------------------------------------------------------------------- */

int command_point_remove(struct gdb_session *s, struct request *request)
{
	struct gdb_point *point;
	struct point_spec spec;
	int ret = take_point(s, request, &spec);

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	if (!take_end(request))
		return -EINVAL;
	point = find_point(s, &spec);
	if (!point)
		return reply_ok(s);
	ret = point->number ? debug_point_remove(s->debug, point->number, &s->error) : 0;
	if (ret && ret != -ENOENT)
		return ret;
	forget_point(s, point);
	return reply_ok(s);
}

void points_leave(struct gdb_session *s)
{
	for (size_t i = 0; i < s->point_count; i++) {
		if (s->points[i].persists && s->points[i].number)
			debug_point_give(s->debug, s->points[i].number, OWNER_CONSOLE, NULL);
	}
	points_free(s);
	debug_points_forget(s->debug, OWNER_GDB);
}

void points_free(struct gdb_session *s)
{
	for (size_t i = 0; i < s->point_count; i++)
		free(s->points[i].why_not);
	free(s->points);
	s->points = NULL;
	s->point_count = s->point_capacity = 0;
}
