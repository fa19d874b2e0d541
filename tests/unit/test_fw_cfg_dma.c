// SPDX-License-Identifier: GPL-3.0-or-later
/* fw_cfg by DMA, and in a machine. */
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
#include <string.h>

/* ---- DMA ---------------------------------------------------------------------------------------- */

static void test_dma_has_a_signature(void **state)
{
	(void)state;
	assert_int_equal(in32(&cfg.h, 0x514), 0x554d4551);
	assert_int_equal(in32(&cfg.h, 0x518), 0x47464320);
	assert_int_equal(in8(&cfg.h, 0x51b), 'G');
	assert_null(bus_find(&cfg.h.ports, 0x51c));
}

static void test_dma_reads(void **state)
{
	(void)state;
	memset(cfg.h.memory + 0x1000, 0xee, 64);
	assert_int_equal(dma(0x21u << 16 | SELECT | READ, 7, 0x1000), 0);
	assert_memory_equal(cfg.h.memory + 0x1000, "number \xee", 8);
	assert_int_equal(dma(READ, 5, 0x1000), 0); /* what is left, and zeros */
	assert_memory_equal(cfg.h.memory + 0x1000, "one\0\0r \xee", 8);
	assert_int_equal(dma(0x21u << 16 | SELECT | SKIP, 4, 0), 0);
	assert_int_equal(in8(&cfg.h, 0x511), 'e');
	assert_int_equal(dma(READ, 2, 0x1000), 0);
	assert_memory_equal(cfg.h.memory + 0x1000, "r o", 2);
	assert_int_equal(dma(SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(in8(&cfg.h, 0x511), 0);
}

/* More than a piece, and to RAM's last byte. */
static void test_dma_reads_much(void **state)
{
	(void)state;
	memset(cfg.h.memory + 0x1000, 0xee, sizeof(cfg.h.memory) - 0x1000);
	assert_int_equal(dma(SELECT | READ, 0x3000, 0x1000), 0);
	assert_memory_equal(cfg.h.memory + 0x1000, "QEMU", 4);
	for (unsigned i = 0x1004; i < 0x4000; i++)
		assert_int_equal(cfg.h.memory[i], 0);
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
	uint8_t before[sizeof(cfg.h.memory)];

	(void)state;
	memset(cfg.h.memory, 0x5a, sizeof(cfg.h.memory));
	memcpy(before, cfg.h.memory, sizeof(before));
	out32(&cfg.h, 0x514, htobe32(1));
	out32(&cfg.h, 0x518, htobe32(0x100));
	out32(&cfg.h, 0x518, htobe32(sizeof(cfg.h.memory) - 8));
	assert_memory_equal(cfg.h.memory, before, sizeof(before));
}

/* Four bytes that are not the lower half start nothing, and the request stays as it was. */
static void test_dma_starts_at_the_lower_half_alone(void **state)
{
	const struct request request = {htobe32(SELECT | READ), htobe32(4), htobe64(0x1000)};

	(void)state;
	memset(cfg.h.memory, 0, sizeof(cfg.h.memory));
	memcpy(cfg.h.memory + 0x2000, &request, sizeof(request));
	for (uint16_t port = 0x515; port < 0x518; port++)
		out32(&cfg.h, port, htobe32(0x2000));
	assert_int_equal(cfg.h.memory[0x1000], 0);
	assert_memory_equal(cfg.h.memory + 0x2000, &request, sizeof(request));
	out32(&cfg.h, 0x518, htobe32(0x2000));
	assert_memory_equal(cfg.h.memory + 0x1000, "QEMU", 4);
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
		cmocka_unit_test_setup_teardown(test_dma_has_a_signature, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_dma_reads, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_dma_reads_much, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_dma_refuses, fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_dma_starts_at_the_lower_half_alone,
						fw_cfg_setup, fw_cfg_teardown),
		cmocka_unit_test_setup_teardown(test_dma_request_outside_ram, fw_cfg_setup,
						fw_cfg_teardown),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_dma_into_a_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
