/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What options.c goes by. A new option is a row here, a line in its help, and one in the manual. */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include "options.h"

#include <stddef.h>

struct choice; /* option_values.h */

typedef int option_fn(struct options *o, const char *arg, struct error *err);

struct option_row {
	const char *name;
	enum {
		OPTION_TEXT,	   /* const char * at offset: the argument itself */
		OPTION_FLAG,	   /* bool at offset becomes true; no argument */
		OPTION_CHOICE,	   /* int, or an enum, at offset: one of choices */
		OPTION_CALL,	   /* call looks at the argument */
		OPTION_CALL_PLAIN, /* call, with NULL: no argument */
		OPTION_VERSION,	   /* print, and end */
		OPTION_HELP,
	} kind;
	size_t offset; /* into struct options */
	const struct choice *choices;
	option_fn *call;
};

#define OPTION_ROOM 100 /* more than there are */
extern const struct option_row option_table[];
extern const unsigned option_count;

/* A word that no option takes: the image. */
int option_positional(struct options *o, const char *word, struct error *err);

#endif
