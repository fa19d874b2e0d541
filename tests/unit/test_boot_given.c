// SPDX-License-Identifier: GPL-3.0-or-later
/* A kernel that was unpacked gives its pages to guest RAM: RAM has all of it, a reset brings it back, and what was
 * loaded where is known after that; whatever the program headers say. */
#include "boot_case.h"
#include "packed_kernel.h"
#include "rig.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGE	0x1000u
#define HEADER	((Elf64_Ehdr *)made.bytes)
#define SEGMENT ((Elf64_Phdr *)(made.bytes + sizeof(Elf64_Ehdr)))

/* One more segment, from the same bytes or others, in the room behind the program header that is there. */
static void add_segment(uint64_t gpa, uint64_t offset, uint64_t size)
{
	Elf64_Phdr *p = &SEGMENT[HEADER->e_phnum++];

	*p = SEGMENT[0];
	p->p_paddr = gpa;
	p->p_vaddr = KERNEL_BASE + gpa;
	p->p_offset = offset;
	p->p_filesz = size;
	p->p_memsz = size + 100;
}

static void load(struct boot_case *c, const char *append)
{
	pack(by_zstd);
	unpack_load(c, append);
	assert_string_equal(c->image.protocol, "Linux, unpacked");
}

static const struct boot_segment *segment(const struct boot_case *c, unsigned i)
{
	char what[32];

	snprintf(what, sizeof(what), "segment %u", i);
	return boot_case_segment(&c->image, what);
}

/* ---- what is known of it ------------------------------------------------------------------- */

static bool same(const struct boot_image *image, uint64_t gpa, uint64_t broken)
{
	struct boot_sample sample;
	uint8_t bytes[BOOT_SAMPLE_MAX];

	assert_true(boot_sample(image, gpa, &sample));
	assert_in_range(sample.size, 1, BOOT_SAMPLE_MAX);
	assert_true(sample.gpa <= gpa && gpa < sample.gpa + sample.size);
	memcpy(bytes, made.bytes + SEGMENT->p_offset + (sample.gpa - GPA), sample.size);
	if (broken)
		bytes[broken - sample.gpa] ^= 1;
	return boot_sample_is(&sample, bytes);
}

static void what_was_loaded_is_known(void **unused)
{
	struct boot_case c;
	struct boot_sample sample;
	uint64_t end;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(false);
	SEGMENT->p_filesz -= 3; /* its last block is a short one */
	end = GPA + SEGMENT->p_filesz;
	load(&c, "nokaslr");
	for (unsigned given = 0; given < 2; given++) {
		assert_true(same(&c.image, GPA, 0));
		assert_true(same(&c.image, GPA + 0x3ff, 0));
		assert_true(same(&c.image, end - 1, 0));
		assert_false(same(&c.image, GPA, GPA));
		assert_false(same(&c.image, GPA + 0x3f8, GPA + 0x407));
		assert_false(same(&c.image, end - 1, end - 1));
		assert_false(boot_sample(&c.image, end, &sample)); /* zeros */
		assert_false(boot_sample(&c.image, GPA - 1, &sample));
		boot_given(&c.image);
		assert_null(segment(&c, 0)->data);
	}
	boot_case_end(&c);
}

static void it_comes_back_as_it_was(void **unused)
{
	static uint8_t before[ROOM];
	struct boot_case c;
	uint64_t slide;

	(void)unused;
	unpack_make(AGE_NOW);
	put_places(true);
	load(&c, NULL);
	slide = c.image.slide;
	memcpy(before, segment(&c, 0)->data, segment(&c, 0)->data_size);
	for (unsigned i = 0; i < 2; i++) {
		boot_given(&c.image);
		assert_null(c.image.packed.moved);
		assert_int_equal(boot_prepare(&c.image, &c.err), 0);
		assert_int_equal(boot_prepare(&c.image, &c.err), 0); /* is there */
		assert_int_equal(c.image.slide, slide);
		assert_memory_equal(segment(&c, 0)->data, before, segment(&c, 0)->data_size);
		boot_case_check_image(&c.image, c.request.ram_size);
	}
	boot_case_end(&c);
}

static void its_headers_stay(void **unused)
{
	const Elf64_Ehdr *header;
	struct boot_case c;

	(void)unused;
	unpack_make(AGE_NOW);
	add_segment(GPA + 0x200000, TEXT_AT + 8, 0);
	load(&c, NULL);
	boot_given(&c.image);
	header = c.image.elf;
	assert_int_equal(c.image.elf_size, sizeof(*header) + 2 * sizeof(Elf64_Phdr));
	assert_int_equal(header->e_phoff, sizeof(*header));
	assert_int_equal(header->e_phnum, 2);
	assert_int_equal(header->e_shoff + header->e_shnum, 0);
	assert_memory_equal(header + 1, SEGMENT, 2 * sizeof(Elf64_Phdr));
	boot_case_end(&c);
}

