// SPDX-License-Identifier: GPL-3.0-or-later
/* The host's pages behind guest RAM: which are there, and that they go. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  0x1000ull
#define MIB   (1ull << 20)
#define LARGE (2 * MIB)

static void start(struct rig *rig, uint64_t ram_size)
{
	*rig = (struct rig){.ram_size = ram_size};
	rig_start(rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(memory_clear(rig->machine->memory), 0);
}

static void touch(struct rig *rig, uint64_t gpa, uint64_t size)
{
	static uint8_t bytes[4 * MIB];

	memset(bytes, 0x5a, size);
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, bytes, size), size);
}

static void expect(struct rig *rig, uint64_t from, uint64_t gpa, uint64_t size)
{
	uint64_t found = 0, length = 0;

	assert_true(memory_touched(rig->machine->memory, from, &found, &length));
	assert_int_equal(found, gpa);
	assert_int_equal(length, size);
}

static void expect_none(struct rig *rig, uint64_t from)
{
	uint64_t gpa, size;

	assert_false(memory_touched(rig->machine->memory, from, &gpa, &size));
}

static void low_memory_is_known_page_by_page(void **unused)
{
	struct rig rig;

	(void)unused;
	start(&rig, 16 * MIB);
	expect_none(&rig, 0);
	touch(&rig, 0x5ff8, 16);
	touch(&rig, 0x9f000, PAGE);
	touch(&rig, 0xc0000, PAGE);
	expect(&rig, 0, 0x5000, 2 * PAGE);
	expect(&rig, 0x5fff, 0x5fff, PAGE + 1);
	expect(&rig, 0x7000, 0x9f000, PAGE); /* up to where RAM has a gap */
	expect(&rig, 0xa0000, 0xc0000, PAGE);
	expect_none(&rig, 0xc1000);
	rig_stop(&rig);
}

/* Longer than what is asked for at a time, and with less in between. */
static void long_stretches_are_whole(void **unused)
{
	struct rig rig;

	(void)unused;
	start(&rig, 16 * MIB);
	touch(&rig, 0x101000, 3 * MIB);
	touch(&rig, 0x402000, PAGE);
	touch(&rig, 16 * MIB - PAGE, PAGE);
	expect(&rig, 0, 0x101000, 3 * MIB);
	expect(&rig, 0x401000, 0x402000, PAGE);
	expect(&rig, 0x403000, 16 * MIB - PAGE, PAGE);
	expect_none(&rig, 16 * MIB);
	rig_stop(&rig);
}

static void what_is_cleared_is_gone(void **unused)
{
	struct rig rig;

	(void)unused;
	start(&rig, 64 * MIB);
	touch(&rig, 0x3000, 3 * PAGE);
	touch(&rig, 33 * MIB, 4 * MIB);
	assert_int_equal(rig_byte(&rig, 37 * MIB - 1), 0x5a);
	assert_int_equal(memory_clear(rig.machine->memory), 0);
	expect_none(&rig, 0);
	assert_int_equal(rig_byte(&rig, 0x3000), 0);
	assert_int_equal(rig_byte(&rig, 37 * MIB - 1), 0);
	rig_stop(&rig);
}

/* Otherwise neither the host nor KVM could use a large page. */
static void addresses_agree_in_a_large_page(void **unused)
{
	struct rig rig;

	(void)unused;
	start(&rig, 64 * MIB + PAGE);
	assert_int_equal((uintptr_t)mem_hva(rig.machine->memory, 0, NULL) % LARGE, 0);
	touch(&rig, 64 * MIB, PAGE);
	assert_int_equal(rig_byte(&rig, 64 * MIB + PAGE - 1), 0x5a);
	rig_stop(&rig);
}

/* ---- pages that are moved there ---------------------------------------------------------- */

#define GIFT (5 * PAGE)

static uint8_t *make_gift(void)
{
	uint8_t *gift = mmap(NULL, GIFT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);

	assert_ptr_not_equal(gift, MAP_FAILED);
	for (size_t i = 0; i < GIFT; i++)
		gift[i] = (uint8_t)(i * 7 + i / PAGE);
	return gift;
}

