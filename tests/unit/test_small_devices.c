// SPDX-License-Identifier: GPL-3.0-or-later
/* Keyboard controller, ports 0x92 and 0xcf9, ACPI's fixed hardware, debug exit, debug console, text screen. */
#include "device_host.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- reset ports ------------------------------------------------------------------------------ */

static void test_port92(void **state)
{
	(void)state;
	device_start(port92_init);
	assert_int_equal(device_in(0x92), 0x02);
	device_out(0x92, 0x00);
	assert_int_equal(device_in(0x92), 0x00);
	check_save_load(one.device, one.copy);
	assert_int_equal(in8(&one.copy_host, 0x92), 0x00);
	device_out(0x92, device_in(0x92) | 0x02);
	assert_int_equal(one.h.requests, 0);
	device_out(0x92, 0x03);
	assert_int_equal(one.h.requests, 1);
	device_out(0x92, 0x03); /* it has to rise */
	assert_int_equal(one.h.requests, 1);
	assert_int_equal(one.h.request, HOST_RESET);
	assert_string_equal(one.h.why, "port 0x92, bit 0");
	one.device->reset(one.device);
	assert_int_equal(device_in(0x92), 0x02);
}

static void test_reset_port(void **state)
{
	(void)state;
	device_start(reset_port_init);
	device_out(0xcf9, 0x02);
	assert_int_equal(one.h.requests, 0);
	assert_int_equal(device_in(0xcf9), 0x02);
	check_save_load(one.device, one.copy);
	assert_int_equal(in8(&one.copy_host, 0xcf9), 0x02);
	device_out(0xcf9, 0x06);
	assert_int_equal(one.h.requests, 1);
	assert_int_equal(one.h.request, HOST_RESET);
	assert_string_equal(one.h.why, "port 0xcf9, hard reset");
	device_out(0xcf9, 0x06);
	assert_int_equal(one.h.requests, 1);
	device_out(0xcf9, 0x00);
	device_out(0xcf9, 0x04);
	assert_string_equal(one.h.why, "port 0xcf9, soft reset");
}

/* A search for PCI devices writes addresses there whose second byte has bit 2 set. */
static void test_reset_port_is_not_pci(void **state)
{
	(void)state;
	device_start(reset_port_init);
	out32(&one.h, 0xcf8, 0x80000400);
	out16(&one.h, 0xcf8, 0xffff);
	out16(&one.h, 0xcf9, 0xffff);
	device_out(0xcf8, 0xff);
	device_out(0xcfb, 0xff);
	assert_int_equal(one.h.requests, 0);
	assert_true(in32(&one.h, 0xcf8) == 0xffffffff);
	assert_int_equal(device_in(0xcfa), 0xff);
}

/* ---- ACPI's fixed hardware ---------------------------------------------------------------------- */

static void test_acpi_power_off(void **state)
{
	(void)state;
	device_start(acpi_pm_init);
	assert_int_equal(in16(&one.h, 0x604), 0x0001); /* ACPI is on */
	out16(&one.h, 0x604, 0x0001);
	out16(&one.h, 0x604, 5 << 10 | 0x2000); /* no sleep state that is offered */
	assert_int_equal(one.h.requests, 0);
	assert_int_equal(in16(&one.h, 0x604), 5 << 10 | 0x0001);
	check_save_load(one.device, one.copy);
	assert_int_equal(in16(&one.copy_host, 0x604), 5 << 10 | 0x0001);
	out16(&one.h, 0x604, 0x2001);
	assert_int_equal(one.h.requests, 1);
	assert_int_equal(one.h.request, HOST_POWER_OFF);
	assert_int_equal(one.h.status, 0);
	assert_string_equal(one.h.why, "ACPI, sleep state S5");
	one.device->reset(one.device);
	assert_int_equal(in16(&one.h, 0x604), 0x0001);
}

/* The two bytes of the register are also there one by one. */
static void test_acpi_power_off_by_bytes(void **state)
{
	(void)state;
	device_start(acpi_pm_init);
	device_out(0x604, 0x03);
	assert_int_equal(device_in(0x604), 0x03);
	assert_int_equal(device_in(0x605), 0x00);
	device_out(0x605, 0x20);
	assert_int_equal(one.h.requests, 1);
	assert_int_equal(in16(&one.h, 0x604), 0x0003);
}

