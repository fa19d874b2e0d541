// SPDX-License-Identifier: GPL-3.0-or-later
/* The names in a kernel that was unpacked, and where it was moved. */
#include "boot/kallsyms.h"
#include "boot/linux_kaslr.h"
#include "boot_case.h"
#include "packed_kernel.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- moving -------------------------------------------------------------------------------- */

static void it_is_moved_by_chance(void **unused)
{
	uint64_t first = 0;
	bool differ = false;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	pack(by_zstd);
	for (unsigned i = 0; i < 20; i++) {
		struct boot_case c;
		struct boot_params params;

		unpack_load(&c, "quiet nokaslrx");
		check_text(&c);
		assert_int_equal(c.image.slide % 0x200000, 0);
		assert_true(GPA + c.image.slide + 0x800000 <= 0x40000000);
		boot_case_read(&c.image, c.image.start.general.gpr[GPR_RSI], &params,
			       sizeof(params));
		assert_int_equal(!!(params.hdr.loadflags & KASLR_FLAG), c.image.slide != 0);
		differ |= i && c.image.slide != first;
		first = c.image.slide;
		boot_case_end(&c);
	}
	assert_true(differ);
}

static uint32_t narrow_at(unsigned at)
{
	uint32_t value;

	memcpy(&value, made.bytes + TEXT_AT + at, sizeof(value));
	return value;
}

static void places_of_32_bits_may_go_the_other_way(void **unused)
{
	const uint32_t before = (uint32_t)LINKED + 0x5678;
	uint64_t wide;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(true);
	assert_int_equal(kaslr_relocate(made.bytes, made.elf, made.bytes + made.elf,
					made.size - made.elf, 0x600000),
			 0);
	assert_int_equal(narrow_at(0x200), before - 0x600000);
	assert_int_equal(narrow_at(0x300), before + 0x600000);
	memcpy(&wide, made.bytes + TEXT_AT + 0x100, sizeof(wide));
	assert_int_equal(wide, LINKED + 0x1234 + 0x600000);
}

static void refuses(const uint32_t *words, unsigned count)
{
	static uint8_t before[ROOM];

	for (unsigned i = 0; i < count; i++)
		unpack_put32(words[i]);
	memcpy(before, made.bytes, ROOM);
	assert_int_equal(kaslr_relocate(made.bytes, made.elf, made.bytes + made.elf,
					made.size - made.elf, 0x600000),
			 -ENOTSUP);
	assert_memory_equal(before, made.bytes, ROOM);
}

static void refuses_places(const uint32_t *words, unsigned count)
{
	unpack_make(AGE_NOW);
	refuses(words, count);
}

/* A list that points out of the kernel, or is none, moves nothing. */
static void wrong_places_move_nothing(void **unused)
{
	const uint32_t low = (uint32_t)LINKED;

	(void)unused;
	refuses_places(NULL, 0);
	refuses_places((const uint32_t[]){0, low + 0x100}, 2);
	refuses_places((const uint32_t[]){low + 0x100, 0, 0}, 3);
	refuses_places((const uint32_t[]){0, low - 1, 0}, 3);
	refuses_places((const uint32_t[]){0, low + 0x100000, 0}, 3);
	refuses_places((const uint32_t[]){0, 0, low + 0x100, low + ROOM - 2}, 4);
	refuses_places((const uint32_t[]){0, 0, 0, 0}, 4);
}

static void load_headers_too(void)
{
	Elf64_Phdr *p = (Elf64_Phdr *)(made.bytes + sizeof(Elf64_Ehdr));

	unpack_make(AGE_NOW);
	p->p_filesz += p->p_offset;
	p->p_vaddr -= p->p_offset;
	p->p_paddr -= p->p_offset;
	p->p_offset = 0;
}

