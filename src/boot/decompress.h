/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kernels are compressed with, told from its first bytes. */
#ifndef BOOT_DECOMPRESS_H
#define BOOT_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

/* "zstd", "lz4", …; NULL: none that is known. */
const char *decompress_name(const uint8_t *in, size_t in_size);
/* Fills out, all of it. -ENOTSUP: nothing that is known; -EINVAL: damaged, or not of this size; -ENOMEM. */
int decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);

#endif
