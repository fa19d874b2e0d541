// SPDX-License-Identifier: GPL-3.0-or-later
/* Keyboard controller, ports 0x92 and 0xcf9, ACPI's fixed hardware, debug exit, debug console, text screen. */
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct {
	struct test_host h;
	struct device *device, *copy;
	struct test_host copy_host;
} the;

typedef int init_fn(const struct device_host *host, struct device **device, struct error *err);

/* The device under test, and a second one on a host of its own to load saved state into. */
static void start(init_fn *init)
{
	assert_int_equal(init(&the.h.host, &the.device, NULL), 0);
	assert_int_equal(init(&the.copy_host.host, &the.copy, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	test_host_init(&the.h);
	test_host_init(&the.copy_host);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (the.device)
		the.device->destroy(the.device);
	if (the.copy)
		the.copy->destroy(the.copy);
	return 0;
}

static void out(uint16_t port, uint8_t value)
{
	out8(&the.h, port, value);
}

static uint8_t in(uint16_t port)
{
	return in8(&the.h, port);
}

/* ---- 8042 ------------------------------------------------------------------------------------- */

/* What every kernel does before it writes, and before it reads. */
static void command(uint8_t value)
{
	assert_int_equal(in(0x64) & 0x02, 0);
	out(0x64, value);
}

static uint8_t answer(void)
{
	assert_int_equal(in(0x64) & 0x01, 0x01);
	return in(0x60);
}

static void test_i8042_self_test(void **state)
{
	(void)state;
	start(i8042_init);
	assert_int_equal(in(0x64), 0x1c);
	command(0xaa);
	assert_int_equal(answer(), 0x55);
	assert_int_equal(in(0x64) & 0x01, 0);
	assert_int_equal(in(0x60), 0x55); /* the buffer keeps its last byte */
	command(0xab);
	assert_int_equal(answer(), 0x00);
	command(0xa9);
	assert_int_equal(answer(), 0x00);
}

static void test_i8042_command_byte(void **state)
{
	(void)state;
	start(i8042_init);
	command(0x20);
	assert_int_equal(answer(), 0x65);
	command(0xad);
	command(0xa8);
	command(0x20);
	assert_int_equal(answer(), 0x55);
	command(0xae);
	command(0xa7);
	command(0x20);
	assert_int_equal(answer(), 0x65);
	command(0x60);
	assert_int_equal(in(0x64) & 0x08, 0x08);
	out(0x60, 0x43);
	assert_int_equal(in(0x64), 0x10); /* system flag off, last byte was data */
	command(0x20);
	assert_int_equal(answer(), 0x43);
	command(0x65);
	out(0x60, 0x99);
	command(0x25);
	assert_int_equal(answer(), 0x99);
}

static void test_i8042_absent_mouse_says_nothing(void **state)
{
	(void)state;
	start(i8042_init);
	command(0xd4);
	out(0x60, 0xf4);
	assert_int_equal(in(0x64) & 0x01, 0);
	command(0xbb); /* no such command */
	assert_int_equal(in(0x64) & 0x01, 0);
	assert_int_equal(the.h.requests, 0);
}

static void test_i8042_interrupts(void **state)
{
	(void)state;
	start(i8042_init);
	command(0xaa);
	assert_true(the.h.level[1]);
	in(0x60);
	assert_false(the.h.level[1]);
	command(0xd3);
	out(0x60, 0x5a);
	assert_int_equal(in(0x64) & 0x21, 0x21);
	assert_false(the.h.level[12]); /* not enabled */
	assert_false(the.h.level[1]);
	command(0x60);
	out(0x60, 0x02);
	assert_true(the.h.level[12]);
	assert_int_equal(in(0x60), 0x5a);
	assert_int_equal(in(0x64) & 0x21, 0);
	assert_false(the.h.level[12]);
	command(0xd2);
	out(0x60, 0x77);
	assert_false(the.h.level[1]); /* not enabled now */
	assert_int_equal(answer(), 0x77);
}

/* Scan codes come one at a time, each with an edge, and wait while something else is in the buffer. */
static void test_i8042_keys(void **state)
{
	static const uint8_t codes[] = {0x1e, 0x9e, 0x30}, many[513] = {0x39};

	(void)state;
	start(i8042_init);
	command(0xaa);
	assert_int_equal(i8042_keys(the.device, codes, 3), 3);
	assert_int_equal(in(0x60), 0x55);
	assert_true(the.h.level[1]);
	assert_int_equal(in(0x60), 0x1e);
	command(0xad); /* the keyboard's clock stops behind the byte that is there */
	assert_int_equal(answer(), 0x9e);
	assert_int_equal(in(0x64) & 0x01, 0);
	assert_false(the.h.level[1]);
	command(0xae);
	assert_int_equal(answer(), 0x30);
	assert_int_equal(in(0x64) & 0x01, 0);
	assert_int_equal(i8042_keys(the.device, many, 513), 0); /* all or none */
	assert_int_equal(i8042_keys(the.device, many, 512), 512);
	assert_int_equal(i8042_keys(the.device, many, 2), 0); /* one went on into the buffer */
	assert_int_equal(i8042_keys(the.device, codes, 1), 1);
	check_save_load(the.device, the.copy);
}

static void to_keyboard(uint8_t byte, const uint8_t *answers, unsigned count)
{
	unsigned edges = the.h.edges[1];

	out(0x60, byte);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(answer(), answers[i]);
	assert_int_equal(in(0x64) & 0x01, 0);
	assert_int_equal(the.h.edges[1] - edges, count);
}

static void test_i8042_keyboard_commands(void **state)
{
	static const uint8_t ack[] = {0xfa, 0x00}, passed[] = {0xfa, 0xaa}, resend[] = {0xfe},
			     id[] = {0xfa, 0xab, 0x41}, set[] = {0xfa, 0x41}, echo[] = {0xee},
			     key[] = {0x1e, 0x9e};
	static const uint8_t plain[] = {0xf4, 0xf5, 0xf6, 0xf7, 0xfa};

	(void)state;
	start(i8042_init);
	command(0xad);
	to_keyboard(0xff, passed, 2); /* talking to it starts its clock */
	to_keyboard(0xf2, id, 3);
	to_keyboard(0xee, echo, 1);
	to_keyboard(0xfe, echo, 1); /* once more */
	to_keyboard(0xed, ack, 1);
	to_keyboard(0x07, ack, 1);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x00, set, 2);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x02, ack, 1);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x01, resend, 1); /* the controller translates set 2 alone */
	to_keyboard(0xed, ack, 1);
	to_keyboard(0xf2, id, 3); /* in place of a parameter */
	to_keyboard(0x07, resend, 1);
	for (unsigned i = 0; i < sizeof(plain); i++)
		to_keyboard(plain[i], ack, 1);
	assert_int_equal(i8042_keys(the.device, key, 2), 2);
	assert_int_equal(answer(), 0x1e);
	out(0x60, 0xed); /* answers come before keys */
	check_save_load(the.device, the.copy);
	assert_int_equal(answer(), 0x9e); /* but the controller had that one */
	assert_int_equal(answer(), 0xfa);
	out(0x60, 0xf5);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(i8042_keys(the.device, key, 2), 2); /* it does not look */
	assert_int_equal(in(0x64) & 0x01, 0);
	for (unsigned i = 0; i < 10000; i++) /* and nothing overflows */
		out(0x60, (uint8_t)(i * 7));
	check_save_load(the.device, the.copy);
}

