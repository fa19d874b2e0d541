// SPDX-License-Identifier: GPL-3.0-or-later
/* Raw images, files that cannot be read, and the shape of RAM. */
#include "boot_case.h"
#include "x86/mode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static uint8_t sector[1024];

static void boot_sector(struct boot_case *c)
{
	memset(sector, 0x90, sizeof(sector));
	sector[510] = 0x55;
	sector[511] = 0xaa;
	boot_case_init(c, sector, sizeof(sector));
}

/* Without the signature: raw bytes that only -load and -entry can place. */
static void raw(struct boot_case *c, uint64_t load, uint64_t entry)
{
	memset(sector, 0x90, sizeof(sector));
	boot_case_init(c, sector, sizeof(sector));
	c->request.has_load = c->request.has_entry = true;
	c->request.load = load;
	c->request.entry = entry;
}

static void a_boot_sector_starts_at_7c00(void **unused)
{
	struct boot_case c;
	const struct boot_segment *s;

	(void)unused;
	boot_sector(&c);
	boot_case_loads(&c);
	assert_string_equal(c.image.protocol, "flat");
	assert_non_null(strstr(c.image.why, "0xaa55"));
	s = boot_case_segment(&c.image, "image");
	assert_int_equal(s->gpa, 0x7c00);
	assert_int_equal(s->size, sizeof(sector));
	assert_memory_equal(s->data, sector, sizeof(sector));
	assert_int_equal(cpu_mode(&c.image.start), MODE_REAL);
	assert_int_equal(cpu_linear_pc(&c.image.start), 0x7c00);
	assert_int_equal(c.image.start.system.seg[SEG_CS].selector, 0);
	assert_int_equal(c.image.start.general.gpr[GPR_RDX], 0x80);
	assert_int_equal(c.image.start.general.gpr[GPR_RSP], 0x7c00);
	assert_int_equal(c.image.start.system.seg[SEG_SS].base, 0);
	assert_false(c.image.start.general.rflags & RFLAGS_IF);
	assert_null(c.image.elf);
	boot_case_end(&c);
}

static void real_mode_entries_split_into_cs_and_ip(void **unused)
{
	struct boot_case c;

	(void)unused;
	raw(&c, 0x12300, 0x12345);
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(&c.image.start), MODE_REAL);
	assert_int_equal(c.image.start.system.seg[SEG_CS].selector, 0x1000);
	assert_int_equal(c.image.start.system.seg[SEG_CS].base, 0x10000);
	assert_int_equal(c.image.start.general.rip, 0x2345);
	assert_int_equal(boot_case_segment(&c.image, "image")->gpa, 0x12300);
	boot_case_end(&c);
}

static void entries_above_1_mib_are_protected_mode(void **unused)
{
	struct boot_case c;
	char text[256];

	(void)unused;
	raw(&c, 0x100000, 0x100010);
	c.request.append = "one two";
	boot_case_loads(&c);
	assert_int_equal(cpu_mode(&c.image.start), MODE_PROT32);
	assert_int_equal(c.image.start.general.rip, 0x100010);
	assert_int_equal(c.image.start.general.gpr[GPR_RDI], 64 * MIB);
	assert_string_equal(boot_case_text(&c.image, c.image.start.general.gpr[GPR_RSI], text),
			    "one two");
	boot_case_end(&c);
}

static void load_and_entry_default_to_each_other(void **unused)
{
	struct boot_case c;

	(void)unused;
	raw(&c, 0x9000, 0);
	c.request.has_entry = false;
	boot_case_loads(&c);
	assert_int_equal(cpu_linear_pc(&c.image.start), 0x9000);
	boot_case_end(&c);
	raw(&c, 0, 0xa000);
	c.request.has_load = false;
	boot_case_loads(&c);
	assert_int_equal(boot_case_segment(&c.image, "image")->gpa, 0xa000);
	boot_case_end(&c);
}

static void entries_outside_the_image_are_refused(void **unused)
{
	static const uint64_t entries[] = {0, 0x8fff, 0x9000 + sizeof(sector), UINT64_MAX};
	struct boot_case c;

	(void)unused;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		raw(&c, 0x9000, entries[i]);
		boot_case_refuses(&c, -EINVAL, "-entry");
		boot_case_end(&c);
	}
	raw(&c, 0x9000, 0x9000 + sizeof(sector) - 1);
	boot_case_loads(&c);
	boot_case_end(&c);
}

struct place {
	uint64_t ram_size, load;
	int code;
	const char *words;
};

