// SPDX-License-Identifier: GPL-3.0-or-later
/* m M x X. A read that meets a hole returns what comes before it; a failure is an error, never zeros.
 */
#include "gdbstub/stub.h"

#include <errno.h>

/* Two digits a byte must fit into one reply; gdb asks again for the rest. */
#define READ_MAX (PACKET_MAX / 2)

/* Bytes that were read into the packet's own buffer, at most max; 0 when none were asked for; -errno. */
static ssize_t read_range(struct gdb_session *s, struct request *request, size_t max)
{
	uint64_t addr, length;
	ssize_t done;

	if (!take_range(request, &addr, &length) || !take_end(request))
		return -EINVAL;
	if (length == 0)
		return 0;
	if (length > max)
		length = max;
	done = debug_read(s->debug, (int)s->general, s->space, addr, s->reader.body, length);
	return done ? done : -EFAULT;
}

int command_memory_read(struct gdb_session *s, struct request *request)
{
	ssize_t done = read_range(s, request, READ_MAX);

	if (done < 0)
		return (int)done;
	reply_hex(&s->reply, s->reader.body, (size_t)done);
	return 0;
}

/* As many bytes as fit, with those that want an escape. */
int command_memory_read_binary(struct gdb_session *s, struct request *request)
{
	ssize_t done = read_range(s, request, PACKET_MAX - 1);

	if (done < 0)
		return (int)done;
	reply_text(&s->reply, "b");
	reply_binary(&s->reply, s->reader.body, (size_t)done);
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
