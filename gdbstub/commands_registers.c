// SPDX-License-Identifier: GPL-3.0-or-later
/* g G p P. g holds those that gdb reads at most stops, and gdb fetches the others one by one when somebody
 * looks at them. */
#include "gdbstub/stub.h"

#include <errno.h>
#include <string.h>

int command_registers_read(struct gdb_session *s, struct request *request)
{
	(void)request;
	if (debug_running(s->debug))
		return -EBUSY;
	for (unsigned reg = 0; reg < s->layout.g_count; reg++)
		view_append(s, s->general, reg);
	return 0;
}

static size_t g_size(const struct gdb_session *s)
{
	size_t size = 0;

	for (unsigned reg = 0; reg < s->layout.g_count; reg++)
		size += view_size(s, reg);
	return size;
}

/* G writes every register of g: those that keep their value are left alone, read-only ones too. */
static int write_if_changed(struct gdb_session *s, unsigned reg, const uint8_t *value)
{
	uint8_t old[REGISTER_MAX_BYTES];

	if (view_get(s, s->general, reg, old) == 0 && memcmp(old, value, view_size(s, reg)) == 0)
		return 0;
	return view_set(s, s->general, reg, value);
}

/* `xx` for each byte: gdb does not know the value, and means no change. */
static bool take_unknown(struct request *request, size_t size)
{
	if (request_left(request) < 2 * size)
		return false;
	for (size_t i = 0; i < 2 * size; i++) {
		if (request->at[i] != 'x')
			return false;
	}
	request->at += 2 * size;
	return true;
}

/* One pass looks whether the whole packet can be read (apply false), the next one obeys it. */
static int walk_registers(struct gdb_session *s, struct request request, bool apply)
{
	uint8_t value[REGISTER_MAX_BYTES];
	int ret = 0;

	for (unsigned reg = 0; reg < s->layout.g_count && !ret; reg++) {
		size_t size = view_size(s, reg);

		if (take_unknown(&request, size))
			continue;
		for (size_t i = 0; i < size; i++) {
			if (!take_byte(&request, &value[i]))
				return -EINVAL;
		}
		if (apply)
			ret = write_if_changed(s, reg, value);
	}
	return ret;
}

int command_registers_write(struct gdb_session *s, struct request *request)
{
	int ret;

	if (debug_running(s->debug))
		return -EBUSY;
	if (request_left(request) != 2 * g_size(s))
		return -EINVAL;
	ret = walk_registers(s, *request, false);
	if (!ret)
		ret = walk_registers(s, *request, true);
	return ret ? ret : reply_ok(s);
}

static bool take_register(const struct gdb_session *s, struct request *request, unsigned *reg)
{
	uint64_t number;

	if (!take_hex(request, &number) || number >= s->layout.count)
		return false;
	*reg = (unsigned)number;
	return view_size(s, *reg) > 0;
}

int command_register_read(struct gdb_session *s, struct request *request)
{
	unsigned reg;

	if (!take_register(s, request, &reg) || !take_end(request))
		return -EINVAL;
	if (debug_running(s->debug))
		return -EBUSY;
	view_append(s, s->general, reg);
	return 0;
}

int command_register_write(struct gdb_session *s, struct request *request)
{
	uint8_t value[REGISTER_MAX_BYTES];
	unsigned reg;
	int ret;

	if (!take_register(s, request, &reg) || !take_char(request, '=') ||
	    !take_hex_bytes(request, value, view_size(s, reg)))
		return -EINVAL;
	ret = view_set(s, s->general, reg, value);
	return ret ? ret : reply_ok(s);
}
