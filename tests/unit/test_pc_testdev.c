// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's pc-testdev, and -device, by which it and isa-debug-exit are asked for. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "device_host.h"
#include "device_option.h"
#include "rig.h"

#include <errno.h>
#include <string.h>

static struct {
	struct test_host h, copy_host;
	struct device *device, *copy;
} the;

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	test_host_init(&the.h);
	test_host_init(&the.copy_host);
	assert_int_equal(pc_testdev_init(&the.h.host, &the.device, NULL), 0);
	assert_int_equal(pc_testdev_init(&the.copy_host.host, &the.copy, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the.device->destroy(the.device);
	the.copy->destroy(the.copy);
	return 0;
}

static void test_port(void **state)
{
	(void)state;
	assert_int_equal(in32(&the.h, 0xe0), 0);
	out32(&the.h, 0xe0, 0x44332211);
	assert_int_equal(in32(&the.h, 0xe0), 0x44332211);
	assert_int_equal(in8(&the.h, 0xe2), 0x33);
	assert_int_equal(in16(&the.h, 0xe1), 0x3322);
	out8(&the.h, 0xe3, 0xaa);
	out16(&the.h, 0xe0, 0xbbcc);
	assert_int_equal(in32(&the.h, 0xe0), 0xaa33bbcc);
	assert_null(bus_find(&the.h.ports, 0xe4));
}

static uint64_t memory(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	bus_access(&the.h.mmio, gpa, size, false, &value);
	return value;
}

static void test_memory(void **state)
{
	uint64_t eight = 0x8877665544332211, byte = 0xee;

	(void)state;
	assert_true(memory(0xff000000, 8) == 0);
	bus_access(&the.h.mmio, 0xff000010, 8, true, &eight);
	assert_true(memory(0xff000010, 8) == eight);
	assert_true(memory(0xff000013, 4) == 0x77665544);
	bus_access(&the.h.mmio, 0xff00ffff, 1, true, &byte);
	assert_true(memory(0xff00ffff, 1) == 0xee);
	assert_true(memory(0xff00fffe, 2) == 0xee00);
	assert_null(bus_find(&the.h.mmio, 0xff010000));
	the.device->reset(the.device);
	assert_true(memory(0xff000010, 8) == 0);
}

static void test_lines(void **state)
{
	(void)state;
	for (unsigned line = 0; line < 24; line++) {
		out8(&the.h, (uint16_t)(0x2000 + line), 1);
		assert_true(the.h.level[line]);
		out8(&the.h, (uint16_t)(0x2000 + line), 0x80); /* as much up as 1 is */
		assert_int_equal(the.h.calls[line], 1);
		out8(&the.h, (uint16_t)(0x2000 + line), 0);
		assert_false(the.h.level[line]);
		assert_int_equal(the.h.edges[line], 1);
	}
	assert_null(bus_find(&the.h.ports, 0x2018));
	out8(&the.h, 0x2003, 1);
	the.device->reset(the.device);
	assert_false(the.h.level[3]);
	assert_int_equal(the.h.calls[4], 2); /* not told of what does not change */
}

static void test_save_load(void **state)
{
	struct device_stream s = {0};

	(void)state;
	out32(&the.h, 0xe0, 0x12345678);
	out8(&the.h, 0x2005, 1);
	out8(&the.h, 0x2017, 1);
	out8(&the.copy_host, 0x2005, 1);
	out8(&the.copy_host, 0x2006, 1);
	check_save_load(the.device, the.copy);
	assert_int_equal(in32(&the.copy_host, 0xe0), 0x12345678);
	assert_true(the.copy_host.level[5] && the.copy_host.level[0x17]);
	assert_false(the.copy_host.level[6]);
	assert_int_equal(the.copy_host.calls[5], 2); /* told again */
	the.device->save(the.device, &s);
	s.bytes[3] = 1; /* a 25th line */
	assert_int_equal(the.device->load(the.device, &s), -EINVAL);
	stream_free(&s);
}

static int init_two_ports(const struct device_host *host, struct device **device)
{
	return debug_exit_init(host, 0x501, 2, device, NULL);
}

static void test_debug_exit_of_two_ports(void **state)
{
	struct device *device = NULL;

	(void)state;
	assert_int_equal(init_two_ports(&the.h.host, &device), 0);
	out16(&the.h, 0x501, 0x1234);
	assert_int_equal(the.h.status, 0x2469);
	assert_null(bus_find(&the.h.ports, 0x503));
	device->destroy(device);
}

/* ---- -device ------------------------------------------------------------------------------------ */

static void test_options(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
		uint8_t size;
		bool testdev;
	} good[] = {
		{"isa-debug-exit,iobase=0xf4,iosize=4", 0xf4, 4, false},
		{"isa-debug-exit,iosize=0x04,iobase=0xf4", 0xf4, 4, false},
		{"isa-debug-exit,iobase=1281", 1281, 2, false},
		{"isa-debug-exit", 0x501, 2, false},
		{"pc-testdev", 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct options o = {0};
		struct error err = {0};

		if (device_option(&o, good[i].text, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.text);
		assert_int_equal(o.debug_exit_port, good[i].port);
		assert_int_equal(o.debug_exit_size, good[i].size);
		assert_int_equal(o.pc_testdev, good[i].testdev);
	}
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"", "no -device '': isa-debug-exit and pc-testdev can be added"},
		{"pci-testdev", "no -device 'pci-testdev'"},
		{"isa-debug-exits", "no -device 'isa-debug-exits'"},
		{"isa-debug-exit=1", "no -device"},
		{"pc-testdev,iobase=1", "pc-testdev has no property 'iobase'"},
		{"isa-debug-exit,id=a", "has no property 'id'"},
		{"isa-debug-exit,iobase", "needs a value"},
		{"isa-debug-exit,iobase=0x10000", "iobase takes a number up to 0xffff"},
		{"isa-debug-exit,iobase=0", "iobase cannot be 0"},
		{"isa-debug-exit,iosize=5", "iosize takes a number up to 0x4"},
		{"isa-debug-exit,iosize=0", "iosize cannot be 0"},
		{"isa-debug-exit,iosize=", "iosize takes a number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options o = {0};
		struct error err = {0};

		assert_int_equal(device_option(&o, bad[i].text, &err), -EINVAL);
		if (!strstr(err.text, bad[i].words))
			fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].words);
	}
}

/* ---- a machine ---------------------------------------------------------------------------------- */

static void test_only_where_it_is_asked_for(void **state)
{
	struct machine_config config = {.accel = &accel_dummy, .ram_size = RIG_RAM, .vcpus = 1};
	struct dummy_config dummy = {0};
	struct machine *machine;

	(void)state;
	config.dummy = &dummy;
	for (int with = 0; with < 2; with++) {
		config.pc_testdev = with;
		assert_int_equal(machine_create(&config, &machine, NULL), 0);
		assert_int_equal(bus_find(&machine->ports, 0xe0) != NULL, with);
		assert_int_equal(bus_find(&machine->ports, 0x2017) != NULL, with);
		assert_int_equal(bus_find(&machine->mmio, 0xff000000) != NULL, with);
		machine_destroy(machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_debug_exit_of_two_ports, setup, teardown),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_only_where_it_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
