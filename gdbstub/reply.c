// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/reply.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reply_start(struct reply *reply)
{
	reply->bytes[0] = '$';
	reply->size = 1;
	reply->overflow = false;
}

size_t reply_room(const struct reply *reply)
{
	return 1 + PACKET_MAX - reply->size;
}

bool reply_empty(const struct reply *reply)
{
	return reply->size == 1;
}

static void append(struct reply *reply, const char *bytes, size_t size)
{
	if (size > reply_room(reply)) {
		reply->overflow = true;
		return;
	}
	memcpy(reply->bytes + reply->size, bytes, size);
	reply->size += size;
}

void reply_text(struct reply *reply, const char *text)
{
	append(reply, text, strlen(text));
}

void reply_format(struct reply *reply, const char *fmt, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		reply->overflow = true;
	else
		append(reply, text, (size_t)n);
}

void reply_hex(struct reply *reply, const void *data, size_t size)
{
	const uint8_t *byte = data;

	if (2 * size > reply_room(reply)) {
		reply->overflow = true;
		return;
	}
	for (size_t i = 0; i < size; i++) {
		reply->bytes[reply->size++] = hex_digits[byte[i] >> 4];
		reply->bytes[reply->size++] = hex_digits[byte[i] & 15];
	}
}

static bool needs_escape(char c)
{
	return c == '$' || c == '#' || c == '}' || c == '*';
}

size_t reply_binary(struct reply *reply, const void *data, size_t size)
{
	const char *byte = data;
	size_t i;

	for (i = 0; i < size && reply_room(reply) >= 2; i++) {
		if (needs_escape(byte[i])) {
			reply->bytes[reply->size++] = '}';
			reply->bytes[reply->size++] = byte[i] ^ 0x20;
		} else {
			reply->bytes[reply->size++] = byte[i];
		}
	}
	return i;
}

void reply_sentence(struct reply *reply, const char *text)
{
	for (; *text && reply_room(reply); text++) {
		bool plain = isprint((unsigned char)*text) && !needs_escape(*text);

		reply->bytes[reply->size++] = plain ? *text : '.';
	}
}

size_t reply_finish(struct reply *reply)
{
	uint8_t sum = 0;

	for (size_t i = 1; i < reply->size; i++)
		sum += (uint8_t)reply->bytes[i];
	reply->bytes[reply->size] = '#';
	reply->bytes[reply->size + 1] = hex_digits[sum >> 4];
	reply->bytes[reply->size + 2] = hex_digits[sum & 15];
	return reply->size + 3;
}
