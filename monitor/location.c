// SPDX-License-Identifier: GPL-3.0-or-later
/* From what people type to addresses, and back. */
#include "monitor/command.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- locations ----------------------------------------------------------------------------- */

static bool ends_word(char c)
{
	return !c || isspace((unsigned char)c);
}

/* The number of a line, when nothing else than digits is there. */
static bool is_line(const char *text, int *line, const char **end)
{
	char *stop;
	long number;

	if (!isdigit((unsigned char)*text))
		return false;
	number = strtol(text, &stop, 10);
	if (!ends_word(*stop) || number < 1 || number > INT_MAX)
		return false;
	*line = number;
	*end = stop;
	return true;
}

/* A line that begins a function is left for the end of its prologue, as gdb does. */
static int line_location(struct monitor *monitor, const char *file, int line, uint64_t *address,
			 struct error *err)
{
	uint64_t offset;

	if (symbols_line_address(monitor->symbols, file, line, address, NULL))
		return error_set(err, -ENOENT,
				 "no code belongs to line %d of %s, or to one behind it", line,
				 file_part(file));
	if (symbols_name(monitor->symbols, *address, &offset) && !offset)
		*address = symbols_breakpoint_address(monitor->symbols, *address);
	return 0;
}

static int line_here(struct monitor *monitor, int cpu, int line, uint64_t *address,
		     struct error *err)
{
	const char *file;
	int ignored;

	if (symbols_line(monitor->symbols, debug_pc(monitor->debug, cpu), &file, &ignored))
		return error_set(
			err, -ENOENT,
			"no source file is known where vCPU %d stands; write FILE:%d for a line, "
			"*%d for an address",
			cpu, line, line);
	return line_location(monitor, file, line, address, err);
}

/* FILE:LINE. The colon is the last one of the word. */
static bool is_file_line(const char *text, char *file, size_t size, int *line, const char **end)
{
	size_t length = strcspn(text, " \t\n");
	const char *colon = memrchr(text, ':', length);

	if (!colon || colon == text || (size_t)(colon - text) >= size)
		return false;
	memcpy(file, text, colon - text);
	file[colon - text] = 0;
	return is_line(colon + 1, line, end);
}

/* A name alone: a function, which is entered behind its prologue. */
static bool is_function(struct monitor *monitor, const char *text, uint64_t *address,
			const char **end)
{
	size_t length = strcspn(text, " \t\n");
	char name[256];

	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, text, length);
	name[length] = 0;
	if (symbols_find(monitor->symbols, name, address, NULL))
		return false;
	*address = symbols_breakpoint_address(monitor->symbols, *address);
	*end = text + length;
	return true;
}

int location_parse(struct monitor *monitor, int cpu, const char *text, uint64_t *address,
		   const char **end, struct error *err)
{
	char file[PATH_MAX];
	int line;

	while (isspace((unsigned char)*text))
		text++;
	if (*text == '*')
		return monitor_evaluate(monitor, cpu, text + 1, address, end, err);
	if (is_line(text, &line, end))
		return line_here(monitor, cpu, line, address, err);
	if (!expression_is_far(text) && is_file_line(text, file, sizeof(file), &line, end))
		return line_location(monitor, file, line, address, err);
	if (is_function(monitor, text, address, end))
		return 0;
	return monitor_evaluate(monitor, cpu, text, address, end, err);
}

/* ---- addresses as text --------------------------------------------------------------------- */

const char *file_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *address_name(struct monitor *monitor, uint64_t address, char *buf, size_t size)
{
	if (!symbols_text(monitor->symbols, address, buf, size)[0])
		snprintf(buf, size, "0x%" PRIx64, address);
	return buf;
}

bool has_name(struct monitor *monitor, uint64_t address)
{
	uint64_t offset;

	return symbols_name(monitor->symbols, address, &offset);
}

char *address_suffix(struct monitor *monitor, uint64_t address, char *buf, size_t size)
{
	char name[160];

	buf[0] = 0;
	if (symbols_text(monitor->symbols, address, name, sizeof(name))[0])
		snprintf(buf, size, " <%s>", name);
	return buf;
}

char *address_text(struct monitor *monitor, uint64_t address, char *buf, size_t size)
{
	const char *file;
	char name[96];
	int line;

	address_name(monitor, address, name, sizeof(name));
	if (symbols_line(monitor->symbols, address, &file, &line))
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%s at %.60s:%d", name, file_part(file), line);
	return buf;
}
