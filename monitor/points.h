/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands about points share. */
#ifndef MONITOR_POINTS_H
#define MONITOR_POINTS_H

#include "monitor/command.h"

/* "if EXPR", "cpu N", "cr3 VALUE", "ring N", in any order. */
struct clauses {
	struct program *condition; /* the caller's, or NULL */
	struct point_limit limit;
};
/* Reads all of text; the condition is freed when it fails. */
int clauses_parse(struct call *call, const char *text, struct clauses *clauses);
/* Whether a clause stands at text. */
bool clauses_begin(const char *text);
/* The words they begin with, for completion: NULL behind the last. */
const char *clause_name(unsigned index);

/* What can be caught, for completion: NULL behind the last. */
const char *catch_name(unsigned index);

const struct point *point_numbered(struct monitor *monitor, int number);
/* The same, if the caller may change it; NULL with a sentence. */
const struct point *point_owned(struct call *call, int number);

/* "breakpoint", "write watch", "catch io", ... */
const char *point_kind_name(enum point_kind kind);

/* Adds a point with its condition and action (both may be NULL, both are taken over whatever
 * happens) and says so. The point's number, or -errno. */
int point_create(struct call *call, const struct point_spec *spec, struct program *condition,
		 struct point_action *action);

#endif
