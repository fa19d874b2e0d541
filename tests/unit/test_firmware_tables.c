// SPDX-License-Identifier: GPL-3.0-or-later
/* ACPI and MP tables, read as a kernel reads them: found by a scan, followed, added up. */
#include "boot_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static uint8_t low[MIB]; /* the low megabyte of the machine */
static struct boot_case the;

static void load(unsigned vcpus, bool apic)
{
	static const uint8_t image[1024] = {0xf4};

	boot_case_init(&the, image, sizeof(image));
	the.request.has_load = true;
	the.request.load = 0x8000;
	the.request.vcpus = vcpus;
	the.request.apic = apic;
	boot_case_loads(&the);
	memset(low, 0, sizeof(low));
	for (unsigned i = 0; i < the.image.segment_count; i++) {
		const struct boot_segment *s = &the.image.segment[i];

		memcpy(low + s->gpa, s->data, s->data_size);
	}
}

static int teardown(void **state)
{
	(void)state;
	boot_case_end(&the);
	return 0;
}

static uint8_t u8(uint64_t at)
{
	assert_true(at < MIB);
	return low[at];
}

static uint16_t u16(uint64_t at)
{
	return (uint16_t)(u8(at) | u8(at + 1) << 8);
}

static uint32_t u32(uint64_t at)
{
	return u16(at) | (uint32_t)u16(at + 2) << 16;
}

static uint64_t u64(uint64_t at)
{
	return u32(at) | (uint64_t)u32(at + 4) << 32;
}

static void adds_up(uint64_t at, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + u8(at + i));
	assert_int_equal(sum, 0);
}

static uint64_t scan(uint64_t from, uint64_t to, const char *signature)
{
	for (; from < to; from += 16)
		if (!memcmp(low + from, signature, strlen(signature)))
			return from;
	return 0;
}

/* ---- ACPI ---------------------------------------------------------------------------------- */

static uint64_t checked_table(uint64_t at, const char *signature)
{
	assert_memory_equal(low + at, signature, 4);
	adds_up(at, u32(at + 4));
	return at;
}

/* By the RSDT (entries of 4 bytes) or the XSDT (of 8). */
static uint64_t find_table(const char *signature, bool extended)
{
	uint64_t rsdp = scan(0xe0000, MIB, "RSD PTR ");
	unsigned width = extended ? 8 : 4;
	uint64_t list;

	assert_int_not_equal(rsdp, 0);
	adds_up(rsdp, 20);
	adds_up(rsdp, u32(rsdp + 20));
	assert_int_equal(u8(rsdp + 15), 2);
	list = extended ? checked_table(u64(rsdp + 24), "XSDT")
			: checked_table(u32(rsdp + 16), "RSDT");
	for (uint64_t at = list + 36; at < list + u32(list + 4); at += width) {
		uint64_t table = extended ? u64(at) : u32(at);

		if (!memcmp(low + table, signature, 4))
			return checked_table(table, signature);
	}
	return 0;
}

static void both_lists_say_the_same(void **state)
{
	(void)state;
	load(2, true);
	assert_int_equal(find_table("FACP", false), find_table("FACP", true));
	assert_int_equal(find_table("APIC", false), find_table("APIC", true));
	assert_int_not_equal(find_table("APIC", true), 0);
}

static void the_fadt_names_ports(void **state)
{
	uint64_t fadt, facs;

	(void)state;
	load(1, true);
	fadt = find_table("FACP", true);
	assert_int_equal(u32(fadt + 4), 244);
	assert_int_equal(u16(fadt + 46), 9);	 /* SCI */
	assert_int_equal(u32(fadt + 48), 0);	 /* SMI command: ACPI is on */
	assert_int_equal(u32(fadt + 56), 0x600); /* PM1a event */
	assert_int_equal(u32(fadt + 64), 0x604); /* PM1a control */
	assert_int_equal(u32(fadt + 76), 0x608); /* timer */
	assert_int_equal(u8(fadt + 88), 4);
	assert_int_equal(u8(fadt + 89), 2);
	assert_int_equal(u8(fadt + 91), 4);
	assert_int_equal(u8(fadt + 108), 0x32);
	assert_int_equal(u16(fadt + 109), 0x0b);
	assert_int_equal(u32(fadt + 112), 0x535);
	/* The reset register: I/O, 8 bits, 0xcf9, value 6. */
	assert_int_equal(u32(fadt + 116), 0x01000801);
	assert_int_equal(u64(fadt + 120), 0xcf9);
	assert_int_equal(u8(fadt + 128), 6);
	facs = u32(fadt + 36);
	assert_int_equal(facs % 64, 0);
	assert_memory_equal(low + facs, "FACS", 4);
	assert_int_equal(u32(facs + 4), 64);
	assert_int_equal(u32(fadt + 40), u64(fadt + 140));
	checked_table(u32(fadt + 40), "DSDT");
}

static void the_dsdt_says_how_to_power_off(void **state)
{
	static const uint8_t s5[] = {0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0};
	uint64_t dsdt;

	(void)state;
	load(1, true);
	dsdt = u32(find_table("FACP", true) + 40);
	assert_int_equal(u32(dsdt + 4), 36 + sizeof(s5));
	assert_memory_equal(low + dsdt + 36, s5, sizeof(s5));
}

/* Counts the MADT's entries of a type; *last is the last one. */
static unsigned madt_entries(uint8_t type, uint64_t *last)
{
	uint64_t madt = find_table("APIC", true), at = madt + 44, end = madt + u32(madt + 4);
	unsigned count = 0;

	assert_int_equal(u32(madt + 36), 0xfee00000);
	assert_int_equal(u32(madt + 40), 1);
	for (; at < end; at += u8(at + 1)) {
		assert_true(u8(at + 1) >= 2 && at + u8(at + 1) <= end);
		if (u8(at) != type)
			continue;
		*last = at;
		count++;
	}
	return count;
}

