// SPDX-License-Identifier: GPL-3.0-or-later
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list args;
	int n;

	if (!err)
		return 0;
	memcpy(old, err->text, sizeof(old));
	va_start(args, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n + 3 > sizeof(err->text))
		return err->code;
	memcpy(err->text + n, ": ", 2);
	snprintf(err->text + n + 2, sizeof(err->text) - (size_t)n - 2, "%.*s",
		 (int)(sizeof(err->text) - (size_t)n - 3), old);
	return err->code;
}
