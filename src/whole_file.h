/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole file, mapped for reading. */
#ifndef MAPPED_FILE_H
#define MAPPED_FILE_H

#include "error.h"

#include <stddef.h>

struct mapped_file {
	void *bytes; /* NULL: not mapped, or empty */
	size_t size;
};

/* -errno, with a sentence that names the file. What changes in it later shows. */
int map_file(const char *path, struct mapped_file *file, struct error *err);
void unmap_file(struct mapped_file *file); /* twice is fine */

#endif
