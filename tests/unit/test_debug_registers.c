// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/debug_registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RESET 0x400ull

/* SDM vol. 3B, figure 18-1. */
static void each_slot_has_its_bits(void **unused)
{
	(void)unused;
	assert_int_equal(dr7_enable(RESET, 0, DR_EXEC, 1), 0x00000602);
	assert_int_equal(dr7_enable(RESET, 1, DR_EXEC, 1), 0x00000608);
	assert_int_equal(dr7_enable(RESET, 0, DR_WRITE, 1), 0x00010602);
	assert_int_equal(dr7_enable(RESET, 1, DR_WRITE, 2), 0x00500608);
	assert_int_equal(dr7_enable(RESET, 2, DR_ACCESS, 4), 0x0f000620);
	assert_int_equal(dr7_enable(RESET, 3, DR_WRITE, 8), 0x90000680);
	assert_int_equal(dr7_enable(RESET, 3, DR_IO, 1), 0x20000680);
}

static void slots_add_up(void **unused)
{
	uint64_t dr7 = dr7_enable(RESET, 0, DR_WRITE, 8);

	(void)unused;
	dr7 = dr7_enable(dr7, 3, DR_EXEC, 1);
	assert_int_equal(dr7, 0x00090682);
}

static void a_slot_forgets_what_it_was(void **unused)
{
	uint64_t dr7 = dr7_enable(RESET, 2, DR_ACCESS, 4);

	(void)unused;
	assert_int_equal(dr7_enable(dr7, 2, DR_EXEC, 1), dr7_enable(RESET, 2, DR_EXEC, 1));
	assert_int_equal(dr7_enable(dr7, 2, DR_WRITE, 2), dr7_enable(RESET, 2, DR_WRITE, 2));
}

/* LEN must be 0 for execution (SDM vol. 3B, 18.2.4). */
static void execution_has_no_length(void **unused)
{
	(void)unused;
	assert_int_equal(dr7_enable(RESET, 0, DR_EXEC, 8), dr7_enable(RESET, 0, DR_EXEC, 1));
	assert_int_equal(dr7_enable(RESET, 0, DR_EXEC, 77), dr7_enable(RESET, 0, DR_EXEC, 1));
}

static void nonsense_changes_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(dr7_enable(RESET, 4, DR_WRITE, 1), RESET);
	assert_int_equal(dr7_enable(RESET, ~0u, DR_EXEC, 1), RESET);
	assert_int_equal(dr7_enable(RESET, 0, DR_WRITE, 0), RESET);
	assert_int_equal(dr7_enable(RESET, 0, DR_WRITE, 3), RESET);
	assert_int_equal(dr7_enable(RESET, 0, DR_WRITE, 16), RESET);
}

static void what_can_be_watched(void **unused)
{
	(void)unused;
	for (uint64_t length = 1; length <= 8; length *= 2) {
		assert_true(dr_can_watch(0x1000, length));
		assert_true(dr_can_watch(0x1000 + length, length));
		assert_true(dr_can_watch(-length, length));
		if (length > 1)
			assert_false(dr_can_watch(0x1000 + length / 2, length));
	}
	assert_true(dr_can_watch(0x1003, 1));
	assert_false(dr_can_watch(0x1000, 0));
	assert_false(dr_can_watch(0x1000, 3));
	assert_false(dr_can_watch(0x1000, 16));
	assert_false(dr_can_watch(0, 1ull << 63));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_has_its_bits),
		cmocka_unit_test(slots_add_up),
		cmocka_unit_test(a_slot_forgets_what_it_was),
		cmocka_unit_test(execution_has_no_length),
		cmocka_unit_test(nonsense_changes_nothing),
		cmocka_unit_test(what_can_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
