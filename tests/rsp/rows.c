// SPDX-License-Identifier: GPL-3.0-or-later
#include "rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One step of an example, without the blanks around it; \xHH is a byte. */
static bool read_packet(const char *text, size_t length, struct packet_bytes *packet)
{
	packet->size = 0;
	for (size_t i = 0; i < length; i++) {
		char digits[3] = "";

		if (packet->size == sizeof(packet->bytes))
			return false;
		if (text[i] != '\\') {
			packet->bytes[packet->size++] = text[i];
			continue;
		}
		if (i + 3 >= length || text[i + 1] != 'x' ||
		    !isxdigit((unsigned char)text[i + 2]) || !isxdigit((unsigned char)text[i + 3]))
			return false;
		memcpy(digits, text + i + 2, 2);
		packet->bytes[packet->size++] = (char)strtoul(digits, NULL, 16);
		i += 3;
	}
	return true;
}

static bool read_example(const char *text, struct row *row)
{
	while (*text) {
		const char *bar = strstr(text, " | ");
		size_t length = bar ? (size_t)(bar - text) : strlen(text);

		if (row->steps == ROW_STEPS || !read_packet(text, length, &row->step[row->steps++]))
			return false;
		text += length + (bar ? 3 : 0);
	}
	return true;
}

static bool read_row(const char *line, struct row *row)
{
	int at = 0;

	*row = (struct row){0};
	if (sscanf(line, "%63s %63s %255s %n", row->name, row->answer, row->tests, &at) != 3)
		return false;
	return at > 0 && read_example(line + at, row);
}

int rows_read(const char *path, struct rows *rows)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	int bad = 0;

	rows->count = 0;
	if (!file)
		return -errno;
	for (unsigned n = 1; fgets(line, sizeof(line), file); n++) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (rows->count < ROWS_MAX && read_row(line, &rows->row[rows->count])) {
			rows->count++;
			continue;
		}
		fprintf(stderr, "%s:%u: cannot be read: %s\n", path, n, line);
		bad++;
	}
	fclose(file);
	return bad;
}
