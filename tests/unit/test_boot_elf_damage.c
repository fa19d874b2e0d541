// SPDX-License-Identifier: GPL-3.0-or-later
/* ELF images that are damaged, truncated, or ask for too much. */
#include "boot_case.h"
#include "elf_image.h"
#include "x86/paging.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One field of a good image with another value. */
struct change {
	size_t offset, size;
	uint64_t value;
	int code;
	const char *words;
};

#define FIELD(type, field) offsetof(struct type, field), sizeof(((struct type *)NULL)->field)
#define WIDE(field)	   FIELD(image64, field)
#define NARROW(field)	   FIELD(image32, field)

static void refuse_changed(const void *good, size_t size, const struct change *change)
{
	uint8_t *image = malloc(size);
	struct boot_case c;

	assert_non_null(image);
	memcpy(image, good, size);
	memcpy(image + change->offset, &change->value, change->size);
	boot_case_init(&c, image, size);
	boot_case_refuses(&c, change->code, change->words);
	boot_case_end(&c);
	free(image);
}

// clang-format off
static const struct change wide_changes[] = {
	{WIDE(header.e_ident[EI_CLASS]), 0, -EINVAL, "EI_CLASS is 0"},
	{WIDE(header.e_ident[EI_CLASS]), 3, -EINVAL, "EI_CLASS is 3"},
	{WIDE(header.e_ident[EI_DATA]), ELFDATA2MSB, -EINVAL, "EI_DATA is 2"},
	{WIDE(header.e_ident[EI_VERSION]), 0, -EINVAL, "EI_VERSION is 0"},
	{WIDE(header.e_type), ET_DYN, -EOPNOTSUPP, "e_type is 3 (shared or position independent"},
	{WIDE(header.e_type), ET_REL, -EOPNOTSUPP, "e_type is 1 (relocatable"},
	{WIDE(header.e_type), ET_CORE, -EOPNOTSUPP, "e_type is 4 (a core dump"},
	{WIDE(header.e_type), 0xff00, -EOPNOTSUPP, "e_type is 65280 (unknown)"},
	{WIDE(header.e_machine), EM_AARCH64, -EOPNOTSUPP, "e_machine is 183 (aarch64); a 64-bit guest must be 62"},
	{WIDE(header.e_machine), EM_386, -EOPNOTSUPP, "e_machine is 3 (i386)"},
	{WIDE(header.e_machine), 0xffff, -EOPNOTSUPP, "e_machine is 65535 (another machine)"},
	{WIDE(header.e_version), 2, -EINVAL, "e_version is 2"},
	{WIDE(header.e_phnum), 0, -EINVAL, "e_phnum is 0"},
	{WIDE(header.e_phnum), PN_XNUM, -EINVAL, "e_phnum is 65535"},
	{WIDE(header.e_phnum), 8, -EINVAL, "e_phoff 0x40 with 8 program headers"},
	{WIDE(header.e_phentsize), 0, -EINVAL, "e_phentsize is 0 instead of 56"},
	{WIDE(header.e_phentsize), 32, -EINVAL, "e_phentsize is 32"},
	{WIDE(header.e_phoff), UINT64_MAX, -EINVAL, "e_phoff 0xffffffffffffffff"},
	{WIDE(header.e_phoff), UINT64_MAX - 100, -EINVAL, "e_phoff"},
	{WIDE(header.e_phoff), sizeof(struct image64) - 50, -EINVAL, "e_phoff"},
	{WIDE(header.e_entry), 0, -EINVAL, "e_entry 0x0 is in no segment"},
	{WIDE(header.e_entry), VIRTUAL - 1, -EINVAL, "e_entry"},
	{WIDE(header.e_entry), VIRTUAL + CODE, -EINVAL, "e_entry"},
	{WIDE(header.e_entry), VIRTUAL + 0x1000, -EINVAL, "e_entry"},
	{WIDE(segment[0].p_type), PT_INTERP, -EOPNOTSUPP, "segment 0 is PT_INTERP"},
	{WIDE(segment[0].p_type), PT_NOTE, -EINVAL, "e_entry"},
	{WIDE(segment[0].p_offset), UINT64_MAX, -EINVAL, "segment 0: p_offset 0xffffffffffffffff"},
	{WIDE(segment[0].p_offset), sizeof(struct image64) - CODE + 1, -EINVAL, "segment 0: p_offset"},
	{WIDE(segment[0].p_filesz), CODE + 1, -EINVAL, "segment 0: p_filesz 0x101 is larger than p_memsz 0x100"},
	{WIDE(segment[0].p_filesz), UINT64_MAX, -EINVAL, "segment 0: p_filesz"},
	{WIDE(segment[0].p_memsz), 0, -EINVAL, "p_memsz 0x0"},
	{WIDE(segment[0].p_memsz), UINT64_MAX, -EINVAL, "p_memsz 0xffffffffffffffff"},
	{WIDE(segment[1].p_memsz), 64 * MIB, -ENOSPC, "segment 1 needs 0x201000-0x4201000, RAM ends at 0x4000000; give more with -m"},
	{WIDE(segment[1].p_vaddr), UINT64_MAX, -EINVAL, "segment 1: p_vaddr"},
	{WIDE(segment[0].p_paddr), UINT64_MAX, -EINVAL, "segment 0 at 0xffffffffffffffff"},
	{WIDE(segment[0].p_paddr), 1ull << 62, -ENOSPC, "segment 0 needs 0x4000000000000000"},
	{WIDE(segment[0].p_paddr), 0xa0000, -ENOSPC, "video memory"},
	{WIDE(segment[0].p_paddr), PHYSICAL + 0x1000, -EINVAL, "segment 1 at 0x201000 overlaps segment 0 at 0x201000"},
	{WIDE(segment[1].p_paddr), PHYSICAL + CODE - 1, -EINVAL, "overlaps segment 0"},
};

