/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small ELF images of both classes, with nothing wrong in them. */
#ifndef TESTS_ELF_IMAGE_H
#define TESTS_ELF_IMAGE_H

#include "boot_case.h"

#include <elf.h>
#include <stdint.h>

#define VIRTUAL	 0xffffffff80200000ull
#define PHYSICAL 0x200000ull
#define CODE	 256 /* bytes of the first segment */

/* Two segments: code with a virtual address, and a bss behind it. */
struct image64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	uint8_t code[CODE];
};

struct image32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment[2];
	uint8_t code[CODE];
};

struct image64 good64(void);
struct image32 good32(void);

#endif
