// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/request.h"

#include <string.h>

size_t request_left(const struct request *request)
{
	return (size_t)(request->end - request->at);
}

bool take_end(const struct request *request)
{
	return request->at == request->end;
}

bool take_char(struct request *request, char c)
{
	if (take_end(request) || *request->at != c)
		return false;
	request->at++;
	return true;
}

bool take_hex(struct request *request, uint64_t *value)
{
	unsigned digits = 0;

	for (*value = 0; !take_end(request) && hex_value(*request->at) >= 0; request->at++) {
		if (++digits > 16)
			return false;
		*value = *value << 4 | (uint64_t)hex_value(*request->at);
	}
	return digits > 0;
}

bool take_byte(struct request *request, uint8_t *value)
{
	int high, low;

	if (request_left(request) < 2)
		return false;
	high = hex_value(request->at[0]);
	low = hex_value(request->at[1]);
	if (high < 0 || low < 0)
		return false;
	*value = (uint8_t)(high << 4 | low);
	request->at += 2;
	return true;
}

bool take_range(struct request *request, uint64_t *addr, uint64_t *length)
{
	if (!take_hex(request, addr) || !take_char(request, ',') || !take_hex(request, length))
		return false;
	return *length == 0 || *addr + (*length - 1) >= *addr;
}

/* A process or thread number: `-1`, `0`, or a vCPU's. */
static bool take_id(struct request *request, struct thread_id *id)
{
	uint64_t number;

	if (take_char(request, '-')) {
		id->kind = THREAD_ALL;
		return take_char(request, '1');
	}
	if (!take_hex(request, &number) || number > 0x7fffffff)
		return false;
	id->kind = number ? THREAD_ONE : THREAD_ANY;
	id->vcpu = number ? (unsigned)number - 1 : 0;
	return true;
}

bool take_thread(struct request *request, struct thread_id *id)
{
	if (!take_char(request, 'p'))
		return take_id(request, id);
	if (!take_id(request, id))
		return false;
	if (take_char(request, '.'))
		return take_id(request, id);
	id->kind = THREAD_ALL;
	return true;
}

bool take_hex_bytes(struct request *request, void *data, size_t size)
{
	uint8_t *byte = data;

	if (request_left(request) / 2 != size || request_left(request) % 2)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!take_byte(request, &byte[i]))
			return false;
	}
	return true;
}

bool take_word(struct request *request, char stop, const char **word, size_t *size)
{
	const char *at = memchr(request->at, stop, request_left(request));

	if (!at)
		return false;
	*word = request->at;
	*size = (size_t)(at - request->at);
	request->at = at + 1;
	return true;
}

bool word_is(const char *word, size_t size, const char *text)
{
	return strlen(text) == size && memcmp(word, text, size) == 0;
}
