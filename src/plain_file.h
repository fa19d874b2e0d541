/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that somebody names, to be read to their end: a FIFO or a terminal would hold the main thread up. */
#ifndef PLAIN_FILE_H
#define PLAIN_FILE_H

#include <sys/types.h>

/* Opens one for reading; size may be NULL. The descriptor; -EINVAL when it is no plain file; -errno. */
int plain_file_open(const char *path, off_t *size);

#endif
