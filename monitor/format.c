// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/format.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static unsigned size_of_letter(char c)
{
	switch (c) {
	case 'b': return 1;
	case 'h': return 2;
	case 'w': return 4;
	case 'g': return 8;
	default: return 0;
	}
}

static int parse_count(const char **text, struct format *format, struct error *err)
{
	unsigned long count = 0;

	for (; isdigit((unsigned char)**text); (*text)++)
		if (count <= FORMAT_MAX_COUNT)
			count = count * 10 + (**text - '0');
	if (!count || count > FORMAT_MAX_COUNT)
		return error_set(err, -EINVAL, "the count in a format is from 1 to %u",
				 FORMAT_MAX_COUNT);
	format->count = count;
	return 0;
}

static int parse_letter(char c, struct format *format, unsigned *size, struct error *err)
{
	if (size_of_letter(c))
		*size = size_of_letter(c);
	else if (strchr("oxdutacsi", c))
		format->letter = c;
	else
		return error_set(err, -EINVAL,
				 "`%c` is no format: letters are o x d u t a c s i, sizes b h w g, "
				 "as in x/16gx",
				 isprint((unsigned char)c) ? c : '?');
	return 0;
}

int format_parse(const char *text, struct format *format, struct error *err)
{
	unsigned size = 0;
	int ret = 0;

	format->count = 1;
	while (!ret && *text) {
		if (isdigit((unsigned char)*text))
			ret = parse_count(&text, format, err);
		else
			ret = parse_letter(*text++, format, &size, err);
	}
	if (ret)
		return ret;
	if (strchr("si", format->letter) || (format->letter == 'c' && !size))
		format->size = 1;
	else if (size)
		format->size = size;
	else if (format->letter == 'a')
		format->size = 8;
	return 0;
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - size * 8;

	return (int64_t)(value << shift) >> shift;
}

static uint64_t truncate_to(uint64_t value, unsigned size)
{
	return size >= 8 ? value : value & ((1ull << size * 8) - 1);
}

static int format_binary(uint64_t value, unsigned size, char *buf, size_t buf_size)
{
	char digits[65];

	for (unsigned i = 0; i < size * 8; i++)
		digits[i] = value >> (size * 8 - 1 - i) & 1 ? '1' : '0';
	digits[size * 8] = 0;
	return snprintf(buf, buf_size, "%s", digits);
}

static int format_address(uint64_t value, struct symbols *symbols, char *buf, size_t buf_size)
{
	uint64_t offset;
	const char *name = symbols_name(symbols, value, &offset);

	if (!name)
		return snprintf(buf, buf_size, "0x%" PRIx64, value);
	return snprintf(buf, buf_size,
			offset ? "0x%" PRIx64 " <%.60s+0x%" PRIx64 ">" : "0x%" PRIx64 " <%.60s>",
			value, name, offset);
}

static int format_character(uint64_t value, char *buf, size_t buf_size)
{
	unsigned char c = value;
	char quoted[8];

	format_string((const char *)&c, 1, quoted, sizeof(quoted));
	return snprintf(buf, buf_size, "%d '%.*s'", (signed char)c, (int)strlen(quoted) - 2,
			quoted + 1);
}

int format_value(char letter, unsigned size, uint64_t value, struct symbols *symbols, char *buf,
		 size_t buf_size)
{
	value = truncate_to(value, size);
	switch (letter) {
	case 'd': return snprintf(buf, buf_size, "%" PRId64, sign_extend(value, size));
	case 'u': return snprintf(buf, buf_size, "%" PRIu64, value);
	case 'o': return snprintf(buf, buf_size, "0%" PRIo64, value);
	case 't': return format_binary(value, size, buf, buf_size);
	case 'a': return format_address(value, symbols, buf, buf_size);
	case 'c': return format_character(value, buf, buf_size);
	default: return snprintf(buf, buf_size, "0x%0*" PRIx64, (int)size * 2, value);
	}
}

unsigned format_per_line(const struct format *format)
{
	switch (format->letter) {
	case 't': return format->size >= 4 ? 1 : 4 / format->size;
	case 'a': return 1;
	case 'c': return 8;
	default: return format->size == 8 ? 2 : format->size == 1 ? 8 : 16 / format->size;
	}
}

static int format_escape(unsigned char c, char *buf, size_t buf_size)
{
	static const char from[] = "\a\b\t\n\v\f\r\033\\\"", to[] = "abtnvfre\\\"";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		return snprintf(buf, buf_size, "\\%c", to[at - from]);
	if (c < 0x20 || c >= 0x7f)
		return snprintf(buf, buf_size, "\\x%02x", c);
	return snprintf(buf, buf_size, "%c", c);
}

int format_string(const char *bytes, size_t size, char *buf, size_t buf_size)
{
	size_t used = snprintf(buf, buf_size, "\"");

	for (size_t i = 0; i < size && used + 6 < buf_size; i++)
		used += format_escape(bytes[i], buf + used, buf_size - used);
	return used + snprintf(buf + used, buf_size - used, "\"");
}
