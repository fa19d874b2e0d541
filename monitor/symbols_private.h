/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The symbols of an image: symbol_table.c (read), symbols.c (looked up), symbol_lines.c (source lines). */
#ifndef MONITOR_SYMBOLS_PRIVATE_H
#define MONITOR_SYMBOLS_PRIVATE_H

#include "monitor/lines.h"
#include "monitor/orc.h"
#include "monitor/symbols.h"

#include <gelf.h>

struct symbol {
	uint64_t address, size;
	uint64_t limit; /* the end of its section */
	const char *name;
	unsigned rank; /* of several at one address, the one to show has the lowest */
};

/* A name that had to be cleaned; they are rare. */
struct clean_name {
	struct clean_name *next;
	char text[];
};

struct symbols {
	symbols_make_fn *make; /* NULL: the file is there, or there is none */
	void *make_ctx;
	const void *file;
	size_t file_size;
	Elf *elf; /* NULL: no image */
	struct lines *lines;
	struct frames *frames; /* NULL until somebody asks */
	bool orc_sought;
	struct orc_tables orc; /* once they have been; of length 0: none */
	uint64_t offset;       /* the guest has it that much higher than the image says */
	symbols_ask_fn *ask;   /* NULL: there are no others */
	symbols_module_fn *module;
	void *ask_ctx;
	bool read;
	struct symbol *by_address;
	struct symbol **by_name;
	size_t count;
	struct clean_name *clean;
};

/* Before anything is read of the file: whether there is one. */
bool symbols_open(struct symbols *symbols);
/* Before anything is looked up: whether there are any. */
bool symbols_ready(struct symbols *symbols);
/* The name itself where it is printable, which is nearly always; else a clean copy. */
const char *symbols_printable(struct symbols *symbols, const char *name);

#endif
