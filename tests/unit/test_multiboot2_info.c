// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 2: what the guest is told. */
#include "multiboot2_case.h"
#include "x86/mode.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint8_t image[IMAGE_MAX];

static void make_good(struct boot_case *c)
{
	struct header h = header_with_addresses();

	header_end(&h);
	multiboot2_case(c, image, &h, HEADER_AT, IMAGE_SIZE);
}

/* Where the information has a tag of this type; the test ends where there is none. *size: without its head. */
static uint64_t told(const struct boot_image *loaded, uint32_t type, uint32_t *size)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX], at = info + 8;
	uint64_t last = info + boot_case_u32(loaded, info);

	for (; at < last; at += (boot_case_u32(loaded, at + 4) + 7) & ~7u) {
		assert_int_equal(at % 8, 0);
		*size = boot_case_u32(loaded, at + 4) - 8;
		if (boot_case_u32(loaded, at) == type)
			return at + 8;
		assert_int_not_equal(boot_case_u32(loaded, at), 0);
	}
	fail_msg("no tag of type %u", type);
	return 0;
}

static bool is_told(const struct boot_image *loaded, uint32_t type)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX], at = info + 8;

	while (boot_case_u32(loaded, at) && boot_case_u32(loaded, at) != type)
		at += (boot_case_u32(loaded, at + 4) + 7) & ~7u;
	return boot_case_u32(loaded, at) == type;
}

/* ---- what the guest is told --------------------------------------------------------------------- */

static void memory_and_words(void **unused)
{
	struct boot_case c;
	uint64_t at;
	uint32_t size;
	char text[256];

	(void)unused;
	make_good(&c);
	c.request.append = "root=here quiet";
	boot_case_loads(&c);
	at = told(&c.image, 1, &size);
	assert_string_equal(boot_case_text(&c.image, at, text), "root=here quiet");
	assert_int_equal(size, 16);
	assert_string_equal(boot_case_text(&c.image, told(&c.image, 2, &size), text), "vitrine");
	at = told(&c.image, 4, &size);
	assert_int_equal(size, 8);
	assert_int_equal(boot_case_u32(&c.image, at), 640);
	assert_int_equal(boot_case_u32(&c.image, at + 4), 63 * 1024);
	at = told(&c.image, 21, &size);
	assert_int_equal(boot_case_u32(&c.image, at), LOAD);
	assert_false(is_told(&c.image, 3));
	assert_false(is_told(&c.image, 9));
	assert_false(is_told(&c.image, 14)); /* no vCPUs were asked for, so there are no tables */
	boot_case_end(&c);
}

static void the_memory_map(void **unused)
{
	static const struct {
		uint64_t base, length;
		uint32_t type;
	} want[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 3071 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
		{0x100000000, 2048 * MIB, 1},
	};
	struct boot_case c;
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	c.request.ram_size = 5120 * MIB;
	boot_case_loads(&c);
	at = told(&c.image, 6, &size);
	assert_int_equal(size, 8 + 5 * 24);
	assert_int_equal(boot_case_u32(&c.image, at), 24);
	assert_int_equal(boot_case_u32(&c.image, at + 4), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(boot_case_u64(&c.image, at + 8 + 24 * i), want[i].base);
		assert_int_equal(boot_case_u64(&c.image, at + 16 + 24 * i), want[i].length);
		assert_int_equal(boot_case_u64(&c.image, at + 24 + 24 * i), want[i].type);
	}
	boot_case_end(&c);
	make_good(&c);
	boot_case_loads(&c);
	told(&c.image, 6, &size);
	assert_int_equal(size, 8 + 4 * 24);
	boot_case_end(&c);
}

static void the_text_screen(void **unused)
{
	struct boot_case c;
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	at = told(&c.image, 8, &size);
	assert_int_equal(size, 24);
	assert_int_equal(boot_case_u64(&c.image, at), 0xb8000);
	assert_int_equal(boot_case_u32(&c.image, at + 8), 160);
	assert_int_equal(boot_case_u32(&c.image, at + 12), 80);
	assert_int_equal(boot_case_u32(&c.image, at + 16), 25);
	assert_int_equal(boot_case_u32(&c.image, at + 20), 2 << 8 | 16);
	boot_case_end(&c);
}

static void the_rsdp(void **unused)
{
	struct boot_case c;
	uint8_t one[20], two[36], there[36];
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	c.request.vcpus = 2;
	c.request.apic = true;
	boot_case_loads(&c);
	boot_case_read(&c.image, 0xe0000, there, sizeof(there));
	assert_memory_equal(there, "RSD PTR ", 8);
	at = told(&c.image, 14, &size);
	assert_int_equal(size, 20);
	boot_case_read(&c.image, at, one, sizeof(one));
	assert_memory_equal(one, there, sizeof(one));
	at = told(&c.image, 15, &size);
	assert_int_equal(size, 36);
	boot_case_read(&c.image, at, two, sizeof(two));
	assert_memory_equal(two, there, sizeof(two));
	boot_case_end(&c);
}

