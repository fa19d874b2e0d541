/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line table of an image, by libdw. Read at the first question. */
#ifndef MONITOR_LINES_H
#define MONITOR_LINES_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

struct lines;

struct lines *lines_new(Elf *elf); /* the ELF handle must outlive it; NULL when out of memory */
void lines_free(struct lines *lines);

/* Rows of the line table behind each other: the addresses low <= a < high belong to this line. */
struct line_row {
	const char *file; /* stays valid; a full path where the compiler recorded one */
	int line;
	uint64_t low, high;
};

/* The row that covers address: 0 or -ENOENT. */
int lines_at(struct lines *lines, uint64_t address, struct line_row *row);

/* Where line (or, when it has no code, the next one that has) begins; *found is the line taken.
 * file matches by its last part: "smp.c", "guests/smp.c". 0 or -ENOENT. */
int lines_address(struct lines *lines, const char *file, int line, int *found, uint64_t *address);

/* The full name of the first source file that matches by its last part, or NULL. */
const char *lines_file(struct lines *lines, const char *file);

#endif
