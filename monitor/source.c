// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines of source files. Their paths come out of the guest's image, so nothing is trusted about
 * them: only regular files are opened, and only so much of a line is shown. */
#include "monitor/command.h"
#include "plain_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX 70 /* columns of a line */

static FILE *open_source(const char *path, struct error *err)
{
	int fd = plain_file_open(path, NULL), code = fd;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file)
		return file;
	if (fd >= 0) {
		code = -errno;
		close(fd);
	}
	error_set(err, code, "the source file %.200s cannot be read: %s", path, strerror(-code));
	return NULL;
}

/* Tabs become blanks to the next eighth column; what is too wide ends in …. */
static void expand(const char *line, char *text, size_t size)
{
	size_t used = 0;

	for (; *line && used < SHOWN_MAX && used + 1 < size; line++) {
		size_t blanks = *line == '\t' ? 8 - used % 8 : 0;

		if (!blanks)
			text[used++] = *line;
		while (blanks-- && used + 1 < size)
			text[used++] = ' ';
	}
	if (*line && used > 3) {
		for (used -= 3; used && (text[used] & 0xc0) == 0x80; used--)
			; /* no half characters at the cut */
		memcpy(text + used, "…", 3);
		used += 3;
	}
	while (used && text[used - 1] == ' ')
		used--;
	text[used] = 0;
}

static void show_line(const char *raw, int number, bool current, struct monitor_out *out)
{
	char clean[TEXT_CLEAN_SIZE(256)], text[256];
	size_t size = strcspn(raw, "\r\n");

	text_clean(raw, size < 256 ? size : 256, false, clean, sizeof(clean));
	expand(clean, text, sizeof(text));
	fact_object(out, NULL);
	fact_count(out, "number", (uint64_t)number);
	fact_text(out, "text", clean);
	fact_flag(out, "current", current);
	fact_end(out);
	if (current)
		out_printf(out, "%s%-5d→ %s%s\n", color(out, COLOR_CURRENT), number, text,
			   color(out, COLOR_OFF));
	else if (*text)
		out_printf(out, "%-5d  %s\n", number, text);
	else
		out_printf(out, "%d\n", number);
}

int source_show(const char *path, int first, int last, int current, struct monitor_out *out,
		struct error *err)
{
	FILE *file = open_source(path, err);
	size_t space = 0;
	char *line = NULL;
	int shown = 0;

	if (!file)
		return err ? err->code : -ENOENT;
	fact_list(out, "lines");
	for (int number = 1; number <= last && getline(&line, &space, file) >= 0; number++) {
		if (number < first)
			continue;
		show_line(line, number, number == current, out);
		shown++;
	}
	fact_end(out);
	free(line);
	fclose(file);
	return shown;
}
