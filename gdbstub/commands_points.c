// SPDX-License-Identifier: GPL-3.0-or-later
/* Z and z. Both are idempotent, since gdb may send either twice. A refusal is always an error and
 * never the empty reply, which would make gdb write int3 bytes into the guest by itself. */
#include "gdbstub/stub.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

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
	    !take_range(request, &spec->address, &spec->length) || !take_end(request))
		return -EINVAL;
	if (type >= sizeof(kinds) / sizeof(kinds[0]))
		return -ENOTSUP;
	spec->kind = kinds[type];
	if (spec->kind == POINT_SOFTWARE || spec->kind == POINT_HARDWARE)
		spec->length = 1;
	return spec->length ? 0 : -EINVAL;
}

static size_t find_number(const struct gdb_session *s, int number)
{
	size_t i = 0;

	while (i < s->point_count && s->points[i] != number)
		i++;
	return i;
}

bool point_is_known(const struct gdb_session *s, int number)
{
	return find_number(s, number) < s->point_count;
}

static bool reserve_number(struct gdb_session *s)
{
	size_t capacity = s->point_capacity ? 2 * s->point_capacity : 16;
	int *points;

	if (s->point_count < s->point_capacity)
		return true;
	points = realloc(s->points, capacity * sizeof(*points));
	if (!points)
		return false;
	s->points = points;
	s->point_capacity = capacity;
	return true;
}

static void forget_number(struct gdb_session *s, int number)
{
	size_t i = find_number(s, number);

	if (i < s->point_count)
		s->points[i] = s->points[--s->point_count];
}

int command_point_add(struct gdb_session *s, struct request *request)
{
	struct point_spec spec;
	int ret = take_point(s, request, &spec);

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	if (!reserve_number(s))
		return -ENOMEM;
	ret = debug_point_add(s->debug, &spec, OWNER_GDB, &s->error);
	if (ret < 0) {
		log_warn("gdb", "no breakpoint at %#llx: %s", (unsigned long long)spec.address,
			 s->error.text);
		return ret;
	}
	if (!point_is_known(s, ret))
		s->points[s->point_count++] = ret;
	return reply_ok(s);
}

int command_point_remove(struct gdb_session *s, struct request *request)
{
	struct point_spec spec;
	int ret = take_point(s, request, &spec);
	int number;

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	number = debug_point_find(s->debug, &spec, OWNER_GDB);
	if (!point_is_known(s, number))
		return reply_ok(s);
	ret = debug_point_remove(s->debug, number, &s->error);
	if (ret && ret != -ENOENT)
		return ret;
	forget_number(s, number);
	return reply_ok(s);
}
