// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_clear(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

static bool reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity ? text->capacity : 1024;
	char *bytes;

	if (text->failed)
		return false;
	while (capacity < text->size + more)
		capacity *= 2;
	if (capacity == text->capacity)
		return true;
	bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_printf(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !reserve(text, (size_t)n + 1))
		return;
	va_start(args, fmt);
	vsnprintf(text->bytes + text->size, (size_t)n + 1, fmt, args);
	va_end(args);
	text->size += (size_t)n;
}

static const char *entity(char c)
{
	switch (c) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '"': return "&quot;";
	}
	return NULL;
}

void text_xml(struct text *text, const char *plain)
{
	for (; *plain; plain++) {
		if (entity(*plain))
			text_printf(text, "%s", entity(*plain));
		else if (isprint((unsigned char)*plain))
			text_printf(text, "%c", *plain);
	}
}
