// SPDX-License-Identifier: GPL-3.0-or-later
/* The MP table, and where tables are. */
#include "boot_case.h"
#include "firmware_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- the MP table ---------------------------------------------------------------------------- */

static uint64_t mp_table(void)
{
	uint64_t pointer = scan(0xf0000, MIB, "_MP_"), table;

	assert_int_not_equal(pointer, 0);
	adds_up(pointer, 16);
	assert_int_equal(u8(pointer + 11), 0); /* there is a table */
	table = u32(pointer + 4);
	assert_memory_equal(low + table, "PCMP", 4);
	adds_up(table, u16(table + 4));
	assert_int_equal(u32(table + 36), 0xfee00000);
	return table;
}

static unsigned mp_entries(uint8_t type, uint64_t *last)
{
	uint64_t table = mp_table(), at = table + 44, end = table + u16(table + 4);
	unsigned count = 0, all = 0;

	for (; at < end; at += u8(at) ? 8 : 20, all++) {
		assert_true(u8(at) <= 4);
		if (u8(at) != type)
			continue;
		*last = at;
		count++;
	}
	assert_int_equal(at, end);
	assert_int_equal(all, u16(table + 34));
	return count;
}

static void the_mp_table_lists_vcpus(void **state)
{
	static const unsigned counts[][2] = {{1, 1}, {8, 8}, {255, 255}, {300, 255}};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t last = 0;

		tables_load(counts[i][0], true);
		assert_int_equal(mp_entries(0, &last), counts[i][1]);
		assert_int_equal(u8(last + 1), counts[i][1] - 1);
		assert_int_equal(u8(last + 3), counts[i][1] == 1 ? 3 : 1);
		if (i + 1 < sizeof(counts) / sizeof(counts[0]))
			boot_case_end(&booted);
	}
}

static void the_mp_table_wires_interrupts(void **state)
{
	uint64_t last = 0, line;

	(void)state;
	tables_load(2, true);
	assert_int_equal(mp_entries(1, &last), 1);
	assert_memory_equal(low + last + 2, "ISA   ", 6);
	assert_int_equal(mp_entries(2, &last), 1);
	assert_int_equal(u8(last + 1), 0);
	assert_int_equal(u32(last + 4), 0xfec00000);
	assert_int_equal(mp_entries(3, &last), 15);
	for (unsigned i = 0; i < 15; i++) {
		line = last - (14 - i) * 8;
		assert_int_equal(u8(line + 5), i < 2 ? i : i + 1);
		assert_int_equal(u8(line + 7), i == 0 ? 2 : i < 2 ? i : i + 1);
		assert_int_equal(u16(line + 2), i == 8 ? 0xd : 0);
	}
	assert_int_equal(mp_entries(4, &last), 2);
	assert_int_equal(u8(last + 1), 1); /* NMI, at LINT1 of all */
	assert_int_equal(u8(last + 6), 0xff);
	assert_int_equal(u8(last + 7), 1);
}

/* ---- where they are ---------------------------------------------------------------------------- */

static void the_bios_data_area(void **state)
{
	(void)state;
	tables_load(1, true);
	assert_int_equal(u16(0x400), 0x3f8);
	assert_int_equal(u16(0x402), 0x2f8);
	assert_int_equal(u16(0x404), 0);
	assert_int_equal(u16(0x40e), 0);
	assert_int_equal(u16(0x413), 640);
	assert_int_equal(u8(0x449), 3);
	assert_int_equal(u16(0x44a), 80);
	assert_int_equal(u16(0x463), 0x3d4);
}

/* The image's own bytes win. */
static void an_image_in_their_place_is_left_alone(void **state)
{
	static uint8_t image[0x20000];

	(void)state;
	memset(image, 0xcc, sizeof(image));
	boot_case_init(&booted, image, sizeof(image));
	booted.request.has_load = true;
	booted.request.load = 0xe0000;
	booted.request.vcpus = 4;
	booted.request.apic = true;
	boot_case_loads(&booted);
	assert_int_equal(boot_case_u32(&booted.image, 0xe0000), 0xcccccccc);
	assert_int_equal(boot_case_u32(&booted.image, 0xf0000), 0xcccccccc);
	boot_case_segment(&booted.image, "BIOS data area");
}

static void without_vcpus_there_are_none(void **state)
{
	(void)state;
	tables_load(0, true);
	assert_int_equal(booted.image.segment_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_mp_table_lists_vcpus, tables_teardown),
		cmocka_unit_test_teardown(the_mp_table_wires_interrupts, tables_teardown),
		cmocka_unit_test_teardown(the_bios_data_area, tables_teardown),
		cmocka_unit_test_teardown(an_image_in_their_place_is_left_alone, tables_teardown),
		cmocka_unit_test_teardown(without_vcpus_there_are_none, tables_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
