// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Behind the file as it was stand the symbols, their strings, and the section headers. The strings begin with the
 * names of the sections; that beginning is a section by itself, since who looks at the headers alone, as gdb does at
 * a file that it has already, reads all of that one. Names of what lies in no section of the kernel's half of the
 * address space are left out: those are offsets into each CPU's own memory, and constants.
 */
#include "boot/linux_symbols.h"

#include "boot/kallsyms.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_HALF  (1ull << 63)
#define STRINGS_MAX  (256u << 20)
#define SECTIONS_MAX 1000
#define SAME_PLACE   64 /* names at one address, before the size of what they name is given up */
#define OWN_SECTIONS 3	/* .symtab, .strtab, .shstrtab */

static const char own_names[] = "\0.symtab\0.strtab\0.shstrtab";

struct table {
	const uint8_t *elf;
	size_t size;
	const Elf64_Ehdr *header;
	const Elf64_Shdr *sections;
	size_t section_count;
	struct kallsyms kallsyms;
	size_t locals, globals, old_names, strings; /* how many; the latter two in bytes */
	uint8_t *out;
	size_t symbols_at, strings_at, sections_at, end;
};

/* ---- what is there ------------------------------------------------------------------------ */

static bool take_sections(struct table *t)
{
	const Elf64_Ehdr *h = t->header;

	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shnum > SECTIONS_MAX ||
	    h->e_shoff % sizeof(uint64_t) || h->e_shoff > t->size ||
	    h->e_shnum * sizeof(Elf64_Shdr) > t->size - h->e_shoff)
		return false;
	t->sections = (const Elf64_Shdr *)(t->elf + h->e_shoff);
	t->section_count = h->e_shnum;
	return true;
}

/* Where the names of the sections are; nothing when they are not to be found. */
static size_t find_old_names(struct table *t)
{
	const Elf64_Shdr *s = t->sections + t->header->e_shstrndx;

	t->old_names = 0;
	if (t->header->e_shstrndx >= t->section_count || s->sh_type == SHT_NOBITS ||
	    s->sh_offset > t->size || s->sh_size > t->size - s->sh_offset ||
	    s->sh_size > STRINGS_MAX)
		return 0;
	t->old_names = s->sh_size;
	return s->sh_offset;
}

/* The address at which _text is linked: that of the first segment. */
static bool text_address(const struct table *t, uint64_t *text)
{
	const Elf64_Ehdr *h = t->header;
	Elf64_Phdr p;

	if (h->e_phentsize != sizeof(p) || h->e_phoff > t->size ||
	    h->e_phnum * sizeof(p) > t->size - h->e_phoff)
		return false;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		memcpy(&p, t->elf + h->e_phoff + i * sizeof(p), sizeof(p));
		*text = p.p_vaddr;
		if (p.p_type == PT_LOAD)
			return true;
	}
	return false;
}

/* ---- names -------------------------------------------------------------------------------- */

/* Its index; 0: no section of the kernel's half. */
static unsigned section_of(const struct table *t, uint64_t address)
{
	for (unsigned i = 1; i < t->section_count && address >= KERNEL_HALF; i++) {
		const Elf64_Shdr *s = &t->sections[i];

		if (s->sh_flags & SHF_ALLOC && address - s->sh_addr < s->sh_size)
			return i;
	}
	return 0;
}

static bool is_global(const struct kallsyms_name *name)
{
	return isupper((unsigned char)name->type);
}

static bool count_names(struct table *t)
{
	struct kallsyms_cursor cursor = {0};
	struct kallsyms_name name;

	while (kallsyms_next(&t->kallsyms, &cursor, &name)) {
		if (!section_of(t, name.address))
			continue;
		t->strings += strlen(name.text) + 1;
		*(is_global(&name) ? &t->globals : &t->locals) += 1;
		if (t->strings > STRINGS_MAX)
			return false;
	}
	return true;
}

/* To the next name that is somewhere else, or the end of the section. */
static uint64_t size_of(const struct table *t, uint32_t index, uint64_t address, unsigned section)
{
	const Elf64_Shdr *s = &t->sections[section];
	uint64_t end = s->sh_addr + s->sh_size, next;

	for (unsigned i = 1; i < SAME_PLACE; i++) {
		if (!kallsyms_address(&t->kallsyms, index + i, &next) || next >= end)
			return end - address;
		if (next > address)
			return next - address;
	}
	return 0;
}

static unsigned char info_of(const struct kallsyms_name *name)
{
	static const char code[] = "tTwW";
	unsigned bind = is_global(name) ? STB_GLOBAL : STB_LOCAL;

	return (unsigned char)ELF64_ST_INFO(bind, strchr(code, name->type) ? STT_FUNC : STT_OBJECT);
}

