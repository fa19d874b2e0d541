// SPDX-License-Identifier: GPL-3.0-or-later
/* Source lines of addresses, and back. */
#include "monitor/prologue.h"
#include "monitor/symbols_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* File names are asked for again and again: a copy that exists is found again. */
static const char *printable_file(struct symbols *symbols, const char *name)
{
	const char *text = symbols_printable(symbols, name);
	struct clean_name *made = symbols->clean;

	if (!text || text == name)
		return text;
	for (struct clean_name *clean = made->next; clean; clean = clean->next) {
		if (strcmp(clean->text, text))
			continue;
		symbols->clean = made->next;
		free(made);
		return clean->text;
	}
	return text;
}

static int row_at(struct symbols *symbols, uint64_t address, struct line_row *row)
{
	int ret = symbols_open(symbols) ? lines_at(symbols->lines, address - symbols->offset, row)
					: -ENOENT;

	if (!ret) {
		row->low += symbols->offset;
		row->high += symbols->offset;
	}
	return ret;
}

int symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line)
{
	struct line_row row;

	if (row_at(symbols, address, &row))
		return -ENOENT;
	*file = printable_file(symbols, row.file);
	*line = row.line;
	return *file ? 0 : -ENOENT;
}

int symbols_line_range(struct symbols *symbols, uint64_t address, uint64_t *low, uint64_t *high)
{
	struct line_row row;

	if (row_at(symbols, address, &row))
		return -ENOENT;
	*low = row.low;
	*high = row.high;
	return 0;
}

int symbols_line_address(struct symbols *symbols, const char *file, int line, uint64_t *address,
			 int *found)
{
	int taken;

	if (!symbols_open(symbols) || lines_address(symbols->lines, file, line, &taken, address))
		return -ENOENT;
	*address += symbols->offset;
	if (found)
		*found = taken;
	return 0;
}

const char *symbols_file(struct symbols *symbols, const char *file)
{
	const char *name = symbols_open(symbols) ? lines_file(symbols->lines, file) : NULL;

	return name ? printable_file(symbols, name) : NULL;
}

/* ---- breakpoints --------------------------------------------------------------------------- */

/* gdb's way: behind the frame's set-up, and from there to the next line of the table when that is
 * in the middle of one. A function without a frame is stopped at its first instruction, because
 * its second line may well lie behind a branch. */
uint64_t symbols_breakpoint_address(struct symbols *symbols, uint64_t function)
{
	struct line_row row;
	uint64_t address = function, offset;
	const char *name;

	if (!symbols_open(symbols))
		return function;
	address += prologue_length(symbols->elf, function - symbols->offset);
	if (address == function || row_at(symbols, address, &row) || row.low == address)
		return address;
	name = symbols_name(symbols, row.high, &offset);
	return name && row.high - offset == function ? row.high : address;
}
