// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux's tables for backtraces, found in an image: there, and damaged. */
#include "monitor/orc.h"
#include "section_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define CODE 0xffffffff81000000ull
#define IPS  0xffffffff82000000ull

struct rule {
	int16_t sp_offset, bp_offset;
	uint16_t flags;
} __attribute__((packed));

/* The return address is where rsp points to, by the newest layout. */
#define AT_RSP (5 | 2 << 8)

static const char section_names[] = "\0.orc_unwind_ip\0.orc_unwind\0.shstrtab";

struct image {
	Elf64_Ehdr header;
	Elf64_Shdr sections[4];
	int32_t ips[2];
	struct rule rules[2];
	char names[sizeof(section_names)];
};

static void make_image(struct image *image)
{
	static const struct rule rules[] = {{8, 0, AT_RSP}, {16, 0, AT_RSP}};

	*image = (struct image){.header = section_header(offsetof(struct image, sections), 4, 3),
				.sections = {[1] = {.sh_name = 1,
						    .sh_type = SHT_PROGBITS,
						    .sh_addr = IPS,
						    .sh_offset = offsetof(struct image, ips),
						    .sh_size = sizeof(image->ips)},
					     [2] = {.sh_name = 16,
						    .sh_type = SHT_PROGBITS,
						    .sh_offset = offsetof(struct image, rules),
						    .sh_size = sizeof(image->rules)},
					     [3] = {.sh_name = 28,
						    .sh_type = SHT_STRTAB,
						    .sh_offset = offsetof(struct image, names),
						    .sh_size = sizeof(image->names)}},
				.ips = {(int32_t)(CODE - IPS), (int32_t)(CODE + 16 - IPS - 4)}};
	memcpy(image->rules, rules, sizeof(rules));
	memcpy(image->names, section_names, sizeof(section_names));
}

static bool finds(struct image *image)
{
	struct orc_tables tables;
	Elf *elf;
	bool found;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image, sizeof(*image));
	assert_non_null(elf);
	found = orc_find(elf, &tables);
	if (found) {
		assert_int_equal(tables.count, 2);
		assert_int_equal(tables.ips_at, IPS);
		assert_int_equal(tables.kind, ORC_KIND_TYPES);
		assert_memory_equal(tables.entries, image->rules, sizeof(image->rules));
	}
	assert_int_equal(found, tables.count > 0);
	elf_end(elf);
	return found;
}

static void test_images(void **state)
{
	struct image image;

	(void)state;
	make_image(&image);
	assert_true(finds(&image));
	image.header.e_machine = EM_386;
	assert_false(finds(&image));
	make_image(&image);
	image.sections[1].sh_size = 4; /* of different lengths */
	assert_false(finds(&image));
	make_image(&image);
	image.sections[1].sh_size = image.sections[2].sh_size = 0;
	assert_false(finds(&image));
	make_image(&image);
	image.sections[2].sh_type = SHT_NOBITS;
	assert_false(finds(&image));
	make_image(&image);
	image.sections[2].sh_offset = sizeof(image) - 4; /* beyond the file */
	assert_false(finds(&image));
	make_image(&image);
	image.sections[2].sh_name = 17;
	assert_false(finds(&image));
	make_image(&image);
	image.header.e_shstrndx = 9;
	assert_false(finds(&image));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
