// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 1: finding the header, its fields, and what the guest is told. */
#include "boot_case.h"
#include "multiboot_image.h"
#include "x86/mode.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESSES_AT offsetof(struct header, header_addr)

static void a_kernel_is_entered_in_protected_mode(void **unused)
{
	struct boot_case c;
	const struct cpu_state *state = &c.image.start;
	const struct boot_segment *s;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 1");
	assert_non_null(strstr(c.image.why, "header at 0x40"));
	assert_int_equal(cpu_mode(state), MODE_PROT32);
	assert_false(state->system.cr0 & CR0_PG);
	assert_false(state->general.rflags & RFLAGS_IF);
	assert_int_equal(state->general.rip, LOAD + 0x80);
	assert_int_equal(state->general.gpr[GPR_RAX], 0x2badb002);
	assert_int_equal(state->general.gpr[GPR_RBX],
			 boot_case_segment(&c.image, "multiboot information")->gpa);
	s = boot_case_segment(&c.image, "multiboot image");
	assert_int_equal(s->gpa, LOAD);
	assert_int_equal(s->size, IMAGE_SIZE);
	assert_memory_equal(s->data, multiboot_image, IMAGE_SIZE);
	boot_case_end(&c);
}

static void the_address_fields_cut_the_file(void **unused)
{
	struct header header = good_header();
	struct boot_case c;
	const struct boot_segment *s;

	(void)unused;
	header.load_addr = LOAD + 16; /* the file's first 16 bytes are left out */
	header.load_end_addr = LOAD + 512;
	header.bss_end_addr = LOAD + 0x2000;
	multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	s = boot_case_segment(&c.image, "multiboot image");
	assert_int_equal(s->gpa, LOAD + 16);
	assert_int_equal(s->data_size, 496);
	assert_int_equal(s->size, 0x2000 - 16);
	assert_memory_equal(s->data, multiboot_image + 16, 496);
	boot_case_end(&c);
}

/* The whole header lies in the first 8 KiB, at a multiple of 4. */
static void the_header_is_searched_in_8_kib(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.header_addr = LOAD + 8192 - 12;
	multiboot_make(&c, header, 8192 - 12, sizeof(multiboot_image));
	boot_case_loads(&c);
	boot_case_end(&c);
	multiboot_make(&c, header, 8192 - 8, sizeof(multiboot_image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	multiboot_make(&c, header, HEADER_AT + 2, IMAGE_SIZE);
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
}

static void a_wrong_checksum_is_no_header(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	make_good(&c);
	boot_case_end(&c);
	header.checksum++;
	memcpy(multiboot_image + HEADER_AT, &header, sizeof(header));
	boot_case_init(&c, multiboot_image, IMAGE_SIZE);
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
}

struct change {
	size_t offset;
	uint32_t value;
	const char *words;
};

// clang-format off
static const struct change changes[] = {
	{offsetof(struct header, flags), ADDRESSES | 8, "0x0008"},
	{offsetof(struct header, flags), ADDRESSES | 0x8003, "0x8000"},
	{offsetof(struct header, flags), 3, "flag bit 16"},
	{offsetof(struct header, header_addr), LOAD - 1, "header_addr 0xfffff"},
	{offsetof(struct header, header_addr), LOAD + HEADER_AT + 1, "load_addr 0x100000 and header_addr 0x100041"},
	{offsetof(struct header, header_addr), UINT32_MAX, "header_addr 0xffffffff"},
	{offsetof(struct header, load_addr), LOAD - 1, "load_addr 0xfffff"},
	{offsetof(struct header, load_addr), UINT32_MAX, "load_addr 0xffffffff"},
	{offsetof(struct header, load_end_addr), LOAD - 1, "load_end_addr 0xfffff is below load_addr"},
	{offsetof(struct header, load_end_addr), LOAD + IMAGE_SIZE + 1, "load_end_addr 0x100401 wants 0x401 bytes"},
	{offsetof(struct header, load_end_addr), UINT32_MAX, "load_end_addr 0xffffffff"},
	{offsetof(struct header, load_end_addr), LOAD + 0x80, "entry_addr 0x100080 is outside"},
	{offsetof(struct header, bss_end_addr), LOAD + IMAGE_SIZE - 1, "bss_end_addr 0x1003ff is below"},
	{offsetof(struct header, bss_end_addr), 1, "bss_end_addr 0x1 is below"},
	{offsetof(struct header, entry_addr), LOAD - 1, "entry_addr 0xfffff"},
	{offsetof(struct header, entry_addr), LOAD + IMAGE_SIZE, "entry_addr 0x100400"},
	{offsetof(struct header, entry_addr), UINT32_MAX, "entry_addr 0xffffffff"},
};
// clang-format on

static void every_field_is_checked(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct header header = good_header();
		struct boot_case c;

		memcpy((uint8_t *)&header + changes[i].offset, &changes[i].value, 4);
		multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
		boot_case_refuses(&c, i < 2 ? -EOPNOTSUPP : -EINVAL, changes[i].words);
		boot_case_end(&c);
	}
}

/* header_addr - load_addr would be a small number, modulo 2^32. */
static void addresses_do_not_wrap_around(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.load_addr = UINT32_MAX - 15;
	header.header_addr = HEADER_AT - 16;
	header.entry_addr = header.load_addr;
	multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "load_addr 0xfffffff0 and header_addr 0x30");
	boot_case_end(&c);
}

