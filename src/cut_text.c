// SPDX-License-Identifier: GPL-3.0-or-later
#include "cut_text.h"

#include <stdarg.h>
#include <stdio.h>

void cut_text_add(struct cut_text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->buf + text->used, text->size - text->used, fmt, args);
	va_end(args);
	if (n > 0)
		text->used += (size_t)n;
	if (text->used >= text->size)
		text->used = text->size - 1;
}
