/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing text, for the XML documents that gdb reads. */
#ifndef GDBSTUB_TEXT_H
#define GDBSTUB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* NULL while empty */
	size_t size, capacity;
	bool failed; /* memory ran out; what is there is not whole */
};

void text_clear(struct text *text); /* empty again, memory freed */
void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* With `<`, `>`, `&`, `"` written as XML wants them, and what is not printable left out. */
void text_xml(struct text *text, const char *plain);

#endif
