// SPDX-License-Identifier: GPL-3.0-or-later
/* Scans of whole address spaces, and what a walk says of the addresses around. */
#include "x86/paging_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE 0x10000
#define ROOT	 0x1000
#define LOWER	 0x800000000000ull
#define UPPER	 0xffff800000000000ull

#define P	 1ull
#define W	 2ull
#define U	 4ull
#define PS	 0x80ull
#define G	 0x100ull
#define XD	 (1ull << 63)

static uint8_t ram[RAM_SIZE];
static uint64_t ram_end = RAM_SIZE;
static struct paging_scan scan;

static size_t read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	if (gpa >= ram_end)
		return 0;
	if (len > ram_end - gpa)
		len = ram_end - gpa;
	memcpy(buf, ram + gpa, len);
	return len;
}

static int clear(void **unused)
{
	(void)unused;
	memset(ram, 0, sizeof(ram));
	ram_end = RAM_SIZE;
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

static const struct paging_regs unpaged = {.cr0 = CR0_PE};
static const struct paging_regs bits32 = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PSE};
static const struct paging_regs pae = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PAE};
static const struct paging_regs level4 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};
static const struct paging_regs level5 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE | CR4_LA57,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};

static void start(const struct paging_regs *regs, uint64_t from)
{
	paging_scan_start(&scan, regs, from, read_ram, NULL);
}

static struct page_range expect_range(uint64_t linear, uint64_t size, uint64_t gpa)
{
	struct page_range range;

	assert_int_equal(paging_scan_next(&scan, &range), SCAN_RANGE);
	assert_int_equal(range.linear, linear);
	assert_int_equal(range.size, size);
	assert_int_equal(range.gpa, gpa);
	return range;
}

static void expect_end(void)
{
	struct page_range range;

	assert_int_equal(paging_scan_next(&scan, &range), SCAN_END);
	assert_int_equal(paging_scan_next(&scan, &range), SCAN_END);
}

static void expect_rights(const struct page_range *range, const char *rights)
{
	assert_int_equal(range->write, !!strchr(rights, 'w'));
	assert_int_equal(range->user, !!strchr(rights, 'u'));
	assert_int_equal(range->exec, !!strchr(rights, 'x'));
	assert_int_equal(range->global, !!strchr(rights, 'g'));
}

/* The tables of one path down to a PT at 0x4000, for linear addresses from base on. */
static void path(uint64_t base)
{
	put64(ROOT, base >> 39 & 511, 0x2000 | P | W | U);
	put64(0x2000, base >> 30 & 511, 0x3000 | P | W | U);
	put64(0x3000, base >> 21 & 511, 0x4000 | P | W | U);
}

static void what_fares_alike(void **unused)
{
	struct paging_walk walk;

	(void)unused;
	path(0);
	put64(0x4000, 1, 0x8000 | P);
	put64(0x3000, 1, 0x200000 | P | PS);
	assert_int_equal(paging_walk(&level4, 0x1234, read_ram, NULL, &walk), PAGING_OK);
	assert_int_equal(walk.span, 0x1000);
	assert_int_equal(paging_walk(&level4, 0x2234, read_ram, NULL, &walk), PAGING_NOT_PRESENT);
	assert_int_equal(walk.span, 0x1000);
	paging_walk(&level4, 0x212345, read_ram, NULL, &walk);
	assert_int_equal(walk.span, 0x200000);
	paging_walk(&level4, 0x40000000, read_ram, NULL, &walk);
	assert_int_equal(walk.span, 0x40000000);
	paging_walk(&level4, 0x8000000000, read_ram, NULL, &walk);
	assert_int_equal(walk.span, 0x8000000000);
	assert_int_equal(paging_walk(&level4, LOWER, read_ram, NULL, &walk), PAGING_NOT_CANONICAL);
	assert_int_equal(LOWER + walk.span, UPPER);
	assert_int_equal(paging_walk(&level5, UPPER, read_ram, NULL, &walk), PAGING_NOT_PRESENT);
	assert_int_equal(walk.span, 1ull << 48);
	assert_int_equal(paging_walk(&pae, 1ull << 32, read_ram, NULL, &walk),
			 PAGING_NOT_CANONICAL);
	assert_int_equal(walk.span, 0);
	paging_walk(&unpaged, 0x1234, read_ram, NULL, &walk);
	assert_int_equal(walk.span, 1ull << 32);
}

