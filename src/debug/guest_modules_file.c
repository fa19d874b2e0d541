// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Names of modules as an ELF file: its sections are the modules' pieces, where they are, without their bytes; its
 * symbols are those that the guest keeps for each module, as far as they lie in one of its pieces and can be printed.
 */
#include "debug/debug.h"
#include "debug/guest_modules_private.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX  65536u	/* of one module */
#define ALL_MAX	     1000000u	/* of all of them */
#define STRINGS_MAX  (8u << 20) /* bytes of one module's */
#define SYMBOL_MAX   512u	/* bytes of a name */
#define OWN_SECTIONS 4		/* none, .symtab, .strtab, .shstrtab */

struct bytes {
	uint8_t *at;
	size_t size, room;
	bool failed;
};

static void append(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->room) {
		size_t room = (b->size + size) * 2;
		uint8_t *at = b->failed ? NULL : realloc(b->at, room);

		if (!at) {
			b->failed = true;
			return;
		}
		b->at = at;
		b->room = room;
	}
	memcpy(b->at + b->size, data, size);
	b->size += size;
}

struct builder {
	const struct guest_modules *modules;
	struct debug *debug;
	int vcpu;
	uint32_t left; /* symbols that are still taken */
	unsigned section_count;
	struct bytes sections, symbols, strings, names;
};

static uint32_t add_name(struct bytes *names, const char *first, const char *second)
{
	uint32_t at = (uint32_t)names->size;

	append(names, first, strlen(first));
	append(names, second, strlen(second) + 1);
	return at;
}

/* ---- sections -------------------------------------------------------------------------------- */

static void add_section(struct builder *b, const Elf64_Shdr *section)
{
	append(&b->sections, section, sizeof(*section));
	b->section_count++;
}

/* The sections of modules are numbered from 1 on, each module's pieces one behind the other, those without bytes,
 * too. */
static void add_pieces(struct builder *b, const struct guest_module *module)
{
	static const char *const kinds[MODULE_PIECES] = {
		".text",      ".data",	    ".rodata",	    ".data.ro_after_init",
		".init.text", ".init.data", ".init.rodata", ".other"};
	static const char *const layouts[] = {".core", ".init"};
	const struct module_layout *l = &b->modules->layout;

	for (unsigned i = 0; i < l->piece_count; i++) {
		bool code = l->code_pieces >> i & 1;
		const char *kind = l->piece_count == 2 ? layouts[i] : kinds[i];
		Elf64_Shdr section = {
			.sh_name = add_name(&b->names, module->name, kind),
			.sh_type = SHT_NOBITS,
			.sh_flags = SHF_ALLOC | (code ? SHF_EXECINSTR : SHF_WRITE),
			.sh_addr = module->piece[i].base,
			.sh_size = module->piece[i].size,
			.sh_addralign = 1,
		};

		add_section(b, &section);
	}
}

/* ---- symbols --------------------------------------------------------------------------------- */

static bool read_guest(struct builder *b, uint64_t at, void *buf, size_t size)
{
	return debug_read(b->debug, b->vcpu, SPACE_LINEAR, at, buf, size) == (ssize_t)size;
}

/* Which piece; MODULE_PIECES: none. */
static unsigned piece_of(const struct guest_module *module, uint64_t address)
{
	unsigned i = 0;

	while (i < MODULE_PIECES && address - module->piece[i].base >= module->piece[i].size)
		i++;
	return i;
}

static bool is_printable(const char *name, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return size > 0;
}

static void add_symbol(struct builder *b, unsigned first, const struct guest_module *module,
		       const Elf64_Sym *from, const struct bytes *strings)
{
	unsigned piece = piece_of(module, from->st_value), type;
	const char *name = (const char *)strings->at + from->st_name;
	size_t size;
	Elf64_Sym symbol;

	if (piece == MODULE_PIECES || !from->st_name || from->st_name >= strings->size)
		return;
	size = strnlen(name, strings->size - from->st_name);
	if (size == strings->size - from->st_name || size >= SYMBOL_MAX ||
	    !is_printable(name, size))
		return;
	type = b->modules->layout.code_pieces >> piece & 1 ? STT_FUNC : STT_OBJECT;
	symbol = (Elf64_Sym){.st_name = (Elf64_Word)b->strings.size,
			     .st_info = (unsigned char)ELF64_ST_INFO(STB_GLOBAL, type),
			     .st_shndx = (Elf64_Section)(first + piece),
			     .st_value = from->st_value,
			     .st_size = from->st_size};
	append(&b->strings, name, size + 1);
	append(&b->symbols, &symbol, sizeof(symbol));
}

