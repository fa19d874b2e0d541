// SPDX-License-Identifier: GPL-3.0-or-later
#include "elf_image.h"
#include "x86/paging.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const unsigned char ident64[EI_NIDENT] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1};
static const unsigned char ident32[EI_NIDENT] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1};

struct image64 good64(void)
{
	struct image64 image = {
		.header = {.e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_entry = VIRTUAL + 0x10,
			   .e_phoff = offsetof(struct image64, segment),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image64, code),
			     .p_vaddr = VIRTUAL,
			     .p_paddr = PHYSICAL,
			     .p_filesz = CODE,
			     .p_memsz = CODE},
			    {.p_type = PT_LOAD,
			     .p_vaddr = VIRTUAL + 0x1000,
			     .p_paddr = PHYSICAL + 0x1000,
			     .p_memsz = 0x5000}},
	};

	memcpy(image.header.e_ident, ident64, EI_NIDENT);
	memset(image.code, 0xf4, sizeof(image.code));
	return image;
}

struct image32 good32(void)
{
	struct image32 image = {
		.header = {.e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = 1,
			   .e_entry = PHYSICAL + 0x20,
			   .e_phoff = offsetof(struct image32, segment),
			   .e_ehsize = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image32, code),
			     .p_vaddr = PHYSICAL,
			     .p_paddr = PHYSICAL,
			     .p_filesz = CODE,
			     .p_memsz = CODE},
			    {.p_type = PT_LOAD,
			     .p_vaddr = PHYSICAL + 0x1000,
			     .p_paddr = PHYSICAL + 0x1000,
			     .p_memsz = 0x5000}},
	};

	memcpy(image.header.e_ident, ident32, EI_NIDENT);
	memset(image.code, 0xf4, sizeof(image.code));
	return image;
}