static void modules(void **unused)
{
	struct boot_case c;
	char first[64], second[64], initrd[256], text[256], found[16] = "";
	uint64_t at;
	uint32_t size;

	(void)unused;
	make_good(&c);
	boot_case_file(first, "first module", 12);
	boot_case_file(second, "2nd", 3);
	snprintf(initrd, sizeof(initrd), "%s a=1,,2 b,%s", first, second);
	c.request.initrd = initrd;
	boot_case_loads(&c);
	at = told(&c.image, 3, &size);
	assert_int_equal(boot_case_u32(&c.image, at) % 4096, 0);
	assert_int_equal(boot_case_u32(&c.image, at + 4) - boot_case_u32(&c.image, at), 12);
	boot_case_read(&c.image, boot_case_u32(&c.image, at), found, 12);
	assert_string_equal(found, "first module");
	snprintf(initrd, sizeof(initrd), "%s a=1,2 b", first);
	assert_string_equal(boot_case_text(&c.image, at + 8, text), initrd);
	assert_int_equal(size, 8 + strlen(initrd) + 1);
	at += (size + 7) & ~7u; /* the next one follows */
	assert_int_equal(boot_case_u32(&c.image, at), 3);
	assert_string_equal(boot_case_text(&c.image, at + 16, text), second);
	boot_case_end(&c);
	unlink(first);
	unlink(second);
}

/* ---- ELF ---------------------------------------------------------------------------------------- */

/* Sections: none, the code, its names, and a symbol table's bytes. */
enum { SECTION_CODE = 1, SECTION_NAMES, SECTION_SYMBOLS, SECTIONS };

#define ELF_FILE(name, bits)                                                                       \
	struct name {                                                                              \
		Elf##bits##_Ehdr header;                                                           \
		Elf##bits##_Phdr segment;                                                          \
		Elf##bits##_Shdr section[SECTIONS];                                                \
		char names[24], symbols[40];                                                       \
		uint64_t aligned;                                                                  \
		uint32_t multiboot[32];                                                            \
		uint8_t code[64];                                                                  \
	};                                                                                         \
	static struct name name(void)                                                              \
	{                                                                                          \
		struct name f = {.names = "names", .symbols = "symbols"};                          \
                                                                                                   \
		memcpy(f.header.e_ident, ELFMAG, SELFMAG);                                         \
		f.header.e_ident[EI_CLASS] = ELFCLASS##bits;                                       \
		f.header.e_ident[EI_DATA] = ELFDATA2LSB;                                           \
		f.header.e_ident[EI_VERSION] = f.header.e_version = EV_CURRENT;                    \
		f.header.e_type = ET_EXEC;                                                         \
		f.header.e_machine = bits == 64 ? EM_X86_64 : EM_386;                              \
		f.header.e_entry = LOAD + 0x10;                                                    \
		f.header.e_phoff = offsetof(struct name, segment);                                 \
		f.header.e_phentsize = sizeof(f.segment);                                          \
		f.header.e_phnum = 1;                                                              \
		f.header.e_shoff = offsetof(struct name, section);                                 \
		f.header.e_shentsize = sizeof(f.section[0]);                                       \
		f.header.e_shnum = SECTIONS;                                                       \
		f.header.e_shstrndx = SECTION_NAMES;                                               \
		f.segment.p_type = PT_LOAD;                                                        \
		f.segment.p_offset = offsetof(struct name, code);                                  \
		f.segment.p_vaddr = f.segment.p_paddr = LOAD;                                      \
		f.segment.p_filesz = sizeof(f.code);                                               \
		f.segment.p_memsz = 0x1000;                                                        \
		f.section[SECTION_CODE].sh_type = SHT_PROGBITS;                                    \
		f.section[SECTION_CODE].sh_addr = LOAD;                                            \
		f.section[SECTION_CODE].sh_offset = offsetof(struct name, code);                   \
		f.section[SECTION_CODE].sh_size = sizeof(f.code);                                  \
		f.section[SECTION_NAMES].sh_type = SHT_STRTAB;                                     \
		f.section[SECTION_NAMES].sh_offset = offsetof(struct name, names);                 \
		f.section[SECTION_NAMES].sh_size = sizeof(f.names);                                \
		f.section[SECTION_SYMBOLS].sh_type = SHT_SYMTAB;                                   \
		f.section[SECTION_SYMBOLS].sh_offset = offsetof(struct name, symbols);             \
		f.section[SECTION_SYMBOLS].sh_size = sizeof(f.symbols);                            \
		return f;                                                                          \
	}

ELF_FILE(narrow, 32)
ELF_FILE(wide, 64)