static const struct change narrow_changes[] = {
	{NARROW(header.e_machine), EM_X86_64, -EOPNOTSUPP, "e_machine is 62 (x86-64); a 32-bit guest must be 3"},
	{NARROW(header.e_type), ET_DYN, -EOPNOTSUPP, "e_type is 3"},
	{NARROW(header.e_phnum), 0, -EINVAL, "e_phnum is 0"},
	{NARROW(header.e_phentsize), 56, -EINVAL, "e_phentsize is 56 instead of 32"},
	{NARROW(header.e_phoff), UINT32_MAX, -EINVAL, "e_phoff 0xffffffff"},
	{NARROW(header.e_entry), PHYSICAL - 1, -EINVAL, "e_entry 0x1fffff"},
	{NARROW(segment[0].p_type), PT_INTERP, -EOPNOTSUPP, "PT_INTERP"},
	{NARROW(segment[0].p_offset), UINT32_MAX, -EINVAL, "segment 0: p_offset 0xffffffff"},
	{NARROW(segment[0].p_filesz), UINT32_MAX, -EINVAL, "segment 0: p_filesz 0xffffffff"},
	{NARROW(segment[1].p_memsz), UINT32_MAX, -ENOSPC, "segment 1 needs 0x201000-0x100200fff"},
	{NARROW(segment[0].p_paddr), UINT32_MAX, -ENOSPC, "segment 0 needs 0xffffffff-0x1000000ff"},
};
// clang-format on

static void every_field_is_checked(void **unused)
{
	struct image64 wide = good64();
	struct image32 narrow = good32();

	(void)unused;
	for (size_t i = 0; i < sizeof(wide_changes) / sizeof(wide_changes[0]); i++)
		refuse_changed(&wide, sizeof(wide), &wide_changes[i]);
	for (size_t i = 0; i < sizeof(narrow_changes) / sizeof(narrow_changes[0]); i++)
		refuse_changed(&narrow, sizeof(narrow), &narrow_changes[i]);
}

