// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux beside its bzImage: the initial RAM disk, and vmlinux. */
#include "boot_case.h"
#include "linux_image.h"
#include "x86/mode.h"

#include <asm/bootparam.h>
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

/* ---- the initial RAM disk --------------------------------------------------------------------- */

struct initrd {
	char path[64];
	size_t size;
};

static void make_initrd(struct initrd *initrd, size_t size)
{
	uint8_t *bytes = malloc(size);

	memset(bytes, 0xab, size);
	boot_case_file(initrd->path, bytes, size);
	initrd->size = size;
	free(bytes);
}

static void the_initrd_is_at_the_end_of_memory(void **unused)
{
	struct boot_case c;
	struct boot_params params;
	struct initrd initrd;
	const struct boot_segment *s;

	(void)unused;
	make_initrd(&initrd, 10001);
	linux_start(&c);
	c.request.initrd = initrd.path;
	boot_case_loads(&c);
	params_of(&c, &params);
	s = boot_case_segment(&c.image, "initrd");
	assert_int_equal(params.hdr.ramdisk_image, s->gpa);
	assert_int_equal(params.hdr.ramdisk_size, 10001);
	assert_int_equal(s->gpa, 64 * MIB - 12288);
	assert_int_equal(s->data_size, 10001);
	assert_int_equal(*(const uint8_t *)s->data, 0xab);
	boot_case_end(&c);
	unlink(initrd.path);
}

static void the_initrd_stays_below_the_kernels_limit(void **unused)
{
	struct boot_case c;
	struct boot_params params;
	struct initrd initrd;

	(void)unused;
	make_initrd(&initrd, 4096);
	linux_make();
	header()->initrd_addr_max = 0x2000fff;
	linux_prepare(&c);
	c.request.initrd = initrd.path;
	boot_case_loads(&c);
	params_of(&c, &params);
	assert_int_equal(params.hdr.ramdisk_image, 0x2000000);
	boot_case_end(&c);

	/* The kernel is in the way: below it there is room. */
	linux_make();
	header()->initrd_addr_max = BASE + 0x5000;
	linux_prepare(&c);
	c.request.initrd = initrd.path;
	boot_case_loads(&c);
	params_of(&c, &params);
	assert_int_equal(params.hdr.ramdisk_image, BASE - 4096);
	boot_case_end(&c);
	unlink(initrd.path);
}

static void an_initrd_larger_than_memory(void **unused)
{
	struct boot_case c;
	struct initrd initrd;

	(void)unused;
	make_initrd(&initrd, 16 * MIB);
	linux_start(&c);
	c.request.ram_size = 26 * MIB;
	c.request.initrd = initrd.path;
	boot_case_refuses(&c, -ENOSPC,
			  "(-initrd): no 0x1000000 free bytes for the initial RAM disk");
	c.request.initrd = "/nonexistent/initrd";
	boot_case_refuses(&c, -ENOENT, "/nonexistent/initrd (-initrd): cannot be opened");
	boot_case_end(&c);
	unlink(initrd.path);
}

/* ---- vmlinux ----------------------------------------------------------------------------------- */

#define NOTE_LINUX 0x100 /* build salt */

struct vmlinux {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	struct {
		Elf64_Nhdr header;
		char name[8], salt[4];
	} note;
	uint8_t code[256];
};

static struct vmlinux good_vmlinux(void)
{
	struct vmlinux v = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			   .e_type = ET_EXEC,
			   .e_machine = EM_X86_64,
			   .e_version = 1,
			   .e_entry = BASE + 0x43,
			   .e_phoff = offsetof(struct vmlinux, segment),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD,
			     .p_offset = offsetof(struct vmlinux, code),
			     .p_vaddr = 0xffffffff81000000,
			     .p_paddr = BASE,
			     .p_filesz = 256,
			     .p_memsz = 0x5000},
			    {.p_type = PT_NOTE,
			     .p_offset = offsetof(struct vmlinux, note),
			     .p_filesz = sizeof(v.note)}},
		.note = {{.n_namesz = 6, .n_descsz = 4, .n_type = NOTE_LINUX}, "Linux", "1"},
	};

	return v;
}

static void vmlinux_is_entered_in_long_mode(void **unused)
{
	struct vmlinux v = good_vmlinux();
	struct boot_case c;
	struct boot_params params;
	struct initrd initrd;
	char text[256];

	(void)unused;
	make_initrd(&initrd, 5000);
	boot_case_init(&c, &v, sizeof(v));
	c.request.append = "init=/x";
	c.request.initrd = initrd.path;
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	assert_int_equal(cpu_mode(&c.image.start), MODE_LONG);
	assert_int_equal(c.image.start.general.rip, BASE + 0x43);
	assert_int_equal(c.image.elf_size, sizeof(v));
	params_of(&c, &params);
	assert_int_equal(params.hdr.header, 0x53726448);
	assert_int_equal(params.hdr.boot_flag, 0xaa55);
	assert_int_equal(params.hdr.ramdisk_size, 5000);
	assert_string_equal(boot_case_text(&c.image, params.hdr.cmd_line_ptr, text), "init=/x");
	boot_case_end(&c);
	unlink(initrd.path);
}

/* Without its note it is ELF like any other, until the user says what it is. */
static void elf_is_linux_when_asked(void **unused)
{
	struct vmlinux v = good_vmlinux();
	struct boot_case c;

	(void)unused;
	v.note.name[0] = 'X';
	boot_case_init(&c, &v, sizeof(v));
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "ELF64");
	boot_free(&c.image);
	c.request.protocol = "linux64";
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	boot_free(&c.image);
	c.request.protocol = "pvh";
	boot_case_refuses(&c, -EINVAL, "nothing that -protocol pvh can start");
	c.request.protocol = "linux16";
	boot_case_refuses(&c, -EINVAL,
			  "-protocol takes auto, multiboot, multiboot2, pvh, linux, linux64");
	boot_case_end(&c);
}

/* Notes that lie about their sizes are no notes. */
static void bad_notes(void **unused)
{
	static const uint32_t sizes[] = {0xffffffff, 0xfffffffc, 0x80000000, 0x1000};

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct vmlinux v = good_vmlinux();
		struct boot_case c;

		*(i % 2 ? &v.note.header.n_namesz : &v.note.header.n_descsz) = sizes[i / 2];
		boot_case_init(&c, &v, sizeof(v));
		boot_case_loads(&c);
		assert_string_equal(c.image.protocol, "ELF64");
		boot_case_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initrd_is_at_the_end_of_memory),
		cmocka_unit_test(the_initrd_stays_below_the_kernels_limit),
		cmocka_unit_test(an_initrd_larger_than_memory),
		cmocka_unit_test(vmlinux_is_entered_in_long_mode),
		cmocka_unit_test(elf_is_linux_when_asked),
		cmocka_unit_test(bad_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
