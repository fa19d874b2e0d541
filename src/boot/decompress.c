// SPDX-License-Identifier: GPL-3.0-or-later
#include "boot/decompress.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define LZMA_MEMORY (256ull << 20) /* a dictionary may not ask for more */
#define LZ4_BLOCK   (8u << 20)	   /* what one block of the legacy format may become */
#define LZ4_MAGIC   4

static int by_zstd(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, in_size);

	if (ZSTD_isError(frame))
		return -EINVAL;
	return ZSTD_decompress(out, out_size, in, frame) == out_size ? 0 : -EINVAL;
}

static int by_gzip(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
	z_stream stream = {.next_in = (uint8_t *)in,
			   .avail_in = (uInt)in_size,
			   .next_out = out,
			   .avail_out = (uInt)out_size};
	int code;

	if (in_size > UINT_MAX || out_size > UINT_MAX)
		return -EINVAL;
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	code = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return code == Z_STREAM_END && stream.avail_out == 0 ? 0 : -EINVAL;
}

/* xz, and lzma as it was before. */
static int by_lzma(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret code;

	if (lzma_auto_decoder(&stream, LZMA_MEMORY, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = in;
	stream.avail_in = in_size;
	stream.next_out = out;
	stream.avail_out = out_size;
	code = lzma_code(&stream, LZMA_RUN);
	lzma_end(&stream);
	return (code == LZMA_OK || code == LZMA_STREAM_END) && stream.avail_out == 0 ? 0 : -EINVAL;
}

static size_t u32_at(const uint8_t *in)
{
	return (size_t)in[0] | (size_t)in[1] << 8 | (size_t)in[2] << 16 | (size_t)in[3] << 24;
}

/* The legacy frame: blocks, each behind its size, until out is full. */
static int by_lz4(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
	size_t at = LZ4_MAGIC, done = 0;

	while (done < out_size) {
		size_t room = out_size - done, size;
		int n;

		if (in_size - at < 4)
			return -EINVAL;
		size = u32_at(in + at);
		at += 4;
		if (size > in_size - at || size > LZ4_MAX_INPUT_SIZE)
			return -EINVAL;
		if (room > LZ4_BLOCK)
			room = LZ4_BLOCK;
		n = LZ4_decompress_safe((const char *)in + at, (char *)out + done, (int)size,
					(int)room);
		if (n <= 0)
			return -EINVAL;
		at += size;
		done += (size_t)n;
	}
	return 0;
}

static const struct format {
	const char *name;
	const char *magic;
	size_t magic_size;
	int (*decompress)(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);
} formats[] = {
	{"zstd", "\x28\xb5\x2f\xfd", 4, by_zstd},
	{"gzip", "\x1f\x8b", 2, by_gzip},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 6, by_lzma},
	{"lzma", "\x5d\0\0", 3, by_lzma},
	{"lz4", "\x02\x21\x4c\x18", 4, by_lz4},
};

static const struct format *format_of(const uint8_t *in, size_t in_size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (in_size >= formats[i].magic_size &&
		    !memcmp(in, formats[i].magic, formats[i].magic_size))
			return &formats[i];
	return NULL;
}

const char *decompress_name(const uint8_t *in, size_t in_size)
{
	const struct format *format = format_of(in, in_size);

	return format ? format->name : NULL;
}

int decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
	const struct format *format = format_of(in, in_size);

	if (!format)
		return -ENOTSUP;
	return format->decompress(in, in_size, out, out_size);
}
