/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text that is safe to show, and colours. Names, source lines and serial bytes are chosen by the
 * guest: they pass through text_clean() once, where they enter the monitor. And there is one door out,
 * out_text(), that out_printf() goes through: whatever a command quotes, nothing leaves it but printable
 * text, newlines, tabs, and where they are wanted the colours below.
 */
#ifndef MONITOR_TEXT_H
#define MONITOR_TEXT_H

#include "monitor/monitor.h"

#include <stdbool.h>
#include <stddef.h>

/* Copies text (size bytes) to out as printable UTF-8: control characters (C0, DEL, C1) and bytes
 * that are no UTF-8 become \xNN, a tab stays; a newline stays when newlines says so. Cut at a
 * character's end when out is too small. Returns the length. */
size_t text_clean(const char *text, size_t size, bool newlines, char *out, size_t out_size);
/* The longest text_clean() can get, with its NUL. */
#define TEXT_CLEAN_SIZE(size) ((size)*4 + 1)

/* Length of the UTF-8 character at text: 0 when it is none, or not all of it is there (then
 * *partial). */
size_t text_utf8_length(const char *text, size_t size, bool *partial);

/* The length of the escape sequence that text begins with, and in *c what it stands for: \n \r \t \0 \\
 * \" \xN \xNN. 0, and *c untouched, when it is none. */
size_t text_escape(const char *text, char *c);

/* Columns that text takes: one per character. */
size_t text_width(const char *text);
/* Takes so many columns at the most, in a buffer of so many bytes: what is cut off gives way to tail. */
void text_cut(char *text, size_t size, size_t columns, const char *tail);

/* What fits on a line of a terminal with 80 columns. */
#define TEXT_COLUMNS 79
/* ... and of the one that out is for, where that is narrower; at least 39. */
size_t out_columns(const struct monitor_out *out);
/* Writes text and a newline. Where it would be too long it goes on in the next line, behind indent
 * blanks. column: where the cursor stands. */
void out_wrapped(struct monitor_out *out, const char *text, size_t column, size_t indent);
/* A sentence without a newline, which may be quoted or sent on: only on a terminal it goes on in the next line, where
 * that ends. */
void out_sentence(struct monitor_out *out, const char *text);

enum color {
	COLOR_STOP,
	COLOR_NAME,
	COLOR_CHANGED,
	COLOR_CURRENT,
	COLOR_DIM,
	COLOR_ERROR,
	COLOR_OFF
};
/* The door. */
void out_text(struct monitor_out *out, const char *text, size_t size);

/* The escape that begins a colour, or "" where out has none. */
const char *color(const struct monitor_out *out, enum color color);

/* A string that grows: for what is built piece by piece. Out of memory cuts it. */
struct string {
	char *text; /* NUL-terminated once something was added; or NULL */
	size_t size, space;
};
void string_add(struct string *string, const char *text, size_t size); /* text: NULL for none */
void string_printf(struct string *string, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *string_text(const struct string *string); /* never NULL */
void string_free(struct string *string);

#endif
