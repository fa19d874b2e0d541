// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's fw_cfg: items by ports and by DMA, the file directory, and what a machine puts there. */
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

enum {
	ID = 1,
	RAM_SIZE = 3,
	CPUS = 5,
	INITRD_ADDRESS = 0xa,
	INITRD_SIZE = 0xb,
	MAX_CPUS = 0xf,
	INITRD_DATA = 0x12,
	LINE_SIZE = 0x14,
	LINE = 0x15,
	DIRECTORY = 0x19,
};

static struct {
	struct test_host h, copy_host;
	struct device *device, *copy;
} the;

static const struct fw_cfg_file files[] = {
	{"opt/second", "two", 3},
	{"opt/first", "number one", 10},
	{"etc/empty", NULL, 0},
};

static const struct fw_cfg_config config = {
	.ram_size = 0x123456000, .vcpus = 3, .files = files, .file_count = 3};

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	test_host_init(&the.h);
	test_host_init(&the.copy_host);
	assert_int_equal(fw_cfg_init(&the.h.host, &config, &the.device, NULL), 0);
	assert_int_equal(fw_cfg_init(&the.copy_host.host, &config, &the.copy, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the.device->destroy(the.device);
	the.copy->destroy(the.copy);
	return 0;
}

static void choose(uint16_t key)
{
	out16(&the.h, 0x510, key);
}

static uint64_t number(uint16_t key, unsigned size)
{
	uint64_t value = 0;

	choose(key);
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)in8(&the.h, 0x511) << (8 * i);
	return value;
}

static void item_is(uint16_t key, const void *bytes, size_t size)
{
	choose(key);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(in8(&the.h, 0x511), ((const uint8_t *)bytes)[i]);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(in8(&the.h, 0x511), 0);
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
	assert_int_equal(in8(&the.h, 0x511), 'Q');
	assert_int_equal(in8(&the.h, 0x511), 'E');
	choose(0);
	assert_int_equal(in8(&the.h, 0x511), 'Q');
}

/* A byte at 0x510 selects nothing, a word cannot be read there, and nothing can be written. */
static void test_other_accesses_do_nothing(void **state)
{
	(void)state;
	choose(0);
	out8(&the.h, 0x510, ID);
	out8(&the.h, 0x511, 'x');
	assert_int_equal(in16(&the.h, 0x510), 0xffff);
	assert_int_equal(in8(&the.h, 0x511), 'Q');
	item_is(0, "QEMU", 4);
}

static void test_reset_selects_the_signature(void **state)
{
	(void)state;
	choose(RAM_SIZE);
	the.device->reset(the.device);
	assert_int_equal(in8(&the.h, 0x511), 'Q');
}

static uint32_t big32(void)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value = value << 8 | in8(&the.h, 0x511);
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
			name[k] = (char)in8(&the.h, 0x511);
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
	fw_cfg_set_boot(the.device, &boot);
	assert_int_equal(number(LINE_SIZE, 4), 4);
	item_is(LINE, "a b", 4);
	assert_int_equal(number(INITRD_ADDRESS, 4), 0x7654000);
	assert_int_equal(number(INITRD_SIZE, 4), 4);
	item_is(INITRD_DATA, "disk", 4);
	fw_cfg_set_boot(the.device, &(struct fw_cfg_boot){.command_line = ""});
	item_is(INITRD_DATA, "", 0);
	item_is(LINE, "", 0);
}

/* ---- DMA ---------------------------------------------------------------------------------------- */

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

struct request {
	uint32_t control, size;
	uint64_t address;
};

/* Returns the control field as the device leaves it. */
static uint32_t dma(uint32_t control, uint32_t size, uint64_t address)
{
	struct request request = {htobe32(control), htobe32(size), htobe64(address)};

	memcpy(the.h.memory + 0x100, &request, sizeof(request));
	out32(&the.h, 0x514, 0);
	out32(&the.h, 0x518, htobe32(0x100));
	memcpy(&request, the.h.memory + 0x100, sizeof(request));
	assert_int_equal(be32toh(request.size), size);
	return be32toh(request.control);
}

static void test_dma_has_a_signature(void **state)
{
	(void)state;
	assert_int_equal(in32(&the.h, 0x514), 0x554d4551);
	assert_int_equal(in32(&the.h, 0x518), 0x47464320);
	assert_int_equal(in8(&the.h, 0x51b), 'G');
	assert_null(bus_find(&the.h.ports, 0x51c));
}

