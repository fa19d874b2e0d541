/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A section of an ELF file by its name. */
#ifndef ELF_SECTION_H
#define ELF_SECTION_H

#include <gelf.h>

/* Its bytes as they are in the file, which are elf's, and its header. NULL: there is none, or it has no bytes there. */
Elf_Data *elf_section_find(Elf *elf, const char *name, GElf_Shdr *header);

#endif
