// SPDX-License-Identifier: GPL-3.0-or-later
/* Looking for bytes in the memory of a machine on the dummy accelerator: through page tables, over chunks, holes and
 * devices, and against tables that lead to themselves. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

#define RAM   0x800000ull
#define PML4  0x10000ull
#define PDPT  0x11000ull
#define PD    0x12000ull
#define PT    0x13000ull
#define P     3ull /* present, writable */
#define PS    0x80ull
#define UPPER 0xffff800000000000ull

static void setup(struct rig *rig)
{
	*rig = (struct rig){.ram_size = RAM};
	rig_start(rig, 1, IRQCHIP_KERNEL);
}

static void put(struct rig *rig, uint64_t gpa, const void *bytes, size_t size)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, bytes, size), size);
}

static void entry(struct rig *rig, uint64_t table, unsigned index, uint64_t value)
{
	put(rig, table + 8 * (uint64_t)index, &value, sizeof(value));
}

static void long_mode(struct rig *rig)
{
	struct cpu_state *state = vcpu_state(&rig->machine->vcpus[0], CPU_SYSTEM);

	state->system.cr0 = CR0_PE | CR0_PG;
	state->system.cr3 = PML4;
	state->system.cr4 = CR4_PAE;
	state->system.efer = EFER_LME | EFER_LMA;
}

/* A PT for linear addresses from UPPER on. */
static void map_upper(struct rig *rig)
{
	entry(rig, PML4, 256, PDPT | P);
	entry(rig, PDPT, 0, PD | P);
	entry(rig, PD, 0, PT | P);
	long_mode(rig);
}

static int find(struct rig *rig, enum space space, uint64_t from, uint64_t to, const char *pattern,
		uint64_t *at)
{
	struct memory_search search = {.space = space,
				       .from = from,
				       .to = to,
				       .pattern = pattern,
				       .size = strlen(pattern)};
	int rc = debug_search(rig->debug, &search);

	*at = search.at;
	return rc;
}

static void expect_at(struct rig *rig, enum space space, uint64_t from, uint64_t to,
		      const char *pattern, uint64_t wanted)
{
	uint64_t at;

	assert_int_equal(find(rig, space, from, to, pattern, &at), 1);
	assert_int_equal(at, wanted);
}

static void expect_none(struct rig *rig, enum space space, uint64_t from, uint64_t to,
			const char *pattern)
{
	uint64_t at;

	assert_int_equal(find(rig, space, from, to, pattern, &at), 0);
}

/* What is read at once ends at multiples of 256 KiB from the start. */
static void over_the_ends_of_chunks(void **unused)
{
	struct rig rig;

	(void)unused;
	setup(&rig);
	for (uint64_t at = 0x200000 + 0x40000 - 6; at <= 0x200000 + 0x40000; at++) {
		put(&rig, at, "needle", 6);
		expect_at(&rig, SPACE_PHYSICAL, 0x200000, RAM, "needle", at);
		expect_at(&rig, SPACE_LINEAR, 0x200000, RAM, "needle", at);
		expect_at(&rig, SPACE_LINEAR, at, at + 5, "needle", at);
		expect_none(&rig, SPACE_LINEAR, at, at + 4, "needle");
		expect_none(&rig, SPACE_LINEAR, 0x200000, at + 4, "needle");
		put(&rig, at, "\0\0\0\0\0\0", 6);
	}
	expect_none(&rig, SPACE_PHYSICAL, 0, UINT64_MAX, "needle");
	rig_stop(&rig);
}

/* RAM's two parts and what is between and behind them. */
static void ram_alone(void **unused)
{
	struct rig rig;

	(void)unused;
	setup(&rig);
	put(&rig, RAM - 6, "needle", 6);
	put(&rig, 0x9fffd, "nee", 3);
	put(&rig, 0xc0000, "dle", 3);
	expect_at(&rig, SPACE_PHYSICAL, 0, UINT64_MAX, "needle", RAM - 6);
	expect_at(&rig, SPACE_LINEAR, 0, UINT64_MAX, "needle", RAM - 6);
	expect_at(&rig, SPACE_LINEAR, 0xa0000, UINT64_MAX, "dle", 0xc0000);
	expect_none(&rig, SPACE_LINEAR, RAM, UINT64_MAX, "needle");
	rig_stop(&rig);
}

static void expect_bytes(struct rig *rig, const void *bytes, size_t size, uint64_t wanted)
{
	struct memory_search search = {.space = SPACE_PHYSICAL,
				       .from = 0x100000,
				       .to = UINT64_MAX,
				       .pattern = bytes,
				       .size = size};

	assert_int_equal(debug_search(rig->debug, &search), wanted != 0);
	if (wanted)
		assert_int_equal(search.at, wanted);
}

