/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands behind an option. */
#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include "error.h"

#include <stdint.h>

/* Decimal, 0x… or 0…; what follows it is left in *rest. -EINVAL: no number. */
int option_number(const char *text, uint64_t *value, const char **rest);

/* The whole text is a number up to max. */
int option_whole(const char *name, const char *text, uint64_t max, uint64_t *value,
		 struct error *err);

/* One of a few words; the list ends with a NULL name. */
struct choice {
	const char *name;
	int value;
};
int option_choice(const char *option, const char *text, const struct choice *choices, int *value,
		  struct error *err);

/* Takes the first "key=value" off a list with commas, in place; ",," is a comma. *value is NULL where there is
 * no '='. Returns the rest, or NULL behind the last one. */
char *option_property(char *list, char **key, char **value);

/* The K, M, G behind a size as a shift; none: M, as QEMU has it; 0: none of these. */
unsigned option_unit_shift(const char *suffix);

#endif
