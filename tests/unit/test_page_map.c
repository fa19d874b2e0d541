// SPDX-License-Identifier: GPL-3.0-or-later
/* All pages of a set of tables: they are those that paging_walk() finds, in order, and tables that contain
 * themselves end. */
#include "x86/page_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE 0x20000
#define ROOT	 0x1000
#define P	 1ull
#define W	 2ull
#define U	 4ull
#define PS	 0x80ull
#define XD	 (1ull << 63)
#define PAGES	 64

static uint8_t ram[RAM_SIZE];
static struct mapped_page pages[PAGES];
static unsigned count, wanted;

static size_t read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	(void)ctx;
	if (gpa >= RAM_SIZE)
		return 0;
	if (len > RAM_SIZE - gpa)
		len = RAM_SIZE - gpa;
	memcpy(buf, ram + gpa, len);
	return len;
}

static bool keep(void *ctx, const struct mapped_page *page)
{
	(void)ctx;
	if (count < PAGES)
		pages[count] = *page;
	return ++count != wanted;
}

static int clear(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	count = wanted = 0;
	return 0;
}

static void put(uint64_t table, unsigned index, unsigned bytes, uint64_t entry)
{
	memcpy(ram + table + (size_t)bytes * index, &entry, bytes);
}

static const struct paging_regs bits32 = {
	.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PSE | CR4_PGE};
static const struct paging_regs pae = {.cr0 = CR0_PE | CR0_PG, .cr3 = ROOT, .cr4 = CR4_PAE};
static const struct paging_regs level4 = {.cr0 = CR0_PE | CR0_PG,
					  .cr3 = ROOT,
					  .cr4 = CR4_PAE | CR4_PGE,
					  .efer = EFER_LME | EFER_LMA | EFER_NXE};

/* Whatever was told, the walk says the same of its first and its last byte. */
static void agree(const struct paging_regs *regs)
{
	for (unsigned i = 0; i < count && i < PAGES; i++) {
		const struct mapped_page *page = &pages[i];
		struct paging_walk walk;

		assert_int_equal(paging_walk(regs, page->linear, read_ram, NULL, &walk), PAGING_OK);
		assert_int_equal(walk.gpa, page->gpa);
		assert_int_equal(walk.page_size, page->size);
		assert_int_equal(walk.levels, page->levels);
		assert_int_equal(walk.write, page->write);
		assert_int_equal(walk.user, page->user);
		assert_int_equal(walk.exec, page->exec);
		assert_int_equal(walk.global, page->global);
		assert_int_equal(walk.level[walk.levels - 1].entry, page->entry);
		paging_walk(regs, page->linear + page->size - 1, read_ram, NULL, &walk);
		assert_int_equal(walk.gpa, page->gpa + page->size - 1);
		assert_true(!i || pages[i - 1].linear + (pages[i - 1].size - 1) < page->linear);
	}
}

static enum page_map_end map(const struct paging_regs *regs, uint64_t from)
{
	enum page_map_end end = page_map(regs, from, read_ram, NULL, keep, NULL);

	agree(regs);
	return end;
}

static void four_levels(void)
{
	put(ROOT, 0, 8, 0x2000 | P | W | U);
	put(ROOT, 511, 8, 0x5000 | P | W);
	put(0x2000, 0, 8, 0x3000 | P | W | U);
	put(0x2000, 3, 8, 0x40000000 | P | PS);
	put(0x3000, 0, 8, 0x4000 | P | W | U);
	put(0x3000, 1, 8, 0x600000 | P | W | PS | XD);
	put(0x3000, 2, 8, 0x800000 | P | PS | 0x2000); /* a reserved bit: no page */
	put(0x4000, 1, 8, 0x9000 | P | W | U);
	put(0x4000, 511, 8, 0xa000 | P | U | 0x100);
	put(0x5000, 510, 8, 0x6000 | P | W);
	put(0x6000, 0, 8, 0x200000 | P | W | PS);
	put(0x6000, 1, 8, 0xfffff000 | P | W); /* a table outside RAM */
}

static void test_four_levels(void **state)
{
	static const uint64_t linear[] = {0x1000, 0x1ff000, 0x200000, 0xc0000000,
					  0xffffffff80000000};

	(void)state;
	four_levels();
	assert_int_equal(map(&level4, 0), PAGE_MAP_ALL);
	assert_int_equal(count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(pages[i].linear, linear[i]);
	assert_true(pages[0].write && pages[0].user && pages[0].exec && !pages[0].global);
	assert_true(!pages[1].write && pages[1].user && pages[1].global);
	assert_true(pages[2].write && !pages[2].user && !pages[2].exec);
	assert_int_equal(pages[3].size, 1 << 30);
}

static void test_from_somewhere(void **state)
{
	(void)state;
	four_levels();
	assert_int_equal(map(&level4, 0x200001), PAGE_MAP_ALL); /* the page that holds it */
	assert_int_equal(count, 3);
	assert_int_equal(pages[0].linear, 0x200000);
	count = 0;
	map(&level4, 0x400000);
	assert_int_equal(pages[0].linear, 0xc0000000);
	count = 0;
	map(&level4, 0x8000000000000000); /* in the gap */
	assert_int_equal(count, 1);
	count = 0;
	map(&level4, UINT64_MAX);
	assert_int_equal(count, 0);
}

static void test_enough(void **state)
{
	(void)state;
	four_levels();
	wanted = 2;
	assert_int_equal(map(&level4, 0), PAGE_MAP_STOPPED);
	assert_int_equal(count, 2);
}

static void test_32_bits_and_pae(void **state)
{
	(void)state;
	put(ROOT, 1, 4, 0x800000 | P | W | PS);
	put(ROOT, 1023, 4, 0x2000 | P | W | U);
	put(0x2000, 1023, 4, 0x7000 | P | U);
	assert_int_equal(map(&bits32, 0), PAGE_MAP_ALL);
	assert_int_equal(count, 2);
	assert_int_equal(pages[0].size, 4 << 20);
	assert_int_equal(pages[1].linear, 0xfffff000);
	clear(NULL);
	put(ROOT, 3, 8, 0x2000 | P);
	put(0x2000, 511, 8, 0x200000 | P | W | PS);
	assert_int_equal(map(&pae, 0), PAGE_MAP_ALL);
	assert_int_equal(count, 1);
	assert_int_equal(pages[0].linear, 0xffe00000);
	assert_true(pages[0].write);
}

static void test_no_paging(void **state)
{
	struct paging_regs off = {.cr0 = CR0_PE};

	(void)state;
	assert_int_equal(page_map(&off, 0, read_ram, NULL, keep, NULL), PAGE_MAP_UNPAGED);
	assert_int_equal(count, 0);
}

/* Every entry of the top table is the top table: 512^4 pages in one table. */
static void test_tables_within_themselves(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 512; i++)
		put(ROOT, i, 8, ROOT | P | W);
	assert_int_equal(page_map(&level4, 0, read_ram, NULL, keep, NULL), PAGE_MAP_TOO_MANY);
	assert_true(count > 1000000);
	assert_int_equal(pages[0].gpa, ROOT);
	agree(&level4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_four_levels, clear),
		cmocka_unit_test_setup(test_from_somewhere, clear),
		cmocka_unit_test_setup(test_enough, clear),
		cmocka_unit_test_setup(test_32_bits_and_pae, clear),
		cmocka_unit_test_setup(test_no_paging, clear),
		cmocka_unit_test_setup(test_tables_within_themselves, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