static void test_i8042_a20(void **state)
{
	(void)state;
	start(i8042_init);
	command(0xd0);
	assert_int_equal(answer() & 0x03, 0x03);
	command(0xd1);
	out(0x60, 0xdd);
	command(0xd0);
	assert_int_equal(answer(), 0xcd);
	command(0xdf);
	command(0xd0);
	assert_int_equal(answer(), 0xcf);
	command(0xdd);
	command(0xd0);
	assert_int_equal(answer(), 0xcd);
	assert_int_equal(the.h.requests, 0);
	command(0xc0);
	assert_int_equal(answer(), 0x80);
}

static void test_i8042_reset_line(void **state)
{
	(void)state;
	start(i8042_init);
	command(0xff); /* pulses nothing */
	command(0xfd);
	assert_int_equal(the.h.requests, 0);
	command(0xfe);
	assert_int_equal(the.h.requests, 1);
	assert_int_equal(the.h.request, HOST_RESET);
	assert_string_equal(the.h.why, "keyboard controller, command 0xfe");
	command(0xd1);
	out(0x60, 0x02);
	assert_int_equal(the.h.requests, 2);
	assert_string_equal(the.h.why, "keyboard controller, output port bit 0");
}

static void test_i8042_save_and_load(void **state)
{
	(void)state;
	start(i8042_init);
	command(0xd3);
	out(0x60, 0x5a);
	command(0x60);
	out(0x60, 0x03);
	command(0xd1); /* its parameter is still to come */
	check_save_load(the.device, the.copy);
	assert_true(the.copy_host.level[12]);
	out8(&the.copy_host, 0x60, 0xfe);
	assert_int_equal(the.copy_host.requests, 1);
	the.copy->reset(the.copy);
	assert_false(the.copy_host.level[12]);
	assert_int_equal(in8(&the.copy_host, 0x64), 0x1c);
}

