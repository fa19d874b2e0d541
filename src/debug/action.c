// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a point prints when it is hit, and goes on: gdb's dprintf. The line is made in the vCPU's thread,
 * out of the state at the hit, and told by the main thread (lines.c).
 */
#include "debug/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE    1024
#define STRING_LIMIT 200
/* Wider than any line. */
#define WIDTH_MAX (LINE_SIZE + 1)

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

struct printer {
	char text[LINE_SIZE + 2]; /* and a newline */
	size_t length;
	bool cut;
	struct core_place place;
	const struct point_action *action;
	unsigned next_arg;
};

static void put(struct printer *printer, const char *text, size_t size)
{
	size_t room = LINE_SIZE - printer->length;

	printer->cut |= size > room;
	size = size < room ? size : room;
	memcpy(printer->text + printer->length, text, size);
	printer->length += size;
}

/* ---- a conversion ------------------------------------------------------------------------ */

struct conversion {
	char flags[6];
	int width, precision; /* precision -1: none */
	unsigned bits;	      /* of an integer */
	char kind;
};

/* Digits at *at, which is behind them then. Bounded: whoever wrote the format may be hostile. */
static int read_number(const char **at)
{
	int number = 0;

	for (; **at >= '0' && **at <= '9'; ++*at)
		if (number < WIDTH_MAX)
			number = 10 * number + (**at - '0');
	return number < WIDTH_MAX ? number : WIDTH_MAX;
}

static unsigned bits_of(const char *length, size_t size)
{
	if (size && *length == 'h')
		return size > 1 ? 8 : 16;
	return size ? 64 : 32;
}

/* From the % on. Returns what is behind it, or NULL when it is none. */
static const char *read_conversion(const char *at, struct conversion *conversion)
{
	size_t flags = strspn(++at, "-+ #0'"), length;

	if (flags >= sizeof(conversion->flags))
		return NULL;
	*conversion = (struct conversion){.precision = -1};
	memcpy(conversion->flags, at, flags);
	at += flags;
	conversion->width = read_number(&at);
	if (*at == '.') {
		at++;
		conversion->precision = read_number(&at);
	}
	length = strspn(at, "hlzjt");
	conversion->bits = bits_of(at, length);
	at += length;
	conversion->kind = *at;
	return *at && strchr("diuxXocps%", *at) ? at + 1 : NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

/* False: what is printed in place of the value has been put. */
static bool next_value(struct printer *printer, int64_t *value)
{
	const struct program_context context = core_program_context(&printer->place);
	struct program_fault fault;
	char why[sizeof(fault.text) + 2];
	int n;

	if (printer->next_arg >= printer->action->arg_count) {
		put(printer, "<no value>", 10);
		return false;
	}
	if (program_run(printer->action->args[printer->next_arg++], &context, value, &fault) == 0)
		return true;
	n = snprintf(why, sizeof(why), "<%s>", fault.text);
	put(printer, why, (size_t)n);
	return false;
}

/* The format is from here on not the user's any more, but made of what was checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void put_integer(struct printer *printer, const struct conversion *how, int64_t value)
{
	bool is_signed = how->kind == 'd' || how->kind == 'i';
	unsigned gone = 64 - how->bits;
	uint64_t bits = (uint64_t)value << gone;
	char format[20], text[2 * LINE_SIZE];
	int n;

	value = is_signed ? (int64_t)bits >> gone : (int64_t)(bits >> gone);
	snprintf(format, sizeof(format), "%%%s*.*ll%c", how->flags, how->kind);
	n = snprintf(text, sizeof(text), format, how->width, how->precision, (long long)value);
	put(printer, text, n > 0 ? (size_t)n : 0);
}

#pragma GCC diagnostic pop

static void put_padded(struct printer *printer, const struct conversion *how, const char *text,
		       size_t size)
{
	size_t padding = (size_t)how->width > size ? (size_t)how->width - size : 0;
	bool left = strchr(how->flags, '-');

	for (size_t i = 0; i < padding && !left; i++)
		put(printer, " ", 1);
	put(printer, text, size);
	for (size_t i = 0; i < padding && left; i++)
		put(printer, " ", 1);
}

/* One byte of the guest's, which never reaches a terminal as an order to it: C0 without tab and newline,
 * DEL, and the second byte of C1 in UTF-8. Returns its length. */
static size_t clean_byte(char *out, unsigned char before, unsigned char c)
{
	bool c1 = before == 0xc2 && c >= 0x80 && c < 0xa0;

	if (!c1 && c != 0x7f && (c >= 0x20 || c == '\t' || c == '\n')) {
		*out = (char)c;
		return 1;
	}
	return (size_t)sprintf(out, "\\x%02x", c);
}

static void put_character(struct printer *printer, const struct conversion *how, int64_t value)
{
	char text[8] = "";

	put_padded(printer, how, text, clean_byte(text, 0, (unsigned char)value));
}

static void put_string(struct printer *printer, const struct conversion *how, uint64_t address)
{
	int limit = how->precision >= 0 && how->precision < STRING_LIMIT ? how->precision
									 : STRING_LIMIT;
	char text[4 * STRING_LIMIT + 16], before = 0, c;
	size_t size = 0;

	for (int i = 0; i < limit; i++, before = c) {
		if (!core_read_linear(&printer->place, address + (unsigned)i, &c, 1)) {
			size += (size_t)sprintf(text + size, "<not readable>");
			break;
		}
		if (!c)
			break;
		size += clean_byte(text + size, (unsigned char)before, (unsigned char)c);
	}
	put_padded(printer, how, text, size);
}

static void put_pointer(struct printer *printer, const struct conversion *how, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);

	put_padded(printer, how, text, (size_t)n);
}

static void put_value(struct printer *printer, const struct conversion *how, int64_t value)
{
	switch (how->kind) {
	case 's': put_string(printer, how, (uint64_t)value); break;
	case 'p': put_pointer(printer, how, value); break;
	case 'c': put_character(printer, how, value); break;
	default: put_integer(printer, how, value);
	}
}

/* ---- the line ---------------------------------------------------------------------------- */

/* One conversion, from its % on; returns what is behind it. */
static const char *put_conversion(struct printer *printer, const char *at)
{
	struct conversion conversion;
	const char *end = read_conversion(at, &conversion);
	int64_t value;

	if (!end || conversion.kind == '%') {
		put(printer, "%", 1);
		return end ? end : at + 1;
	}
	if (next_value(printer, &value))
		put_value(printer, &conversion, value);
	return end;
}

static void put_end(struct printer *printer)
{
	static const char cut[] = "...\n";

	if (printer->cut) {
		memcpy(printer->text + LINE_SIZE - strlen(cut), cut, strlen(cut));
	} else if (!printer->action->exact) {
		while (printer->length > 0 && printer->text[printer->length - 1] == '\n')
			printer->length--;
		printer->text[printer->length++] = '\n';
	}
}

static void print(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
		  const struct point_action *action)
{
	struct printer printer = {.place = {debug, vcpu}, .action = action};
	const char *at = action->format;

	while (*at) {
		size_t plain = strcspn(at, "%");

		put(&printer, at, plain);
		at += plain;
		if (*at)
			at = put_conversion(&printer, at);
	}
	put_end(&printer);
	printer.text[printer.length] = '\0';
	core_print(debug, vcpu, point->point.owner, printer.text);
}

void core_act(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
	      const struct stop *stop)
{
	for (const struct point_action *action = point->action; action; action = action->next) {
		if (action->format && *action->format)
			print(debug, vcpu, point, action);
		else if (action->format)
			core_log_stop(debug, vcpu, point, stop);
	}
}
