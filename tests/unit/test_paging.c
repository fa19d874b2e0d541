// SPDX-License-Identifier: GPL-3.0-or-later
/* The page walk: every paging mode, every page size, every fault, over tables in an array. */
#include "paging_case.h"
#include "x86/paging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void put32(uint64_t table, unsigned index, uint32_t entry)
{
	memcpy(ram + table + 4 * (size_t)index, &entry, sizeof(entry));
}

static const struct paging_regs bits32 = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT};

static const struct paging_regs pse = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PSE};

static const struct paging_regs pae = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PAE};

/* ---- no paging ---------------------------------------------------------------------------------- */

static void unpaged_addresses_are_physical(void **unused)
{
	static const struct paging_regs real = {.cr3 = ROOT};
	static const struct paging_regs protected = {.cr0 = CR0_PE, .cr3 = ROOT, .cr4 = CR4_PAE};
	struct paging_walk result;

	(void)unused;
	expect_gpa(&real, 0x7c00, 0x7c00, 4096);
	result = expect_gpa(&protected, 0xffffffff, 0xffffffff, 4096);
	assert_int_equal(result.levels, 0);
	expect_rights(&result, true, true, true);
	assert_false(result.global);
	expect_fault(&protected, 1ull << 32, PAGING_NOT_CANONICAL, 0);
	assert_int_equal(reads, 0);
}

/* ---- 32-bit ------------------------------------------------------------------------------------- */

static void bits32_maps_4k(void **unused)
{
	struct paging_walk result;

	(void)unused;
	put32(ROOT, 0x200, 0x2000 | P | W | U);
	put32(0x2000, 0x3ff, 0xabcde000 | P | U);
	result = expect_gpa(&bits32, 0x803ff123, 0xabcde123, 4096);
	assert_int_equal(result.levels, 2);
	expect_level(&result, 0, "PD", 0x200, ROOT + 0x800, 0x2000 | P | W | U);
	expect_level(&result, 1, "PT", 0x3ff, 0x2ffc, 0xabcde000 | P | U);
	assert_int_equal(result.level[0].entry_bytes, 4);
	expect_rights(&result, false, true, true);
}

static void bits32_ignores_cr3_low_bits(void **unused)
{
	struct paging_regs regs = bits32;

	(void)unused;
	regs.cr3 = ROOT | 0x18;
	put32(ROOT, 0, 0x2000 | P);
	put32(0x2000, 1, 0x5000 | P);
	expect_gpa(&regs, 0x1000, 0x5000, 4096);
}

static void bits32_ps_needs_cr4_pse(void **unused)
{
	(void)unused;
	put32(ROOT, 1, 0x2000 | PS | P);
	put32(0x2000, 0, 0x7000 | P);
	expect_gpa(&bits32, 0x400000, 0x7000, 4096);
	expect_gpa(&pse, 0x400123, 0x123 | 1ull << 32, 4 << 20);
}

static void pse_maps_4m(void **unused)
{
	struct paging_walk result;

	(void)unused;
	put32(ROOT, 3, 0xc0400000 | PS | P | W);
	result = expect_gpa(&pse, 0xfedcba, 0xc07edcba, 4 << 20);
	assert_int_equal(result.levels, 1);
	expect_rights(&result, true, false, true);
}

static void pse36_reaches_above_4g(void **unused)
{
	(void)unused;
	put32(ROOT, 0, 0x12c00000 | 0xa5 << 13 | 0x1000 | PS | P);
	expect_gpa(&pse, 0x3fffff, 0xa512ffffff, 4 << 20);
}

static void bits32_faults(void **unused)
{
	struct paging_walk result;

	(void)unused;
	expect_fault(&bits32, 0, PAGING_NOT_PRESENT, 1);
	put32(ROOT, 0, 0x2000 | P);
	put32(0x2000, 0, 0x5000);
	result = expect_fault(&bits32, 0, PAGING_NOT_PRESENT, 2);
	assert_int_equal(result.level[1].entry, 0x5000);
	put32(ROOT, 1, RAM_SIZE | P);
	result = expect_fault(&bits32, 0x402000, PAGING_NO_TABLE, 2);
	expect_level(&result, 1, "PT", 2, RAM_SIZE + 8, 0);
	put32(ROOT, 2, 1 << 21 | PS | P);
	expect_fault(&pse, 0x800000, PAGING_RESERVED, 1);
	expect_fault(&bits32, 1ull << 32, PAGING_NOT_CANONICAL, 0);
}