static void without_paging(void **unused)
{
	struct page_range range;

	(void)unused;
	start(&unpaged, 0);
	range = expect_range(0, 1ull << 32, 0);
	expect_rights(&range, "wux");
	expect_end();
	start(&unpaged, 0x1234);
	expect_range(0x1234, 0xffffedcc, 0x1234);
	expect_end();
	start(&unpaged, 1ull << 32);
	expect_end();
}

static void nothing_mapped(void **unused)
{
	(void)unused;
	start(&level4, 0);
	expect_end();
	assert_true(PAGING_SCAN_WALKS - scan.walks <= 513);
	start(&level5, 0);
	expect_end();
	start(&bits32, 0);
	expect_end();
	start(&pae, 0);
	expect_end();
}

static void pages_that_are_alike_are_one_range(void **unused)
{
	struct page_range range;

	(void)unused;
	path(UPPER);
	for (unsigned i = 0; i < 8; i++)
		put64(0x4000, i, (0x8000 + 0x1000 * i) | P | W);
	put64(0x4000, 5, 0xd000 | P);		   /* read-only */
	put64(0x4000, 7, 0xe000 | P | W);	   /* elsewhere */
	put64(0x4000, 9, 0x9000 | P | W | G | XD); /* behind a hole */
	start(&level4, 0);
	range = expect_range(UPPER, 0x5000, 0x8000);
	expect_rights(&range, "wx");
	assert_int_equal(range.page_size, 4096);
	range = expect_range(UPPER + 0x5000, 0x1000, 0xd000);
	expect_rights(&range, "x");
	expect_range(UPPER + 0x6000, 0x1000, 0xe000);
	expect_range(UPPER + 0x7000, 0x1000, 0xe000);
	range = expect_range(UPPER + 0x9000, 0x1000, 0x9000);
	expect_rights(&range, "wg");
	expect_end();
}

static void by_rights_alone(void **unused)
{
	struct page_range range;

	(void)unused;
	path(0x40000000);
	for (unsigned i = 0; i < 512; i++)
		put64(0x4000, i, 0x8000 | P | W);
	put64(0x3000, 1, 0x400000 | P | W | U | PS);
	put64(0x4000, 511, 0x9000 | P | W | U);
	start(&level4, 0);
	scan.by_rights = true;
	range = expect_range(0x40000000, 511 * 4096, 0x8000);
	expect_rights(&range, "wx");
	range = expect_range(0x40000000 + 511 * 4096, 0x201000, 0x9000);
	expect_rights(&range, "wux");
	assert_int_equal(range.page_size, 4096);
	expect_end();
}

static void from_the_middle(void **unused)
{
	(void)unused;
	path(0);
	put64(0x3000, 1, 0x600000 | P | PS);
	put64(0x3000, 2, 0x800000 | P | PS);
	start(&level4, 0x212345);
	expect_range(0x212345, 0x3edcbb, 0x612345);
	expect_end();
}

static void up_to_the_last_address(void **unused)
{
	(void)unused;
	put64(ROOT, 511, 0x2000 | P | W);
	put64(0x2000, 511, 0x40000000 | P | PS);
	start(&level4, 0);
	expect_range(0xffffffffc0000000, 0x40000000, 0x40000000);
	expect_end();
	start(&level4, ~0ull);
	expect_range(~0ull, 1, 0x7fffffff);
	expect_end();
}

static void from_an_address_that_does_not_exist(void **unused)
{
	(void)unused;
	put64(ROOT, 256, 0x2000 | P);
	put64(0x2000, 0, 0 | P | PS);
	start(&level4, LOWER + 5);
	expect_range(UPPER, 0x40000000, 0);
	expect_end();
}

static void five_levels(void **unused)
{
	(void)unused;
	put64(ROOT, 256, 0x2000 | P);
	put64(0x2000, 1, 0x3000 | P);
	put64(0x3000, 0, 0x40000000 | P | PS);
	start(&level5, 0);
	expect_range(0xff00008000000000, 0x40000000, 0x40000000);
	expect_end();
}

