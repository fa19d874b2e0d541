/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that is put together in a caller's buffer, and cut where that ends; it is always terminated. */
#ifndef CUT_TEXT_H
#define CUT_TEXT_H

#include <stddef.h>

/* used stays below size, which is at least 1. */
struct cut_text {
	char *buf;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) void cut_text_add(struct cut_text *text, const char *fmt,
							...);

#endif
