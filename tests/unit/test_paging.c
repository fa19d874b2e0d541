// SPDX-License-Identifier: GPL-3.0-or-later
/* The page walk: every paging mode, every page size, every fault, over tables in an array. */
#include "x86/paging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE 0x10000
#define ROOT	 0x1000

#define P	 1ull
#define W	 2ull
#define U	 4ull
#define PS	 0x80ull
#define G	 0x100ull
#define XD	 (1ull << 63)

static uint8_t ram[RAM_SIZE];
static unsigned reads;

static size_t read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	uint8_t *memory = ctx;

	reads++;
	if (gpa >= RAM_SIZE)
		return 0;
	if (len > RAM_SIZE - gpa)
		len = RAM_SIZE - gpa;
	memcpy(buf, memory + gpa, len);
	return len;
}

static int clear(void **unused)
{
	(void)unused;
	memset(ram, 0, sizeof(ram));
	reads = 0;
	return 0;
}

static void put32(uint64_t table, unsigned index, uint32_t entry)
{
	memcpy(ram + table + 4 * (size_t)index, &entry, sizeof(entry));
}

static void put64(uint64_t table, unsigned index, uint64_t entry)
{
	memcpy(ram + table + 8 * (size_t)index, &entry, sizeof(entry));
}

static const struct paging_regs bits32 = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT};
static const struct paging_regs pse = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PSE};
static const struct paging_regs pae = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PAE};
static const struct paging_regs level4 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};
static const struct paging_regs level5 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE | CR4_LA57,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};

static struct paging_walk walk(const struct paging_regs *regs, uint64_t linear)
{
	struct paging_walk result;
	enum paging_fault fault;

	memset(&result, 0xee, sizeof(result));
	fault = paging_walk(regs, linear, read_ram, ram, &result);
	assert_int_equal(result.fault, fault);
	return result;
}

static struct paging_walk expect_gpa(const struct paging_regs *regs, uint64_t linear, uint64_t gpa,
				     uint64_t page_size)
{
	struct paging_walk result = walk(regs, linear);

	assert_int_equal(result.fault, PAGING_OK);
	assert_int_equal(result.gpa, gpa);
	assert_int_equal(result.page_size, page_size);
	return result;
}

static struct paging_walk expect_fault(const struct paging_regs *regs, uint64_t linear,
				       enum paging_fault fault, unsigned levels)
{
	struct paging_walk result = walk(regs, linear);

	assert_int_equal(result.fault, fault);
	assert_int_equal(result.levels, levels);
	return result;
}

static void expect_level(const struct paging_walk *result, unsigned i, const char *name,
			 unsigned index, uint64_t entry_gpa, uint64_t entry)
{
	assert_true(i < result->levels);
	assert_string_equal(result->level[i].name, name);
	assert_int_equal(result->level[i].index, index);
	assert_int_equal(result->level[i].entry_gpa, entry_gpa);
	assert_int_equal(result->level[i].entry, entry);
}

static void expect_rights(const struct paging_walk *result, bool write, bool user, bool exec)
{
	assert_int_equal(result->write, write);
	assert_int_equal(result->user, user);
	assert_int_equal(result->exec, exec);
}

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
	put64(ROOT, 3, 0x2000 | P);
	put64(0x2000, 0x1ff, 0x3000 | P | W | U);
	put64(0x3000, 0x1fe, 0xf00dbeef000 | P | W | U);
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
	put64(0x1fe0, 0, 0x2000 | P);
	put64(0x2000, 0, 0x200000 | PS | P);
	expect_gpa(&regs, 0x1234, 0x201234, 2 << 20);
}

static void pae_maps_2m(void **unused)
{
	struct paging_regs regs = pae;
	struct paging_walk result;

	(void)unused;
	regs.efer = EFER_NXE;
	put64(ROOT, 1, 0x2000 | P);
	put64(0x2000, 2, XD | 0x1234200000 | 0x1000 | PS | P | W);
	result = expect_gpa(&regs, 0x40400000 | 0x1fffff, 0x12343fffff, 2 << 20);
	expect_rights(&result, true, false, false);
}

static void pae_reserved_bits(void **unused)
{
	static const uint64_t pdpt[] = {1 << 1, 1 << 2, 1 << 5, 1 << 8, 1ull << 52, XD};
	static const uint64_t pde[] = {1 << 13, 1 << 20, 1ull << 52, 1ull << 62, XD};

	(void)unused;
	for (unsigned i = 0; i < sizeof(pdpt) / sizeof(pdpt[0]); i++) {
		put64(ROOT, 0, 0x2000 | P | pdpt[i]);
		expect_fault(&pae, 0, PAGING_RESERVED, 1);
	}
	put64(ROOT, 0, 0x2000 | P);
	for (unsigned i = 0; i < sizeof(pde) / sizeof(pde[0]); i++) {
		put64(0x2000, 0, PS | P | pde[i]);
		expect_fault(&pae, 0, PAGING_RESERVED, 2);
	}
	put64(0x2000, 0, 0x3000 | P);
	put64(0x3000, 0, 1ull << 62 | P);
	expect_fault(&pae, 0, PAGING_RESERVED, 3);
}

/* ---- 4 and 5 levels ------------------------------------------------------------------------------ */

#define HIGH 0xffffffff80101a34

/* PML4[511] → PDPT[510] → PD[0] → PT[0x101]. */
static void build_high(uint64_t pte)
{
	put64(ROOT, 511, 0x2000 | P | W | U);
	put64(0x2000, 510, 0x3000 | P | W | U);
	put64(0x3000, 0, 0x4000 | P | W | U);
	put64(0x4000, 0x101, pte);
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
	put64(0x2000, 510, 0x3000 | P | U);
	result = walk(&level4, HIGH);
	expect_rights(&result, false, true, true);
	put64(0x3000, 0, 0x4000 | P | W);
	result = walk(&level4, HIGH);
	expect_rights(&result, false, false, true);
	put64(ROOT, 511, XD | 0x2000 | P | W | U);
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
	put64(ROOT, 0, 0x2000 | P | W);
	put64(0x2000, 0, 0x3000 | P | W);
	put64(0x3000, 5, 0xfffffffe00000 | 0x1000 | PS | G | P | W);
	result = expect_gpa(&level4, 0xa00000 | 0x1fffff, 0xfffffffffffff, 2 << 20);
	assert_int_equal(result.levels, 3);
	assert_true(result.global);
	put64(0x2000, 7, 0x80000000 | 0x1000 | PS | P);
	result = expect_gpa(&level4, 7ull << 30 | 0x3fffffff, 0xbfffffff, 1 << 30);
	assert_int_equal(result.levels, 2);
	expect_rights(&result, false, false, true);
}

static void level4_reserved_bits(void **unused)
{
	(void)unused;
	put64(ROOT, 0, 0x2000 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 1);
	put64(ROOT, 0, 0x2000 | P);
	put64(0x2000, 0, 1 << 13 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 2);
	put64(0x2000, 0, 1 << 29 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 2);
	put64(0x2000, 0, 0x3000 | P);
	put64(0x3000, 0, 1 << 20 | PS | P);
	expect_fault(&level4, 0, PAGING_RESERVED, 3);
	/* Bits 52 … 62 are the guest's own; a small page may set bit 7, its PAT bit. */
	put64(0x3000, 0, 0x7ffull << 52 | 0x4000 | P);
	put64(0x4000, 0, 0x7ffull << 52 | 0x5000 | PS | P);
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
		put64(ROOT + 0x1000 * (uint64_t)i, 256 + i,
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
	put64(ROOT, 256, 0x2000 | PS | P);
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
