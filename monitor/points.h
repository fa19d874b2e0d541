/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands about points share. */
#ifndef MONITOR_POINTS_H
#define MONITOR_POINTS_H

#include "monitor/command.h"

/* "if EXPR", "cpu N", "cr3 VALUE", "ring N", in any order, and behind all of them "do LINE; LINE". */
struct clauses {
	struct program *condition; /* the caller's, or NULL */
	struct point_limit limit;
	const char *commands; /* in the text that was read, or NULL */
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

/* What it is, as facts (facts.h), into the object that is open. */
void point_tell(struct call *call, const struct point *point);

/* "breakpoint", "write watch", "catch io", ... */
const char *point_kind_name(enum point_kind kind);

/* Adds a point with its condition and action (both may be NULL, both are taken over whatever
 * happens) and says so. The point's number, or -errno. */
int point_create(struct call *call, const struct point_spec *spec, struct program *condition,
		 struct point_action *action);

/* ---- point_commands.c ---------------------------------------------------------------------- */

/* The lines that run when this point has stopped the guest; none of them: takes them away. -E2BIG, -ENOMEM. */
int point_commands_set(struct monitor *monitor, int number, const char *text, struct error *err);
/* The same with semicolons between them. */
int point_commands_split(struct monitor *monitor, int number, const char *text, struct error *err);
const char *point_commands(struct monitor *monitor, int number); /* or NULL */
void point_commands_free(struct monitor *monitor);
/* A line that belongs to what `commands` is collecting. */
int commands_collect(struct call *call, const char *line);

#endif
