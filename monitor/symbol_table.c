// SPDX-License-Identifier: GPL-3.0-or-later
/* An image's symbol table, sorted by addresses and by names when somebody first asks. */
#include "monitor/symbols_private.h"

#include <stdlib.h>
#include <string.h>

/* Functions before objects before labels, global ones before local ones. */
static unsigned rank_of(const GElf_Sym *sym)
{
	static const unsigned char by_type[16] = {
		[STT_NOTYPE] = 2, [STT_OBJECT] = 1, [STT_FUNC] = 0, [STT_TLS] = 3};

	return by_type[GELF_ST_TYPE(sym->st_info)] * 2 + (GELF_ST_BIND(sym->st_info) == STB_LOCAL);
}

static bool is_wanted(const GElf_Sym *sym)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && sym->st_name &&
	       (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC);
}

/* The end of the section that a symbol lies in, so that a label does not claim what lies behind. */
static uint64_t section_end(Elf *elf, const GElf_Sym *sym)
{
	Elf_Scn *section = sym->st_shndx < SHN_LORESERVE ? elf_getscn(elf, sym->st_shndx) : NULL;
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header))
		return sym->st_value;
	return header.sh_addr + header.sh_size;
}

static void take_symbol(struct symbols *symbols, const GElf_Sym *sym, const char *name)
{
	const char *clean;

	if (!is_wanted(sym) || !name || !*name)
		return;
	clean = symbols_printable(symbols, name);
	if (!clean)
		return;
	symbols->by_address[symbols->count++] = (struct symbol){
		.address = sym->st_value,
		.size = sym->st_size,
		.limit = section_end(symbols->elf, sym),
		.name = clean,
		.rank = rank_of(sym),
	};
}

static Elf_Scn *symbol_section(Elf *elf, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, header) && header->sh_type == SHT_SYMTAB)
			return section;
	return NULL;
}

static int compare_address(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1; /* the best one last: searches go downwards */
	return strcmp(b->name, a->name);
}

static int compare_name(const void *left, const void *right)
{
	const struct symbol *a = *(struct symbol *const *)left, *b = *(struct symbol *const *)right;
	int order = strcmp(a->name, b->name);

	if (order || a->rank == b->rank)
		return order;
	return a->rank < b->rank ? -1 : 1;
}

static void sort_symbols(struct symbols *symbols)
{
	qsort(symbols->by_address, symbols->count, sizeof(*symbols->by_address), compare_address);
	for (size_t i = 0; i < symbols->count; i++)
		symbols->by_name[i] = &symbols->by_address[i];
	qsort(symbols->by_name, symbols->count, sizeof(*symbols->by_name), compare_name);
}

static void read_table(struct symbols *symbols)
{
	GElf_Shdr header;
	Elf_Scn *section = symbol_section(symbols->elf, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t entry = gelf_fsize(symbols->elf, ELF_T_SYM, 1, EV_CURRENT);
	size_t count = data && entry ? data->d_size / entry : 0;
	GElf_Sym sym;

	if (!count)
		return;
	symbols->by_address = calloc(count, sizeof(*symbols->by_address));
	symbols->by_name = calloc(count, sizeof(*symbols->by_name));
	if (!symbols->by_address || !symbols->by_name)
		return;
	for (size_t i = 0; i < count; i++)
		if (gelf_getsym(data, i, &sym))
			take_symbol(symbols, &sym,
				    elf_strptr(symbols->elf, header.sh_link, sym.st_name));
	sort_symbols(symbols);
}

bool symbols_ready(struct symbols *symbols)
{
	if (!symbols_open(symbols))
		return false;
	if (!symbols->read)
		read_table(symbols);
	symbols->read = true;
	return symbols->by_name && symbols->count > 0;
}
