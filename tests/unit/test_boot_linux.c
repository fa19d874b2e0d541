// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux: bzImages of several ages and what is wrong with them, vmlinux, and what the kernel is told. */
#include "boot_case.h"
#include "linux_image.h"
#include "x86/mode.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- bzImage ------------------------------------------------------------------------------- */

static void it_is_entered_in_long_mode(void **unused)
{
	struct boot_case c;
	const struct boot_segment *s;
	const struct cpu_state *state = &c.image.start;
	uint64_t gdt;

	(void)unused;
	linux_start(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 64-bit");
	assert_non_null(strstr(c.image.why, "2.15"));
	s = boot_case_segment(&c.image, "the Linux kernel");
	assert_int_equal(s->gpa, BASE);
	assert_int_equal(s->size, INIT_SIZE);
	assert_int_equal(s->data_size, KERNEL_SIZE);
	assert_memory_equal(s->data, file + KERNEL, KERNEL_SIZE);
	assert_int_equal(cpu_mode(state), MODE_LONG);
	assert_int_equal(state->general.rip, BASE + 0x200);
	assert_int_equal(state->general.rflags, RFLAGS_FIXED);
	/* __BOOT_CS and __BOOT_DS, in the registers and in the table. */
	gdt = state->system.gdt.base;
	assert_int_equal(state->system.seg[SEG_CS].selector, 0x10);
	assert_int_equal(state->system.seg[SEG_DS].selector, 0x18);
	assert_int_equal(state->system.seg[SEG_SS].selector, 0x18);
	assert_int_equal(state->system.gdt.limit, 0x1f);
	assert_int_equal(boot_case_u64(&c.image, gdt + 0x10), 0x00af9b000000ffff);
	assert_int_equal(boot_case_u64(&c.image, gdt + 0x18), 0x00cf93000000ffff);
	boot_case_end(&c);
}

static void it_is_entered_in_protected_mode_when_asked(void **unused)
{
	struct boot_case c;
	struct boot_params params;

	(void)unused;
	linux_start(&c);
	c.request.protocol = "linux32";
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 32-bit");
	assert_int_equal(cpu_mode(&c.image.start), MODE_PROT32);
	assert_int_equal(c.image.start.general.rip, BASE);
	assert_int_equal(c.image.start.system.seg[SEG_CS].selector, 0x10);
	assert_int_equal(c.image.start.system.seg[SEG_ES].selector, 0x18);
	assert_int_equal(c.image.start.general.gpr[GPR_RBP], 0);
	assert_int_equal(c.image.start.general.gpr[GPR_RDI], 0);
	assert_int_equal(c.image.start.general.gpr[GPR_RBX], 0);
	params_of(&c, &params);
	assert_int_equal(params.hdr.code32_start, BASE);
	boot_case_end(&c);
}

static void without_a_64_bit_entry_it_is_entered_in_protected_mode(void **unused)
{
	struct boot_case c;

	(void)unused;
	linux_make();
	header()->xloadflags = 0;
	linux_prepare(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 32-bit");
	boot_free(&c.image);
	c.request.protocol = "linux64";
	boot_case_refuses(&c, -EINVAL, "-protocol linux64");
	boot_case_end(&c);
}

/* 2.11 has no xloadflags: what stands there is not looked at. */
static void old_protocols(void **unused)
{
	struct boot_case c;

	(void)unused;
	linux_make();
	header()->version = 0x20b;
	linux_prepare(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 32-bit");
	assert_int_equal(c.image.start.general.rip, BASE);
	boot_case_end(&c);

	/* 2.06 ends with cmdline_size, and loads at 1 MiB. */
	linux_make();
	header()->version = 0x206;
	file[0x201] = offsetof(struct setup_header, hardware_subarch) + 0x1f1 - 0x202;
	linux_prepare(&c);
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, MIB);
	assert_int_equal(boot_case_segment(&c.image, "the Linux kernel")->size, KERNEL_SIZE);
	boot_case_end(&c);

	linux_make();
	header()->version = 0x205;
	linux_prepare(&c);
	boot_case_refuses(&c, -EOPNOTSUPP, "boot protocol 2.05; vitrine boots 2.06");
	boot_case_end(&c);
}

static void a_kernel_that_does_not_move_goes_to_1_mib(void **unused)
{
	struct boot_case c;

	(void)unused;
	linux_make();
	header()->relocatable_kernel = 0;
	linux_prepare(&c);
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, MIB + 0x200);
	boot_case_end(&c);
}

/* ---- what is wrong with a file --------------------------------------------------------------- */

static void truncated_files(void **unused)
{
	static const struct {
		size_t size;
		const char *words;
	} cuts[] = {
		{0x206, "setup header ends behind the 518 bytes"},
		{0x260, "setup header ends behind"},
		{KERNEL, "is a truncated bzImage: 2048 bytes of setup code and 12288 of kernel"},
		{KERNEL + KERNEL_SIZE - 16, "is a truncated bzImage"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct boot_case c;

		linux_start(&c);
		assert_int_equal(truncate(c.path, (off_t)cuts[i].size), 0);
		boot_case_refuses(&c, -EINVAL, cuts[i].words);
		boot_case_end(&c);
	}
}

static void corrupted_headers(void **unused)
{
	static const struct {
		size_t field, size;
		uint64_t value;
		const char *words;
	} faults[] = {
#define FIELD(name) offsetof(struct setup_header, name), sizeof(((struct setup_header *)0)->name)
		{FIELD(syssize), 0, "syssize 0x0"},
		{FIELD(syssize), 0xffffffff, "is a truncated bzImage"},
		{FIELD(setup_sects), 200, "is a truncated bzImage"},
		{FIELD(payload_offset), KERNEL_SIZE, "payload_offset 0x3000"},
		{FIELD(payload_length), 0xffffffff, "payload_length"},
		{FIELD(init_size), KERNEL_SIZE - 1, "init_size 0x2fff"},
		{FIELD(kernel_alignment), 0x30000, "kernel_alignment 0x30000"},
		{FIELD(pref_address), 0x1000, "pref_address 0x1000"},
		{FIELD(pref_address), BASE + 0x1000, "pref_address 0x1001000"},
#undef FIELD
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct boot_case c;

		linux_make();
		memcpy(file + 0x1f1 + faults[i].field, &faults[i].value, faults[i].size);
		linux_prepare(&c);
		boot_case_refuses(&c, -EINVAL, faults[i].words);
		boot_case_end(&c);
	}
}

static void a_zimage_is_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	linux_make();
	header()->loadflags = 0;
	linux_prepare(&c);
	boot_case_refuses(&c, -EOPNOTSUPP, "build a bzImage");
	boot_case_end(&c);
}

static void a_kernel_larger_than_memory(void **unused)
{
	struct boot_case c;

	(void)unused;
	linux_start(&c);
	c.request.ram_size = 16 * MIB;
	boot_case_refuses(&c, -ENOSPC, "the Linux kernel needs 0x1000000-0x1800000, RAM ends at");
	c.request.ram_size = 24 * MIB;
	boot_case_loads(&c);
	boot_case_end(&c);

	linux_make();
	header()->pref_address = 0xfffffffffff00000;
	header()->kernel_alignment = 0;
	linux_prepare(&c);
	boot_case_refuses(&c, -EINVAL, "pref_address 0xfffffffffff00000");
	c.request.ram_size = 8192 * MIB;
	boot_case_refuses(&c, -EINVAL, "pref_address 0xfffffffffff00000");
	boot_case_end(&c);
}

/* Whatever stands in a header, the file is refused or the image is sound. */
static void random_headers(void **unused)
{
	unsigned loaded = 0;

	(void)unused;
	srand(1);
	for (unsigned round = 0; round < 3000; round++) {
		struct boot_case c;

		linux_make();
		for (int n = rand() % 4; n >= 0; n--)
			file[0x1f1 + rand() % (int)sizeof(struct setup_header)] = (uint8_t)rand();
		linux_prepare(&c);
		if (boot_load(&c.request, &c.image, &c.err) == 0) {
			boot_case_check_image(&c.image, c.request.ram_size);
			loaded++;
		}
		boot_case_end(&c);
	}
	assert_true(loaded > 100 && loaded < 2900);
}

/* ---- what the kernel is told ------------------------------------------------------------------ */

static void the_zero_page(void **unused)
{
	struct boot_case c;
	struct boot_params params;
	char text[256];

	(void)unused;
	linux_start(&c);
	c.request.append = "console=ttyS0 quiet";
	boot_case_loads(&c);
	params_of(&c, &params);
	assert_int_equal(params.sentinel, 0);
	assert_int_equal(params.hdr.type_of_loader, 0xff);
	assert_int_equal(params.hdr.header, 0x53726448);
	assert_int_equal(params.hdr.init_size, INIT_SIZE);
	assert_int_equal(params.hdr.ramdisk_size, 0);
	assert_int_equal(params.hdr.ramdisk_image, 0);
	assert_string_equal(boot_case_text(&c.image, params.hdr.cmd_line_ptr, text),
			    "console=ttyS0 quiet");
	assert_int_equal(params.screen_info.orig_video_mode, 3);
	assert_int_equal(params.screen_info.orig_video_cols, 80);
	assert_int_equal(params.acpi_rsdp_addr, 0xe0000);
	boot_case_end(&c);
}

/* Bytes behind the header that the jump announces are the setup code's, not the kernel's business. */
static void only_the_header_is_copied(void **unused)
{
	struct boot_case c;
	struct boot_params params;

	(void)unused;
	linux_make();
	file[0x201] = offsetof(struct setup_header, init_size) + 4 + 0x1f1 - 0x202;
	header()->handover_offset = 0x1234567;
	linux_prepare(&c);
	boot_case_loads(&c);
	params_of(&c, &params);
	assert_int_equal(params.hdr.init_size, INIT_SIZE);
	assert_int_equal(params.hdr.handover_offset, 0);
	boot_case_end(&c);
}

static void the_memory_map(void **unused)
{
	static const struct {
		uint64_t ram, base, size;
		unsigned index, type, count;
	} lines[] = {
		{64 * MIB, 0, 0xa0000, 0, 1, 4},
		{64 * MIB, 0xa0000, 0x60000, 1, 2, 4},
		{64 * MIB, MIB, 63 * MIB, 2, 1, 4},
		{64 * MIB, 0xfec00000, 0x1400000, 3, 2, 4},
		{4096 * MIB, MIB, 0xc0000000 - MIB, 2, 1, 5},
		{4096 * MIB, 1ull << 32, 1024 * MIB, 4, 1, 5},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct boot_case c;
		struct boot_params params;
		const struct boot_e820_entry *e = &params.e820_table[lines[i].index];

		linux_start(&c);
		c.request.ram_size = lines[i].ram;
		boot_case_loads(&c);
		params_of(&c, &params);
		assert_int_equal(params.e820_entries, lines[i].count);
		assert_int_equal(e->addr, lines[i].base);
		assert_int_equal(e->size, lines[i].size);
		assert_int_equal(e->type, lines[i].type);
		boot_case_end(&c);
	}
}

static void command_lines_have_a_limit(void **unused)
{
	struct boot_case c;
	char line[2049];

	(void)unused;
	memset(line, 'x', sizeof(line));
	line[2048] = '\0';
	linux_start(&c);
	c.request.append = line;
	boot_case_refuses(&c, -E2BIG, "2047 bytes at most, and -append has 2048");
	line[2047] = '\0';
	boot_case_loads(&c);
	boot_case_end(&c);

	linux_make();
	header()->cmdline_size = 0;
	linux_prepare(&c);
	line[256] = '\0';
	c.request.append = line;
	boot_case_refuses(&c, -E2BIG, "255 bytes at most");
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_entered_in_long_mode),
		cmocka_unit_test(it_is_entered_in_protected_mode_when_asked),
		cmocka_unit_test(without_a_64_bit_entry_it_is_entered_in_protected_mode),
		cmocka_unit_test(old_protocols),
		cmocka_unit_test(a_kernel_that_does_not_move_goes_to_1_mib),
		cmocka_unit_test(truncated_files),
		cmocka_unit_test(corrupted_headers),
		cmocka_unit_test(a_zimage_is_refused),
		cmocka_unit_test(a_kernel_larger_than_memory),
		cmocka_unit_test(random_headers),
		cmocka_unit_test(the_zero_page),
		cmocka_unit_test(only_the_header_is_copied),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(command_lines_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