/* ---- reset ports ------------------------------------------------------------------------------ */

static void test_port92(void **state)
{
	(void)state;
	start(port92_init);
	assert_int_equal(in(0x92), 0x02);
	out(0x92, 0x00);
	assert_int_equal(in(0x92), 0x00);
	check_save_load(the.device, the.copy);
	assert_int_equal(in8(&the.copy_host, 0x92), 0x00);
	out(0x92, in(0x92) | 0x02);
	assert_int_equal(the.h.requests, 0);
	out(0x92, 0x03);
	assert_int_equal(the.h.requests, 1);
	out(0x92, 0x03); /* it has to rise */
	assert_int_equal(the.h.requests, 1);
	assert_int_equal(the.h.request, HOST_RESET);
	assert_string_equal(the.h.why, "port 0x92, bit 0");
	the.device->reset(the.device);
	assert_int_equal(in(0x92), 0x02);
}

static void test_reset_port(void **state)
{
	(void)state;
	start(reset_port_init);
	out(0xcf9, 0x02);
	assert_int_equal(the.h.requests, 0);
	assert_int_equal(in(0xcf9), 0x02);
	check_save_load(the.device, the.copy);
	assert_int_equal(in8(&the.copy_host, 0xcf9), 0x02);
	out(0xcf9, 0x06);
	assert_int_equal(the.h.requests, 1);
	assert_int_equal(the.h.request, HOST_RESET);
	assert_string_equal(the.h.why, "port 0xcf9, hard reset");
	out(0xcf9, 0x06);
	assert_int_equal(the.h.requests, 1);
	out(0xcf9, 0x00);
	out(0xcf9, 0x04);
	assert_string_equal(the.h.why, "port 0xcf9, soft reset");
}

/* A search for PCI devices writes addresses there whose second byte has bit 2 set. */
static void test_reset_port_is_not_pci(void **state)
{
	(void)state;
	start(reset_port_init);
	out32(&the.h, 0xcf8, 0x80000400);
	out16(&the.h, 0xcf8, 0xffff);
	out16(&the.h, 0xcf9, 0xffff);
	out(0xcf8, 0xff);
	out(0xcfb, 0xff);
	assert_int_equal(the.h.requests, 0);
	assert_true(in32(&the.h, 0xcf8) == 0xffffffff);
	assert_int_equal(in(0xcfa), 0xff);
}

/* ---- ACPI's fixed hardware ---------------------------------------------------------------------- */

static void test_acpi_power_off(void **state)
{
	(void)state;
	start(acpi_pm_init);
	assert_int_equal(in16(&the.h, 0x604), 0x0001); /* ACPI is on */
	out16(&the.h, 0x604, 0x0001);
	out16(&the.h, 0x604, 5 << 10 | 0x2000); /* no sleep state that is offered */
	assert_int_equal(the.h.requests, 0);
	assert_int_equal(in16(&the.h, 0x604), 5 << 10 | 0x0001);
	check_save_load(the.device, the.copy);
	assert_int_equal(in16(&the.copy_host, 0x604), 5 << 10 | 0x0001);
	out16(&the.h, 0x604, 0x2001);
	assert_int_equal(the.h.requests, 1);
	assert_int_equal(the.h.request, HOST_POWER_OFF);
	assert_int_equal(the.h.status, 0);
	assert_string_equal(the.h.why, "ACPI, sleep state S5");
	the.device->reset(the.device);
	assert_int_equal(in16(&the.h, 0x604), 0x0001);
}

