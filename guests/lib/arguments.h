/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of a command line, "ticks=3 text": blanks divide them. */
#ifndef GUEST_ARGUMENTS_H
#define GUEST_ARGUMENTS_H

#include <stdbool.h>

/* True when the word stands there by itself. */
bool argument_given(const char *line, const char *name);
/* What follows "name=", up to a blank or the end; NULL when it is not there. */
const char *argument_text(const char *line, const char *name);
/* The number behind "name=", decimal or 0x…; otherwise when there is none. */
unsigned long argument_number(const char *line, const char *name, unsigned long otherwise);
/* Whether text, up to its blank or end, is exactly word. */
bool argument_is(const char *text, const char *word);

#endif
