// SPDX-License-Identifier: GPL-3.0-or-later
/* ACPI and MP tables, read as a kernel reads them: found by a scan, followed, added up. */
#include "boot_case.h"
#include "firmware_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t u64(uint64_t at)
{
	return u32(at) | (uint64_t)u32(at + 4) << 32;
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
	tables_load(2, true);
	assert_int_equal(find_table("FACP", false), find_table("FACP", true));
	assert_int_equal(find_table("APIC", false), find_table("APIC", true));
	assert_int_not_equal(find_table("APIC", true), 0);
}

static void the_fadt_names_ports(void **state)
{
	uint64_t fadt, facs;

	(void)state;
	tables_load(1, true);
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
	tables_load(1, true);
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

		tables_load(counts[i][0], true);
		assert_int_equal(madt_entries(0, &last), counts[i][1]);
		assert_int_equal(u8(last + 3), counts[i][1] - 1);
		assert_int_equal(u32(last + 4), 1);
		assert_int_equal(madt_entries(9, &last), counts[i][2]);
		if (counts[i][2])
			assert_int_equal(u32(last + 4), counts[i][0] - 1);
		if (i + 1 < sizeof(counts) / sizeof(counts[0]))
			boot_case_end(&booted);
	}
}

static void the_madt_routes_the_timer_to_pin_2(void **state)
{
	uint64_t last = 0;

	(void)state;
	tables_load(1, true);
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
	tables_load(1, false);
	assert_int_equal(find_table("APIC", true), 0);
	assert_int_not_equal(find_table("FACP", true), 0);
	assert_int_equal(scan(0xf0000, MIB, "_MP_"), 0);
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
	tables_load(3, true);
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
		cmocka_unit_test_teardown(both_lists_say_the_same, tables_teardown),
		cmocka_unit_test_teardown(the_fadt_names_ports, tables_teardown),
		cmocka_unit_test_teardown(the_dsdt_says_how_to_power_off, tables_teardown),
		cmocka_unit_test_teardown(the_madt_lists_every_vcpu, tables_teardown),
		cmocka_unit_test_teardown(the_madt_routes_the_timer_to_pin_2, tables_teardown),
		cmocka_unit_test_teardown(without_apics_there_is_no_madt, tables_teardown),
		cmocka_unit_test_teardown(iasl_finds_nothing_wrong, tables_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