/* From byte `from` of the gift on, size bytes go to gpa, and nothing beside them changes. */
static void take(struct rig *rig, uint64_t gpa, size_t from, size_t size)
{
	uint8_t *gift = make_gift(), *was = make_gift(), ram[GIFT];

	touch(rig, gpa - 1, 1);
	touch(rig, gpa + size, 1);
	assert_int_equal(memory_take(rig->machine->memory, gpa, gift + from, size), size);
	assert_int_equal(mem_read_phys(rig->machine->memory, gpa, ram, size), size);
	assert_memory_equal(ram, was + from, size);
	assert_int_equal(rig_byte(rig, gpa - 1), 0x5a);
	assert_int_equal(rig_byte(rig, gpa + size), 0x5a);
	munmap(gift, GIFT);
	munmap(was, GIFT);
}

static void pages_are_taken_with_what_is_beside_them(void **unused)
{
	struct rig rig;

	(void)unused;
	start(&rig, 64 * MIB);
	for (uint64_t at = 0x200000; at < 64 * MIB; at += 30 * MIB) {
		take(&rig, at, 0, GIFT);
		take(&rig, at + 100, 100, GIFT - 200);
		take(&rig, at + PAGE - 1, PAGE - 1, PAGE + 2);
		take(&rig, at + 8 * PAGE + 1, 0, GIFT); /* otherwise in its page */
		take(&rig, at + 50, 50, PAGE);		/* no whole page */
		take(&rig, at + PAGE, PAGE, 0);
	}
	rig_stop(&rig);
}

static void what_does_not_fit_is_taken_up_to_there(void **unused)
{
	uint8_t *gift = make_gift();
	struct rig rig;

	(void)unused;
	start(&rig, 16 * MIB);
	assert_int_equal(memory_take(rig.machine->memory, 16 * MIB - 2 * PAGE, gift, GIFT),
			 2 * PAGE);
	assert_int_equal(memory_take(rig.machine->memory, 0x9f000, gift, GIFT), PAGE);
	assert_int_equal(memory_take(rig.machine->memory, 16 * MIB, gift, GIFT), 0);
	assert_int_equal(memory_take(rig.machine->memory, UINT64_MAX - PAGE, gift, GIFT), 0);
	assert_int_equal(rig_byte(&rig, 0x9f000), gift[0]);
	munmap(gift, GIFT);
	rig_stop(&rig);
}

#define MSEAL 462 /* Linux 6.10: a mapping that nobody moves */

static void what_cannot_be_moved_is_copied(void **unused)
{
	uint8_t *gift = make_gift();
	struct rig rig;

	(void)unused;
	if (syscall(MSEAL, gift, GIFT, 0) < 0) {
		print_message("# SKIP needs mseal(2), Linux 6.10: %s\n", strerror(errno));
		skip();
	}
	start(&rig, 16 * MIB);
	touch(&rig, 0x300000 - 1, 1);
	touch(&rig, 0x300000 + GIFT, 1);
	assert_int_equal(memory_take(rig.machine->memory, 0x300000, gift, GIFT), GIFT);
	assert_int_equal(gift[GIFT - 1], (uint8_t)((GIFT - 1) * 7 + (GIFT - 1) / PAGE));
	for (size_t i = 0; i < GIFT; i++)
		assert_int_equal(rig_byte(&rig, 0x300000 + i), gift[i]);
	assert_int_equal(rig_byte(&rig, 0x300000 - 1), 0x5a);
	assert_int_equal(rig_byte(&rig, 0x300000 + GIFT), 0x5a);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_memory_is_known_page_by_page),
		cmocka_unit_test(long_stretches_are_whole),
		cmocka_unit_test(what_is_cleared_is_gone),
		cmocka_unit_test(addresses_agree_in_a_large_page),
		cmocka_unit_test(pages_are_taken_with_what_is_beside_them),
		cmocka_unit_test(what_does_not_fit_is_taken_up_to_there),
		cmocka_unit_test(what_cannot_be_moved_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
