// SPDX-License-Identifier: GPL-3.0-or-later
/* What a multiboot kernel is told: the memory map, and modules. */
#include "boot_case.h"
#include "multiboot_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Offsets in the information structure (3.3). */
enum {
	INFO_FLAGS = 0,
	INFO_LOWER = 4,
	INFO_UPPER = 8,
	INFO_COMMAND_LINE = 16,
	INFO_MODULE_COUNT = 20,
	INFO_MODULES = 24,
	INFO_MAP_LENGTH = 44,
	INFO_MAP = 48,
	INFO_LOADER = 64,
};

static void the_guest_is_told_what_it_has(void **unused)
{
	struct boot_case c;
	char text[256], line[96];
	uint64_t info;

	(void)unused;
	make_good(&c);
	c.request.append = "root=here quiet";
	boot_case_loads(&c);
	snprintf(line, sizeof(line), "%s root=here quiet", c.path);
	info = c.image.start.general.gpr[GPR_RBX];
	assert_int_equal(boot_case_u32(&c.image, info + INFO_FLAGS) & 0x24d, 0x24d);
	assert_int_equal(boot_case_u32(&c.image, info + INFO_LOWER), 640);
	assert_int_equal(boot_case_u32(&c.image, info + INFO_UPPER), 63 * 1024);
	assert_string_equal(
		boot_case_text(&c.image, boot_case_u32(&c.image, info + INFO_COMMAND_LINE), text),
		line);
	assert_string_equal(
		boot_case_text(&c.image, boot_case_u32(&c.image, info + INFO_LOADER), text),
		"vitrine");
	assert_int_equal(boot_case_u32(&c.image, info + INFO_MODULE_COUNT), 0);
	boot_case_end(&c);
}

struct range {
	uint64_t base, length;
	uint32_t type;
};

static void check_map(const struct boot_image *loaded, const struct range *ranges, unsigned count)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX];
	uint64_t at = boot_case_u32(loaded, info + INFO_MAP);

	assert_int_equal(boot_case_u32(loaded, info + INFO_MAP_LENGTH), count * 24);
	for (unsigned i = 0; i < count; i++, at += 24) {
		assert_int_equal(boot_case_u32(loaded, at), 20);
		assert_int_equal(boot_case_u64(loaded, at + 4), ranges[i].base);
		assert_int_equal(boot_case_u64(loaded, at + 12), ranges[i].length);
		assert_int_equal(boot_case_u32(loaded, at + 20), ranges[i].type);
	}
}

static void the_memory_map(void **unused)
{
	static const struct range small[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 63 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
	};
	static const struct range large[] = {
		{0, 0xa0000, 1},
		{0xa0000, 0x60000, 2},
		{0x100000, 3071 * MIB, 1},
		{0xfec00000, 0x1400000, 2},
		{0x100000000, 2048 * MIB, 1},
	};
	struct boot_case c;

	(void)unused;
	make_good(&c);
	boot_case_loads(&c);
	check_map(&c.image, small, 4);
	boot_case_end(&c);
	make_good(&c);
	c.request.ram_size = 5120 * MIB;
	boot_case_loads(&c);
	check_map(&c.image, large, 5);
	boot_case_end(&c);
}

static void check_module(const struct boot_image *loaded, unsigned i, const char *bytes,
			 const char *text)
{
	uint64_t info = loaded->start.general.gpr[GPR_RBX];
	uint64_t module = boot_case_u32(loaded, info + INFO_MODULES) + i * 16;
	uint32_t start = boot_case_u32(loaded, module);
	char found[256];

	assert_int_equal(boot_case_u32(loaded, module + 4) - start, strlen(bytes));
	assert_int_equal(start % 4096, 0);
	assert_true(start >= LOAD + IMAGE_SIZE);
	boot_case_read((void *)loaded, start, found, strlen(bytes));
	assert_memory_equal(found, bytes, strlen(bytes));
	assert_string_equal(boot_case_text(loaded, boot_case_u32(loaded, module + 8), found), text);
	assert_int_equal(boot_case_u32(loaded, module + 12), 0);
}

static void modules_are_loaded_with_their_strings(void **unused)
{
	struct boot_case c;
	char first[64], second[64], initrd[256], text[256];

	(void)unused;
	make_good(&c);
	boot_case_file(first, "first module", 12);
	boot_case_file(second, "2nd", 3);
	snprintf(initrd, sizeof(initrd), "%s a=1,,2 b,%s", first, second);
	c.request.initrd = initrd;
	boot_case_loads(&c);
	assert_int_equal(
		boot_case_u32(&c.image, c.image.start.general.gpr[GPR_RBX] + INFO_MODULE_COUNT), 2);
	snprintf(text, sizeof(text), "%s a=1,2 b", first);
	check_module(&c.image, 0, "first module", text);
	check_module(&c.image, 1, "2nd", second);
	boot_case_end(&c);
	unlink(first);
	unlink(second);
}

static void modules_that_cannot_be_loaded(void **unused)
{
	struct boot_case c;
	char large[64];

	(void)unused;
	make_good(&c);
	c.request.initrd = "/nonexistent/module";
	boot_case_refuses(&c, -ENOENT, "module /nonexistent/module (-initrd): cannot be opened");
	c.request.initrd = "/tmp args";
	boot_case_refuses(&c, -EISDIR, "module /tmp (-initrd): is a directory");
	c.request.initrd = "";
	boot_case_refuses(&c, -EINVAL, "-initrd names an empty file");
	c.request.initrd = c.path;
	boot_case_loads(&c);
	boot_case_end(&c);
	make_good(&c);
	boot_case_file(large, "x", 1);
	assert_int_equal(truncate(large, 64 << 20), 0);
	c.request.initrd = large;
	boot_case_refuses(&c, -ENOSPC, "no 0x4000000 free bytes for the module");
	boot_case_end(&c);
	unlink(large);
}

static void too_many_modules(void **unused)
{
	struct boot_case c;
	char initrd[40 * 65];
	size_t length = 0;

	(void)unused;
	make_good(&c);
	for (int i = 0; i < 33; i++) {
		length += (size_t)snprintf(initrd + length, sizeof(initrd) - length, "%s%s",
					   i ? "," : "", c.path);
	}
	c.request.initrd = initrd;
	boot_case_refuses(&c, -E2BIG, "more than 32 modules");
	initrd[length - strlen(c.path) - 1] = '\0';
	boot_case_loads(&c);
	boot_case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_is_told_what_it_has),
		cmocka_unit_test(the_memory_map),
		cmocka_unit_test(modules_are_loaded_with_their_strings),
		cmocka_unit_test(modules_that_cannot_be_loaded),
		cmocka_unit_test(too_many_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