static void optional_flags_are_ignored(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.flags = 0xffff0007;
	multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void a_bss_beyond_ram_is_refused(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.bss_end_addr = 0x4000001;
	multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -ENOSPC, "multiboot image needs 0x100000-0x4000001, RAM ends at");
	boot_case_end(&c);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* Whatever the address fields are: an image that is sound, or a sentence. */
static void damaged_headers_do_no_harm(void **unused)
{
	uint32_t random = 7;

	(void)unused;
	for (int round = 0; round < 4000; round++) {
		struct header header = good_header();
		uint32_t fields[5];
		struct boot_case c;
		int rc;

		memcpy(fields, (uint8_t *)&header + ADDRESSES_AT, sizeof(fields));
		fields[next_random(&random) % 5] += next_random(&random) % 4096 - 2048;
		fields[next_random(&random) % 5] ^= 1u << next_random(&random) % 32;
		memcpy((uint8_t *)&header + ADDRESSES_AT, fields, sizeof(fields));
		multiboot_make(&c, header, HEADER_AT, IMAGE_SIZE);
		rc = boot_load(&c.request, &c.image, &c.err);
		if (rc == 0)
			boot_case_check_image(&c.image, c.request.ram_size);
		else
			assert_true(c.err.text[strlen(c.path)] == ':' && c.err.code == rc);
		boot_case_end(&c);
	}
}

static void address_fields_that_the_file_lacks(void **unused)
{
	struct boot_case c;

	(void)unused;
	for (size_t size = HEADER_AT + 12; size < HEADER_AT + sizeof(struct header); size++) {
		multiboot_make(&c, good_header(), HEADER_AT, size);
		boot_case_refuses(&c, -EINVAL, "the file ends before them");
		boot_case_end(&c);
	}
}

/* An ELF file with a header in its first segment; class is the only difference. */
struct elf32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment;
	struct header multiboot;
	uint8_t code[64];
};

struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	struct header multiboot;
	uint8_t code[64];
};

#define ELF_IMAGE(type, class, machine, phdr)                                                      \
	{                                                                                          \
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', class, ELFDATA2LSB, 1},                \
			   .e_type = ET_EXEC,                                                      \
			   .e_machine = machine,                                                   \
			   .e_version = 1,                                                         \
			   .e_entry = 0xc0100020,                                                  \
			   .e_phoff = offsetof(struct type, segment),                              \
			   .e_phentsize = sizeof(phdr),                                            \
			   .e_phnum = 1},                                                          \
		.segment = {.p_type = PT_LOAD,                                                     \
			    .p_offset = offsetof(struct type, multiboot),                          \
			    .p_vaddr = 0xc0100000,                                                 \
			    .p_paddr = LOAD,                                                       \
			    .p_filesz = 96,                                                        \
			    .p_memsz = 0x3000},                                                    \
		.multiboot = {.magic = MAGIC, .flags = 3, .checksum = -(MAGIC + 3)},               \
	}

static void check_elf(const void *bytes, size_t size)
{
	struct boot_case c;

	boot_case_init(&c, bytes, size);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "multiboot 1");
	assert_int_equal(cpu_mode(&c.image.start), MODE_PROT32);
	assert_int_equal(c.image.start.general.rip, LOAD + 0x20);
	assert_int_equal(boot_case_segment(&c.image, "segment 0")->size, 0x3000);
	assert_int_equal(c.image.elf_size, size);
	boot_case_end(&c);
}

static void elf_kernels_of_both_classes(void **unused)
{
	struct elf32 narrow = ELF_IMAGE(elf32, ELFCLASS32, EM_386, Elf32_Phdr);
	struct elf64 wide = ELF_IMAGE(elf64, ELFCLASS64, EM_X86_64, Elf64_Phdr);

	(void)unused;
	check_elf(&narrow, sizeof(narrow));
	check_elf(&wide, sizeof(wide));
}

static void an_elf_with_a_wrong_checksum_is_plain_elf(void **unused)
{
	struct elf64 wide = ELF_IMAGE(elf64, ELFCLASS64, EM_X86_64, Elf64_Phdr);
	struct boot_case c;

	(void)unused;
	wide.multiboot.checksum ^= 1;
	boot_case_init(&c, &wide, sizeof(wide));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_case_end(&c);
}

static void raw_options_win_over_a_header(void **unused)
{
	struct boot_case c;

	(void)unused;
	make_good(&c);
	c.request.has_load = true;
	c.request.load = 0x8000;
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "flat");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_entered_in_protected_mode),
		cmocka_unit_test(the_address_fields_cut_the_file),
		cmocka_unit_test(the_header_is_searched_in_8_kib),
		cmocka_unit_test(a_wrong_checksum_is_no_header),
		cmocka_unit_test(every_field_is_checked),
		cmocka_unit_test(addresses_do_not_wrap_around),
		cmocka_unit_test(optional_flags_are_ignored),
		cmocka_unit_test(a_bss_beyond_ram_is_refused),
		cmocka_unit_test(address_fields_that_the_file_lacks),
		cmocka_unit_test(damaged_headers_do_no_harm),
		cmocka_unit_test(elf_kernels_of_both_classes),
		cmocka_unit_test(an_elf_with_a_wrong_checksum_is_plain_elf),
		cmocka_unit_test(raw_options_win_over_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