/* The headers say where the places are: none of them is one. */
static void places_in_the_headers_move_nothing(void **unused)
{
	const uint32_t start = (uint32_t)LINKED - TEXT_AT, headers = 64 + 56;

	(void)unused;
	for (uint32_t at = 0; at < headers; at += 4) {
		load_headers_too();
		refuses((const uint32_t[]){0, start + at, (uint32_t)LINKED + 0x100, 0}, 4);
		load_headers_too();
		refuses((const uint32_t[]){0, 0, start + at, (uint32_t)LINKED + 0x300}, 4);
	}
	load_headers_too();
	unpack_put32(0);
	unpack_put32(start + headers);
	unpack_put32(0);
	assert_int_equal(kaslr_relocate(made.bytes, made.elf, made.bytes + made.elf,
					made.size - made.elf, 0x600000),
			 0);
}

/* ---- names --------------------------------------------------------------------------------- */

static void check_symbol(Elf *elf, size_t strings, const GElf_Sym *sym, bool *text)
{
	const char *name = elf_strptr(elf, strings, sym->st_name);
	unsigned i = 0;

	assert_non_null(name);
	if (!strncmp(name, "name", 4))
		i = (unsigned)strtoul(name + 4, NULL, 10);
	else
		*text = !strcmp(name, "_text");
	assert_int_equal(sym->st_value, LINKED + i * 16);
	assert_int_equal(sym->st_size, i == NAMES - 1 ? TEXT_SIZE - i * 16 : 16);
	assert_int_equal(GELF_ST_TYPE(sym->st_info), STT_FUNC);
	assert_int_equal(GELF_ST_BIND(sym->st_info), i % 10 ? STB_LOCAL : STB_GLOBAL);
	assert_int_equal(sym->st_shndx, 1);
}

/* Those that were added have their names, in a table that holds no names of symbols. */
static void check_sections(Elf *elf)
{
	static const char *const added[] = {".symtab", ".strtab", ".shstrtab"};
	size_t names, count;
	GElf_Shdr header;

	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	assert_int_equal(elf_getshdrnum(elf, &count), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(gelf_getshdr(elf_getscn(elf, count - 3 + i), &header));
		assert_string_equal(elf_strptr(elf, names, header.sh_name), added[i]);
	}
	assert_int_equal(names, count - 1);
	assert_true(header.sh_size < 100);
}

/* As libelf reads it. */
static void check_file(const void *bytes, size_t size)
{
	Elf *elf;
	Elf_Scn *section = NULL;
	GElf_Shdr unpack_header;
	GElf_Sym sym;
	bool text = false;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)bytes, size);
	do {
		section = elf_nextscn(elf, section);
		assert_non_null(section);
		assert_non_null(gelf_getshdr(section, &unpack_header));
	} while (unpack_header.sh_type != SHT_SYMTAB);
	assert_int_equal(unpack_header.sh_size / unpack_header.sh_entsize, 1 + NAMES);
	assert_int_equal(unpack_header.sh_info, 1 + NAMES - NAMES / 10);
	for (int i = 1; i <= NAMES; i++) {
		assert_non_null(gelf_getsym(elf_getdata(section, NULL), i, &sym));
		check_symbol(elf, unpack_header.sh_link, &sym, &text);
	}
	assert_true(text);
	check_sections(elf);
	elf_end(elf);
}

/* The file is as linked, whatever the guest was moved by. */
static void the_names_become_symbols(void **unused)
{
	(void)unused;
	for (enum age age = 0; age < AGE_COUNT; age++) {
		struct boot_case c;
		const uint8_t *elf;
		uint64_t wide;
		size_t size;

		unpack_make(age);
		put_places(false);
		pack(by_lz4);
		unpack_load(&c, NULL);
		assert_null(c.image.packed.symbols);
		elf = boot_symbols(&c.image, &size, &c.err);
		check_file(elf, size);
		memcpy(&wide, elf + TEXT_AT + 0x100, sizeof(wide));
		assert_int_equal(wide, LINKED + 0x1234);
		boot_case_end(&c);
	}
}

