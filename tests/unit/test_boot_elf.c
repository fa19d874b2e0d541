// SPDX-License-Identifier: GPL-3.0-or-later
/* ELF images: right ones of both classes, and wrong ones, field by field. */
#include "boot_case.h"
#include "x86/mode.h"
#include "x86/paging.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VIRTUAL	 0xffffffff80200000ull
#define PHYSICAL 0x200000ull
#define CODE	 256 /* bytes of the first segment */

/* Two segments: code with a virtual address, and a bss behind it. */
struct image64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	uint8_t code[CODE];
};

struct image32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment[2];
	uint8_t code[CODE];
};

static const unsigned char ident64[EI_NIDENT] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1};
static const unsigned char ident32[EI_NIDENT] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1};

static struct image64 good64(void)
{
	struct image64 image = {
		.header = {.e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_entry = VIRTUAL + 0x10,
			   .e_phoff = offsetof(struct image64, segment),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image64, code),
			     .p_vaddr = VIRTUAL,
			     .p_paddr = PHYSICAL,
			     .p_filesz = CODE,
			     .p_memsz = CODE},
			    {.p_type = PT_LOAD,
			     .p_vaddr = VIRTUAL + 0x1000,
			     .p_paddr = PHYSICAL + 0x1000,
			     .p_memsz = 0x5000}},
	};

	memcpy(image.header.e_ident, ident64, EI_NIDENT);
	memset(image.code, 0xf4, sizeof(image.code));
	return image;
}

static struct image32 good32(void)
{
	struct image32 image = {
		.header = {.e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = 1,
			   .e_entry = PHYSICAL + 0x20,
			   .e_phoff = offsetof(struct image32, segment),
			   .e_ehsize = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image32, code),
			     .p_vaddr = PHYSICAL,
			     .p_paddr = PHYSICAL,
			     .p_filesz = CODE,
			     .p_memsz = CODE},
			    {.p_type = PT_LOAD,
			     .p_vaddr = PHYSICAL + 0x1000,
			     .p_paddr = PHYSICAL + 0x1000,
			     .p_memsz = 0x5000}},
	};

	memcpy(image.header.e_ident, ident32, EI_NIDENT);
	memset(image.code, 0xf4, sizeof(image.code));
	return image;
}

static void elf64_is_loaded_at_physical_addresses(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;
	const struct boot_segment *s;

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	s = boot_case_segment(&c.image, "segment 0");
	assert_int_equal(s->gpa, PHYSICAL);
	assert_memory_equal(s->data, image.code, CODE);
	s = boot_case_segment(&c.image, "segment 1");
	assert_int_equal(s->size, 0x5000);
	assert_int_equal(s->data_size, 0);
	assert_int_equal(c.image.start.general.rip, PHYSICAL + 0x10);
	assert_int_equal(c.image.elf_size, sizeof(image));
	assert_memory_equal(c.image.elf, &image, sizeof(image));
	assert_string_equal(c.image.path, c.path);
	boot_case_end(&c);
}

static void elf64_is_entered_in_long_mode(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;
	const struct cpu_state *state = &c.image.start;
	const struct boot_segment *stack;
	char text[256];
	uint64_t rsp;

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	c.request.append = "alpha beta=1";
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(state), MODE_LONG);
	assert_int_equal(cpu_cpl(state), 0);
	assert_int_equal(state->general.rflags, RFLAGS_FIXED);
	assert_int_equal(state->general.gpr[GPR_RDI], 64 * MIB);
	assert_string_equal(boot_case_text(&c.image, state->general.gpr[GPR_RSI], text),
			    "alpha beta=1");
	stack = boot_case_segment(&c.image, "boot stack");
	rsp = state->general.gpr[GPR_RSP];
	assert_true(rsp > stack->gpa && rsp + 8 <= stack->gpa + stack->size);
	assert_int_equal((rsp + 8) % 16, 0);
	assert_int_equal(boot_case_u64(&c.image, rsp), 0);
	boot_case_end(&c);
}

