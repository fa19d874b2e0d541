// SPDX-License-Identifier: GPL-3.0-or-later
/* Page tables of four and five levels. */
#include "paging_case.h"
#include "x86/paging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define G 0x100ull

static const struct paging_regs level5 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE | CR4_LA57,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};

#define HIGH 0xffffffff80101a34

/* PML4[511] → PDPT[510] → PD[0] → PT[0x101]. */
static void build_high(uint64_t pte)
{
	put_entry(ROOT, 511, 0x2000 | P | W | U);
	put_entry(0x2000, 510, 0x3000 | P | W | U);
	put_entry(0x3000, 0, 0x4000 | P | W | U);
	put_entry(0x4000, 0x101, pte);
}

static void level4_maps_4k(void **unused)
{
	struct paging_walk result;

	(void)unused;
	build_high(0x7b000 | G | P | W | U);
	result = expect_gpa(&level4, HIGH, 0x7ba34, 4096);
	assert_int_equal(result.levels, 4);
	expect_level(&result, 0, "PML4", 511, ROOT + 0xff8, 0x2000 | P | W | U);
	expect_level(&result, 1, "PDPT", 510, 0x2ff0, 0x3000 | P | W | U);
	expect_level(&result, 2, "PD", 0, 0x3000, 0x4000 | P | W | U);
	expect_level(&result, 3, "PT", 0x101, 0x4808, 0x7b000 | G | P | W | U);
	assert_int_equal(result.level[3].entry_bytes, 8);
	expect_rights(&result, true, true, true);
	assert_true(result.global);
	assert_int_equal(reads, 4);
}

static void rights_are_those_of_all_levels(void **unused)
{
	struct paging_walk result;

	(void)unused;
	build_high(0x7b000 | P | W | U);
	put_entry(0x2000, 510, 0x3000 | P | U);
	result = walk(&level4, HIGH);
	expect_rights(&result, false, true, true);
	put_entry(0x3000, 0, 0x4000 | P | W);
	result = walk(&level4, HIGH);
	expect_rights(&result, false, false, true);
	put_entry(ROOT, 511, XD | 0x2000 | P | W | U);
	result = walk(&level4, HIGH);
	expect_rights(&result, false, false, false);
}

static void global_needs_cr4_pge(void **unused)
{
	struct paging_regs regs = level4;

	(void)unused;
	build_high(0x7b000 | G | P);
	assert_true(walk(&regs, HIGH).global);
	regs.cr4 &= ~CR4_PGE;
	assert_false(walk(&regs, HIGH).global);
}

static void level4_maps_2m_and_1g(void **unused)
{
	struct paging_walk result;

	(void)unused;
	put_entry(ROOT, 0, 0x2000 | P | W);
	put_entry(0x2000, 0, 0x3000 | P | W);
	put_entry(0x3000, 5, 0xfffffffe00000 | 0x1000 | PS | G | P | W);
	result = expect_gpa(&level4, 0xa00000 | 0x1fffff, 0xfffffffffffff, 2 << 20);
	assert_int_equal(result.levels, 3);
	assert_true(result.global);
	put_entry(0x2000, 7, 0x80000000 | 0x1000 | PS | P);
	result = expect_gpa(&level4, 7ull << 30 | 0x3fffffff, 0xbfffffff, 1 << 30);
	assert_int_equal(result.levels, 2);
	expect_rights(&result, false, false, true);
}

static void level4_reserved_bits(void **unused)
{
	(void)unused;
	put_entry(ROOT, 0, 0x2000 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 1);
	put_entry(ROOT, 0, 0x2000 | P);
	put_entry(0x2000, 0, 1 << 13 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 2);
	put_entry(0x2000, 0, 1 << 29 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 2);
	put_entry(0x2000, 0, 0x3000 | P);
	put_entry(0x3000, 0, 1 << 20 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 3);
	/* Bits 52 … 62 are the guest's own; a small page may set bit 7, its PAT bit. */
	put_entry(0x3000, 0, 0x7ffull << 52 | 0x4000 | P);
	put_entry(0x4000, 0, 0x7ffull << 52 | 0x5000 | PS | P);
	expect_gpa(&level4, 0, 0x5000, 4096);
}

