// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux: bzImages of several ages and what is wrong with them, vmlinux, and what the kernel is told. */
#include "boot_case.h"
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

#define SETUP_SECTORS 3
#define KERNEL	      ((SETUP_SECTORS + 1) * 512) /* where it is in the file */
#define KERNEL_SIZE   0x3000
#define BASE	      0x1000000ull
#define INIT_SIZE     0x800000u

static uint8_t file[KERNEL + KERNEL_SIZE + 100];

static struct setup_header *header(void)
{
	return (struct setup_header *)(file + 0x1f1);
}

/* As a kernel of today is made. */
static void make(void)
{
	static const struct setup_header good = {
		.setup_sects = SETUP_SECTORS,
		.syssize = KERNEL_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb, /* jmp behind the header */
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.payload_offset = 0x100,
		.payload_length = KERNEL_SIZE - 0x100,
		.pref_address = BASE,
		.init_size = INIT_SIZE,
	};

	memset(file, 0, sizeof(file));
	memcpy(file + 0x1f1, &good, sizeof(good));
	memset(file + KERNEL, 0x90, KERNEL_SIZE);
	memset(file + KERNEL + KERNEL_SIZE, 0xee, 100); /* a signature */
	file[0x1ef] = 0xff; /* the sentinel, which a careless loader would copy */
}

static void prepare(struct boot_case *c)
{
	boot_case_init(c, file, sizeof(file));
	c->request.vcpus = 1;
	c->request.apic = true;
}

static void start(struct boot_case *c)
{
	make();
	prepare(c);
}

static void params_of(struct boot_case *c, struct boot_params *params)
{
	boot_case_read(&c->image, c->image.start.general.gpr[GPR_RSI], params, sizeof(*params));
}

/* ---- bzImage ------------------------------------------------------------------------------- */

static void it_is_entered_in_long_mode(void **unused)
{
	struct boot_case c;
	const struct boot_segment *s;
	const struct cpu_state *state = &c.image.start;
	uint64_t gdt;

	(void)unused;
	start(&c);
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
	start(&c);
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
	make();
	header()->xloadflags = 0;
	prepare(&c);
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
	make();
	header()->version = 0x20b;
	prepare(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "Linux, 32-bit");
	assert_int_equal(c.image.start.general.rip, BASE);
	boot_case_end(&c);

	/* 2.06 ends with cmdline_size, and loads at 1 MiB. */
	make();
	header()->version = 0x206;
	file[0x201] = offsetof(struct setup_header, hardware_subarch) + 0x1f1 - 0x202;
	prepare(&c);
	boot_case_loads(&c);
	assert_int_equal(c.image.start.general.rip, MIB);
	assert_int_equal(boot_case_segment(&c.image, "the Linux kernel")->size, KERNEL_SIZE);
	boot_case_end(&c);

	make();
	header()->version = 0x205;
	prepare(&c);
	boot_case_refuses(&c, -EOPNOTSUPP, "boot protocol 2.05; vitrine boots 2.06");
	boot_case_end(&c);
}

static void a_kernel_that_does_not_move_goes_to_1_mib(void **unused)
{
	struct boot_case c;

	(void)unused;
	make();
	header()->relocatable_kernel = 0;
	prepare(&c);
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

		start(&c);
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

		make();
		memcpy(file + 0x1f1 + faults[i].field, &faults[i].value, faults[i].size);
		prepare(&c);
		boot_case_refuses(&c, -EINVAL, faults[i].words);
		boot_case_end(&c);
	}
}

static void a_zimage_is_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	make();
	header()->loadflags = 0;
	prepare(&c);
	boot_case_refuses(&c, -EOPNOTSUPP, "build a bzImage");
	boot_case_end(&c);
}

static void a_kernel_larger_than_memory(void **unused)
{
	struct boot_case c;

	(void)unused;
	start(&c);
	c.request.ram_size = 16 * MIB;
	boot_case_refuses(&c, -ENOSPC, "the Linux kernel needs 0x1000000-0x1800000, RAM ends at");
	c.request.ram_size = 24 * MIB;
	boot_case_loads(&c);
	boot_case_end(&c);

	make();
	header()->pref_address = 0xfffffffffff00000;
	header()->kernel_alignment = 0;
	prepare(&c);
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

		make();
		for (int n = rand() % 4; n >= 0; n--)
			file[0x1f1 + rand() % (int)sizeof(struct setup_header)] = (uint8_t)rand();
		prepare(&c);
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
	start(&c);
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
	make();
	file[0x201] = offsetof(struct setup_header, init_size) + 4 + 0x1f1 - 0x202;
	header()->handover_offset = 0x1234567;
	prepare(&c);
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

		start(&c);
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
	start(&c);
	c.request.append = line;
	boot_case_refuses(&c, -E2BIG, "2047 bytes at most, and -append has 2048");
	line[2047] = '\0';
	boot_case_loads(&c);
	boot_case_end(&c);

	make();
	header()->cmdline_size = 0;
	prepare(&c);
	line[256] = '\0';
	c.request.append = line;
	boot_case_refuses(&c, -E2BIG, "255 bytes at most");
	boot_case_end(&c);
}

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
	start(&c);
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
	make();
	header()->initrd_addr_max = 0x2000fff;
	prepare(&c);
	c.request.initrd = initrd.path;
	boot_case_loads(&c);
	params_of(&c, &params);
	assert_int_equal(params.hdr.ramdisk_image, 0x2000000);
	boot_case_end(&c);

	/* The kernel is in the way: below it there is room. */
	make();
	header()->initrd_addr_max = BASE + 0x5000;
	prepare(&c);
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
	start(&c);
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
		cmocka_unit_test(the_initrd_is_at_the_end_of_memory),
		cmocka_unit_test(the_initrd_stays_below_the_kernels_limit),
		cmocka_unit_test(an_initrd_larger_than_memory),
		cmocka_unit_test(vmlinux_is_entered_in_long_mode),
		cmocka_unit_test(elf_is_linux_when_asked),
		cmocka_unit_test(bad_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
