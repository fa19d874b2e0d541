// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ELF section headers that a multiboot 2 kernel is told (Multiboot2 Specification, 3.6.7). Three numbers of 32
 * bits come before them: the specification's text has four of 16, but its header file and GRUB agree on these, and
 * so do kernels. Sections that are no part of the running image, such as symbols, are put into memory too.
 */
#include "boot/multiboot2.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#define ALIGN 16u

struct prefix {
	uint32_t count, entry_size, names;
};

struct sections {
	uint64_t offset;
	uint32_t count, entry_size, names;
	bool wide;
};

/* What matters of a section header. */
struct section {
	uint64_t address, offset, size;
	uint32_t type;
};

static void look(const struct loader *loader, struct sections *s)
{
	Elf64_Ehdr wide = {0};
	Elf32_Ehdr narrow = {0};

	*s = (struct sections){.wide = elf_is64(loader)};
	if (s->wide && boot_take(loader, 0, &wide, sizeof(wide))) {
		s->offset = wide.e_shoff;
		s->count = wide.e_shnum;
		s->entry_size = wide.e_shentsize;
		s->names = wide.e_shstrndx;
	} else if (!s->wide && boot_take(loader, 0, &narrow, sizeof(narrow))) {
		s->offset = narrow.e_shoff;
		s->count = narrow.e_shnum;
		s->entry_size = narrow.e_shentsize;
		s->names = narrow.e_shstrndx;
	}
}

/* Headers that are not there, or not where they are said to be, are no reason not to boot. */
static bool find(const struct loader *loader, struct sections *s)
{
	if (!elf_recognised(loader))
		return false;
	look(loader, s);
	return s->count && s->entry_size == (s->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) &&
	       s->offset <= loader->size &&
	       (uint64_t)s->count * s->entry_size <= loader->size - s->offset;
}

size_t multiboot2_sections_size(const struct loader *loader)
{
	struct sections s;

	if (!find(loader, &s))
		return 0;
	return sizeof(struct prefix) + (size_t)s.count * s.entry_size;
}

static struct section read_section(const struct sections *s, const uint8_t *header)
{
	Elf64_Shdr wide;
	Elf32_Shdr narrow;

	if (s->wide) {
		memcpy(&wide, header, sizeof(wide));
		return (struct section){wide.sh_addr, wide.sh_offset, wide.sh_size, wide.sh_type};
	}
	memcpy(&narrow, header, sizeof(narrow));
	return (struct section){narrow.sh_addr, narrow.sh_offset, narrow.sh_size, narrow.sh_type};
}

static void write_address(const struct sections *s, uint8_t *header, uint64_t gpa)
{
	uint64_t wide = htole64(gpa);
	uint32_t narrow = htole32((uint32_t)gpa);

	if (s->wide)
		memcpy(header + offsetof(Elf64_Shdr, sh_addr), &wide, sizeof(wide));
	else
		memcpy(header + offsetof(Elf32_Shdr, sh_addr), &narrow, sizeof(narrow));
}

/* Bytes that this section takes in memory besides the image; 0: none. */
static size_t extra(const struct loader *loader, const struct section *section)
{
	if (section->type == SHT_NULL || section->type == SHT_NOBITS || section->address ||
	    section->offset > loader->size || section->size > loader->size - section->offset)
		return 0;
	return (section->size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t extra_of_all(const struct loader *loader, const struct sections *s,
			   const uint8_t *headers)
{
	size_t total = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct section section = read_section(s, headers + (size_t)i * s->entry_size);

		total += extra(loader, &section);
	}
	return total;
}

static void copy(const struct loader *loader, const struct sections *s, uint8_t *headers,
		 uint8_t *block, uint64_t gpa)
{
	size_t at = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint8_t *header = headers + (size_t)i * s->entry_size;
		struct section section = read_section(s, header);
		size_t size = extra(loader, &section);

		if (!size)
			continue;
		memcpy(block + at, loader->file + section.offset, section.size);
		write_address(s, header, gpa + at);
		at += size;
	}
}

static int place(struct loader *loader, const struct sections *s, uint8_t *headers)
{
	struct boot_segment segment = {.what = "ELF sections"};
	size_t size = extra_of_all(loader, s, headers);
	uint8_t *block;
	int rc;

	if (size == 0)
		return 0;
	/* Sections do not overlap, so that they are no more than the file. */
	if (size > loader->size + (size_t)s->count * ALIGN)
		return error_set(loader->err, -EINVAL,
				 "its ELF sections have 0x%zx bytes, more than the file", size);
	rc = boot_find_high(loader, size, ALIGN, "ELF sections", &segment.gpa);
	if (rc < 0)
		return rc;
	block = boot_allocate(loader->image, size);
	if (!block)
		return error_set(loader->err, -ENOMEM, "no memory for the ELF sections");
	copy(loader, s, headers, block, segment.gpa);
	segment.data = block;
	segment.size = segment.data_size = size;
	return boot_add(loader, &segment);
}

int multiboot2_place_sections(struct loader *loader, uint8_t *to)
{
	struct sections s;
	struct prefix prefix;

	if (!find(loader, &s))
		return 0;
	prefix = (struct prefix){htole32(s.count), htole32(s.entry_size), htole32(s.names)};
	memcpy(to, &prefix, sizeof(prefix));
	boot_take(loader, s.offset, to + sizeof(prefix), (size_t)s.count * s.entry_size);
	return place(loader, &s, to + sizeof(prefix));
}
