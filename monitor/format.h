/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb's x/FMT: a count, a letter (o x d u t a c s i) and a size (b h w g), in any order. */
#ifndef MONITOR_FORMAT_H
#define MONITOR_FORMAT_H

#include "error.h"
#include "monitor/symbols.h"

#include <stddef.h>
#include <stdint.h>

/* More than this is a file's job, not a screen's. */
#define FORMAT_MAX_COUNT 65536

struct format {
	unsigned count;
	char letter;
	unsigned size; /* bytes of a unit: 1, 2, 4, 8; 1 for s and i */
};

/* Reads text (what follows the slash) over what *format holds as defaults; the count starts at 1.
 * With a letter that has a size of its own (c s i: 1, a: 8) and no size given, that one is taken.
 * -EINVAL. */
int format_parse(const char *text, struct format *format, struct error *err);

/* One unit as text. letter: o x d u t a c; symbols only for a. Returns the length. */
int format_value(char letter, unsigned size, uint64_t value, struct symbols *symbols, char *buf,
		 size_t buf_size);

/* How many units fit on a line of 80 columns behind an address. */
unsigned format_per_line(const struct format *format);

/* One string in quotes, with C's escapes for what is not printable. */
int format_string(const char *bytes, size_t size, char *buf, size_t buf_size);

#endif
