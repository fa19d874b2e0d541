// SPDX-License-Identifier: GPL-3.0-or-later
/* Many watches at once, long ones, and those that debug registers carry among them. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "watch_rig.h"

#include <string.h>

static void more_than_four_and_overlapping(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int numbers[32], end, all;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, 0x89, 0x47, 20);
	for (unsigned i = 0; i < 32; i++)
		numbers[i] = rig_watch(&rig, POINT_WRITE, DATA + 4 * i, 4);
	all = rig_watch(&rig, POINT_WRITE, DATA - 0x100, 0x2000);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(rig_point(&rig, numbers[4])->hits, 0);
	assert_int_equal(rig_point(&rig, numbers[5])->hits, 1);
	assert_int_equal(rig_point(&rig, numbers[6])->hits, 0);
	assert_int_equal(rig_point(&rig, all)->hits, 1);
	assert_true(stop->point == numbers[5] || stop->point == all);
	assert_non_null(strstr(stop->text, "; also watch "));
	rig_continue(&rig);
	expect_end(&rig, end); /* one stop for one write */
	rig_stop(&rig);
}

/* Four have debug registers, where the host's KVM has such, on a page that the fifth protects. */
static void debug_registers_on_a_protected_page(void **state)
{
	static const uint64_t at[] = {0, 4, 8, 12, 20};
	struct rig rig = {0};
	const struct stop *stop;
	int numbers[5], end;

	watch_start(&rig, 1, *state);
	/* mov %eax,(%edi); 4(%edi); 8(%edi); 12(%edi); 20(%edi) */
	end = LOAD(&rig, 0x89, 0x07, 0x89, 0x47, 4, 0x89, 0x47, 8, 0x89, 0x47, 12, 0x89, 0x47, 20);
	for (unsigned i = 0; i < 5; i++)
		numbers[i] = rig_watch(&rig, POINT_WRITE, DATA + at[i], 4);
	for (unsigned i = 0; i < 5; i++) {
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->point, numbers[i]);
		assert_int_equal(stop->address, DATA + at[i]);
		assert_int_equal(stop->new_value, 0x11223344);
		assert_int_equal(rig_point(&rig, numbers[i])->hits, 1);
	}
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* An access with one foot on a protected page is done as a whole by KVM, and with the other on a watch that has a
 * debug register, from either side. */
static void debug_registers_beside_a_protected_page(void **state)
{
	static const struct {
		uint64_t watch, write, protect;
	} at[] = {{DATA + 0xffe, DATA + 0xffe, DATA + 0x1800}, {DATA, DATA - 2, DATA - 0x800}};
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	for (unsigned i = 0; i < 2; i++) {
		rig = (struct rig){0};
		watch_start(&rig, 1, *state);
		end = LOAD(&rig, 0x89, 0x07); /* mov %eax,(%edi) */
		rig_set_reg(&rig, 0, "rdi", at[i].write);
		number = rig_watch(&rig, POINT_WRITE, at[i].watch, 2);
		rig_watch(&rig, POINT_WRITE, at[i].protect, 16);
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->point, number);
		assert_int_equal(stop->address, at[i].watch);
		assert_int_equal(stop->new_value, i ? 0x1122 : 0x3344);
		rig_continue(&rig);
		expect_end(&rig, end);
		assert_int_equal(rig_point(&rig, number)->hits, 1);
		rig_stop(&rig);
	}
}

/* Megabytes are one slot, and writes to any byte are told with the bytes that were written. */
static void a_long_watch(void **state)
{
	struct rig rig = {.config = {0}};
	const struct stop *stop;
	uint64_t length = 4 << 20;

	(void)state;
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm, .ram_size = 8 << 20};
	debug_strategy_parse("watch=page", &rig.config.strategy, NULL);
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	LOAD(&rig, 0x89, 0x87, 0x10, 0x00, 0x30, 0x00);
	rig_watch(&rig, POINT_WRITE, 1 << 20, length);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	expect_text(stop, "write to 0x308010 (watch 2, 4 of 4194304 bytes at 0x100000): 0 → "
			  "0x11223344 by 0x1000");
	assert_true(memory_slot_count(rig.machine->memory) <= 7);
	rig_stop(&rig);
}

static void what_cannot_be_watched_is_said(void **state)
{
	struct rig rig = {0};

	watch_start(&rig, 1, *state);
	expect_refusal(&rig, POINT_READ, RIG_CODE + 0x80, "code is executed");
	expect_refusal(&rig, POINT_READ, STACK - 8, "a stack is on that page");
	expect_refusal(&rig, POINT_WRITE, 0xa0000, "no RAM");
	expect_refusal(&rig, POINT_WRITE, 0xe0000000, "no RAM");
	rig_stop(&rig);
}

#define BY_PAGE(f) cmocka_unit_test_prestate(f, by_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_BOTH(more_than_four_and_overlapping),
		BY_PAGE(a_long_watch),
		BY_PAGE(what_cannot_be_watched_is_said),
		cmocka_unit_test(debug_registers_on_a_protected_page),
		cmocka_unit_test(debug_registers_beside_a_protected_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
