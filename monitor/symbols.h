/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and lines of a guest image, by elfutils (libelf, libdw). */
#ifndef MONITOR_SYMBOLS_H
#define MONITOR_SYMBOLS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

struct symbols;

/* From a file in memory, which must outlive the symbols. An image without symbols is no error. */
int symbols_load(const void *elf, size_t size, struct symbols **symbols, struct error *err);
void symbols_free(struct symbols *symbols);

/* Address of a function or object: 0 or -ENOENT. */
int symbols_find(struct symbols *symbols, const char *name, uint64_t *address, uint64_t *size);
/* The name that covers address, and the distance to its start; NULL when none does. */
const char *symbols_name(struct symbols *symbols, uint64_t address, uint64_t *offset);
/* Source file and line of an address: 0 or -ENOENT. file stays valid. */
int symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line);
/* First address of a line: 0 or -ENOENT. file matches by its last part. */
int symbols_line_address(struct symbols *symbols, const char *file, int line, uint64_t *address);
/* Where a breakpoint on a function belongs: behind its prologue, as gdb does it. */
uint64_t symbols_breakpoint_address(struct symbols *symbols, uint64_t function);
/* Symbol names that start with prefix, one per call with *cursor from 0 up; NULL at the end. */
const char *symbols_next(struct symbols *symbols, const char *prefix, size_t *cursor);

#endif
