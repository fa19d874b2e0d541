// SPDX-License-Identifier: GPL-3.0-or-later
/* Z and z. Both are idempotent, since gdb may send either twice. A refusal is always an error and
 * never the empty reply, which would make gdb write int3 bytes into the guest by itself. */
#include "gdbstub/stub.h"
#include "log.h"

#include <errno.h>

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

int command_point_add(struct gdb_session *s, struct request *request)
{
	struct point_spec spec;
	int ret = take_point(s, request, &spec);

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	ret = debug_point_add(s->debug, &spec, OWNER_GDB, &s->error);
	if (ret >= 0)
		return reply_ok(s);
	log_warn("gdb", "no breakpoint at %#llx: %s", (unsigned long long)spec.address,
		 s->error.text);
	return ret;
}

int command_point_remove(struct gdb_session *s, struct request *request)
{
	struct point_spec spec;
	int ret = take_point(s, request, &spec);
	int number;

	if (ret < 0)
		return ret == -ENOTSUP ? 0 : ret;
	number = debug_point_find(s->debug, &spec, OWNER_GDB);
	ret = number > 0 ? debug_point_remove(s->debug, number, &s->error) : 0;
	return ret ? ret : reply_ok(s);
}