static void root_outside_ram(void **unused)
{
	struct paging_regs regs = bits32;

	(void)unused;
	regs.cr3 = 0xfffff000;
	expect_fault(&regs, 0, PAGING_NO_TABLE, 1);
	regs = level4;
	regs.cr3 = 0xffffffffff000;
	expect_fault(&regs, 0, PAGING_NO_TABLE, 1);
}

/* ---- PAE ---------------------------------------------------------------------------------------- */

static void pae_maps_4k(void **unused)
{
	struct paging_walk result;

	(void)unused;
	put_entry(ROOT, 3, 0x2000 | P);
	put_entry(0x2000, 0x1ff, 0x3000 | P | W | U);
	put_entry(0x3000, 0x1fe, 0xf00dbeef000 | P | W | U);
	result = expect_gpa(&pae, 0xffffe321, 0xf00dbeef321, 4096);
	assert_int_equal(result.levels, 3);
	expect_level(&result, 0, "PDPT", 3, ROOT + 24, 0x2000 | P);
	expect_level(&result, 1, "PD", 0x1ff, 0x2ff8, 0x3000 | P | W | U);
	expect_level(&result, 2, "PT", 0x1fe, 0x3ff0, 0xf00dbeef000 | P | W | U);
	/* A PDPT entry has no right bits, and takes none away. */
	expect_rights(&result, true, true, true);
}

static void pae_root_is_aligned_to_32_bytes(void **unused)
{
	struct paging_regs regs = pae;

	(void)unused;
	regs.cr3 = 0x1fe0 | 0x1f;
	put_entry(0x1fe0, 0, 0x2000 | P);
	put_entry(0x2000, 0, 0x200000 | PS | P);
	expect_gpa(&regs, 0x1234, 0x201234, 2 << 20);
}

static void pae_maps_2m(void **unused)
{
	struct paging_regs regs = pae;
	struct paging_walk result;

	(void)unused;
	regs.efer = EFER_NXE;
	put_entry(ROOT, 1, 0x2000 | P);
	put_entry(0x2000, 2, XD | 0x1234200000 | 0x1000 | PS | P | W);
	result = expect_gpa(&regs, 0x40400000 | 0x1fffff, 0x12343fffff, 2 << 20);
	expect_rights(&result, true, false, false);
}

static void pae_reserved_bits(void **unused)
{
	static const uint64_t pdpt[] = {1 << 1, 1 << 2, 1 << 5, 1 << 8, 1ull << 52, XD};
	static const uint64_t pde[] = {1 << 13, 1 << 20, 1ull << 52, 1ull << 62, XD};

	(void)unused;
	for (unsigned i = 0; i < sizeof(pdpt) / sizeof(pdpt[0]); i++) {
		put_entry(ROOT, 0, 0x2000 | P | pdpt[i]);
		expect_fault(&pae, 0, PAGING_RESERVED, 1);
	}
	put_entry(ROOT, 0, 0x2000 | P);
	for (unsigned i = 0; i < sizeof(pde) / sizeof(pde[0]); i++) {
		put_entry(0x2000, 0, PS | P | pde[i]);
		expect_fault(&pae, 0, PAGING_RESERVED, 2);
	}
	put_entry(0x2000, 0, 0x3000 | P);
	put_entry(0x3000, 0, 1ull << 62 | P);
	expect_fault(&pae, 0, PAGING_RESERVED, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(unpaged_addresses_are_physical, clear),
		cmocka_unit_test_setup(bits32_maps_4k, clear),
		cmocka_unit_test_setup(bits32_ignores_cr3_low_bits, clear),
		cmocka_unit_test_setup(bits32_ps_needs_cr4_pse, clear),
		cmocka_unit_test_setup(pse_maps_4m, clear),
		cmocka_unit_test_setup(pse36_reaches_above_4g, clear),
		cmocka_unit_test_setup(bits32_faults, clear),
		cmocka_unit_test_setup(root_outside_ram, clear),
		cmocka_unit_test_setup(pae_maps_4k, clear),
		cmocka_unit_test_setup(pae_root_is_aligned_to_32_bytes, clear),
		cmocka_unit_test_setup(pae_maps_2m, clear),
		cmocka_unit_test_setup(pae_reserved_bits, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
