// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that had to be put together. */
struct name {
	struct name *next;
	char text[];
};

struct lines {
	Elf *elf;
	struct name *names;
	Dwarf *dwarf; /* NULL: not read yet, or the image has none */
	bool tried;
};

struct lines *lines_new(Elf *elf)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (lines)
		lines->elf = elf;
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	if (lines->dwarf)
		dwarf_end(lines->dwarf);
	while (lines->names) {
		struct name *next = lines->names->next;

		free(lines->names);
		lines->names = next;
	}
	free(lines);
}

static Dwarf *dwarf_of(struct lines *lines)
{
	if (!lines->tried)
		lines->dwarf = dwarf_begin_elf(lines->elf, DWARF_C_READ, NULL);
	lines->tried = true;
	return lines->dwarf;
}

/* The next compilation unit with a DIE; *unit NULL to begin, NULL again at the end. */
static bool next_unit(Dwarf *dwarf, Dwarf_CU **unit, Dwarf_Die *die)
{
	uint8_t type;

	while (!dwarf_get_units(dwarf, *unit, unit, NULL, &type, die, NULL))
		if (type == DW_UT_compile || type == DW_UT_skeleton)
			return true;
	return false;
}

/* By .debug_aranges, which clang does not write unless asked: then by looking at every unit. */
static bool unit_at(Dwarf *dwarf, uint64_t address, Dwarf_Die *die)
{
	Dwarf_CU *unit = NULL;

	if (dwarf_addrdie(dwarf, address, die))
		return true;
	while (next_unit(dwarf, &unit, die))
		if (dwarf_haspc(die, address) > 0)
			return true;
	return false;
}

static const char *keep_name(struct lines *lines, const char *folder, const char *file)
{
	size_t size = strlen(folder) + 1 + strlen(file) + 1;
	struct name *name = malloc(sizeof(*name) + size);

	if (!name)
		return file;
	snprintf(name->text, size, "%s/%s", folder, file);
	for (struct name *old = lines->names; old; old = old->next)
		if (!strcmp(old->text, name->text)) {
			free(name);
			return old->text;
		}
	name->next = lines->names;
	lines->names = name;
	return name->text;
}

/* A relative name is relative to where the compiler ran. */
static const char *full_name(struct lines *lines, Dwarf_Die *unit, const char *file)
{
	Dwarf_Attribute attribute;
	const char *folder;

	if (file[0] == '/')
		return file;
	folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
	return folder ? keep_name(lines, folder, file) : file;
}

/* Compilers cut a line into several rows, one per column; for people and for gdb it is one. */
static bool same_line(Dwarf_Line *row, int line, const char *file)
{
	const char *name;
	int number;
	bool end;

	if (dwarf_lineendsequence(row, &end) || end || dwarf_lineno(row, &number) || number != line)
		return false;
	name = dwarf_linesrc(row, NULL, NULL);
	return name && (name == file || !strcmp(name, file));
}

/* Takes the neighbours of the row at index that belong to the same line. */
static void find_bounds(Dwarf_Lines *table, size_t count, size_t index, struct line_row *row)
{
	Dwarf_Addr low, high;
	size_t first = index;

	while (first && same_line(dwarf_onesrcline(table, first - 1), row->line, row->file))
		first--;
	while (++index < count && same_line(dwarf_onesrcline(table, index), row->line, row->file))
		;
	if (!dwarf_lineaddr(dwarf_onesrcline(table, first), &low) && low <= row->low)
		row->low = low;
	row->high = row->low + 1;
	if (index < count && !dwarf_lineaddr(dwarf_onesrcline(table, index), &high) &&
	    high > row->low)
		row->high = high;
}

static bool row_index(Dwarf_Lines *table, size_t count, Dwarf_Line *line, size_t *index)
{
	for (*index = 0; *index < count; (*index)++)
		if (dwarf_onesrcline(table, *index) == line)
			return true;
	return false;
}

int lines_at(struct lines *lines, uint64_t address, struct line_row *row)
{
	Dwarf *dwarf = dwarf_of(lines);
	Dwarf_Lines *table;
	Dwarf_Line *line;
	Dwarf_Addr low;
	Dwarf_Die die;
	size_t count, index;

	if (!dwarf || !unit_at(dwarf, address, &die))
		return -ENOENT;
	line = dwarf_getsrc_die(&die, address);
	if (!line || dwarf_lineno(line, &row->line) || row->line <= 0 || dwarf_lineaddr(line, &low))
		return -ENOENT;
	row->file = dwarf_linesrc(line, NULL, NULL);
	if (!row->file || dwarf_getsrclines(&die, &table, &count) ||
	    !row_index(table, count, line, &index))
		return -ENOENT;
	row->low = low;
	find_bounds(table, count, index, row);
	row->file = full_name(lines, &die, row->file);
	return 0;
}

/* Whether path ends in tail, whole parts only. */
static bool ends_in(const char *path, const char *tail)
{
	size_t path_length = strlen(path), length = strlen(tail);

	if (!length || length > path_length || strcmp(path + path_length - length, tail))
		return false;
	return length == path_length || tail[0] == '/' || path[path_length - length - 1] == '/';
}

/* What is wanted may be less than the name in the table, or, being a full name, more. */
static bool path_matches(const char *name, const char *wanted)
{
	return ends_in(name, wanted) ||
	       (wanted[0] == '/' && name[0] != '/' && ends_in(wanted, name));
}

static const char *unit_file(Dwarf_Die *die, const char *wanted)
{
	Dwarf_Files *files;
	size_t count;

	if (dwarf_getsrcfiles(die, &files, &count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = dwarf_filesrc(files, i, NULL, NULL);

		if (name && path_matches(name, wanted))
			return name;
	}
	return NULL;
}

const char *lines_file(struct lines *lines, const char *file)
{
	Dwarf *dwarf = dwarf_of(lines);
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	const char *name;

	while (dwarf && next_unit(dwarf, &unit, &die)) {
		name = unit_file(&die, file);
		if (name)
			return full_name(lines, &die, name);
	}
	return NULL;
}

struct best {
	int wanted, line;
	uint64_t address;
};

static void consider(struct best *best, const char *file, Dwarf_Line *row)
{
	bool statement, end;
	Dwarf_Addr address;
	const char *name;
	int line;

	if (dwarf_lineno(row, &line) || line < best->wanted || line > best->line)
		return;
	if (dwarf_linebeginstatement(row, &statement) || !statement)
		return;
	if (dwarf_lineendsequence(row, &end) || end || dwarf_lineaddr(row, &address))
		return;
	if (line == best->line && address >= best->address)
		return;
	name = dwarf_linesrc(row, NULL, NULL);
	if (!name || !path_matches(name, file))
		return;
	best->line = line;
	best->address = address;
}

int lines_address(struct lines *lines, const char *file, int line, int *found, uint64_t *address)
{
	struct best best = {.wanted = line, .line = INT_MAX, .address = UINT64_MAX};
	Dwarf *dwarf = dwarf_of(lines);
	Dwarf_CU *unit = NULL;
	Dwarf_Lines *table;
	Dwarf_Die die;
	size_t count;

	while (dwarf && next_unit(dwarf, &unit, &die)) {
		if (!unit_file(&die, file) || dwarf_getsrclines(&die, &table, &count))
			continue;
		for (size_t i = 0; i < count; i++)
			consider(&best, file, dwarf_onesrcline(table, i));
	}
	if (best.line == INT_MAX)
		return -ENOENT;
	*found = best.line;
	*address = best.address;
	return 0;
}
