/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole file in memory, as it was when it was read: who builds it anew meanwhile would end a process that has it
 * mapped, by SIGBUS. */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include "error.h"

#include <stddef.h>

struct whole_file {
	void *bytes; /* NULL: not read, or empty */
	size_t size;
};

/* -errno, with a sentence that names the file. */
int whole_file_read(const char *path, struct whole_file *file, struct error *err);
/* The same of what may be a pipe or a terminal, too, or "-", standard input: waits for its end. Of at most 1 MiB. */
int whole_file_read_stream(const char *path, struct whole_file *file, struct error *err);
void whole_file_free(struct whole_file *file); /* twice is fine */

#endif
