// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's fw_cfg: items by ports and by DMA, the file directory, and what a machine puts there. */
#include "fw_cfg_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "device_host.h"
#include "fw_cfg_files.h"
#include "rig.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t number(uint16_t key, unsigned size)
{
	uint64_t value = 0;

	choose(key);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)in8(&cfg.h, 0x511) << (8 * i);
	return value;
}

/* ---- ports -------------------------------------------------------------------------------------- */

static void test_items(void **state)
{
	(void)state;
	item_is(0, "QEMU", 4);
	assert_int_equal(number(ID, 4), 3);
	assert_true(number(RAM_SIZE, 8) == 0x123456000);
	assert_int_equal(number(CPUS, 2), 3);
	assert_int_equal(number(MAX_CPUS, 2), 3);
}

static void test_what_is_not_there_reads_zeros(void **state)
{
	(void)state;
	item_is(0x7777, "", 0);
	item_is(0xffff, "", 0);
	item_is(INITRD_DATA, "", 0);
	item_is(LINE, "", 0);
}

static void test_selecting_again_starts_anew(void **state)
{
	(void)state;
	choose(0);
	assert_int_equal(in8(&cfg.h, 0x511), 'Q');
	assert_int_equal(in8(&cfg.h, 0x511), 'E');
	choose(0);
	assert_int_equal(in8(&cfg.h, 0x511), 'Q');
}

/* A byte at 0x510 selects nothing, a word cannot be read there, and nothing can be written. */
static void test_other_accesses_do_nothing(void **state)
{
	(void)state;
	choose(0);
	out8(&cfg.h, 0x510, ID);
	out8(&cfg.h, 0x511, 'x');
	assert_int_equal(in16(&cfg.h, 0x510), 0xffff);
	assert_int_equal(in8(&cfg.h, 0x511), 'Q');
	item_is(0, "QEMU", 4);
}

static void test_reset_selects_the_signature(void **state)
{
	(void)state;
	choose(RAM_SIZE);
	cfg.device->reset(cfg.device);
	assert_int_equal(in8(&cfg.h, 0x511), 'Q');
}

static uint32_t big32(void)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value = value << 8 | in8(&cfg.h, 0x511);
	return value;
}

static void test_directory(void **state)
{
	static const struct {
		const char *name;
		uint32_t size;
	} want[] = {{"etc/empty", 0}, {"opt/first", 10}, {"opt/second", 3}};

	(void)state;
	choose(DIRECTORY);
	assert_int_equal(big32(), 3);
	for (unsigned i = 0; i < 3; i++) {
		char name[FW_CFG_NAME_SIZE];

		assert_int_equal(big32(), want[i].size);
		assert_int_equal(big32(), (0x20 + i) << 16);
		for (unsigned k = 0; k < sizeof(name); k++)
			name[k] = (char)in8(&cfg.h, 0x511);
		assert_string_equal(name, want[i].name);
	}
	item_is(0x20, "", 0);
	item_is(0x21, "number one", 10);
	item_is(0x22, "two", 3);
}

static void test_boot(void **state)
{
	struct fw_cfg_boot boot = {.command_line = "a b",
				   .initrd = "disk",
				   .initrd_size = 4,
				   .initrd_address = 0x7654000};

	(void)state;
	fw_cfg_set_boot(cfg.device, &boot);
	assert_int_equal(number(LINE_SIZE, 4), 4);
	item_is(LINE, "a b", 4);
	assert_int_equal(number(INITRD_ADDRESS, 4), 0x7654000);
	assert_int_equal(number(INITRD_SIZE, 4), 4);
	item_is(INITRD_DATA, "disk", 4);
	fw_cfg_set_boot(cfg.device, &(struct fw_cfg_boot){.command_line = ""});
	item_is(INITRD_DATA, "", 0);
	item_is(LINE, "", 0);
}

/* ---- state -------------------------------------------------------------------------------------- */

static void test_save_load(void **state)
{
	(void)state;
	choose(0x21);
	in8(&cfg.h, 0x511);
	in8(&cfg.h, 0x511);
	out32(&cfg.h, 0x514, htobe32(1));
	check_save_load(cfg.device, cfg.copy);
	assert_int_equal(in8(&cfg.copy_host, 0x511), 'm');
}