/* The descriptors in memory say the same as the loaded segments do. */
static void check_gdt(const struct boot_image *image, bool is64)
{
	const struct cpu_table *gdt = &image->start.system.gdt;
	uint64_t code = boot_case_u64(image, gdt->base + 8);

	assert_int_equal(gdt->limit, 23);
	assert_int_equal(boot_case_u64(image, gdt->base), 0);
	assert_int_equal(code, is64 ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
	assert_int_equal(boot_case_u64(image, gdt->base + 16), 0x00cf93000000ffff);
	assert_int_equal(image->start.system.seg[SEG_CS].selector, 8);
	assert_int_equal(image->start.system.seg[SEG_CS].l, is64);
	assert_int_equal(image->start.system.seg[SEG_SS].selector, 16);
	assert_int_equal(image->start.system.seg[SEG_DS].limit, 0xffffffff);
}

static void the_gdt_matches_the_segments(void **unused)
{
	struct image64 wide = good64();
	struct image32 narrow = good32();
	struct boot_case c;

	(void)unused;
	boot_case_init(&c, &wide, sizeof(wide));
	boot_case_loads(&c);
	check_gdt(&c.image, true);
	boot_case_end(&c);
	boot_case_init(&c, &narrow, sizeof(narrow));
	boot_case_loads(&c);
	check_gdt(&c.image, false);
	boot_case_end(&c);
}

static void four_gib_are_identity_mapped(void **unused)
{
	static const uint64_t mapped[] = {0,	      0x1fffff, 0x200000,   0x3fffffff,
					  0x40000000, 0xb8000,	0xfee00300, 0xffffffff};
	struct image64 image = good64();
	struct paging_regs regs;
	struct paging_walk walk;
	struct boot_case c;

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	regs = paging_regs_of(&c.image.start);
	for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
		assert_int_equal(paging_walk(&regs, mapped[i], boot_case_read, &c.image, &walk),
				 PAGING_OK);
		assert_int_equal(walk.gpa, mapped[i]);
		assert_int_equal(walk.page_size, 0x200000);
		assert_true(walk.write && walk.exec && !walk.user);
	}
	assert_int_equal(paging_walk(&regs, 1ull << 32, boot_case_read, &c.image, &walk),
			 PAGING_NOT_PRESENT);
	boot_case_end(&c);
}

static void elf32_is_entered_in_protected_mode(void **unused)
{
	struct image32 image = good32();
	struct boot_case c;
	const struct cpu_state *state = &c.image.start;
	char text[256];

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF32");
	assert_int_equal(cpu_mode(state), MODE_PROT32);
	assert_false(state->system.cr0 & CR0_PG);
	assert_int_equal(state->system.efer, 0);
	assert_int_equal(state->general.rip, PHYSICAL + 0x20);
	assert_int_equal((state->general.gpr[GPR_RSP] + 4) % 16, 0);
	assert_string_equal(boot_case_text(&c.image, state->general.gpr[GPR_RSI], text), "");
	boot_case_end(&c);
}

static void a_physical_entry_is_accepted(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.header.e_entry = PHYSICAL + 0x30;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, PHYSICAL + 0x30);
	boot_case_end(&c);
}

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

static void raw_options_are_refused(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	c.request.has_load = true;
	boot_case_refuses(&c, -EINVAL, "-load and -entry are for raw images");
	c.request.has_load = false;
	c.request.has_entry = true;
	boot_case_refuses(&c, -EINVAL, "-load and -entry are for raw images");
	c.request.has_entry = false;
	c.request.initrd = c.path;
	boot_case_refuses(&c, -EINVAL, "takes no -initrd");
	boot_case_end(&c);
}