static void images_must_lie_in_ram(void **unused)
{
	static const struct place places[] = {
		{64 * MIB, 64 * MIB - 512, -ENOSPC, "RAM ends at 0x4000000; give more with -m"},
		{64 * MIB, 1ull << 40, -ENOSPC, "needs 0x10000000000-0x10000000400"},
		{64 * MIB, 0x9ff00, -ENOSPC, "video memory"},
		{64 * MIB, 0xbff00, -ENOSPC, "video memory"},
		{6144 * MIB, 0xbfffff00, -ENOSPC, "for devices"},
		{6144 * MIB, 0xfffffff0, -ENOSPC, "for devices"},
		{64 * MIB, UINT64_MAX - 512, -EINVAL, "ends beyond 2^64"},
		{6144 * MIB, 1ull << 32, -EINVAL, "-entry 0x100000000 is not below 4 GiB"},
	};
	struct boot_case c;

	(void)unused;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		raw(&c, places[i].load, places[i].load);
		c.request.ram_size = places[i].ram_size;
		boot_case_refuses(&c, places[i].code, places[i].words);
		boot_case_end(&c);
	}
	raw(&c, 64 * MIB - sizeof(sector), 64 * MIB - 1);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void the_top_of_the_first_mib_is_ram(void **unused)
{
	struct boot_case c;

	(void)unused;
	raw(&c, 0xffc00, 0xffff0);
	boot_case_loads(&c);
	assert_int_equal(c.image.start.system.seg[SEG_CS].selector, 0xf000);
	assert_int_equal(c.image.start.general.rip, 0xfff0);
	boot_case_end(&c);
}

static void what_has_no_signature_is_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	boot_sector(&c);
	boot_case_end(&c);
	sector[511] = 0;
	boot_case_init(&c, sector, sizeof(sector));
	boot_case_refuses(&c, -EOPNOTSUPP, "-load ADDR");
	boot_case_end(&c);
	boot_case_init(&c, "x", 1);
	boot_case_refuses(&c, -EOPNOTSUPP, "-load ADDR");
	boot_case_end(&c);
	boot_case_init(&c, "\x1f\x8b\x08\x00", 4);
	boot_case_refuses(&c, -EOPNOTSUPP, "gzip");
	boot_case_end(&c);
}

static void the_signature_must_be_whole(void **unused)
{
	struct boot_case c;

	(void)unused;
	boot_sector(&c);
	boot_case_end(&c);
	boot_case_init(&c, sector, 511);
	boot_case_refuses(&c, -EOPNOTSUPP, "0xaa55");
	boot_case_end(&c);
	boot_case_init(&c, sector, 512);
	boot_case_loads(&c);
	boot_case_end(&c);
}

static void options_of_other_protocols_are_refused(void **unused)
{
	struct boot_case c;

	(void)unused;
	boot_sector(&c);
	c.request.append = "text";
	boot_case_refuses(&c, -EINVAL, "-append");
	c.request.append = NULL;
	c.request.initrd = c.path;
	boot_case_refuses(&c, -EINVAL, "-initrd");
	boot_case_end(&c);
}

static void files_that_cannot_be_read(void **unused)
{
	struct boot_case c;

	(void)unused;
	boot_case_init(&c, "", 0);
	boot_case_refuses(&c, -EINVAL, "is empty");
	unlink(c.path);
	boot_case_refuses(&c, -ENOENT, "cannot be opened");
	assert_int_equal(mkdir(c.path, 0700), 0);
	boot_case_refuses(&c, -EISDIR, "is a directory");
	rmdir(c.path);
	/* Nobody writes into it: opening it must not wait. */
	assert_int_equal(mkfifo(c.path, 0600), 0);
	boot_case_refuses(&c, -EINVAL, "is not a regular file");
	boot_case_end(&c);
	c.request.kernel = "/dev/zero";
	boot_case_refuses(&c, -EINVAL, "is not a regular file");
}

static void files_that_are_too_large(void **unused)
{
	struct boot_case c;

	(void)unused;
	boot_sector(&c);
	assert_int_equal(truncate(c.path, 3ll << 30), 0);
	boot_case_refuses(&c, -EFBIG, "2 GiB");
	assert_int_equal(truncate(c.path, 1 << 20), 0);
	boot_case_refuses(&c, -ENOSPC, "video memory");
	boot_case_end(&c);
}

static void ram_has_a_hole_below_4_gib(void **unused)
{
	static const struct {
		uint64_t size, below, above;
	} rows[] = {
		{1 * MIB, 1 * MIB, 0},
		{3072 * MIB, 3072 * MIB, 0},
		{3073 * MIB, 3072 * MIB, 1 * MIB},
		{8192 * MIB, 3072 * MIB, 5120 * MIB},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ram_layout layout = ram_layout(rows[i].size);

		assert_int_equal(layout.below_4g, rows[i].below);
		assert_int_equal(layout.above_4g, rows[i].above);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_sector_starts_at_7c00),
		cmocka_unit_test(real_mode_entries_split_into_cs_and_ip),
		cmocka_unit_test(entries_above_1_mib_are_protected_mode),
		cmocka_unit_test(load_and_entry_default_to_each_other),
		cmocka_unit_test(entries_outside_the_image_are_refused),
		cmocka_unit_test(images_must_lie_in_ram),
		cmocka_unit_test(the_top_of_the_first_mib_is_ram),
		cmocka_unit_test(what_has_no_signature_is_refused),
		cmocka_unit_test(the_signature_must_be_whole),
		cmocka_unit_test(options_of_other_protocols_are_refused),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(files_that_are_too_large),
		cmocka_unit_test(ram_has_a_hole_below_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