/* The two bytes of the register are also there one by one. */
static void test_acpi_power_off_by_bytes(void **state)
{
	(void)state;
	start(acpi_pm_init);
	out(0x604, 0x03);
	assert_int_equal(in(0x604), 0x03);
	assert_int_equal(in(0x605), 0x00);
	out(0x605, 0x20);
	assert_int_equal(the.h.requests, 1);
	assert_int_equal(in16(&the.h, 0x604), 0x0003);
}

/* Nothing happens, ever; what is enabled can be read back. */
static void test_acpi_events(void **state)
{
	(void)state;
	start(acpi_pm_init);
	assert_int_equal(in16(&the.h, 0x600), 0);
	out16(&the.h, 0x602, 0xffff);
	assert_int_equal(in16(&the.h, 0x602), 0x0721);
	assert_int_equal(in(0x603), 0x07);
	out(0x603, 0);
	assert_int_equal(in16(&the.h, 0x602), 0x0021);
	out32(&the.h, 0x600, 0x0020ffff);
	assert_true(in32(&the.h, 0x600) == 0x00200000);
	check_save_load(the.device, the.copy);
}

static void test_acpi_timer(void **state)
{
	(void)state;
	start(acpi_pm_init);
	assert_int_equal(in32(&the.h, 0x608), 0);
	test_host_pass(&the.h, 1000000000);
	assert_int_equal(in32(&the.h, 0x608), 3579545);
	test_host_pass(&the.h, 500);
	assert_int_equal(in32(&the.h, 0x608), 3579546);
	assert_int_equal(in(0x609), 3579546 >> 8 & 0xff);
	out32(&the.h, 0x608, 0);
	assert_int_equal(in32(&the.h, 0x608), 3579546);
	/* 32 bits of it, after twenty minutes and after a century. */
	the.h.now = 1200ull * 1000000000;
	assert_true(in32(&the.h, 0x608) == (uint32_t)(1200ull * 3579545));
	the.h.now = 3155760000ull * 1000000000;
	assert_true(in32(&the.h, 0x608) == (uint32_t)(3155760000ull * 3579545));
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
	start(init_exit);
	assert_int_equal(in(0xf4), 0);
	assert_int_equal(the.h.requests, 0);
	out(0xf4, 0x10);
	assert_int_equal(the.h.request, HOST_POWER_OFF);
	assert_int_equal(the.h.status, 0x21);
	assert_string_equal(the.h.why, "debug-exit port 0xf4, value 0x10");
	out(0xf4, 0);
	assert_int_equal(the.h.status, 1);
	out16(&the.h, 0xf4, 0x1234);
	assert_int_equal(the.h.status, 0x2469);
	out32(&the.h, 0xf4, 0xffffffff);
	assert_int_equal(the.h.status, -1);
	assert_int_equal(the.h.requests, 4); /* one for each write, however wide */
	check_save_load(the.device, the.copy);
}

static void test_debug_exit_at_the_last_port(void **state)
{
	(void)state;
	start(init_last_port);
	out(0xffff, 3);
	assert_int_equal(the.h.status, 7);
	assert_null(bus_find(&the.h.ports, 0x10000));
}

static void test_debug_console(void **state)
{
	(void)state;
	start(debug_console_init);
	assert_int_equal(in(0xe9), 0xe9);
	out(0xe9, 'h');
	out(0xe9, 'i');
	assert_string_equal(the.h.output, "hi");
	check_save_load(the.device, the.copy);
}

/* ---- text screen ------------------------------------------------------------------------------ */

static void test_screen_starts_blank(void **state)
{
	const uint8_t *cells;

	(void)state;
	start(text_screen_init);
	cells = text_screen_memory(the.device);
	for (size_t i = 0; i < 4000; i += 2) {
		assert_int_equal(cells[i], ' ');
		assert_int_equal(cells[i + 1], 7);
	}
}

static void test_screen_memory(void **state)
{
	uint64_t eight = 0x0844074306420541ull; /* A B C D in four colours */
	uint8_t byte = '!';
	uint32_t back = 0;

	(void)state;
	start(text_screen_init);
	bus_access(&the.h.mmio, 0xb8000, 8, true, &eight);
	bus_access(&the.h.mmio, 0xb8004, 1, true, &byte);
	bus_access(&the.h.mmio, 0xb8001, 4, false, &back);
	assert_true(back == 0x21064205);
	assert_int_equal(text_screen_memory(the.device)[0], 'A');
	assert_int_equal(text_screen_memory(the.device)[4], '!');
	byte = 1;
	bus_access(&the.h.mmio, 0xbffff, 1, true, &byte);
	bus_access(&the.h.mmio, 0xbffff, 1, false, &byte);
	assert_int_equal(byte, 1);
	assert_null(bus_find(&the.h.mmio, 0xc0000));
	assert_null(bus_find(&the.h.mmio, 0xb7fff));
	assert_true(bus_find(&the.h.mmio, 0xb8000)->coalesced);
}

