// SPDX-License-Identifier: GPL-3.0-or-later
#include "print.h"

#include <stdarg.h>
#include <stdbool.h>

static void put(char c)
{
	serial_put(c);
	text_screen_put(c);
}

static void put_padded(const char *text, unsigned length, unsigned width, char pad)
{
	for (; width > length; width--)
		put(pad);
	for (unsigned i = 0; i < length; i++)
		put(text[i]);
}

static void put_text(const char *text, unsigned width)
{
	unsigned length = 0;

	while (text[length])
		length++;
	put_padded(text, length, width, ' ');
}

static void put_decimal(unsigned long value, bool negative, unsigned width, char pad)
{
	char digits[24];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_padded(digits + at, sizeof(digits) - at, width, pad);
}

static void put_hex(unsigned long long value, unsigned width, char pad)
{
	char digits[16];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	put_padded(digits + at, sizeof(digits) - at, width, pad);
}

static unsigned long long take(va_list *args, unsigned longs)
{
	if (longs == 0)
		return va_arg(*args, unsigned);
	return longs == 1 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned long long);
}

static void put_signed(va_list *args, unsigned longs, unsigned width, char pad)
{
	long value = longs ? va_arg(*args, long) : va_arg(*args, int);

	put_decimal(value < 0 ? -(unsigned long)value : (unsigned long)value, value < 0, width,
		    pad);
}

/* One conversion; format points behind the %. Returns where it ends. */
static const char *convert(const char *format, va_list *args)
{
	char pad = *format == '0' ? '0' : ' ';
	unsigned width = 0, longs = 0;

	for (; *format >= '0' && *format <= '9'; format++)
		width = width * 10 + (unsigned)(*format - '0');
	for (; *format == 'l'; format++)
		longs++;
	if (*format == 'c')
		put((char)va_arg(*args, int));
	else if (*format == 's')
		put_text(va_arg(*args, const char *), width);
	else if (*format == 'd')
		put_signed(args, longs, width, pad);
	else if (*format == 'u')
		put_decimal((unsigned long)take(args, longs), false, width, pad);
	else if (*format == 'x')
		put_hex(take(args, longs), width, pad);
	else if (*format == 'p')
		put_hex((unsigned long)va_arg(*args, void *), width, pad);
	else if (*format)
		put(*format);
	return *format ? format + 1 : format;
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format) {
		if (*format == '%')
			format = convert(format + 1, &args);
		else
			put(*format++);
	}
	va_end(args);
}
