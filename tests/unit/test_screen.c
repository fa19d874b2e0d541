// SPDX-License-Identifier: GPL-3.0-or-later
/* The text screen. */
#include "device_host.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_screen_starts_blank(void **state)
{
	const uint8_t *cells;

	(void)state;
	device_start(text_screen_init);
	cells = text_screen_memory(one.device);
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
	device_start(text_screen_init);
	bus_access(&one.h.mmio, 0xb8000, 8, true, &eight);
	bus_access(&one.h.mmio, 0xb8004, 1, true, &byte);
	bus_access(&one.h.mmio, 0xb8001, 4, false, &back);
	assert_true(back == 0x21064205);
	assert_int_equal(text_screen_memory(one.device)[0], 'A');
	assert_int_equal(text_screen_memory(one.device)[4], '!');
	byte = 1;
	bus_access(&one.h.mmio, 0xbffff, 1, true, &byte);
	bus_access(&one.h.mmio, 0xbffff, 1, false, &byte);
	assert_int_equal(byte, 1);
	assert_null(bus_find(&one.h.mmio, 0xc0000));
	assert_null(bus_find(&one.h.mmio, 0xb7fff));
	assert_true(bus_find(&one.h.mmio, 0xb8000)->coalesced);
}

static void test_crtc(void **state)
{
	(void)state;
	device_start(text_screen_init);
	for (uint8_t i = 0x0a; i <= 0x0f; i++)
		out16(&one.h, 0x3d4, (uint16_t)(i | (0x10 + i) << 8));
	for (uint8_t i = 0x0a; i <= 0x0f; i++) {
		device_out(0x3d4, i);
		assert_int_equal(device_in(0x3d4), i);
		assert_int_equal(device_in(0x3d5), 0x10 + i);
	}
	device_out(0x3d4, 0xff); /* no such register */
	device_out(0x3d5, 0x12);
	assert_int_equal(device_in(0x3d5), 0xff);
}

static void test_screen_follows_the_start_address(void **state)
{
	uint8_t letter = 'A';

	(void)state;
	device_start(text_screen_init);
	bus_access(&one.h.mmio, 0xb8000 + 160, 1, true, &letter);
	out16(&one.h, 0x3d4, 80 << 8 | 0x0d); /* scrolled by a line */
	assert_int_equal(text_screen_memory(one.device)[0], 'A');
	bus_access(&one.h.mmio, 0xb8000 + 2 * (256 + 80), 1, true, &letter);
	out16(&one.h, 0x3d4, 0x010c); /* and by 256 cells more */
	assert_int_equal(text_screen_memory(one.device)[0], 'A');
	out16(&one.h, 0x3d4, 0xff0c); /* far outside */
	assert_int_equal(text_screen_memory(one.device)[3999], 7);
}

static void test_screen_cursor(void **state)
{
	(void)state;
	device_start(text_screen_init);
	assert_int_equal(text_screen_cursor(one.device), 0);
	out16(&one.h, 0x3d4, 0x070e);
	out16(&one.h, 0x3d4, 0xcf0f);
	assert_int_equal(text_screen_cursor(one.device), 1999);
	out16(&one.h, 0x3d4, 80 << 8 | 0x0d);
	assert_int_equal(text_screen_cursor(one.device), 1919);
	out16(&one.h, 0x3d4, 0x000e);
	out16(&one.h, 0x3d4, 79 << 8 | 0x0f);
	assert_int_equal(text_screen_cursor(one.device), -1); /* above */
	out16(&one.h, 0x3d4, 0xff0e);
	assert_int_equal(text_screen_cursor(one.device), -1); /* below */
	out16(&one.h, 0x3d4, 80 << 8 | 0x0f);
	out16(&one.h, 0x3d4, 0x000e);
	assert_int_equal(text_screen_cursor(one.device), 0);
	out16(&one.h, 0x3d4, 0x200a);
	assert_int_equal(text_screen_cursor(one.device), -1); /* off */
}

static void test_screen_save_and_load(void **state)
{
	uint8_t letter = 'Z';

	(void)state;
	device_start(text_screen_init);
	bus_access(&one.h.mmio, 0xb8000, 1, true, &letter);
	out16(&one.h, 0x3d4, 0x420f);
	check_save_load(one.device, one.copy);
	assert_int_equal(text_screen_memory(one.copy)[0], 'Z');
	assert_int_equal(in8(&one.copy_host, 0x3d5), 0x42);
	one.copy->reset(one.copy);
	assert_int_equal(text_screen_memory(one.copy)[0], ' ');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_screen_starts_blank),
		TEST(test_screen_memory),
		TEST(test_crtc),
		TEST(test_screen_follows_the_start_address),
		TEST(test_screen_cursor),
		TEST(test_screen_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
