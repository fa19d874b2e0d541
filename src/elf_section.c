// SPDX-License-Identifier: GPL-3.0-or-later
#include "elf_section.h"

#include <string.h>

Elf_Data *elf_section_find(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *its = gelf_getshdr(section, header)
					  ? elf_strptr(elf, names, header->sh_name)
					  : NULL;

		if (its && !strcmp(its, name) && header->sh_type != SHT_NOBITS)
			return elf_rawdata(section, NULL);
	}
	return NULL;
}
