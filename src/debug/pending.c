// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Breakpoints on code that is not mapped yet: a kernel linked high, stopped before its first instruction.
 * The image says to which physical address each of its bytes was loaded; where RAM still holds what the
 * image holds, the int3 goes there, and is met as soon as the guest maps the page and comes by.
 */
#include "debug/core.h"

#include <gelf.h>
#include <string.h>

#define COMPARED 16 /* bytes that must be the image's */

struct image_part {
	uint64_t gpa;
	const uint8_t *bytes; /* in the image */
	size_t size;	      /* from there on */
};

static bool in_segment(const GElf_Phdr *p, uint64_t linear)
{
	return p->p_type == PT_LOAD && linear >= p->p_vaddr && linear - p->p_vaddr < p->p_filesz;
}

static bool find_part(Elf *elf, const void *image, size_t size, uint64_t linear,
		      struct image_part *part)
{
	size_t count;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &count) < 0)
		return false;
	for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &p); i++) {
		uint64_t into = linear - p.p_vaddr;

		if (!in_segment(&p, linear) || p.p_offset >= size || into >= size - p.p_offset)
			continue;
		part->gpa = p.p_paddr + into;
		part->bytes = (const uint8_t *)image + p.p_offset + into;
		part->size = size - (p.p_offset + into);
		return true;
	}
	return false;
}

static bool is_loaded_there(struct debug *debug, const struct image_part *part)
{
	size_t size = part->size < COMPARED ? part->size : COMPARED;
	uint8_t now[COMPARED];

	return core_read_original(debug, part->gpa, now, size) == size &&
	       !memcmp(now, part->bytes, size);
}

bool core_image_place(struct debug *debug, uint64_t linear, uint64_t *gpa, bool *is_64)
{
	const struct boot_image *boot = &debug->machine->boot;
	struct image_part part = {0};
	bool found;
	Elf *elf;

	if (!boot->elf || elf_version(EV_CURRENT) == EV_NONE)
		return false;
	elf = elf_memory((char *)boot->elf, boot->elf_size);
	if (!elf)
		return false;
	found = find_part(elf, boot->elf, boot->elf_size, linear, &part) &&
		is_loaded_there(debug, &part);
	*is_64 = gelf_getclass(elf) == ELFCLASS64;
	elf_end(elf);
	*gpa = part.gpa;
	return found;
}
