// SPDX-License-Identifier: GPL-3.0-or-later
#include "comma_list.h"

#include <stddef.h>

char *comma_list_split(char *list)
{
	char *to = list;

	for (; *list; list++) {
		if (*list == ',' && *++list != ',') {
			*to = '\0';
			return list;
		}
		*to++ = *list;
	}
	*to = '\0';
	return NULL;
}