/* Cut anywhere, an image is refused: its code is the last thing in the file. */
static void truncated_images_are_refused(void **unused)
{
	struct image64 wide = good64();
	struct image32 narrow = good32();
	struct boot_case c;

	(void)unused;
	for (size_t size = SELFMAG; size < sizeof(wide); size++) {
		boot_case_init(&c, &wide, size);
		boot_case_refuses(&c, -EINVAL, "truncated");
		boot_case_end(&c);
	}
	for (size_t size = SELFMAG; size < sizeof(narrow); size++) {
		boot_case_init(&c, &narrow, size);
		boot_case_refuses(&c, -EINVAL, "truncated");
		boot_case_end(&c);
	}
}

/* Whatever the bytes are: an image that is sound, or a sentence. */
static void load_somehow(const void *bytes, size_t size)
{
	struct boot_case c;
	int rc;

	boot_case_init(&c, bytes, size);
	rc = boot_load(&c.request, &c.image, &c.err);
	if (rc == 0)
		boot_case_check_image(&c.image, c.request.ram_size);
	else
		assert_true(c.err.text[strlen(c.path)] == ':' && c.err.code == rc);
	boot_case_end(&c);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

static void damaged_headers_do_no_harm(void **unused)
{
	uint32_t random = 1;

	(void)unused;
	for (int round = 0; round < 4000; round++) {
		struct image64 wide = good64();
		struct image32 narrow = good32();
		size_t at = EI_CLASS + next_random(&random) % (offsetof(struct image32, code) - 4);
		uint8_t value = (uint8_t)next_random(&random);

		((uint8_t *)&wide)[at] = ((uint8_t *)&narrow)[at] = value;
		at = next_random(&random) % offsetof(struct image64, code);
		((uint8_t *)&wide)[at] ^= (uint8_t)(1u << next_random(&random) % 8);
		load_somehow(&wide, sizeof(wide));
		load_somehow(&narrow, sizeof(narrow));
	}
}

static void no_room_for_scratch_is_said(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.segment[0].p_paddr = 0x500;
	image.segment[1].p_paddr = 0x1000;
	image.segment[1].p_memsz = 0x9e000;
	boot_case_init(&c, &image, sizeof(image));
	c.request.ram_size = 1 * MIB + 0x5000;
	boot_case_refuses(&c, -ENOSPC, "free bytes for the page tables in 0x105000 bytes of RAM");
	c.request.ram_size = 1 * MIB + 0x80000;
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void an_entry_above_4_gib_is_refused(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.segment[0].p_paddr = 1ull << 32;
	boot_case_init(&c, &image, sizeof(image));
	c.request.ram_size = 4096 * MIB;
	boot_case_refuses(&c, -EINVAL, "must be below 4 GiB");
	boot_case_end(&c);
}

static void too_many_segments(void **unused)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment[BOOT_MAX_SEGMENTS + 1];
	} image = {.header = good64().header};
	struct boot_case c;

	(void)unused;
	image.header.e_phnum = BOOT_MAX_SEGMENTS + 1;
	for (unsigned i = 0; i <= BOOT_MAX_SEGMENTS; i++)
		image.segment[i] = (Elf64_Phdr){
			.p_type = PT_LOAD, .p_paddr = PHYSICAL + i * 16ull, .p_memsz = 16};
	boot_case_init(&c, &image, sizeof(image));
	boot_case_refuses(&c, -E2BIG, "more than 64 pieces");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_checked),
		cmocka_unit_test(truncated_images_are_refused),
		cmocka_unit_test(damaged_headers_do_no_harm),
		cmocka_unit_test(no_room_for_scratch_is_said),
		cmocka_unit_test(an_entry_above_4_gib_is_refused),
		cmocka_unit_test(too_many_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
