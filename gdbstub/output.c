// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What gdb's points print. gdb shows it while it waits for a stop, and at no other time. When the console has
 * resumed the guest, gdb still believes that it stands still: what is printed meanwhile is kept until gdb
 * waits again.
 */
#include "gdbstub/stub.h"

#include <stdio.h>
#include <string.h>

#define KEPT_MAX 0x10000

static void keep(struct gdb_session *s, const char *text)
{
	if (s->kept.size + strlen(text) > KEPT_MAX || s->kept.failed)
		s->not_kept++;
	else
		text_printf(&s->kept, "%s", text);
}

void output_text(struct gdb_session *s, const char *text)
{
	if (s->waiting)
		session_print(s, text, strlen(text));
	else
		keep(s, text);
}

void output_kept(struct gdb_session *s)
{
	char line[80];

	if (s->kept.size)
		session_print(s, s->kept.bytes, s->kept.size);
	if (s->not_kept) {
		snprintf(line, sizeof(line), "(%llu more, printed while gdb did not wait)\n",
			 s->not_kept);
		session_print(s, line, strlen(line));
	}
	text_clear(&s->kept);
	s->not_kept = 0;
}