/* They are made once, when somebody asks: the kernel starts without. */
static void they_are_made_once(void **unused)
{
	struct boot_case c;
	const void *elf;
	size_t size, again = 0;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	pack(by_zstd);
	unpack_load(&c, NULL);
	assert_false(c.image.packed.sought);
	assert_null(c.image.packed.symbols);
	elf = boot_symbols(&c.image, &size, &c.err);
	assert_non_null(elf);
	assert_int_equal(c.err.code, 0);
	assert_ptr_equal(boot_symbols(&c.image, &again, &c.err), elf);
	assert_int_equal(again, size);
	check_file(elf, size);
	boot_case_end(&c);
}

/* The file as it was packed, where it has no names. */
static void without_names_it_is_what_was_packed(void **unused)
{
	static uint8_t linked[ROOM];
	struct boot_case c;
	const void *elf;
	size_t size;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	made.bytes[made.names - 8] ^= 1; /* how many */
	memcpy(linked, made.bytes, ROOM);
	pack(by_zstd);
	for (unsigned i = 0; i < 10; i++) {
		unpack_load(&c, NULL);
		elf = boot_symbols(&c.image, &size, &c.err);
		assert_int_equal(size, made.elf);
		assert_memory_equal(elf, linked, size);
		assert_int_equal(c.err.code, 0);
		boot_case_end(&c);
	}
}

static bool finds_names(void)
{
	struct kallsyms k;

	return kallsyms_find(made.bytes, made.elf, LINKED, &k);
}

static void wrong_tables_are_none(void **unused)
{
	struct kallsyms k;

	(void)unused;
	unpack_make(AGE_NOW);
	assert_true(finds_names());
	assert_false(kallsyms_find(made.bytes, made.elf, LINKED + 16, &k));
	made.bytes[made.names - 8] ^= 1; /* how many */
	assert_false(finds_names());
	unpack_make(AGE_NOW);
	made.bytes[made.names] ^= 1; /* how long the first one is */
	assert_false(finds_names());
	unpack_make(AGE_NOW);
	made.bytes[made.tokens + 4] = 0;
	assert_false(finds_names());
	unpack_make(AGE_NOW);
	for (size_t size = TABLES_AT; size < made.elf - sizeof(Elf64_Shdr) * 2 - 16; size += 97)
		assert_false(kallsyms_find(made.bytes, size, LINKED, &k));
}

/* What was found may be wrong further on: it ends early, or is nonsense, and nothing else is touched. */
static void nonsense_in_the_tables_is_bounded(void **unused)
{
	(void)unused;
	srand(1);
	for (unsigned round = 0; round < 300; round++) {
		size_t at;
		uint8_t *copy;
		struct kallsyms k;

		unpack_make((enum age)(round % AGE_COUNT));
		for (unsigned i = 0; i < 3; i++) {
			at = TABLES_AT + (size_t)rand() % (made.elf - TABLES_AT);
			made.bytes[at] = (uint8_t)rand();
		}
		/* On the heap, where a sanitizer sees its end. */
		copy = malloc(made.elf);
		assert_non_null(copy);
		memcpy(copy, made.bytes, made.elf);
		if (kallsyms_find(copy, made.elf, LINKED, &k)) {
			struct kallsyms_cursor cursor = {0};
			struct kallsyms_name name;
			unsigned count = 0;

			while (kallsyms_next(&k, &cursor, &name))
				count++;
			assert_true(count <= NAMES);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_moved_by_chance),
		cmocka_unit_test(places_of_32_bits_may_go_the_other_way),
		cmocka_unit_test(wrong_places_move_nothing),
		cmocka_unit_test(places_in_the_headers_move_nothing),
		cmocka_unit_test(the_names_become_symbols),
		cmocka_unit_test(they_are_made_once),
		cmocka_unit_test(without_names_it_is_what_was_packed),
		cmocka_unit_test(wrong_tables_are_none),
		cmocka_unit_test(nonsense_in_the_tables_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
