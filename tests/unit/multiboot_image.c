// SPDX-License-Identifier: GPL-3.0-or-later
#include "multiboot_image.h"
#include "boot_case.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint8_t multiboot_image[16384];

struct header good_header(void)
{
	return (struct header){
		.magic = MAGIC,
		.flags = ADDRESSES | 3,
		.checksum = -(MAGIC + (ADDRESSES | 3)),
		.header_addr = LOAD + HEADER_AT,
		.load_addr = LOAD,
		.entry_addr = LOAD + 0x80,
	};
}

void multiboot_make(struct boot_case *c, struct header header, size_t at, size_t size)
{
	header.checksum = -(header.magic + header.flags);
	memset(multiboot_image, 0xf4, sizeof(multiboot_image));
	memcpy(multiboot_image + at, &header, sizeof(header));
	boot_case_init(c, multiboot_image, size);
}

void make_good(struct boot_case *c)
{
	multiboot_make(c, good_header(), HEADER_AT, IMAGE_SIZE);
}
