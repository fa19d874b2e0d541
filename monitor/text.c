// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t utf8_expected(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Overlong forms and surrogates, which the lead byte alone does not show. */
static bool utf8_second_fits(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second <= 0x9f;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second <= 0x8f;
	default: return true;
	}
}

size_t text_utf8_length(const char *text, size_t size, bool *partial)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t length = size ? utf8_expected(byte[0]) : 0;

	*partial = false;
	for (size_t i = 1; i < length; i++) {
		if (i == size) {
			*partial = true;
			return 0;
		}
		if ((byte[i] & 0xc0) != 0x80 || (i == 1 && !utf8_second_fits(byte[0], byte[1])))
			return 0;
	}
	return length;
}

size_t text_escape(const char *text, char *c)
{
	static const char from[] = "nrt0\\\"", to[] = "\n\r\t\0\\\"";
	char digits[3] = "";
	const char *known;
	size_t count = 0;

	if (text[0] != '\\' || !text[1])
		return 0;
	known = strchr(from, text[1]);
	if (known) {
		*c = to[known - from];
		return 2;
	}
	while (text[1] == 'x' && count < 2 && isxdigit((unsigned char)text[2 + count])) {
		digits[count] = text[2 + count];
		count++;
	}
	if (!count)
		return 0;
	*c = (char)strtoul(digits, NULL, 16);
	return 2 + count;
}

static bool is_control(const char *text, size_t length, bool newlines)
{
	unsigned char c = text[0];

	if (length == 2)
		return c == 0xc2 && (unsigned char)text[1] < 0xa0; /* C1: 8-bit escapes */
	return length == 1 && (c == 0x7f || (c < 0x20 && c != '\t' && !(newlines && c == '\n')));
}

size_t text_clean(const char *text, size_t size, bool newlines, char *out, size_t out_size)
{
	size_t used = 0;
	bool partial;

	while (size) {
		char piece[8];
		size_t length = text_utf8_length(text, size, &partial), step = length ? length : 1,
		       piece_size;

		if (!length || is_control(text, length, newlines)) {
			step = 1;
			piece_size = snprintf(piece, sizeof(piece), "\\x%02x",
					      (unsigned char)*text);
		} else {
			memcpy(piece, text, length);
			piece_size = length;
		}
		if (used + piece_size >= out_size)
			break;
		memcpy(out + used, piece, piece_size);
		used += piece_size;
		text += step;
		size -= step;
	}
	if (out_size)
		out[used] = 0;
	return used;
}

/* As text_width() of the first size bytes. */
static size_t width_of(const char *text, size_t size)
{
	size_t width = 0;

	for (size_t i = 0; i < size; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

size_t text_width(const char *text)
{
	return width_of(text, strlen(text));
}

void text_cut(char *text, size_t size, size_t columns, const char *tail)
{
	size_t keep = columns - text_width(tail), used = 0;

	if (text_width(text) <= columns)
		return;
	while (text[used] && width_of(text, used + 1) <= keep)
		used++;
	snprintf(text + used, size - used, "%s", tail);
}

size_t out_columns(const struct monitor_out *out)
{
	const size_t narrowest = 39;

	if (!out->columns || out->columns > TEXT_COLUMNS)
		return TEXT_COLUMNS;
	return out->columns > narrowest ? out->columns - 1 : narrowest;
}

static void wrap(struct monitor_out *out, const char *text, size_t column, size_t indent,
		 size_t columns)
{
	while (*text) {
		size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
		size_t width = width_of(text + blanks, word);

		if (word && column + blanks + width > columns && column > indent) {
			out_printf(out, "\n%*s", (int)indent, "");
			column = indent;
			text += blanks;
			blanks = 0;
		}
		out_printf(out, "%.*s", (int)(blanks + word), text);
		column += blanks + width;
		text += blanks + word;
	}
}

void out_wrapped(struct monitor_out *out, const char *text, size_t column, size_t indent)
{
	wrap(out, text, column, indent, out_columns(out));
	out_printf(out, "\n");
}

/* Where a terminal's last column is written to, some are on the next line already. */
void out_sentence(struct monitor_out *out, const char *text)
{
	wrap(out, text, 0, 0, out->columns ? out->columns - 1 : SIZE_MAX);
}

static const char *const escapes[] = {
	[COLOR_STOP] = "\033[1;31m", [COLOR_NAME] = "\033[36m", [COLOR_CHANGED] = "\033[1;33m",
	[COLOR_CURRENT] = "\033[1m", [COLOR_DIM] = "\033[2m",	[COLOR_ERROR] = "\033[31m",
	[COLOR_OFF] = "\033[0m",
};

const char *color(const struct monitor_out *out, enum color which)
{
	return out->color ? escapes[which] : "";
}

static bool string_reserve(struct string *string, size_t size)
{
	size_t space = string->space ? string->space : 128;
	char *text;

	while (space < string->size + size + 1)
		space *= 2;
	if (space == string->space)
		return true;
	text = realloc(string->text, space);
	if (!text)
		return false;
	string->text = text;
	string->space = space;
	return true;
}

void string_add(struct string *string, const char *text, size_t size)
{
	if (!string_reserve(string, size))
		return;
	if (size)
		memcpy(string->text + string->size, text, size);
	string->size += size;
	string->text[string->size] = 0;
}

static void string_vprintf(struct string *string, const char *fmt, va_list args)
{
	char *text;
	int length = vasprintf(&text, fmt, args);

	if (length < 0)
		return;
	string_add(string, text, length);
	free(text);
}

void string_printf(struct string *string, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	string_vprintf(string, fmt, args);
	va_end(args);
}

const char *string_text(const struct string *string)
{
	return string->text ? string->text : "";
}

void string_free(struct string *string)
{
	free(string->text);
	*string = (struct string){0};
}

/* ---- the door ------------------------------------------------------------------------------- */

/* How long the colour at text is; 0: it is none of ours, or nobody wants colours. */
static size_t color_length(const struct monitor_out *out, const char *text, size_t size)
{
	if (!out->color || *text != '\033')
		return 0;
	for (unsigned i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		size_t length = strlen(escapes[i]);

		if (length <= size && !memcmp(text, escapes[i], length))
			return length;
	}
	return 0;
}

static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\n' && text[i] != '\t')
			return false;
	return true;
}

static void write_clean(struct monitor_out *out, const char *text, size_t size)
{
	char *clean = is_plain(text, size) ? NULL : malloc(TEXT_CLEAN_SIZE(size));

	if (clean)
		out->write(out->ctx, clean,
			   text_clean(text, size, true, clean, TEXT_CLEAN_SIZE(size)));
	else if (is_plain(text, size))
		out->write(out->ctx, text, size);
	free(clean);
}

void out_text(struct monitor_out *out, const char *text, size_t size)
{
	while (size) {
		size_t length = color_length(out, text, size);

		if (length) {
			out->write(out->ctx, text, length);
		} else {
			do
				length++;
			while (length < size && !color_length(out, text + length, size - length));
			write_clean(out, text, length);
		}
		text += length;
		size -= length;
	}
}

void out_printf(struct monitor_out *out, const char *fmt, ...)
{
	struct string string = {0};
	va_list args;

	va_start(args, fmt);
	string_vprintf(&string, fmt, args);
	va_end(args);
	out_text(out, string_text(&string), string.size);
	string_free(&string);
}
