/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the session fuzzer plays: a text of lines, so that a person can read a finding, and write a seed.
 *
 *   $BODY     a packet; it gets its frame and a right checksum when it is played
 *   <BYTES    bytes as they are
 *   !EVENT    something that happens besides; fuzz_session.c knows which
 *
 * A newline in BODY or BYTES is written `\n`, a backslash `\\`. Lines of any other kind mean nothing.
 */
#ifndef TESTS_FUZZ_SCRIPT_H
#define TESTS_FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_LINES 400

struct script_line {
	char kind;	     /* '$', '<' or '!' */
	const uint8_t *text; /* behind it, as it is written */
	size_t size;
};

struct script {
	unsigned count;
	struct script_line line[SCRIPT_LINES];
};

/* Lines behind the first SCRIPT_LINES are left out. The lines point into data. */
void script_read(struct script *script, const uint8_t *data, size_t size);
/* The bytes that a line stands for; out has room for line->size. */
size_t script_bytes(const struct script_line *line, uint8_t *out);
/* The other way round. How much was written, at most room. */
size_t script_escape(const void *bytes, size_t size, uint8_t *out, size_t room);
/* How much was written, at most room: whole lines only. */
size_t script_write(const struct script *script, uint8_t *out, size_t room);

#endif
