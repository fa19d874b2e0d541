// SPDX-License-Identifier: GPL-3.0-or-later
#include "option_values.h"

#include "comma_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int option_number(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || strchr(text, '-'))
		return -EINVAL;
	*rest = end;
	return 0;
}

int option_whole(const char *name, const char *text, uint64_t max, uint64_t *value,
		 struct error *err)
{
	const char *rest;

	if (option_number(text, value, &rest) < 0 || *rest || *value > max)
		return error_set(err, -EINVAL, "-%s takes a number up to 0x%llx, not '%s'", name,
				 (unsigned long long)max, text);
	return 0;
}

int option_choice(const char *option, const char *text, const struct choice *choices, int *value,
		  struct error *err)
{
	char list[120] = "";

	for (const struct choice *c = choices; c->name; c++) {
		if (strcmp(c->name, text) == 0) {
			*value = c->value;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 *list ? ", " : "", c->name);
	}
	return error_set(err, -EINVAL, "-%s takes one of %s, not '%s'", option, list, text);
}

char *option_property(char *list, char **key, char **value)
{
	char *rest = comma_list_split(list);

	*key = list;
	*value = strchr(list, '=');
	if (*value)
		*(*value)++ = '\0';
	return rest;
}

unsigned option_unit_shift(const char *suffix)
{
	static const struct choice units[] = {{"", 20},	 {"K", 10}, {"k", 10}, {"M", 20},
					      {"m", 20}, {"G", 30}, {"g", 30}, {0}};

	for (const struct choice *u = units; u->name; u++)
		if (strcmp(u->name, suffix) == 0)
			return (unsigned)u->value;
	return 0;
}
