/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot kernel with nothing wrong in it. */
#ifndef TESTS_MULTIBOOT_IMAGE_H
#define TESTS_MULTIBOOT_IMAGE_H

#include "boot_case.h"

#include <stddef.h>
#include <stdint.h>

#define MAGIC	   0x1badb002u
#define ADDRESSES  0x10000u
#define LOAD	   0x100000u
#define HEADER_AT  64
#define IMAGE_SIZE 1024

/* As the specification has it (3.1). */
struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

extern uint8_t multiboot_image[16384];

struct header good_header(void);
/* Raw bytes with a header at offset at; the checksum is made right. */
void multiboot_make(struct boot_case *c, struct header header, size_t at, size_t size);
void make_good(struct boot_case *c);

#endif
