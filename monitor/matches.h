/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What TAB has found: complete.c knows what can stand where, complete_kinds.c what there is of each kind. */
#ifndef MONITOR_MATCHES_H
#define MONITOR_MATCHES_H

#include "monitor/command.h"

/* Matches gathered so far; row 0 is kept free for their common beginning. */
struct matches {
	const char *word;
	char **list;
	size_t count, space;
};

/* Takes prefix, text and suffix together when they begin with the word. */
void match_add(struct matches *matches, const char *text, size_t size, const char *prefix,
	       const char *suffix);
void match_text(struct matches *matches, const char *text);

/* ---- complete_kinds.c */

/* False: there is nothing for this kind. */
bool match_kind(struct monitor *monitor, enum arg_kind kind, struct matches *matches);
void match_commands(struct matches *matches); /* first words */
/* Of the path that is being typed only what lies behind `before` is the word: readline breaks at slashes and
 * dashes, too. */
void match_files(const char *before, struct matches *matches);

#endif
