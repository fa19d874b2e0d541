/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "~/" in front of a path, as shells have it, where no shell has taken it away: at the console, and behind "unix:". */
#ifndef HOME_PATH_H
#define HOME_PATH_H

#include "error.h"

#include <stddef.h>

/* The path with $HOME in place of the ~ of "~" and "~/…". -ENOENT without HOME, -ENAMETOOLONG, with a sentence. */
int home_path(const char *path, char *buf, size_t size, struct error *err);

#endif
