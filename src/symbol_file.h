/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file mapped for reading, as -symbols names it. */
#ifndef SYMBOL_FILE_H
#define SYMBOL_FILE_H

#include "error.h"

#include <stddef.h>

struct symbol_file {
	void *bytes; /* NULL: none */
	size_t size;
};

int symbol_file_map(const char *path, struct symbol_file *file, struct error *err);
void symbol_file_unmap(struct symbol_file *file);

#endif