static void test_crtc(void **state)
{
	(void)state;
	start(text_screen_init);
	for (uint8_t i = 0x0a; i <= 0x0f; i++)
		out16(&the.h, 0x3d4, (uint16_t)(i | (0x10 + i) << 8));
	for (uint8_t i = 0x0a; i <= 0x0f; i++) {
		out(0x3d4, i);
		assert_int_equal(in(0x3d4), i);
		assert_int_equal(in(0x3d5), 0x10 + i);
	}
	out(0x3d4, 0xff); /* no such register */
	out(0x3d5, 0x12);
	assert_int_equal(in(0x3d5), 0xff);
}

static void test_screen_follows_the_start_address(void **state)
{
	uint8_t letter = 'A';

	(void)state;
	start(text_screen_init);
	bus_access(&the.h.mmio, 0xb8000 + 160, 1, true, &letter);
	out16(&the.h, 0x3d4, 80 << 8 | 0x0d); /* scrolled by a line */
	assert_int_equal(text_screen_memory(the.device)[0], 'A');
	bus_access(&the.h.mmio, 0xb8000 + 2 * (256 + 80), 1, true, &letter);
	out16(&the.h, 0x3d4, 0x010c); /* and by 256 cells more */
	assert_int_equal(text_screen_memory(the.device)[0], 'A');
	out16(&the.h, 0x3d4, 0xff0c); /* far outside */
	assert_int_equal(text_screen_memory(the.device)[3999], 7);
}

static void test_screen_cursor(void **state)
{
	(void)state;
	start(text_screen_init);
	assert_int_equal(text_screen_cursor(the.device), 0);
	out16(&the.h, 0x3d4, 0x070e);
	out16(&the.h, 0x3d4, 0xcf0f);
	assert_int_equal(text_screen_cursor(the.device), 1999);
	out16(&the.h, 0x3d4, 80 << 8 | 0x0d);
	assert_int_equal(text_screen_cursor(the.device), 1919);
	out16(&the.h, 0x3d4, 0x000e);
	out16(&the.h, 0x3d4, 79 << 8 | 0x0f);
	assert_int_equal(text_screen_cursor(the.device), -1); /* above */
	out16(&the.h, 0x3d4, 0xff0e);
	assert_int_equal(text_screen_cursor(the.device), -1); /* below */
	out16(&the.h, 0x3d4, 80 << 8 | 0x0f);
	out16(&the.h, 0x3d4, 0x000e);
	assert_int_equal(text_screen_cursor(the.device), 0);
	out16(&the.h, 0x3d4, 0x200a);
	assert_int_equal(text_screen_cursor(the.device), -1); /* off */
}

static void test_screen_save_and_load(void **state)
{
	uint8_t letter = 'Z';

	(void)state;
	start(text_screen_init);
	bus_access(&the.h.mmio, 0xb8000, 1, true, &letter);
	out16(&the.h, 0x3d4, 0x420f);
	check_save_load(the.device, the.copy);
	assert_int_equal(text_screen_memory(the.copy)[0], 'Z');
	assert_int_equal(in8(&the.copy_host, 0x3d5), 0x42);
	the.copy->reset(the.copy);
	assert_int_equal(text_screen_memory(the.copy)[0], ' ');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_i8042_self_test),
		TEST(test_i8042_command_byte),
		TEST(test_i8042_absent_mouse_says_nothing),
		TEST(test_i8042_interrupts),
		TEST(test_i8042_keys),
		TEST(test_i8042_keyboard_commands),
		TEST(test_i8042_a20),
		TEST(test_i8042_reset_line),
		TEST(test_i8042_save_and_load),
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
		TEST(test_screen_starts_blank),
		TEST(test_screen_memory),
		TEST(test_crtc),
		TEST(test_screen_follows_the_start_address),
		TEST(test_screen_cursor),
		TEST(test_screen_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
