/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 2 headers as a test wants them. */
#ifndef TESTS_UNIT_MULTIBOOT2_CASE_H
#define TESTS_UNIT_MULTIBOOT2_CASE_H

#include "boot_case.h"

#define LOAD	   0x100000u
#define HEADER_AT  64
#define IMAGE_SIZE 1024
#define IMAGE_MAX  40000
#define OPTIONAL   0x10000u /* with the type, in a tag's first word */

enum { REQUEST = 1, ADDRESSES, ENTRY, CONSOLE, SCREEN, ALIGN, BOOT_SERVICES, EFI32, EFI64, RANGE };

/* A header that grows by tags. */
struct header {
	uint32_t word[64];
	unsigned count;
};

struct header header_begin(void);
void header_tag(struct header *h, uint32_t type, unsigned count, const uint32_t *words);
/* The end tag, length and checksum. */
void header_end(struct header *h);
/* With the tags that raw bytes need to be loaded to LOAD, when they are at HEADER_AT; not ended. */
struct header header_with_addresses(void);

/* A file of size bytes, all hlt but for the header at this offset; image is what is in it. */
void multiboot2_case(struct boot_case *c, uint8_t image[IMAGE_MAX], const struct header *h,
		     size_t at, size_t size);

#endif