/* Three pages with 64 KiB that nobody has touched between the first two, 8 KiB between the others. */
static void zeros_that_nobody_wrote(void **unused)
{
	static uint8_t text[0x80000];
	struct rig rig;

	(void)unused;
	setup(&rig);
	put(&rig, 0x200ffe, "xy", 2);
	put(&rig, 0x211000, "z", 1);
	put(&rig, 0x214000, "xyz", 3);
	expect_bytes(&rig, "y\0\0\0", 4, 0x200fff);
	expect_bytes(&rig, "\0\0z", 3, 0x210ffe);
	expect_bytes(&rig, "\0\0x", 3, 0x200ffc);
	expect_bytes(&rig, "\0", 1, 0x100000);
	expect_bytes(&rig, text, sizeof(text), 0x100000);
	memcpy(text, "y", 1);
	memcpy(text + 0x10001, "z", 1);
	expect_bytes(&rig, text, 0x10002, 0x200fff);
	expect_bytes(&rig, text, 0x10003, 0x200fff);
	expect_bytes(&rig, text + 1, 0x10001, 0x201000);
	expect_bytes(&rig, text, 0x10000, 0x200fff);
	text[0x8000] = 'x';
	expect_bytes(&rig, text, 0x10002, 0);
	memset(text, 0, sizeof(text));
	text[0x70000] = 'z';
	expect_bytes(&rig, text + 0x60000, 0x10001, 0x201000);
	expect_bytes(&rig, text + 0x5ffff, 0x10002, 0); /* so many zeros there are not */
	rig_stop(&rig);
}

/* To look makes no page of the host's that was not there. */
static void what_nobody_touched_stays_so(void **unused)
{
	uint64_t gpa = 0, size = 0;
	struct rig rig;

	(void)unused;
	setup(&rig);
	put(&rig, 0x300000, "no", 2);
	expect_none(&rig, SPACE_PHYSICAL, 0, UINT64_MAX, "needle");
	while (memory_touched(rig.machine->memory, gpa + size, &gpa, &size) && gpa < 0x300000)
		assert_true(gpa + size <= 0x100000); /* firmware */
	assert_int_equal(gpa, 0x300000);
	assert_int_equal(size, 0x1000);
	assert_false(memory_touched(rig.machine->memory, 0x301000, &gpa, &size));
	rig_stop(&rig);
}

/* What begins like the pattern, more often than a fast way bears. */
static void much_that_is_alike(void **unused)
{
	static char all[0x60000];
	struct rig rig;

	(void)unused;
	setup(&rig);
	memset(all, 'q', sizeof(all));
	put(&rig, 0x200000, all, sizeof(all));
	expect_none(&rig, SPACE_PHYSICAL, 0, RAM, "qqqqz");
	expect_none(&rig, SPACE_PHYSICAL, 0, RAM, "zqqqq");
	expect_at(&rig, SPACE_PHYSICAL, 0x200001, RAM, "qqqq", 0x200001);
	put(&rig, 0x23fffe, "wqz", 3);
	expect_at(&rig, SPACE_PHYSICAL, 0, RAM, "qqqqw", 0x23fffa);
	expect_at(&rig, SPACE_PHYSICAL, 0, RAM, "wqz", 0x23fffe);
	expect_at(&rig, SPACE_PHYSICAL, 0, RAM, "zqqqqq", 0x240000);
	put(&rig, 0x25ffff, "z", 1);
	expect_at(&rig, SPACE_PHYSICAL, 0x240001, RAM, "qz", 0x25fffe);
	expect_none(&rig, SPACE_PHYSICAL, 0x240001, 0x25fffe, "qz");
	rig_stop(&rig);
}

/* Linear neighbours that are strangers in physical memory, with other rights. */
static void over_the_ends_of_pages(void **unused)
{
	struct rig rig;

	(void)unused;
	setup(&rig);
	entry(&rig, PT, 5, 0x300000 | P);
	entry(&rig, PT, 6, 0x100000 | 1);
	entry(&rig, PT, 8, 0x200000 | P);
	map_upper(&rig);
	put(&rig, 0x300ffd, "nee", 3);
	put(&rig, 0x100000, "dle", 3);
	expect_at(&rig, SPACE_LINEAR, 0, UINT64_MAX, "needle", UPPER + 0x5ffd);
	expect_none(&rig, SPACE_PHYSICAL, 0, UINT64_MAX, "needle");
	/* But not over a hole. */
	put(&rig, 0x100ffd, "yes", 3);
	put(&rig, 0x200000, "no", 2);
	expect_none(&rig, SPACE_LINEAR, 0, UINT64_MAX, "yesno");
	expect_at(&rig, SPACE_LINEAR, 0, UINT64_MAX, "yes", UPPER + 0x6ffd);
	rig_stop(&rig);
}

/* A terabyte of which a few MiB are RAM costs no more than those. */
static void what_is_mapped_and_no_ram(void **unused)
{
	struct rig rig;

	(void)unused;
	setup(&rig);
	entry(&rig, PML4, 0, PDPT | P);
	for (unsigned i = 0; i < 512; i++)
		entry(&rig, PDPT, i, (uint64_t)i << 30 | P | PS);
	long_mode(&rig);
	put(&rig, 0x700000, "needle", 6);
	expect_at(&rig, SPACE_LINEAR, 0, UINT64_MAX, "needle", 0x700000);
	expect_none(&rig, SPACE_LINEAR, 0x700001, UINT64_MAX, "needle");
	rig_stop(&rig);
}

