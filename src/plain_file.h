/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that somebody names, to be read to their end (a FIFO or a terminal would hold the main thread up), or to be
 * replaced whole. */
#ifndef PLAIN_FILE_H
#define PLAIN_FILE_H

#include <sys/types.h>

/* Opens one for reading; size may be NULL. The descriptor; -EINVAL when it is no plain file; -errno. */
int plain_file_open(const char *path, off_t *size);
/* A new file beside path, to be written and then renamed to it, with the rights that the user wants new files to have.
 * The descriptor, and the name, to be freed; -errno. */
int plain_file_new_beside(const char *path, char **beside);

#endif