static void xd_needs_efer_nxe(void **unused)
{
	struct paging_regs regs = level4;

	(void)unused;
	build_high(XD | 0x7b000 | P);
	assert_false(walk(&regs, HIGH).exec);
	regs.efer &= ~EFER_NXE;
	expect_fault(&regs, HIGH, PAGING_RESERVED, 4);
}

static void width_of_physical_addresses(void **unused)
{
	struct paging_regs regs = level4;

	(void)unused;
	build_high(1ull << 51 | P);
	expect_gpa(&regs, HIGH, 1ull << 51 | 0xa34, 4096);
	regs.phys_bits = 51;
	expect_fault(&regs, HIGH, PAGING_RESERVED, 4);
	build_high(1ull << 36 | P);
	expect_gpa(&regs, HIGH, 1ull << 36 | 0xa34, 4096);
	regs.phys_bits = 36;
	expect_fault(&regs, HIGH, PAGING_RESERVED, 4);
}

static void level4_canonical(void **unused)
{
	(void)unused;
	expect_fault(&level4, 0x0000800000000000, PAGING_NOT_CANONICAL, 0);
	expect_fault(&level4, 0xffff7fffffffffff, PAGING_NOT_CANONICAL, 0);
	assert_int_equal(reads, 0);
	expect_fault(&level4, 0x00007fffffffffff, PAGING_NOT_PRESENT, 1);
	expect_fault(&level4, 0xffff800000000000, PAGING_NOT_PRESENT, 1);
	expect_fault(&level5, 0x0000800000000000, PAGING_NOT_PRESENT, 1);
}

static void level5_maps_4k(void **unused)
{
	static const char *const names[] = {"PML5", "PML4", "PDPT", "PD", "PT"};
	struct paging_walk result;

	(void)unused;
	for (unsigned i = 0; i < 5; i++)
		put_entry(ROOT + 0x1000 * (uint64_t)i, 256 + i,
			  (0x2000 + 0x1000 * (uint64_t)i) | P | U);
	result = expect_gpa(&level5,
			    0xfeull << 56 | 1ull << 56 | 257ull << 39 | 258ull << 30 |
				    259ull << 21 | 260ull << 12 | 0x777,
			    0x6777, 4096);
	assert_int_equal(result.levels, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_string_equal(result.level[i].name, names[i]);
		assert_int_equal(result.level[i].index, 256 + i);
	}
	expect_rights(&result, false, true, true);
	put_entry(ROOT, 256, 0x2000 | PS | P);
	expect_fault(&level5, 0xffull << 56, PAGING_RESERVED, 1);
}

static void level5_canonical(void **unused)
{
	(void)unused;
	expect_fault(&level5, 1ull << 56, PAGING_NOT_CANONICAL, 0);
	expect_fault(&level5, ~(1ull << 56), PAGING_NOT_CANONICAL, 0);
	expect_fault(&level5, (1ull << 56) - 1, PAGING_NOT_PRESENT, 1);
}

static void tables_are_only_read(void **unused)
{
	uint8_t *before = malloc(RAM_SIZE);

	(void)unused;
	assert_non_null(before);
	build_high(0x7b000 | P | W | U);
	memcpy(before, ram, RAM_SIZE);
	expect_gpa(&level4, HIGH, 0x7ba34, 4096);
	assert_memory_equal(before, ram, RAM_SIZE);
	free(before);
}

static void faults_have_names(void **unused)
{
	(void)unused;
	assert_string_equal(paging_fault_name(PAGING_NOT_PRESENT), "not present");
	for (unsigned i = 0; i <= PAGING_NO_TABLE; i++) {
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(paging_fault_name(i), paging_fault_name(j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(level4_maps_4k, clear),
		cmocka_unit_test_setup(rights_are_those_of_all_levels, clear),
		cmocka_unit_test_setup(global_needs_cr4_pge, clear),
		cmocka_unit_test_setup(level4_maps_2m_and_1g, clear),
		cmocka_unit_test_setup(level4_reserved_bits, clear),
		cmocka_unit_test_setup(xd_needs_efer_nxe, clear),
		cmocka_unit_test_setup(width_of_physical_addresses, clear),
		cmocka_unit_test_setup(level4_canonical, clear),
		cmocka_unit_test_setup(level5_maps_4k, clear),
		cmocka_unit_test_setup(level5_canonical, clear),
		cmocka_unit_test_setup(tables_are_only_read, clear),
		cmocka_unit_test(faults_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