static void the_madt_lists_every_vcpu(void **state)
{
	static const unsigned counts[][3] = {
		{1, 1, 0}, {4, 4, 0}, {255, 255, 0}, {256, 255, 1}, {4096, 255, 3841}};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t last = 0;

		load(counts[i][0], true);
		assert_int_equal(madt_entries(0, &last), counts[i][1]);
		assert_int_equal(u8(last + 3), counts[i][1] - 1);
		assert_int_equal(u32(last + 4), 1);
		assert_int_equal(madt_entries(9, &last), counts[i][2]);
		if (counts[i][2])
			assert_int_equal(u32(last + 4), counts[i][0] - 1);
		if (i + 1 < sizeof(counts) / sizeof(counts[0]))
			boot_case_end(&the);
	}
}

static void the_madt_routes_the_timer_to_pin_2(void **state)
{
	uint64_t last = 0;

	(void)state;
	load(1, true);
	assert_int_equal(madt_entries(1, &last), 1);
	assert_int_equal(u8(last + 2), 0);
	assert_int_equal(u32(last + 4), 0xfec00000);
	assert_int_equal(u32(last + 8), 0);
	assert_int_equal(madt_entries(2, &last), 2);
	/* The second: the SCI, active high and by level. The first, 10 bytes before it: the timer. */
	assert_int_equal(u8(last + 3), 9);
	assert_int_equal(u32(last + 4), 9);
	assert_int_equal(u16(last + 8), 0xd);
	assert_int_equal(u8(last - 10 + 3), 0);
	assert_int_equal(u32(last - 10 + 4), 2);
	assert_int_equal(u16(last - 10 + 8), 0);
	assert_int_equal(madt_entries(4, &last), 1);
}

static void without_apics_there_is_no_madt(void **state)
{
	(void)state;
	load(1, false);
	assert_int_equal(find_table("APIC", true), 0);
	assert_int_not_equal(find_table("FACP", true), 0);
	assert_int_equal(scan(0xf0000, MIB, "_MP_"), 0);
}

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

		load(counts[i][0], true);
		assert_int_equal(mp_entries(0, &last), counts[i][1]);
		assert_int_equal(u8(last + 1), counts[i][1] - 1);
		assert_int_equal(u8(last + 3), counts[i][1] == 1 ? 3 : 1);
		if (i + 1 < sizeof(counts) / sizeof(counts[0]))
			boot_case_end(&the);
	}
}

static void the_mp_table_wires_interrupts(void **state)
{
	uint64_t last = 0, line;

	(void)state;
	load(2, true);
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
	load(1, true);
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
	boot_case_init(&the, image, sizeof(image));
	the.request.has_load = true;
	the.request.load = 0xe0000;
	the.request.vcpus = 4;
	the.request.apic = true;
	boot_case_loads(&the);
	assert_int_equal(boot_case_u32(&the.image, 0xe0000), 0xcccccccc);
	assert_int_equal(boot_case_u32(&the.image, 0xf0000), 0xcccccccc);
	boot_case_segment(&the.image, "BIOS data area");
}

static void without_vcpus_there_are_none(void **state)
{
	(void)state;
	load(0, true);
	assert_int_equal(the.image.segment_count, 1);
}

/* ---- a second opinion ---------------------------------------------------------------------------- */

static void dump(const char *folder, const char *name, uint64_t at)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(low + at, 1, u32(at + 4), f), u32(at + 4));
	fclose(f);
}

/* iasl takes a table apart, puts it together again, with its own name in the header, and complains of what is
 * wrong in it. */
static void iasl_finds_nothing_wrong(void **state)
{
	char folder[] = "/tmp/vitrine-acpi-XXXXXX", command[1024];

	(void)state;
	load(3, true);
	if (system("iasl -v >/dev/null 2>&1")) {
		print_message("# SKIP needs iasl (acpica-tools)\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	dump(folder, "facp", find_table("FACP", true));
	dump(folder, "apic", find_table("APIC", true));
	dump(folder, "dsdt", u32(find_table("FACP", true) + 40));
	snprintf(command, sizeof(command),
		 "cd %s && for t in facp apic dsdt; do iasl -d $t.dat && iasl -we -p again $t.dsl "
		 "&& "
		 "cmp -i 36 $t.dat again.aml || exit 1; done >log 2>&1 || { cat log; exit 1; }",
		 folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(both_lists_say_the_same, teardown),
		cmocka_unit_test_teardown(the_fadt_names_ports, teardown),
		cmocka_unit_test_teardown(the_dsdt_says_how_to_power_off, teardown),
		cmocka_unit_test_teardown(the_madt_lists_every_vcpu, teardown),
		cmocka_unit_test_teardown(the_madt_routes_the_timer_to_pin_2, teardown),
		cmocka_unit_test_teardown(without_apics_there_is_no_madt, teardown),
		cmocka_unit_test_teardown(the_mp_table_lists_vcpus, teardown),
		cmocka_unit_test_teardown(the_mp_table_wires_interrupts, teardown),
		cmocka_unit_test_teardown(the_bios_data_area, teardown),
		cmocka_unit_test_teardown(an_image_in_their_place_is_left_alone, teardown),
		cmocka_unit_test_teardown(without_vcpus_there_are_none, teardown),
		cmocka_unit_test_teardown(iasl_finds_nothing_wrong, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
