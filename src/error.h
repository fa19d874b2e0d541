/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors are values. A function that can fail returns 0 or a negative errno, and, where a person
 * will read the reason, fills a struct error with one sentence that says what to do about it. The
 * sentence travels up untouched and is printed once, at the edge.
 */
#ifndef ERROR_H
#define ERROR_H

struct error {
	int code;	/* negative errno; 0 while nothing went wrong */
	char text[480]; /* one sentence, no trailing newline */
};

/* Fills *err (which may be NULL) and returns code, so that a caller can `return error_set(...)`. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that *err holds already; returns err->code. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
