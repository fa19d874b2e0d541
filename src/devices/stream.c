// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void stream_free(struct device_stream *s)
{
	free(s->bytes);
	*s = (struct device_stream){0};
}

static int stream_grow(struct device_stream *s, size_t size)
{
	size_t capacity = s->capacity ? s->capacity : 256;
	uint8_t *bytes;

	while (capacity - s->size < size)
		capacity *= 2;
	if (capacity == s->capacity)
		return 0;
	bytes = realloc(s->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	s->bytes = bytes;
	s->capacity = capacity;
	return 0;
}

void stream_put(struct device_stream *s, const void *data, size_t size)
{
	if (!s->error)
		s->error = stream_grow(s, size);
	if (s->error || !size)
		return;
	memcpy(s->bytes + s->size, data, size);
	s->size += size;
}

void stream_get(struct device_stream *s, void *data, size_t size)
{
	if (!s->error && s->size - s->position < size)
		s->error = -EINVAL;
	if (s->error) {
		memset(data, 0, size);
		return;
	}
	if (size)
		memcpy(data, s->bytes + s->position, size);
	s->position += size;
}

void stream_put_u64(struct device_stream *s, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	stream_put(s, bytes, sizeof(bytes));
}

uint64_t stream_get_u64(struct device_stream *s)
{
	uint8_t bytes[8];
	uint64_t value = 0;

	stream_get(s, bytes, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint8_t stream_get_u8(struct device_stream *s)
{
	uint64_t value = stream_get_u64(s);

	if (value > UINT8_MAX) {
		s->error = s->error ? s->error : -EINVAL;
		return 0;
	}
	return (uint8_t)value;
}