/* The linked form of a boot sector starts as the raw one would. */
static void an_elf_boot_sector_starts_in_real_mode(void **unused)
{
	struct {
		struct image64 elf;
		uint8_t more[512 - CODE];
	} image = {.elf = good64()};
	struct boot_case c;

	(void)unused;
	image.elf.header.e_entry = image.elf.segment[0].p_vaddr = 0x7c00;
	image.elf.segment[0].p_paddr = 0x7c00;
	image.elf.segment[0].p_filesz = image.elf.segment[0].p_memsz = 512;
	image.more[510 - CODE] = 0x55;
	image.more[511 - CODE] = 0xaa;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF boot sector");
	assert_int_equal(cpu_mode(&c.image.start), MODE_REAL);
	assert_int_equal(cpu_linear_pc(&c.image.start), 0x7c00);
	assert_int_equal(c.image.elf_size, sizeof(image));
	boot_free(&c.image);
	c.request.append = "x";
	boot_case_refuses(&c, -EINVAL, "leave -append out");
	boot_case_end(&c);
	image.more[511 - CODE] = 0;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(&c.image.start), MODE_LONG);
	boot_case_end(&c);
}

/* A guest that fills all of low memory sends the tables above 1 MiB. */
static void scratch_space_avoids_the_image(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.segment[1].p_paddr = 0x1000;
	image.segment[1].p_memsz = 0x9f000;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_true(boot_case_segment(&c.image, "page tables")->gpa >= RAM_HIGH_BASE);
	assert_true(boot_case_segment(&c.image, "boot stack")->gpa >= RAM_HIGH_BASE);
	boot_case_end(&c);
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

static void more_than_4_gib_of_ram(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.segment[1].p_paddr = 1ull << 32;
	image.segment[1].p_memsz = 512 * MIB;
	boot_case_init(&c, &image, sizeof(image));
	c.request.ram_size = 4096 * MIB;
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.gpr[GPR_RDI], 4096 * MIB);
	boot_case_end(&c);
	boot_case_init(&c, &image, sizeof(image));
	c.request.ram_size = 3200 * MIB;
	boot_case_refuses(&c, -ENOSPC, "RAM ends at 0x108000000");
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

static void the_embedded_guest_loads(void **unused)
{
	struct boot_request request = {.ram_size = 32 * MIB, .append = "ticks=1"};
	struct boot_image image;
	struct error err;
	size_t size;

	(void)unused;
	assert_int_equal(boot_load(&request, &image, &err), 0);
	boot_case_check_image(&image, request.ram_size);
	assert_string_equal(image.protocol, "ELF64");
	assert_ptr_equal(image.elf, boot_embedded(&size));
	assert_int_equal(image.elf_size, size);
	assert_null(image.path);
	boot_free(&image);
	boot_free(&image);
	request.has_load = true;
	assert_int_equal(boot_load(&request, &image, &err), -EINVAL);
	assert_non_null(strstr(err.text, "the embedded guest"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf64_is_loaded_at_physical_addresses),
		cmocka_unit_test(elf64_is_entered_in_long_mode),
		cmocka_unit_test(the_gdt_matches_the_segments),
		cmocka_unit_test(four_gib_are_identity_mapped),
		cmocka_unit_test(elf32_is_entered_in_protected_mode),
		cmocka_unit_test(a_physical_entry_is_accepted),
		cmocka_unit_test(every_field_is_checked),
		cmocka_unit_test(truncated_images_are_refused),
		cmocka_unit_test(damaged_headers_do_no_harm),
		cmocka_unit_test(raw_options_are_refused),
		cmocka_unit_test(an_elf_boot_sector_starts_in_real_mode),
		cmocka_unit_test(scratch_space_avoids_the_image),
		cmocka_unit_test(no_room_for_scratch_is_said),
		cmocka_unit_test(more_than_4_gib_of_ram),
		cmocka_unit_test(an_entry_above_4_gib_is_refused),
		cmocka_unit_test(too_many_segments),
		cmocka_unit_test(the_embedded_guest_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
