// SPDX-License-Identifier: GPL-3.0-or-later
/* PVH: the note that names the entry, and what the guest is told. */
#include "boot_case.h"
#include "x86/mode.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE	   0x1000000ull
#define ENTRY	   (BASE + 0x40)
#define NOTE_ENTRY 18

/* Another note stands before the one that counts, as in Linux. */
struct note {
	Elf64_Nhdr header;
	char name[4];
	uint64_t value;
};

struct image64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	struct note notes[2];
	uint8_t code[256];
};

struct image32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment[2];
	Elf32_Nhdr note;
	char name[4];
	uint32_t entry;
	uint8_t code[256];
};

static struct image64 good64(void)
{
	return (struct image64){
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_entry = 0xffffffff00000000, /* of no importance */
			   .e_phoff = offsetof(struct image64, segment),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image64, code),
			     .p_vaddr = 0xffffffff81000000,
			     .p_paddr = BASE,
			     .p_filesz = 256,
			     .p_memsz = 0x5000},
			    {.p_type = PT_NOTE,
			     .p_offset = offsetof(struct image64, notes),
			     .p_filesz = 2 * sizeof(struct note)}},
		.notes = {{{4, 8, 3}, "Xen", 0xffffffff80000000},
			  {{4, 8, NOTE_ENTRY}, "Xen", ENTRY}},
	};
}

static struct image32 good32(void)
{
	return (struct image32){
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
			   .e_type = ET_EXEC,
			   .e_machine = EM_386,
			   .e_version = 1,
			   .e_phoff = offsetof(struct image32, segment),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct image32, code),
			     .p_vaddr = BASE,
			     .p_paddr = BASE,
			     .p_filesz = 256,
			     .p_memsz = 256},
			    {.p_type = PT_NOTE,
			     .p_offset = offsetof(struct image32, note),
			     .p_filesz = 20}},
		.note = {4, 4, NOTE_ENTRY},
		.name = "Xen",
		.entry = ENTRY,
	};
}

static void it_is_entered_in_protected_mode(void **unused)
{
	struct image64 image64 = good64();
	struct image32 image32 = good32();
	const struct cpu_state *state;
	struct boot_case c;

	(void)unused;
	for (unsigned is64 = 0; is64 < 2; is64++) {
		if (is64)
			boot_case_init(&c, &image64, sizeof(image64));
		else
			boot_case_init(&c, &image32, sizeof(image32));
		boot_case_loads(&c);
		state = &c.image.start;
		assert_string_equal(c.image.protocol, "PVH");
		assert_int_equal(cpu_mode(state), MODE_PROT32);
		assert_int_equal(state->general.rip, ENTRY);
		assert_int_equal(state->general.rflags, RFLAGS_FIXED);
		assert_int_equal(state->system.cr4, 0);
		assert_int_equal(state->system.cr0 & ~(CR0_ET | CR0_NE), CR0_PE);
		assert_int_equal(state->system.seg[SEG_TR].base, 0);
		assert_int_equal(state->system.seg[SEG_TR].limit, 0x67);
		assert_non_null(c.image.elf);
		boot_case_end(&c);
	}
}

static void the_start_information(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;
	uint64_t info, module;
	char text[256];
	char initrd[64];

	(void)unused;
	boot_case_file(initrd, "initrd", 6);
	boot_case_init(&c, &image, sizeof(image));
	c.request.vcpus = 1;
	c.request.append = "one two";
	c.request.initrd = initrd;
	boot_case_loads(&c);
	info = c.image.start.general.gpr[GPR_RBX];
	assert_int_equal(boot_case_u32(&c.image, info), 0x336ec578);
	assert_int_equal(boot_case_u32(&c.image, info + 4), 1);
	assert_int_equal(boot_case_u32(&c.image, info + 12), 1);
	module = boot_case_u64(&c.image, info + 16);
	assert_int_equal(boot_case_u64(&c.image, module),
			 boot_case_segment(&c.image, "initrd")->gpa);
	assert_int_equal(boot_case_u64(&c.image, module + 8), 6);
	assert_string_equal(boot_case_text(&c.image, boot_case_u64(&c.image, info + 24), text),
			    "one two");
	assert_int_equal(boot_case_u64(&c.image, info + 32), 0xe0000);
	assert_int_equal(boot_case_u32(&c.image, info + 48), 4);
	boot_case_end(&c);
	unlink(initrd);
}

static void the_memory_map(void **unused)
{
	static const uint64_t wanted[][3] = {{0, 0xa0000, 1},
					     {0xa0000, 0x60000, 2},
					     {MIB, 0xc0000000 - MIB, 1},
					     {0xfec00000, 0x1400000, 2},
					     {1ull << 32, 1024 * MIB, 1}};
	struct image64 image = good64();
	struct boot_case c;
	uint64_t info, map;

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	c.request.ram_size = 4096 * MIB;
	boot_case_loads(&c);
	info = c.image.start.general.gpr[GPR_RBX];
	map = boot_case_u64(&c.image, info + 40);
	assert_int_equal(boot_case_u32(&c.image, info + 48), 5);
	for (unsigned i = 0; i < 5; i++, map += 24) {
		assert_int_equal(boot_case_u64(&c.image, map), wanted[i][0]);
		assert_int_equal(boot_case_u64(&c.image, map + 8), wanted[i][1]);
		assert_int_equal(boot_case_u32(&c.image, map + 16), wanted[i][2]);
	}
	boot_case_end(&c);
}

/* Without -initrd there is no module, and without vCPUs to describe no table. */
static void what_is_not_there_is_not_told(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;
	uint64_t info;
	char text[256];

	(void)unused;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	info = c.image.start.general.gpr[GPR_RBX];
	assert_int_equal(boot_case_u32(&c.image, info + 12), 0);
	assert_int_equal(boot_case_u64(&c.image, info + 32), 0);
	assert_string_equal(boot_case_text(&c.image, boot_case_u64(&c.image, info + 24), text), "");
	boot_case_end(&c);
}

static void bad_entries(void **unused)
{
	static const uint64_t entries[] = {0, BASE - 1, BASE + 256, BASE + (1ull << 32), ~0ull};
	struct boot_case c;

	(void)unused;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct image64 image = good64();

		image.notes[1].value = entries[i];
		boot_case_init(&c, &image, sizeof(image));
		boot_case_refuses(&c, -EINVAL, "has a PVH note whose entry 0x");
		boot_case_end(&c);
	}
}

static void other_notes_are_none(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.header.e_entry = ENTRY;
	image.notes[1].header.n_descsz = 3; /* no address has three bytes */
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_case_end(&c);

	image.notes[1].header.n_descsz = 8;
	image.segment[1].p_filesz = sizeof(struct note) + 8; /* cut off */
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_case_end(&c);

	image.segment[1].p_offset = ~0ull;
	boot_case_init(&c, &image, sizeof(image));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_case_end(&c);
}

static void elf_when_asked(void **unused)
{
	struct image64 image = good64();
	struct boot_case c;

	(void)unused;
	image.header.e_entry = ENTRY;
	boot_case_init(&c, &image, sizeof(image));
	c.request.protocol = "elf";
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_entered_in_protected_mode),
		cmocka_unit_test(the_start_information),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(what_is_not_there_is_not_told),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(other_notes_are_none),
		cmocka_unit_test(elf_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