/* A snapshot of a machine whose item was longer. */
static void test_a_position_behind_the_end(void **state)
{
	struct device_stream s = {0};

	(void)state;
	stream_put_u64(&s, 0);
	stream_put_u64(&s, UINT32_MAX);
	stream_put_u64(&s, 0);
	assert_int_equal(cfg.device->load(cfg.device, &s), 0);
	assert_int_equal(in8(&cfg.h, 0x511), 0);
	assert_int_equal(dma(READ, 4, 0x1000), 0);
	s.position = 0;
	s.bytes[12] = 1; /* 33 bits */
	assert_int_equal(cfg.device->load(cfg.device, &s), -EINVAL);
	stream_free(&s);
}

static void test_files_that_do_not_fit(void **state)
{
	static const struct fw_cfg_file twice[] = {{"a", "", 0}, {"b", "", 0}, {"a", "", 0}};
	struct fw_cfg_config bad = {.files = twice, .file_count = 3};
	struct device *device = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(fw_cfg_init(&cfg.copy_host.host, &bad, &device, &err), -EEXIST);
	assert_string_equal(err.text, "fw_cfg has a file \"a\" already; choose another name");
	bad.file_count = FW_CFG_FILES_MAX + 1;
	assert_int_equal(fw_cfg_init(&cfg.copy_host.host, &bad, &device, &err), -E2BIG);
	assert_null(device);
}

/* ---- options ------------------------------------------------------------------------------------ */

static void test_options(void **state)
{
	struct fw_cfg_files all = {0};
	char path[] = "/tmp/vitrine-fw-XXXXXX", option[80];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "bytes", 5), 5);
	close(fd);
	snprintf(option, sizeof(option), "opt/file,file=%s", path);
	assert_int_equal(fw_cfg_files_add(&all, option, NULL), 0);
	unlink(path);
	assert_int_equal(fw_cfg_files_add(&all, "name=opt/text,string=a,,b=c", NULL), 0);
	assert_int_equal(fw_cfg_files_add(&all, "string=,name=n", NULL), 0);
	assert_int_equal(all.count, 3);
	assert_string_equal(all.file[0].name, "opt/file");
	assert_int_equal(all.file[0].size, 5);
	assert_memory_equal(all.file[0].bytes, "bytes", 5);
	assert_string_equal(all.file[1].name, "opt/text");
	assert_int_equal(all.file[1].size, 5);
	assert_memory_equal(all.file[1].bytes, "a,b=c", 5);
	assert_int_equal(all.file[2].size, 0);
	fw_cfg_files_free(&all);
	assert_int_equal(all.count, 0);
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *option;
		int code;
		const char *words;
	} bad[] = {
		{"", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/a", -EINVAL, "takes name=NAME,file=FILE"},
		{"file=/dev/null", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/a,file=x,string=y", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/a,string=x,string=y", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/a,string", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/a,gen_id=x", -EINVAL, "takes name=NAME,file=FILE"},
		{"opt/7890123456789012345678901234567890123456789012345678,string=x", -EINVAL,
		 "has 55 bytes at most"},
		{"opt/a,file=/tmp/no/such/file", -ENOENT, "-fw_cfg: cannot open /tmp/no/such/file"},
		{"opt/a,file=/dev/null", -EINVAL, "/dev/null is not a file"},
		{"opt/a,file=/tmp", -EINVAL, "/tmp is not a file"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fw_cfg_files all = {0};
		struct error err = {0};

		assert_int_equal(fw_cfg_files_add(&all, bad[i].option, &err), bad[i].code);
		if (!strstr(err.text, bad[i].words))
			fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].words);
		fw_cfg_files_free(&all);
	}
	assert_int_equal(fw_cfg_files_check("opt/a", NULL), -EINVAL);
	assert_int_equal(fw_cfg_files_check("opt/a,file=/tmp/no/such/file", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_items, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_there_reads_zeros, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_selecting_again_starts_anew, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_other_accesses_do_nothing, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_reset_selects_the_signature, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_directory, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_boot, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_save_load, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_a_position_behind_the_end, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_files_that_do_not_fit, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
