// SPDX-License-Identifier: GPL-3.0-or-later
#include "section_image.h"

Elf64_Ehdr section_header(size_t at, unsigned count, unsigned names)
{
	return (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
					EV_CURRENT},
			    .e_type = ET_EXEC,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_shoff = at,
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = (Elf64_Half)count,
			    .e_shstrndx = (Elf64_Half)names};
}
