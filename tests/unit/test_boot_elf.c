// SPDX-License-Identifier: GPL-3.0-or-later
/* ELF images: right ones of both classes, and wrong ones, field by field. */
#include "boot_case.h"
#include "elf_image.h"
#include "x86/mode.h"
#include "x86/paging.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* Where a PC's ROM would have its first jump. */
static void an_entry_at_the_reset_vector_starts_in_real_mode(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.header.e_entry = image.segment[0].p_vaddr = image.segment[0].p_paddr = 0xffff0;
	image.segment[0].p_filesz = image.segment[0].p_memsz = 16;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF reset vector");
	assert_int_equal(cpu_mode(&c.image.start), MODE_REAL);
	assert_int_equal(c.image.start.system.seg[SEG_CS].selector, 0xf000);
	assert_int_equal(c.image.start.general.rip, 0xfff0);
	boot_free(&c.image);
	c.request.append = "x";
	boot_case_refuses(&c, -EINVAL, "leave -append out");
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
		cmocka_unit_test(raw_options_are_refused),
		cmocka_unit_test(an_elf_boot_sector_starts_in_real_mode),
		cmocka_unit_test(an_entry_at_the_reset_vector_starts_in_real_mode),
		cmocka_unit_test(scratch_space_avoids_the_image),
		cmocka_unit_test(more_than_4_gib_of_ram),
		cmocka_unit_test(the_embedded_guest_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
