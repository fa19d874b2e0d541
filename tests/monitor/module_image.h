/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image of a Linux kernel that has nothing but a list of modules, and BTF that says how one looks. */
#ifndef TESTS_MONITOR_MODULE_IMAGE_H
#define TESTS_MONITOR_MODULE_IMAGE_H

#include "section_image.h"

#include <stdint.h>

/* The kernel's half, mapped to physical memory from 0 on. */
#define KERNEL 0xffffffff80000000ull
#define HEAD   0x100000u /* of the list */

/* As it is in the guest; BTF says the same. */
struct module {
	uint32_t state, pad;
	uint64_t next, prev;
	char name[56];
	struct {
		uint64_t base;
		uint32_t size, pad;
	} mem[7];
	uint64_t kallsyms;
};

struct kallsyms {
	uint64_t symtab;
	uint32_t num_symtab, pad;
	uint64_t strtab;
};

#define MODULE_TYPES   49
#define MODULE_STRINGS 99
#define MODULE_NAMES   42

struct module_image {
	Elf64_Ehdr header;
	Elf64_Shdr sections[5];
	Elf64_Sym symbols[3]; /* modules, start */
	uint32_t btf[6];
	uint32_t types[MODULE_TYPES]; /* the last word is strtab's place in struct mod_kallsyms */
	char strings[MODULE_STRINGS];
	char names[MODULE_NAMES];
};

void module_image_make(struct module_image *image);

#endif