/* Nothing happens, ever; what is enabled can be read back. */
static void test_acpi_events(void **state)
{
	(void)state;
	device_start(acpi_pm_init);
	assert_int_equal(in16(&one.h, 0x600), 0);
	out16(&one.h, 0x602, 0xffff);
	assert_int_equal(in16(&one.h, 0x602), 0x0721);
	assert_int_equal(device_in(0x603), 0x07);
	device_out(0x603, 0);
	assert_int_equal(in16(&one.h, 0x602), 0x0021);
	out32(&one.h, 0x600, 0x0020ffff);
	assert_true(in32(&one.h, 0x600) == 0x00200000);
	check_save_load(one.device, one.copy);
}

static void test_acpi_timer(void **state)
{
	(void)state;
	device_start(acpi_pm_init);
	assert_int_equal(in32(&one.h, 0x608), 0);
	test_host_pass(&one.h, 1000000000);
	assert_int_equal(in32(&one.h, 0x608), 3579545);
	test_host_pass(&one.h, 500);
	assert_int_equal(in32(&one.h, 0x608), 3579546);
	assert_int_equal(device_in(0x609), 3579546 >> 8 & 0xff);
	out32(&one.h, 0x608, 0);
	assert_int_equal(in32(&one.h, 0x608), 3579546);
	/* 32 bits of it, after twenty minutes and after a century. */
	one.h.now = 1200ull * 1000000000;
	assert_true(in32(&one.h, 0x608) == (uint32_t)(1200ull * 3579545));
	one.h.now = 3155760000ull * 1000000000;
	assert_true(in32(&one.h, 0x608) == (uint32_t)(3155760000ull * 3579545));
}

/* ---- debug ports ------------------------------------------------------------------------------ */

static int init_exit(const struct device_host *host, struct device **device, struct error *err)
{
	return debug_exit_init(host, 0xf4, 4, device, err);
}

static int init_last_port(const struct device_host *host, struct device **device, struct error *err)
{
	return debug_exit_init(host, 0xffff, 0, device, err);
}

static void test_debug_exit(void **state)
{
	(void)state;
	device_start(init_exit);
	assert_int_equal(device_in(0xf4), 0);
	assert_int_equal(one.h.requests, 0);
	device_out(0xf4, 0x10);
	assert_int_equal(one.h.request, HOST_POWER_OFF);
	assert_int_equal(one.h.status, 0x21);
	assert_string_equal(one.h.why, "debug-exit port 0xf4, value 0x10");
	device_out(0xf4, 0);
	assert_int_equal(one.h.status, 1);
	out16(&one.h, 0xf4, 0x1234);
	assert_int_equal(one.h.status, 0x2469);
	out32(&one.h, 0xf4, 0xffffffff);
	assert_int_equal(one.h.status, -1);
	assert_int_equal(one.h.requests, 4); /* one for each write, however wide */
	check_save_load(one.device, one.copy);
}

static void test_debug_exit_at_the_last_port(void **state)
{
	(void)state;
	device_start(init_last_port);
	device_out(0xffff, 3);
	assert_int_equal(one.h.status, 7);
	assert_null(bus_find(&one.h.ports, 0x10000));
}

static void test_debug_console(void **state)
{
	(void)state;
	device_start(debug_console_init);
	assert_int_equal(device_in(0xe9), 0xe9);
	device_out(0xe9, 'h');
	device_out(0xe9, 'i');
	assert_string_equal(one.h.output, "hi");
	check_save_load(one.device, one.copy);
}

/* ---- text screen ------------------------------------------------------------------------------ */

#define TEST(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_port92),
		TEST(test_reset_port),
		TEST(test_reset_port_is_not_pci),
		TEST(test_acpi_power_off),
		TEST(test_acpi_power_off_by_bytes),
		TEST(test_acpi_events),
		TEST(test_acpi_timer),
		TEST(test_debug_exit),
		TEST(test_debug_exit_at_the_last_port),
		TEST(test_debug_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