static void test_dma_reads(void **state)
{
	(void)state;
	memset(the.h.memory + 0x1000, 0xee, 64);
	assert_int_equal(dma(0x21u << 16 | SELECT | READ, 7, 0x1000), 0);
	assert_memory_equal(the.h.memory + 0x1000, "number \xee", 8);
	assert_int_equal(dma(READ, 5, 0x1000), 0); /* what is left, and zeros */
	assert_memory_equal(the.h.memory + 0x1000, "one\0\0r \xee", 8);
	assert_int_equal(dma(0x21u << 16 | SELECT | SKIP, 4, 0), 0);
	assert_int_equal(in8(&the.h, 0x511), 'e');
	assert_int_equal(dma(READ, 2, 0x1000), 0);
	assert_memory_equal(the.h.memory + 0x1000, "r o", 2);
	assert_int_equal(dma(SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(in8(&the.h, 0x511), 0);
}

/* More than a piece, and to RAM's last byte. */
static void test_dma_reads_much(void **state)
{
	(void)state;
	memset(the.h.memory + 0x1000, 0xee, sizeof(the.h.memory) - 0x1000);
	assert_int_equal(dma(SELECT | READ, 0x3000, 0x1000), 0);
	assert_memory_equal(the.h.memory + 0x1000, "QEMU", 4);
	for (unsigned i = 0x1004; i < 0x4000; i++)
		assert_int_equal(the.h.memory[i], 0);
}

static void test_dma_refuses(void **state)
{
	(void)state;
	assert_int_equal(dma(SELECT | READ, 0x3001, 0x1000), ERROR); /* beyond RAM */
	assert_int_equal(dma(SELECT | READ, 4, UINT64_MAX - 1), ERROR);
	assert_int_equal(dma(SELECT | READ, UINT32_MAX, 0x1000), ERROR); /* beyond reason */
	assert_int_equal(dma(SELECT | WRITE, 4, 0x1000), ERROR);
	item_is(0, "QEMU", 4);
}

/* The request itself is nowhere: nothing can be answered. */
static void test_dma_request_outside_ram(void **state)
{
	uint8_t before[sizeof(the.h.memory)];

	(void)state;
	memset(the.h.memory, 0x5a, sizeof(the.h.memory));
	memcpy(before, the.h.memory, sizeof(before));
	out32(&the.h, 0x514, htobe32(1));
	out32(&the.h, 0x518, htobe32(0x100));
	out32(&the.h, 0x518, htobe32(sizeof(the.h.memory) - 8));
	assert_memory_equal(the.h.memory, before, sizeof(before));
}

/* ---- state -------------------------------------------------------------------------------------- */

static void test_save_load(void **state)
{
	(void)state;
	choose(0x21);
	in8(&the.h, 0x511);
	in8(&the.h, 0x511);
	out32(&the.h, 0x514, htobe32(1));
	check_save_load(the.device, the.copy);
	assert_int_equal(in8(&the.copy_host, 0x511), 'm');
}

/* A snapshot of a machine whose item was longer. */
static void test_a_position_behind_the_end(void **state)
{
	struct device_stream s = {0};

	(void)state;
	stream_put_u64(&s, 0);
	stream_put_u64(&s, UINT32_MAX);
	stream_put_u64(&s, 0);
	assert_int_equal(the.device->load(the.device, &s), 0);
	assert_int_equal(in8(&the.h, 0x511), 0);
	assert_int_equal(dma(READ, 4, 0x1000), 0);
	s.position = 0;
	s.bytes[12] = 1; /* 33 bits */
	assert_int_equal(the.device->load(the.device, &s), -EINVAL);
	stream_free(&s);
}

static void test_files_that_do_not_fit(void **state)
{
	static const struct fw_cfg_file twice[] = {{"a", "", 0}, {"b", "", 0}, {"a", "", 0}};
	struct fw_cfg_config bad = {.files = twice, .file_count = 3};
	struct device *device = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(fw_cfg_init(&the.copy_host.host, &bad, &device, &err), -EEXIST);
	assert_string_equal(err.text, "fw_cfg has a file \"a\" already; choose another name");
	bad.file_count = FW_CFG_FILES_MAX + 1;
	assert_int_equal(fw_cfg_init(&the.copy_host.host, &bad, &device, &err), -E2BIG);
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

/* ---- a machine ---------------------------------------------------------------------------------- */

static void machine_item(struct rig *rig, uint16_t key, void *to, size_t size)
{
	machine_lock_devices(rig->machine);
	bus_access(&rig->machine->ports, 0x510, 2, true, &key);
	for (size_t i = 0; i < size; i++)
		bus_access(&rig->machine->ports, 0x511, 1, false, (uint8_t *)to + i);
	machine_unlock_devices(rig->machine);
}

static void test_machine(void **state)
{
	struct rig rig = {0};
	uint64_t ram = 0;
	uint16_t cpus = 0;
	uint8_t directory[4 + 64];
	struct e820_entry map[4];

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	machine_item(&rig, RAM_SIZE, &ram, sizeof(ram));
	assert_true(le64toh(ram) == rig.machine->config.ram_size);
	machine_item(&rig, CPUS, &cpus, sizeof(cpus));
	assert_int_equal(le16toh(cpus), 2);
	machine_item(&rig, DIRECTORY, directory, sizeof(directory));
	assert_int_equal(directory[3], 1);
	assert_string_equal((char *)directory + 12, "etc/e820");
	assert_int_equal(directory[7], (directory[7] / sizeof(map[0])) * sizeof(map[0]));
	machine_item(&rig, 0x20, map, sizeof(map));
	assert_true(le64toh(map[0].base) == 0 && le64toh(map[0].size) == 0xa0000);
	assert_int_equal(le32toh(map[0].type), 1);
	assert_true(le64toh(map[1].base) == 0xa0000);
	assert_int_equal(le32toh(map[1].type), 2);
	rig_stop(&rig);
}

static void test_dma_into_a_machine(void **state)
{
	struct request request = {htobe32(SELECT | READ), htobe32(4), htobe64(0x3000)};
	uint32_t half = htobe32(0x2000);
	struct rig rig = {0};
	char bytes[4];

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	mem_write_phys(rig.machine->memory, 0x2000, &request, sizeof(request));
	machine_lock_devices(rig.machine);
	bus_access(&rig.machine->ports, 0x518, 4, true, &half);
	machine_unlock_devices(rig.machine);
	mem_read_phys(rig.machine->memory, 0x3000, bytes, sizeof(bytes));
	assert_memory_equal(bytes, "QEMU", 4);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_there_reads_zeros, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_selecting_again_starts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_accesses_do_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_selects_the_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_has_a_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_reads_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_request_outside_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_position_behind_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_that_do_not_fit, setup, teardown),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_dma_into_a_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