/* 128 TiB twice, of the same page. */
static void tables_that_lead_to_themselves(void **unused)
{
	struct rig rig;
	uint64_t at = 0;

	(void)unused;
	setup(&rig);
	for (unsigned i = 0; i < 512; i++)
		entry(&rig, PML4, i, PML4 | P);
	long_mode(&rig);
	assert_int_equal(find(&rig, SPACE_LINEAR, 0x1000, UINT64_MAX, "needle", &at), -ETIME);
	assert_true(at > 0x1000);
	rig_stop(&rig);
}

/* Its caller has enough after so many questions. */
struct asked {
	unsigned count, enough_at;
};

static bool enough(void *ctx)
{
	struct asked *asked = ctx;

	return ++asked->count == asked->enough_at;
}

static int find_asked(struct rig *rig, enum space space, struct asked *asked, uint64_t *at)
{
	struct memory_search search = {.space = space,
				       .to = UINT64_MAX,
				       .pattern = "needle",
				       .size = 6,
				       .enough = enough,
				       .enough_ctx = asked};
	int rc = debug_search(rig->debug, &search);

	*at = search.at;
	return rc;
}

/* 64 MiB of bytes without a hit: asked for each MiB, and told where to go on. */
static void an_end_in_the_middle(void **unused)
{
	static char bytes[1 << 20];
	struct asked all = {.enough_at = 0}, some = {.enough_at = 5};
	struct rig rig = {.ram_size = 64ull << 20};
	uint64_t at;

	(void)unused;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	memset(bytes, 'n', sizeof(bytes));
	for (uint64_t gpa = 0x100000; gpa < rig.ram_size; gpa += sizeof(bytes))
		put(&rig, gpa, bytes, sizeof(bytes));
	assert_int_equal(find_asked(&rig, SPACE_PHYSICAL, &all, &at), 0);
	assert_in_range(all.count, 60, 70);
	assert_int_equal(find_asked(&rig, SPACE_PHYSICAL, &some, &at), -EINTR);
	assert_int_equal(some.count, 5);
	assert_in_range(at, 4 << 20, 6 << 20);
	some = (struct asked){.enough_at = 1};
	assert_int_equal(find_asked(&rig, SPACE_LINEAR, &some, &at), -EINTR);
	assert_in_range(at, 0x80000, 2 << 20);
	rig_stop(&rig);
}

/* Pages that are no RAM are many, too; and whoever is asked can end what leads nowhere. */
static void an_end_among_tables(void **unused)
{
	struct asked asked = {.enough_at = 3};
	struct rig rig;
	uint64_t at;

	(void)unused;
	setup(&rig);
	for (unsigned i = 0; i < 512; i++)
		entry(&rig, PML4, i, PML4 | P);
	long_mode(&rig);
	assert_int_equal(find_asked(&rig, SPACE_LINEAR, &asked, &at), -EINTR);
	assert_int_equal(asked.count, 3);
	asked = (struct asked){.enough_at = 3};
	entry(&rig, PML4, 0, PDPT | P);
	for (unsigned i = 1; i < 512; i++)
		entry(&rig, PML4, i, 0);
	for (unsigned i = 0; i < 512; i++) {
		entry(&rig, PDPT, i, PD | P);
		entry(&rig, PD, i, 1ull << 40 | (uint64_t)(i ^ 1) << 21 | P | PS);
	}
	assert_int_equal(find_asked(&rig, SPACE_LINEAR, &asked, &at), -EINTR);
	assert_in_range(at, 700ull << 21, 800ull << 21); /* 256 of the pages for each question */
	rig_stop(&rig);
}

static void what_cannot_be(void **unused)
{
	struct rig rig;
	uint64_t at;

	(void)unused;
	setup(&rig);
	assert_int_equal(find(&rig, SPACE_LINEAR, 0, 100, "", &at), -EINVAL);
	assert_int_equal(find(&rig, SPACE_LINEAR, 100, 99, "a", &at), -EINVAL);
	expect_none(&rig, SPACE_LINEAR, 0, 3, "12345678");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_ends_of_chunks),
		cmocka_unit_test(ram_alone),
		cmocka_unit_test(zeros_that_nobody_wrote),
		cmocka_unit_test(what_nobody_touched_stays_so),
		cmocka_unit_test(much_that_is_alike),
		cmocka_unit_test(over_the_ends_of_pages),
		cmocka_unit_test(what_is_mapped_and_no_ram),
		cmocka_unit_test(tables_that_lead_to_themselves),
		cmocka_unit_test(an_end_in_the_middle),
		cmocka_unit_test(an_end_among_tables),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