/* How many bytes of strings there are is said nowhere: as many as the last name wants. */
static bool read_strings(struct builder *b, const struct guest_module *module,
			 const Elf64_Sym *symbols, uint32_t count, struct bytes *strings)
{
	uint32_t last = 0;
	ssize_t done;

	for (uint32_t i = 0; i < count; i++)
		if (symbols[i].st_name > last && symbols[i].st_name < STRINGS_MAX)
			last = symbols[i].st_name;
	strings->at = malloc(last + SYMBOL_MAX);
	done = strings->at ? debug_read(b->debug, b->vcpu, SPACE_LINEAR, module->strings,
					strings->at, last + SYMBOL_MAX)
			   : -1;
	strings->size = done > 0 ? (size_t)done : 0;
	return done > 0;
}

static void add_symbols(struct builder *b, unsigned first, const struct guest_module *module)
{
	uint32_t count = module->symbol_count;
	struct bytes strings = {0};
	Elf64_Sym *symbols;

	if (count > SYMBOLS_MAX)
		count = SYMBOLS_MAX;
	if (count > b->left)
		count = b->left;
	b->left -= count;
	symbols = calloc(count + 1, sizeof(*symbols));
	if (symbols && read_guest(b, module->symbols, symbols, count * sizeof(*symbols)) &&
	    read_strings(b, module, symbols, count, &strings))
		for (uint32_t i = 0; i < count; i++)
			add_symbol(b, first, module, &symbols[i], &strings);
	free(strings.at);
	free(symbols);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void collect(struct builder *b)
{
	static const Elf64_Shdr none;
	static const Elf64_Sym no_symbol;

	append(&b->names, "", 1);
	append(&b->strings, "", 1);
	append(&b->symbols, &no_symbol, sizeof(no_symbol));
	add_section(b, &none);
	for (unsigned i = 0; i < b->modules->count; i++) {
		unsigned first = b->section_count;

		add_pieces(b, &b->modules->module[i]);
		add_symbols(b, first, &b->modules->module[i]);
	}
}

static size_t align(size_t at)
{
	return (at + 7) & ~(size_t)7;
}

/* Behind the head: symbols, strings, names of sections, and the sections. */
static void add_tables(struct builder *b)
{
	uint64_t symbols = sizeof(Elf64_Ehdr), strings = symbols + b->symbols.size;
	uint32_t symbols_name = add_name(&b->names, ".symtab", "");
	uint32_t strings_name = add_name(&b->names, ".strtab", "");
	uint32_t names_name = add_name(&b->names, ".shstrtab", "");
	const Elf64_Shdr own[] = {{.sh_name = symbols_name,
				   .sh_type = SHT_SYMTAB,
				   .sh_offset = symbols,
				   .sh_size = b->symbols.size,
				   .sh_link = b->section_count + 1,
				   .sh_info = 1,
				   .sh_addralign = 8,
				   .sh_entsize = sizeof(Elf64_Sym)},
				  {.sh_name = strings_name,
				   .sh_type = SHT_STRTAB,
				   .sh_offset = strings,
				   .sh_size = b->strings.size,
				   .sh_addralign = 1},
				  {.sh_name = names_name,
				   .sh_type = SHT_STRTAB,
				   .sh_offset = strings + b->strings.size,
				   .sh_size = b->names.size,
				   .sh_addralign = 1}};

	for (unsigned i = 0; i < OWN_SECTIONS - 1; i++)
		add_section(b, &own[i]);
}

static void *write_file(const struct builder *b, size_t *size)
{
	size_t sections = align(sizeof(Elf64_Ehdr) + b->symbols.size + b->strings.size +
				b->names.size);
	const Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					     ELFDATA2LSB, EV_CURRENT},
				 .e_type = ET_EXEC,
				 .e_machine = EM_X86_64,
				 .e_version = EV_CURRENT,
				 .e_shoff = sections,
				 .e_ehsize = sizeof(head),
				 .e_shentsize = sizeof(Elf64_Shdr),
				 .e_shnum = (Elf64_Half)b->section_count,
				 .e_shstrndx = (Elf64_Half)(b->section_count - 1)};
	uint8_t *file = calloc(1, sections + b->sections.size), *at = file;

	if (!file)
		return NULL;
	at = mempcpy(at, &head, sizeof(head));
	at = mempcpy(at, b->symbols.at, b->symbols.size);
	at = mempcpy(at, b->strings.at, b->strings.size);
	memcpy(at, b->names.at, b->names.size);
	memcpy(file + sections, b->sections.at, b->sections.size);
	*size = sections + b->sections.size;
	return file;
}

void *guest_modules_file(const struct guest_modules *modules, struct debug *debug, int vcpu,
			 size_t *size)
{
	struct builder b = {.modules = modules, .debug = debug, .vcpu = vcpu, .left = ALL_MAX};
	void *file = NULL;

	collect(&b);
	add_tables(&b);
	if (!b.sections.failed && !b.symbols.failed && !b.strings.failed && !b.names.failed)
		file = write_file(&b, size);
	free(b.sections.at);
	free(b.symbols.at);
	free(b.strings.at);
	free(b.names.at);
	return file;
}
