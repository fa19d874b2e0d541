// SPDX-License-Identifier: GPL-3.0-or-later
#include "home_path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_below_home(const char *path)
{
	return path[0] == '~' && (!path[1] || path[1] == '/');
}

int home_path(const char *path, char *buf, size_t size, struct error *err)
{
	const char *home = getenv("HOME");
	bool below = is_below_home(path);

	if (below && (!home || !*home))
		return error_set(err, -ENOENT, "HOME is not set: write all of the path, or ./%s",
				 path);
	if ((size_t)snprintf(buf, size, "%s%s", below ? home : "", path + below) >= size)
		return error_set(err, -ENAMETOOLONG, "a path has fewer than %zu characters", size);
	return 0;
}
