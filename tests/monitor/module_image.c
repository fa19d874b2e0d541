// SPDX-License-Identifier: GPL-3.0-or-later
#include "module_image.h"

#include <stddef.h>
#include <string.h>

enum { INT = 1, ARRAY = 3, STRUCT = 4 };
#define INFO(kind, length) ((uint32_t)(kind) << 24 | (length))
#define AT(type, member)   (uint32_t)(offsetof(struct type, member) * 8)

static const char strings[] =
	"\0module\0state\0list\0name\0mem\0kallsyms\0module_memory\0base\0size\0"
	"mod_kallsyms\0symtab\0num_symtab\0strtab";
enum {
	S_MODULE = 1,
	S_STATE = 8,
	S_LIST = 14,
	S_NAME = 19,
	S_MEM = 24,
	S_KALLSYMS = 28,
	S_MEMORY = 37,
	S_BASE = 51,
	S_SIZE = 56,
	S_MOD_KALLSYMS = 61,
	S_SYMTAB = 74,
	S_NUM = 81,
	S_STRTAB = 92
};

static const uint32_t types[] = {
	0,
	INFO(INT, 0),
	8,
	64, /* 1 */
	S_MEMORY,
	INFO(STRUCT, 2),
	16,
	S_BASE,
	1,
	0,
	S_SIZE,
	1,
	64, /* 2 */
	0,
	INFO(ARRAY, 0),
	0,
	2,
	1,
	7, /* 3 */
	S_MODULE,
	INFO(STRUCT, 5),
	sizeof(struct module), /* 4 */
	S_STATE,
	1,
	AT(module, state),
	S_LIST,
	1,
	AT(module, next),
	S_NAME,
	1,
	AT(module, name),
	S_MEM,
	3,
	AT(module, mem),
	S_KALLSYMS,
	1,
	AT(module, kallsyms),
	S_MOD_KALLSYMS,
	INFO(STRUCT, 3),
	sizeof(struct kallsyms), /* 5 */
	S_SYMTAB,
	1,
	AT(kallsyms, symtab),
	S_NUM,
	1,
	AT(kallsyms, num_symtab),
	S_STRTAB,
	1,
	AT(kallsyms, strtab),
};

static const char names[] = "\0modules\0start\0.BTF\0.symtab\0.strtab\0.text";
enum { N_MODULES = 1, N_START = 9, N_BTF = 15, N_SYMTAB = 20, N_STRTAB = 28, N_TEXT = 36 };

_Static_assert(sizeof(types) == sizeof(((struct module_image *)0)->types), "MODULE_TYPES");
_Static_assert(sizeof(strings) == sizeof(((struct module_image *)0)->strings), "MODULE_STRINGS");
_Static_assert(sizeof(names) == sizeof(((struct module_image *)0)->names), "MODULE_NAMES");

static void make_sections(struct module_image *image)
{
	const Elf64_Shdr sections[] = {{0},
				       {.sh_name = N_BTF,
					.sh_type = SHT_PROGBITS,
					.sh_offset = offsetof(struct module_image, btf),
					.sh_size = offsetof(struct module_image, names) -
						   offsetof(struct module_image, btf)},
				       {.sh_name = N_SYMTAB,
					.sh_type = SHT_SYMTAB,
					.sh_offset = offsetof(struct module_image, symbols),
					.sh_size = sizeof(image->symbols),
					.sh_link = 3,
					.sh_entsize = sizeof(Elf64_Sym)},
				       {.sh_name = N_STRTAB,
					.sh_type = SHT_STRTAB,
					.sh_offset = offsetof(struct module_image, names),
					.sh_size = sizeof(names)},
				       {.sh_name = N_TEXT,
					.sh_type = SHT_NOBITS,
					.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
					.sh_addr = KERNEL + HEAD,
					.sh_size = 0x1000}};

	memcpy(image->sections, sections, sizeof(sections));
}

void module_image_make(struct module_image *image)
{
	const uint32_t btf[] = {0xeb9f | 1 << 16, 24, 0, sizeof(types), sizeof(types),
				sizeof(strings)};

	*image = (struct module_image){
		.header = section_header(offsetof(struct module_image, sections), 5, 3),
		.symbols = {[1] = {.st_name = N_MODULES,
				   .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
				   .st_shndx = 4,
				   .st_value = KERNEL + HEAD,
				   .st_size = 16},
			    [2] = {.st_name = N_START,
				   .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				   .st_shndx = 4,
				   .st_value = KERNEL + HEAD + 0x100,
				   .st_size = 0x100}}};
	make_sections(image);
	memcpy(image->btf, btf, sizeof(btf));
	memcpy(image->types, types, sizeof(types));
	memcpy(image->strings, strings, sizeof(strings));
	memcpy(image->names, names, sizeof(names));
}
