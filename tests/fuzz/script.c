// SPDX-License-Identifier: GPL-3.0-or-later
#include "script.h"

#include <string.h>

void script_read(struct script *script, const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	script->count = 0;
	while (data < end && script->count < SCRIPT_LINES) {
		const uint8_t *newline = memchr(data, '\n', (size_t)(end - data));
		const uint8_t *stop = newline ? newline : end;

		if (stop > data && strchr("$<!", *data) && *data)
			script->line[script->count++] = (struct script_line){
				(char)*data, data + 1, (size_t)(stop - data) - 1};
		data = newline ? newline + 1 : end;
	}
}

size_t script_bytes(const struct script_line *line, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < line->size; i++) {
		bool escape = line->text[i] == '\\' && i + 1 < line->size;

		i += escape;
		out[n++] = escape && line->text[i] == 'n' ? '\n' : line->text[i];
	}
	return n;
}

size_t script_escape(const void *bytes, size_t size, uint8_t *out, size_t room)
{
	const uint8_t *byte = bytes;
	size_t n = 0;

	for (size_t i = 0; i < size && n + 2 <= room; i++) {
		if (byte[i] == '\n' || byte[i] == '\\')
			out[n++] = '\\';
		out[n++] = byte[i] == '\n' ? 'n' : byte[i];
	}
	return n;
}

size_t script_write(const struct script *script, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (unsigned i = 0; i < script->count; i++) {
		const struct script_line *line = &script->line[i];

		if (line->size + 2 > room - n)
			break;
		out[n++] = (uint8_t)line->kind;
		memcpy(out + n, line->text, line->size);
		n += line->size;
		out[n++] = '\n';
	}
	return n;
}
