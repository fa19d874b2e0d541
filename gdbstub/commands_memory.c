// SPDX-License-Identifier: GPL-3.0-or-later
/* m M X. A read that meets a hole returns what comes before it; a failure is an error, never zeros.
 */
#include "gdbstub/stub.h"

#include <errno.h>

/* Two digits a byte must fit into one reply; gdb asks again for the rest. */
#define READ_MAX (PACKET_MAX / 2)

int command_memory_read(struct gdb_session *s, struct request *request)
{
	_Static_assert(READ_MAX <= PACKET_MAX, "the bytes are read into the packet's own buffer");
	char *buffer = s->reader.body;
	uint64_t addr, length;
	ssize_t done;

	if (!take_range(request, &addr, &length) || !take_end(request))
		return -EINVAL;
	if (length == 0)
		return 0;
	if (length > READ_MAX)
		length = READ_MAX;
	done = debug_read(s->debug, (int)s->general, s->space, addr, buffer, length);
	if (done <= 0)
		return done ? (int)done : -EFAULT;
	reply_hex(&s->reply, buffer, (size_t)done);
	return 0;
}

static int write_memory(struct gdb_session *s, uint64_t addr, const void *data, size_t size)
{
	ssize_t done;

	if (size == 0)
		return reply_ok(s);
	done = debug_write(s->debug, (int)s->general, s->space, addr, data, size);
	if (done < 0)
		return (int)done;
	return (size_t)done == size ? reply_ok(s) : -EFAULT;
}

int command_memory_write(struct gdb_session *s, struct request *request)
{
	char *buffer = s->reader.body; /* shorter than the digits that it takes the place of */
	uint64_t addr, length;

	if (!take_range(request, &addr, &length) || !take_char(request, ':') || length > READ_MAX ||
	    !take_hex_bytes(request, buffer, length))
		return -EINVAL;
	return write_memory(s, addr, buffer, length);
}

int command_memory_write_binary(struct gdb_session *s, struct request *request)
{
	uint64_t addr, length;

	if (!take_range(request, &addr, &length) || !take_char(request, ':') ||
	    length != request_left(request))
		return -EINVAL;
	return write_memory(s, addr, request->at, length);
}

/* Front-ends that know QEMU ask for physical addresses in this way. */
int command_space_get(struct gdb_session *s, struct request *request)
{
	(void)request;
	reply_text(&s->reply, s->space == SPACE_PHYSICAL ? "1" : "0");
	return 0;
}

int command_space_set(struct gdb_session *s, struct request *request)
{
	uint64_t physical;

	if (!take_hex(request, &physical) || !take_end(request) || physical > 1)
		return -EINVAL;
	s->space = physical ? SPACE_PHYSICAL : SPACE_LINEAR;
	return reply_ok(s);
}
