// SPDX-License-Identifier: GPL-3.0-or-later
/* x, xp, print, and the way from linear to physical addresses. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One `x`: where it reads and how it shows. */
struct dump {
	struct call *call;
	struct view *view;
	uint64_t address;
};

static ssize_t dump_read(struct dump *dump, void *buf, size_t size)
{
	return monitor_read(dump->call->monitor, dump->call->cpu, dump->view->physical,
			    dump->address, buf, size, dump->call->err);
}

/* Symbols are linear addresses: a physical dump shows none. */
static void print_address(struct dump *dump)
{
	char suffix[96] = "";

	if (!dump->view->physical)
		address_suffix(dump->call->monitor, dump->address, suffix, sizeof(suffix));
	out_printf(dump->call->out, "0x%" PRIx64 "%s:", dump->address, suffix);
}

static void print_unit(struct dump *dump, uint64_t value)
{
	const struct format *format = &dump->view->format;
	char text[160];

	format_value(format->letter, format->size, value, dump->call->monitor->symbols, text,
		     sizeof(text));
	out_printf(dump->call->out, " %s", text);
}

/* What is there of one line is shown, even when the rest of it is not mapped. */
static int dump_line(struct dump *dump, unsigned units)
{
	unsigned size = dump->view->format.size;
	uint8_t bytes[64];
	ssize_t done = dump_read(dump, bytes, units * size);

	if (done >= 0 && done < size)
		return error_set(dump->call->err, -EFAULT,
				 "only %zd bytes are mapped at 0x%" PRIx64, done, dump->address);
	if (done < 0)
		return done;
	print_address(dump);
	for (unsigned i = 0; i < done / size; i++) {
		uint64_t value = 0;

		memcpy(&value, bytes + i * size, size);
		print_unit(dump, value);
		fact_hex(dump->call->out, NULL, value);
	}
	out_printf(dump->call->out, "\n");
	dump->address += done / size * size;
	return done / size;
}

static int dump_units(struct dump *dump)
{
	unsigned left = dump->view->format.count, per_line = format_per_line(&dump->view->format);
	int done = 0;

	fact_hex(dump->call->out, "address", dump->address);
	fact_count(dump->call->out, "size", dump->view->format.size);
	fact_list(dump->call->out, "values");
	for (; left && done >= 0; left -= done < 0 ? 0 : (unsigned)done)
		done = dump_line(dump, left < per_line ? left : per_line);
	fact_end(dump->call->out);
	return done < 0 ? done : 0;
}

#define STRING_MAX 200

static int dump_string(struct dump *dump)
{
	char bytes[STRING_MAX + 1], text[STRING_MAX * 4 + 8];
	ssize_t done = dump_read(dump, bytes, STRING_MAX);
	size_t length;

	if (done < 0)
		return (int)done;
	length = strnlen(bytes, (size_t)done);
	bytes[length] = 0;
	format_string(bytes, length, text, sizeof(text));
	print_address(dump);
	out_printf(dump->call->out, " %s%s\n", text, length == STRING_MAX ? "..." : "");
	fact_object(dump->call->out, NULL);
	fact_hex(dump->call->out, "address", dump->address);
	fact_text(dump->call->out, "text", bytes);
	fact_flag(dump->call->out, "whole", length < (size_t)done);
	fact_end(dump->call->out);
	dump->address += length + (length < (size_t)done);
	return 0;
}

static int dump_strings(struct dump *dump)
{
	int ret = 0;

	fact_list(dump->call->out, "strings");
	for (unsigned i = 0; !ret && i < dump->view->format.count; i++)
		ret = dump_string(dump);
	fact_end(dump->call->out);
	return ret;
}

static int dump_insns(struct dump *dump)
{
	struct call *call = dump->call;

	if (dump->view->physical)
		return error_set(call->err, -EINVAL,
				 "instructions are shown at linear addresses: use x/i");
	return code_show(call->monitor, call->cpu, &dump->address, dump->view->format.count,
			 call->out, call->err);
}

