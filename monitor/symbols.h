/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names and lines of a guest image, by elfutils (libelf, libdw). The symbol table and the line
 * table are read at the first question about them. Every name given out is safe to print: what a
 * guest put into its names that is not printable comes out as \xNN.
 */
#ifndef MONITOR_SYMBOLS_H
#define MONITOR_SYMBOLS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

struct symbols;

/* From a file in memory, which must outlive the symbols. An image without symbols is no error; elf
 * may be NULL for no image at all. -ENOEXEC when it is no ELF file, -ENOMEM. */
int symbols_load(const void *elf, size_t size, struct symbols **symbols, struct error *err);
/* The same of a file that is made at the first question that it can answer, and not before: make() is asked once, and
 * may give NULL, or what is no ELF file, for none. Its bytes must outlive the symbols. -ENOMEM. */
typedef const void *symbols_make_fn(void *ctx, size_t *size);
int symbols_later(symbols_make_fn *make, void *ctx, struct symbols **symbols, struct error *err);
void symbols_free(struct symbols *symbols); /* NULL is fine */

/* The guest runs the image that much higher than it is linked: every address below is the guest's. */
void symbols_set_offset(struct symbols *symbols, uint64_t offset);

/* What the image does not know is asked of others, which ask() gives as they are now; or NULL. Their strings are
 * valid until the guest runs. module() says what an address of theirs belongs to; or NULL. */
typedef struct symbols *symbols_ask_fn(void *ctx);
typedef const char *symbols_module_fn(void *ctx, uint64_t address);
void symbols_set_others(struct symbols *symbols, symbols_ask_fn *ask, symbols_module_fn *module,
			void *ctx);

/* In every function below symbols may be NULL: it then knows nothing. Strings stay valid until
 * symbols_free(). */

uint64_t symbols_offset(const struct symbols *symbols);

/* The file; NULL: there is none. */
const void *symbols_file_bytes(struct symbols *symbols, size_t *size);

/* For unwinding (frames.h), at addresses as the image has them; NULL: there is no image. */
struct frames;
struct frames *symbols_frames(struct symbols *symbols);
/* The same of Linux's tables (orc.h); NULL: the image has none. */
struct orc_tables;
const struct orc_tables *symbols_orc(struct symbols *symbols);

/* Address and size (0: unknown) of a function, object or label: 0 or -ENOENT. size may be NULL. */
int symbols_find(struct symbols *symbols, const char *name, uint64_t *address, uint64_t *size);

/* The name that covers address, and the distance to its start; NULL when none does. A name without
 * a size, as assembly has them, covers what follows it in its section. */
const char *symbols_name(struct symbols *symbols, uint64_t address, uint64_t *offset);

/* The name, as it is shown: "add_one", "add_one+0x14", "add_one+0x14 [module]"; "" when none covers address. Returns
 * buf. */
char *symbols_text(struct symbols *symbols, uint64_t address, char *buf, size_t size);

/* Source file (its full name where known) and line of an address: 0 or -ENOENT. */
int symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line);

/* The addresses low <= a < high around address that belong to one row of the line table: 0 or
 * -ENOENT. */
int symbols_line_range(struct symbols *symbols, uint64_t address, uint64_t *low, uint64_t *high);

/* First address of a line, or of the next line that has code: 0 or -ENOENT. file matches by its
 * last part. found (may be NULL): the line that was taken. */
int symbols_line_address(struct symbols *symbols, const char *file, int line, uint64_t *address,
			 int *found);

/* The full name of a source file given by its last part; NULL when the image has none such. */
const char *symbols_file(struct symbols *symbols, const char *file);

/* Where a breakpoint on a function belongs: behind its prologue, as gdb does it. */
uint64_t symbols_breakpoint_address(struct symbols *symbols, uint64_t function);

/* Symbol names that start with prefix, one per call with *cursor from 0 up; NULL at the end. */
const char *symbols_next(struct symbols *symbols, const char *prefix, size_t *cursor);

#endif
