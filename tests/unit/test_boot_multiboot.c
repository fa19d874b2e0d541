// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 1: finding the header, its fields, and what the guest is told. */
#include "boot_case.h"
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

#define MAGIC	   0x1badb002u
#define ADDRESSES  0x10000u
#define LOAD	   0x100000u
#define HEADER_AT  64
#define IMAGE_SIZE 1024

/* As the specification has it (3.1). */
struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

#define ADDRESSES_AT offsetof(struct header, header_addr)

/* Offsets in the information structure (3.3). */
enum {
	INFO_FLAGS = 0,
	INFO_LOWER = 4,
	INFO_UPPER = 8,
	INFO_COMMAND_LINE = 16,
	INFO_MODULE_COUNT = 20,
	INFO_MODULES = 24,
	INFO_MAP_LENGTH = 44,
	INFO_MAP = 48,
	INFO_LOADER = 64,
};

static uint8_t image[16384];

static struct header good_header(void)
{
	return (struct header){
		.magic = MAGIC,
		.flags = ADDRESSES | 3,
		.checksum = -(MAGIC + (ADDRESSES | 3)),
		.header_addr = LOAD + HEADER_AT,
		.load_addr = LOAD,
		.entry_addr = LOAD + 0x80,
	};
}

/* Raw bytes with a header at offset at; the checksum is made right. */
static void make(struct boot_case *c, struct header header, size_t at, size_t size)
{
	header.checksum = -(header.magic + header.flags);
	memset(image, 0xf4, sizeof(image));
	memcpy(image + at, &header, sizeof(header));
	boot_case_init(c, image, size);
}

static void make_good(struct boot_case *c)
{
	make(c, good_header(), HEADER_AT, IMAGE_SIZE);
}

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
	assert_memory_equal(s->data, image, IMAGE_SIZE);
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
	make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	s = boot_case_segment(&c.image, "multiboot image");
	assert_int_equal(s->gpa, LOAD + 16);
	assert_int_equal(s->data_size, 496);
	assert_int_equal(s->size, 0x2000 - 16);
	assert_memory_equal(s->data, image + 16, 496);
	boot_case_end(&c);
}

/* The whole header lies in the first 8 KiB, at a multiple of 4. */
static void the_header_is_searched_in_8_kib(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.header_addr = LOAD + 8192 - 12;
	make(&c, header, 8192 - 12, sizeof(image));
	boot_case_loads(&c);
	boot_case_end(&c);
	make(&c, header, 8192 - 8, sizeof(image));
	boot_case_refuses(&c, -EOPNOTSUPP, "neither ELF nor multiboot");
	boot_case_end(&c);
	make(&c, header, HEADER_AT + 2, IMAGE_SIZE);
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
	memcpy(image + HEADER_AT, &header, sizeof(header));
	boot_case_init(&c, image, IMAGE_SIZE);
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
		make(&c, header, HEADER_AT, IMAGE_SIZE);
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
	make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_refuses(&c, -EINVAL, "load_addr 0xfffffff0 and header_addr 0x30");
	boot_case_end(&c);
}

static void optional_flags_are_ignored(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.flags = 0xffff0007;
	make(&c, header, HEADER_AT, IMAGE_SIZE);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void a_bss_beyond_ram_is_refused(void **unused)
{
	struct header header = good_header();
	struct boot_case c;

	(void)unused;
	header.bss_end_addr = 0x4000001;
	make(&c, header, HEADER_AT, IMAGE_SIZE);
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
		make(&c, header, HEADER_AT, IMAGE_SIZE);
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
		make(&c, good_header(), HEADER_AT, size);
		boot_case_refuses(&c, -EINVAL, "the file ends before them");
		boot_case_end(&c);
	}
}

static void the_guest_is_told_what_it_has(void **unused)
{
	struct boot_case c;
	char text[256], line[96];
	uint64_t info;

	(void)unused;
	make_good(&c);
	c.request.append = "root=here quiet";
	boot_case_loads(&c);
	snprintf(line, sizeof(line), "%s root=here quiet", c.path);
	info = c.image.start.general.gpr[GPR_RBX];
	assert_int_equal(boot_case_u32(&c.image, info + INFO_FLAGS) & 0x24d, 0x24d);
	assert_int_equal(boot_case_u32(&c.image, info + INFO_LOWER), 640);
	assert_int_equal(boot_case_u32(&c.image, info + INFO_UPPER), 63 * 1024);
	assert_string_equal(
		boot_case_text(&c.image, boot_case_u32(&c.image, info + INFO_COMMAND_LINE), text),
		line);
	assert_string_equal(
		boot_case_text(&c.image, boot_case_u32(&c.image, info + INFO_LOADER), text),
		"vitrine");
	assert_int_equal(boot_case_u32(&c.image, info + INFO_MODULE_COUNT), 0);
	boot_case_end(&c);
}

struct range {
	uint64_t base, length;
	uint32_t type;
};