static void what_two_have_is_not_taken_away(void **unused)
{
	struct boot_case c;

	(void)unused;
	unpack_make(AGE_NOW);
	SEGMENT->p_memsz = SEGMENT->p_filesz;
	add_segment(GPA + 0x200000, TEXT_AT + 2 * PAGE - 1, 2 * PAGE);
	add_segment(GPA + 0x300000, 0, TEXT_AT);
	load(&c, NULL);
	assert_false(segment(&c, 0)->movable);
	assert_false(segment(&c, 1)->movable);
	assert_true(segment(&c, 2)->movable);
	boot_case_end(&c);
}

/* A kernel that changes its own headers by where it says that addresses are. */
static void places_in_the_headers_harm_nobody(void **unused)
{
	static const size_t places[] = {offsetof(Elf64_Ehdr, e_phoff),
					offsetof(Elf64_Ehdr, e_phentsize),
					sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset),
					sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz)};

	(void)unused;
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct boot_case c;

		unpack_make(AGE_NOW);
		add_segment(GPA + 0x200000, 0, PAGE);
		unpack_put32(0);
		for (unsigned k = 0; k < 3; k++)
			unpack_put32((uint32_t)(LINKED + 0x200000 + places[i]));
		unpack_put32(0);
		pack(by_zstd);
		boot_case_init(&c, unpack_file, sizeof(unpack_file));
		if (boot_load(&c.request, &c.image, &c.err) == 0)
			boot_case_check_image(&c.image, c.request.ram_size);
		else
			assert_true(c.err.code < 0 && c.err.text[0]);
		boot_case_end(&c);
	}
}

/* ---- in guest RAM --------------------------------------------------------------------------- */

static void check_ram(struct rig *rig, const Elf64_Phdr *p)
{
	static uint8_t ram[ROOM], zeros[100];
	struct memory *memory = rig->machine->memory;

	assert_int_equal(mem_read_phys(memory, p->p_paddr, ram, p->p_filesz), p->p_filesz);
	assert_memory_equal(ram, made.bytes + p->p_offset, p->p_filesz);
	assert_int_equal(mem_read_phys(memory, p->p_paddr + p->p_filesz, ram, 100), 100);
	assert_memory_equal(ram, zeros, 100);
}

static void boot(struct rig *rig, struct boot_case *c)
{
	*rig = (struct rig){.ram_size = 64 * MIB};
	rig_start(rig, 1, IRQCHIP_KERNEL);
	if (machine_boot(rig->machine, &c->image, &c->err) < 0)
		fail_msg("%s", c->err.text);
}

/* Whole pages, parts of them, what lies otherwise in its page than in the file, and what two have. */
static void ram_has_all_of_it_after_each_reset(void **unused)
{
	struct boot_case c;
	struct rig rig;

	(void)unused;
	unpack_make(AGE_NOW);
	SEGMENT->p_filesz = 9 * PAGE;
	add_segment(GPA + 0x200000 + 5, TEXT_AT + 9 * PAGE + 5, 3 * PAGE);
	add_segment(GPA + 0x300000 + 7, TEXT_AT + 12 * PAGE + 10, PAGE + 40);
	add_segment(GPA + 0x400000, TEXT_AT + 14 * PAGE, 2 * PAGE);
	add_segment(GPA + 0x500000, TEXT_AT + 15 * PAGE, 1);
	load(&c, "nokaslr");
	boot(&rig, &c);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k < 5; k++)
			check_ram(&rig, &SEGMENT[k]);
		for (unsigned k = 0; k < 5; k++)
			mem_write_phys(rig.machine->memory, SEGMENT[k].p_paddr, "gone", 4);
		mem_write_phys(rig.machine->memory, SEGMENT[1].p_paddr + 3 * PAGE, "gone", 4);
		assert_int_equal(machine_reset(rig.machine, &c.err), 0);
	}
	rig_stop(&rig);
	boot_case_end(&c);
}

/* Pages that were moved there have been written, for who looks at what changes. */
static void a_snapshot_knows_of_a_reset(void **unused)
{
	struct boot_case c;
	struct rig rig;

	(void)unused;
	unpack_make(AGE_NOW);
	load(&c, "nokaslr");
	boot(&rig, &c);
	mem_write_phys(rig.machine->memory, GPA + 3 * PAGE, "mine", 4);
	assert_int_equal(debug_snapshot_save(rig.debug, "a", &c.err), 0);
	assert_int_equal(machine_reset(rig.machine, &c.err), 0);
	check_ram(&rig, SEGMENT);
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &c.err), 0);
	assert_int_equal(rig_byte(&rig, GPA + 3 * PAGE), 'm');
	assert_int_equal(rig_byte(&rig, GPA + 4 * PAGE), made.bytes[TEXT_AT + 4 * PAGE]);
	rig_stop(&rig);
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_loaded_is_known),
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test(its_headers_stay),
		cmocka_unit_test(what_two_have_is_not_taken_away),
		cmocka_unit_test(places_in_the_headers_harm_nobody),
		cmocka_unit_test(ram_has_all_of_it_after_each_reset),
		cmocka_unit_test(a_snapshot_knows_of_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
