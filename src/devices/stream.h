/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing buffer that devices save themselves into, little-endian, and load themselves from. */
#ifndef DEVICES_STREAM_H
#define DEVICES_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct device_stream {
	uint8_t *bytes;
	size_t size, capacity; /* written so far; allocated */
	size_t position;       /* next byte to load */
	int error; /* first failure: -ENOMEM while saving, -EINVAL when a load runs off the end */
};

void stream_free(struct device_stream *s);
void stream_put(struct device_stream *s, const void *data, size_t size);
void stream_get(struct device_stream *s, void *data, size_t size); /* zeros after an error */
void stream_put_u64(struct device_stream *s, uint64_t value);
uint64_t stream_get_u64(struct device_stream *s);
uint8_t stream_get_u8(struct device_stream *s); /* a u64 that must fit: -EINVAL when it does not */

#endif