/* The local ones first, as ELF wants it. */
static void write_names(const struct table *t)
{
	struct kallsyms_cursor cursor = {0};
	struct kallsyms_name name;
	Elf64_Sym *symbols = (Elf64_Sym *)(t->out + t->symbols_at);
	size_t at = t->old_names + sizeof(own_names), local = 1, global = 1 + t->locals;

	while (kallsyms_next(&t->kallsyms, &cursor, &name)) {
		unsigned section = section_of(t, name.address);
		size_t length = strlen(name.text) + 1;

		if (!section)
			continue;
		memcpy(t->out + t->strings_at + at, name.text, length);
		symbols[is_global(&name) ? global++ : local++] = (Elf64_Sym){
			.st_name = (Elf64_Word)at,
			.st_info = info_of(&name),
			.st_shndx = (Elf64_Section)section,
			.st_value = name.address,
			.st_size = size_of(t, cursor.index - 1, name.address, section)};
		at += length;
	}
}

/* ---- the file ----------------------------------------------------------------------------- */

static size_t align(size_t at)
{
	return (at + 7) & ~(size_t)7;
}

static void lay_out(struct table *t)
{
	t->symbols_at = align(t->size);
	t->strings_at = t->symbols_at + (1 + t->locals + t->globals) * sizeof(Elf64_Sym);
	t->sections_at = align(t->strings_at + t->old_names + sizeof(own_names) + t->strings);
	t->end = t->sections_at + (t->section_count + OWN_SECTIONS) * sizeof(Elf64_Shdr);
}

static void write_sections(const struct table *t)
{
	size_t symtab = t->section_count, strtab = symtab + 1, names = symtab + 2;
	Elf64_Ehdr *header = (Elf64_Ehdr *)t->out;
	Elf64_Shdr *to = (Elf64_Shdr *)(t->out + t->sections_at);

	memcpy(to, t->sections, t->section_count * sizeof(*to));
	to[symtab] = (Elf64_Shdr){.sh_name = (Elf64_Word)t->old_names + 1,
				  .sh_type = SHT_SYMTAB,
				  .sh_offset = t->symbols_at,
				  .sh_size = t->strings_at - t->symbols_at,
				  .sh_link = (Elf64_Word)strtab,
				  .sh_info = (Elf64_Word)(1 + t->locals),
				  .sh_addralign = 8,
				  .sh_entsize = sizeof(Elf64_Sym)};
	to[strtab] = (Elf64_Shdr){.sh_name = (Elf64_Word)(t->old_names + sizeof("\0.symtab")),
				  .sh_type = SHT_STRTAB,
				  .sh_offset = t->strings_at,
				  .sh_size = t->old_names + sizeof(own_names) + t->strings,
				  .sh_addralign = 1};
	to[names] = to[strtab];
	to[names].sh_name = (Elf64_Word)(t->old_names + sizeof("\0.symtab\0.strtab"));
	to[names].sh_size = t->old_names + sizeof(own_names);
	header->e_shoff = t->sections_at;
	header->e_shnum = (Elf64_Half)(t->section_count + OWN_SECTIONS);
	header->e_shstrndx = (Elf64_Half)names;
}

/* The file has moved in memory. */
static void follow(struct table *t, uint8_t *file)
{
	t->sections = (const Elf64_Shdr *)(file + ((const uint8_t *)t->sections - t->elf));
	t->header = (const Elf64_Ehdr *)file;
	t->kallsyms.bytes = file;
	t->elf = t->out = file;
}

int linux_add_symbols(uint8_t **file, size_t *size)
{
	struct table t = {.elf = *file, .size = *size, .header = (const Elf64_Ehdr *)*file};
	size_t names;
	uint64_t text;
	uint8_t *grown;

	if (!take_sections(&t) || !text_address(&t, &text) ||
	    !kallsyms_find(t.elf, t.size, text, &t.kallsyms) || !count_names(&t))
		return -ENOENT;
	names = find_old_names(&t);
	lay_out(&t);
	grown = realloc(*file, t.end);
	if (!grown)
		return -ENOMEM;
	follow(&t, grown);
	memset(t.out + t.size, 0, t.end - t.size);
	memcpy(t.out + t.strings_at, t.out + names, t.old_names);
	memcpy(t.out + t.strings_at + t.old_names, own_names, sizeof(own_names));
	write_names(&t);
	write_sections(&t);
	*file = grown;
	*size = t.end;
	return 0;
}