static void check_map(const struct boot_image *loaded, const struct range *ranges, unsigned count)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX];
	uint64_t at = boot_case_u32(loaded, info + INFO_MAP);

	assert_int_equal(boot_case_u32(loaded, info + INFO_MAP_LENGTH), count * 24);
	for (unsigned i = 0; i < count; i++, at += 24) {
		assert_int_equal(boot_case_u32(loaded, at), 20);
		assert_int_equal(boot_case_u64(loaded, at + 4), ranges[i].base);
		assert_int_equal(boot_case_u64(loaded, at + 12), ranges[i].length);
		assert_int_equal(boot_case_u32(loaded, at + 20), ranges[i].type);
	}
}

static void the_memory_map(void **unused)
{
	static const struct range small[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 63 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
	};
	static const struct range large[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 3071 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
		{0x100000000, 2048 * MIB, 1},
	};
	struct boot_case c;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	check_map(&c.image, small, 4);
	boot_case_end(&c);
	make_good(&c);
	c.request.ram_size = 5120 * MIB;
	boot_case_loads(&c);
	check_map(&c.image, large, 5);
	boot_case_end(&c);
}

static void check_module(const struct boot_image *loaded, unsigned i, const char *bytes,
			 const char *text)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX];
	uint64_t module = boot_case_u32(loaded, info + INFO_MODULES) + i * 16;
	uint32_t start = boot_case_u32(loaded, module);
	char found[256];

	assert_int_equal(boot_case_u32(loaded, module + 4) - start, strlen(bytes));
	assert_int_equal(start % 4096, 0);
	assert_true(start >= LOAD + IMAGE_SIZE);
	boot_case_read((void *)loaded, start, found, strlen(bytes));
	assert_memory_equal(found, bytes, strlen(bytes));
	assert_string_equal(boot_case_text(loaded, boot_case_u32(loaded, module + 8), found), text);
	assert_int_equal(boot_case_u32(loaded, module + 12), 0);
}

static void modules_are_loaded_with_their_strings(void **unused)
{
	struct boot_case c;
	char first[64], second[64], initrd[256], text[256];

	(void)unused;
	make_good(&c);
	boot_case_file(first, "first module", 12);
	boot_case_file(second, "2nd", 3);
	snprintf(initrd, sizeof(initrd), "%s a=1,,2 b,%s", first, second);
	c.request.initrd = initrd;
	boot_case_loads(&c);
	assert_int_equal(
		boot_case_u32(&c.image, c.image.start.general.gpr[GPR_RBX] + INFO_MODULE_COUNT), 2);
	snprintf(text, sizeof(text), "%s a=1,2 b", first);
	check_module(&c.image, 0, "first module", text);
	check_module(&c.image, 1, "2nd", second);
	boot_case_end(&c);
	unlink(first);
	unlink(second);
}

static void modules_that_cannot_be_loaded(void **unused)
{
	struct boot_case c;
	char large[64];

	(void)unused;
	make_good(&c);
	c.request.initrd = "/nonexistent/module";
	boot_case_refuses(&c, -ENOENT, "module /nonexistent/module (-initrd): cannot be opened");
	c.request.initrd = "/tmp args";
	boot_case_refuses(&c, -EISDIR, "module /tmp (-initrd): is a directory");
	c.request.initrd = "";
	boot_case_refuses(&c, -EINVAL, "-initrd names an empty file");
	c.request.initrd = c.path;
	boot_case_loads(&c);
	boot_case_end(&c);
	make_good(&c);
	boot_case_file(large, "x", 1);
	assert_int_equal(truncate(large, 64 << 20), 0);
	c.request.initrd = large;
	boot_case_refuses(&c, -ENOSPC, "no 0x4000000 free bytes for the module");
	boot_case_end(&c);
	unlink(large);
}

static void too_many_modules(void **unused)
{
	struct boot_case c;
	char initrd[40 * 65];
	size_t length = 0;

	(void)unused;
	make_good(&c);
	for (int i = 0; i < 33; i++) {
		length += (size_t)snprintf(initrd + length, sizeof(initrd) - length, "%s%s",
					   i ? "," : "", c.path);
	}
	c.request.initrd = initrd;
	boot_case_refuses(&c, -E2BIG, "more than 32 modules");
	initrd[length - strlen(c.path) - 1] = '\0';
	boot_case_loads(&c);
	boot_case_end(&c);
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

static void multiboot_2_is_refused(void **unused)
{
	const uint32_t header[4] = {0xe85250d6, 0, 16, -(0xe85250d6u + 16)};
	struct elf64 wide = ELF_IMAGE(elf64, ELFCLASS64, EM_X86_64, Elf64_Phdr);
	struct boot_case c;

	(void)unused;
	memcpy(&wide.multiboot, header, sizeof(header));
	assert_int_equal(offsetof(struct elf64, multiboot) % 8, 0);
	boot_case_init(&c, &wide, sizeof(wide));
	boot_case_refuses(&c, -EOPNOTSUPP, "multiboot 2");
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
		cmocka_unit_test(the_guest_is_told_what_it_has),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(modules_are_loaded_with_their_strings),
		cmocka_unit_test(modules_that_cannot_be_loaded),
		cmocka_unit_test(too_many_modules),
		cmocka_unit_test(elf_kernels_of_both_classes),
		cmocka_unit_test(an_elf_with_a_wrong_checksum_is_plain_elf),
		cmocka_unit_test(multiboot_2_is_refused),
		cmocka_unit_test(raw_options_win_over_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