static void put_header(uint32_t to[32], const struct header *h)
{
	assert_true(h->count <= 32);
	memcpy(to, h->word, 4 * h->count);
}

static void plain(uint32_t to[32])
{
	struct header h = header_begin();

	header_end(&h);
	put_header(to, &h);
}

/* Both classes: what stands where. */
static void check_sections(struct boot_case *c, unsigned entry, unsigned address, unsigned width)
{
	uint32_t size;
	uint64_t at = told(&c->image, 9, &size), first = at + 12;
	char text[256];

	assert_int_equal(size, 12 + SECTIONS * entry);
	assert_int_equal(boot_case_u32(&c->image, at), SECTIONS);
	assert_int_equal(boot_case_u32(&c->image, at + 4), entry);
	assert_int_equal(boot_case_u32(&c->image, at + 8), SECTION_NAMES);
	at = first + SECTION_CODE * entry + address;
	assert_int_equal(boot_case_u32(&c->image, at), LOAD);
	at = boot_case_u32(&c->image, first + SECTION_NAMES * entry + address);
	assert_true(at > LOAD);
	assert_string_equal(boot_case_text(&c->image, at, text), "names");
	at = boot_case_u32(&c->image, first + SECTION_SYMBOLS * entry + address);
	assert_string_equal(boot_case_text(&c->image, at, text), "symbols");
	assert_int_equal(at % 16, 0);
	for (unsigned i = 4; i < width; i += 4)
		assert_int_equal(
			boot_case_u32(&c->image, first + SECTION_NAMES * entry + address + i), 0);
}

static void elf_kernels_of_both_classes(void **unused)
{
	struct narrow n = narrow();
	struct wide w = wide();
	struct boot_case c;

	(void)unused;
	plain(n.multiboot);
	boot_case_init(&c, &n, sizeof(n));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 2");
	assert_int_equal(c.image.start.general.rip, LOAD + 0x10);
	check_sections(&c, sizeof(Elf32_Shdr), offsetof(Elf32_Shdr, sh_addr), 4);
	boot_case_end(&c);
	plain(w.multiboot);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(&c.image.start), MODE_PROT32);
	check_sections(&c, sizeof(Elf64_Shdr), offsetof(Elf64_Shdr, sh_addr), 8);
	boot_case_end(&c);
}

static void an_entry_tag_wins_over_elf(void **unused)
{
	struct wide w = wide();
	struct header h = header_begin();
	struct boot_case c;

	(void)unused;
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x20});
	header_end(&h);
	put_header(w.multiboot, &h);
	w.header.e_entry = 0xffffffff80000000;
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, LOAD + 0x20);
	boot_case_end(&c);
	h = header_begin();
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 64}); /* behind the bytes, in zeros */
	header_end(&h);
	put_header(w.multiboot, &h);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_refuses(&c, -EINVAL, "entry address 0x100040 is in no segment");
	boot_case_end(&c);
}

static void section_headers_that_are_not_there(void **unused)
{
	struct wide w = wide();
	struct boot_case c;

	(void)unused;
	plain(w.multiboot);
	for (int i = 0; i < 3; i++) {
		struct wide bad = w;

		if (i == 0)
			bad.header.e_shoff = sizeof(w) - 1;
		else if (i == 1)
			bad.header.e_shentsize = 40;
		else
			bad.header.e_shnum = 0;
		boot_case_init(&c, &bad, sizeof(bad));
		boot_case_loads(&c);
		assert_false(is_told(&c.image, 9));
		boot_case_end(&c);
	}
}

/* A section that says that it is elsewhere in the file is left out; many that say they are all of it are refused. */
static void sections_that_lie(void **unused)
{
	struct wide w = wide();
	struct boot_case c;
	uint32_t size;
	uint64_t at;

	(void)unused;
	plain(w.multiboot);
	w.section[SECTION_SYMBOLS].sh_size = sizeof(w);
	boot_case_init(&c, &w, sizeof(w));
	boot_case_loads(&c);
	at = told(&c.image, 9, &size) + 12 + SECTION_SYMBOLS * sizeof(Elf64_Shdr);
	assert_int_equal(boot_case_u64(&c.image, at + offsetof(Elf64_Shdr, sh_addr)), 0);
	boot_case_end(&c);
	for (int i = SECTION_NAMES; i <= SECTION_SYMBOLS; i++) {
		w.section[i].sh_offset = 0;
		w.section[i].sh_size = sizeof(w);
	}
	boot_case_init(&c, &w, sizeof(w));
	boot_case_refuses(&c, -EINVAL, "more than the file");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_and_words),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(the_text_screen),
		cmocka_unit_test(the_rsdp),
		cmocka_unit_test(modules),
		cmocka_unit_test(elf_kernels_of_both_classes),
		cmocka_unit_test(an_entry_tag_wins_over_elf),
		cmocka_unit_test(section_headers_that_are_not_there),
		cmocka_unit_test(sections_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