static int dump_any(struct dump *dump)
{
	switch (dump->view->format.letter) {
	case 's': return dump_strings(dump);
	case 'i': return dump_insns(dump);
	default: return dump_units(dump);
	}
}

/* A repeated x takes the last format as it is, count and all; another begins with one unit. */
static int choose_format(struct call *call, struct view *view)
{
	if (call->format)
		return format_parse(call->format, &view->format, call->err);
	if (!call->repeated)
		view->format.count = 1;
	return 0;
}

static int examine(struct call *call, bool physical)
{
	struct view *view = &call->monitor->view[call->owner];
	struct dump dump = {.call = call, .view = view};
	int ret = choose_format(call, view);

	if (ret)
		return ret;
	if (call->arg[0].given)
		dump.address = call->arg[0].value;
	else if (view->data_known && view->physical == physical)
		dump.address = view->data;
	else if (view->format.letter == 'i')
		dump.address = debug_pc(call->monitor->debug, call->cpu);
	else
		return error_set(call->err, -EINVAL, "x wants an address: x/16gx $rsp");
	view->physical = physical;
	ret = dump_any(&dump);
	view->data = dump.address;
	view->data_known = true;
	return ret;
}

int run_x(struct call *call)
{
	return examine(call, false);
}

int run_xp(struct call *call)
{
	return examine(call, true);
}

/* ---- print --------------------------------------------------------------------------------- */

static int print_formatted(struct call *call, uint64_t value)
{
	struct format format = {.count = 1, .letter = 'x', .size = 8};
	int ret = format_parse(call->format, &format, call->err);
	char text[160];

	if (ret)
		return ret;
	if (format.count != 1 || strchr("si", format.letter))
		return error_set(call->err, -EINVAL,
				 "print shows one value: x d u o t a c; for memory use x");
	if (format.letter == 'x')
		snprintf(text, sizeof(text), "0x%" PRIx64, value);
	else
		format_value(format.letter, format.letter == 'c' ? 1 : format.size, value,
			     call->monitor->symbols, text, sizeof(text));
	out_printf(call->out, "%s\n", text);
	return 0;
}

/* "holds 42" for the address of an object as large as a number. */
static void object_value(struct call *call, uint64_t address, char *buf, size_t buf_size)
{
	uint64_t offset, start, size, value = 0;
	const char *name = symbols_name(call->monitor->symbols, address, &offset);

	buf[0] = 0;
	if (!name || offset || symbols_find(call->monitor->symbols, name, &start, &size) ||
	    start != address)
		return;
	if ((size != 1 && size != 2 && size != 4 && size != 8) ||
	    debug_running(call->monitor->debug))
		return;
	if (monitor_read(call->monitor, call->cpu, false, address, &value, size, NULL) !=
	    (ssize_t)size)
		return;
	snprintf(buf, buf_size, ", holds 0x%" PRIx64 " = %" PRIu64, value, value);
	fact_hex(call->out, "holds", value);
	fact_count(call->out, "size", size);
}

int run_print(struct call *call)
{
	uint64_t value = call->arg[0].value;
	char suffix[96], signed_text[32] = "", object[64], name[96];

	fact_hex(call->out, "value", value);
	if (call->format)
		return print_formatted(call, value);
	address_suffix(call->monitor, value, suffix, sizeof(suffix));
	object_value(call, value, object, sizeof(object));
	if (suffix[0])
		fact_text(call->out, "name",
			  address_name(call->monitor, value, name, sizeof(name)));
	if (value >> 63)
		snprintf(signed_text, sizeof(signed_text), " = %" PRId64, (int64_t)value);
	out_printf(call->out, "0x%" PRIx64 " = %" PRIu64 "%s%s%s\n", value, value, signed_text,
		   suffix, object);
	return 0;
}