static void two_levels(void **unused)
{
	struct page_range range;

	(void)unused;
	put32(ROOT, 1, 0x2000 | P | W | U);
	put32(ROOT, 1023, 0xc00000 | P | W | PS);
	put32(0x2000, 1023, 0x5000 | P | U);
	start(&bits32, 0);
	range = expect_range(0x7ff000, 0x1000, 0x5000);
	expect_rights(&range, "ux");
	range = expect_range(0xffc00000, 0x400000, 0xc00000);
	assert_int_equal(range.page_size, 0x400000);
	expect_end();
}

static void three_levels(void **unused)
{
	(void)unused;
	put64(ROOT, 3, 0x2000 | P);
	put64(0x2000, 511, 0x200000 | P | PS);
	start(&pae, 0);
	expect_range(0xffe00000, 0x200000, 0x200000);
	expect_end();
}

static void entries_that_no_access_survives(void **unused)
{
	struct page_range range;

	(void)unused;
	path(0);
	put64(0x3000, 1, 0x202000 | P | PS);	   /* a reserved bit of the address */
	put64(0x3000, 2, 0x203000 | P | PS);	   /* and once more */
	put64(0x3000, 3, 0x123456000 | P);	   /* a table outside RAM */
	put64(0x2000, 1, 0x40000000 | P | W | PS); /* a good one */
	start(&level4, 0);
	range = expect_range(0x200000, 0x400000, 0);
	assert_int_equal(range.fault, PAGING_RESERVED);
	range = expect_range(0x600000, 0x200000, 0);
	assert_int_equal(range.fault, PAGING_NO_TABLE);
	range = expect_range(0x40000000, 0x40000000, 0x40000000);
	assert_int_equal(range.fault, PAGING_OK);
	expect_end();
}

/* Half of the table is RAM, and it counts. */
static void a_table_at_the_end_of_ram(void **unused)
{
	struct paging_regs regs = level4;

	(void)unused;
	regs.cr3 = RAM_SIZE - 0x1000;
	ram_end = RAM_SIZE - 0x800;
	put64(RAM_SIZE - 0x1000, 0, 0x2000 | P);
	put64(0x2000, 0, 0x40000000 | P | PS);
	start(&regs, 0);
	expect_range(0, 0x40000000, 0x40000000);
	/* The other half is not there. */
	expect_range(UPPER, 0x800000000000, 0);
	expect_end();
}

static void tables_that_lead_to_themselves(void **unused)
{
	struct page_range range;

	(void)unused;
	for (unsigned i = 0; i < 512; i++)
		put64(ROOT, i, ROOT | P | W | U);
	start(&level4, 0);
	scan.walks = 1000;
	for (unsigned i = 0; scan.walks; i++)
		expect_range(0x1000ull * i, 0x1000, ROOT);
	assert_int_equal(paging_scan_next(&scan, &range), SCAN_TOO_MANY);
	assert_int_equal(scan.at, 0x1000ull * 1000);
	assert_int_equal(paging_scan_next(&scan, &range), SCAN_TOO_MANY);
	/* What was gathered is told before. */
	start(&level4, 0x123000);
	scan.by_rights = true;
	scan.walks = 1000;
	expect_range(0x123000, 0x1000ull * 1000, ROOT);
	assert_int_equal(paging_scan_next(&scan, &range), SCAN_TOO_MANY);
}

/* One entry of the top table is the top table: as many kernels have it. */
static void a_recursive_entry(void **unused)
{
	unsigned count = 0;
	struct page_range range;

	(void)unused;
	path(0);
	put64(0x4000, 0, 0x8000 | P | W);
	put64(ROOT, 510, ROOT | P | W);
	start(&level4, 0);
	expect_range(0, 0x1000, 0x8000);
	while (paging_scan_next(&scan, &range) == SCAN_RANGE) {
		assert_true(range.linear >> 39 == (0xffffff0000000000ull >> 39));
		count++;
	}
	/* Each of the four tables as a page: PT, PD, PDPT, and the top table itself. */
	assert_int_equal(count, 4);
	expect_end();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, clear)
	const struct CMUnitTest tests[] = {
		T(what_fares_alike),
		T(without_paging),
		T(nothing_mapped),
		T(pages_that_are_alike_are_one_range),
		T(by_rights_alone),
		T(from_the_middle),
		T(up_to_the_last_address),
		T(from_an_address_that_does_not_exist),
		T(five_levels),
		T(two_levels),
		T(three_levels),
		T(entries_that_no_access_survives),
		T(a_table_at_the_end_of_ram),
		T(tables_that_lead_to_themselves),
		T(a_recursive_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
