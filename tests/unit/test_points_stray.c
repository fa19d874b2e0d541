// SPDX-License-Identifier: GPL-3.0-or-later
/* Breakpoints in code that the guest moves. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "accel/dummy.h"
#include "points_rig.h"

/* ---- code that moves ---------------------------------------------------------------------- */

/* inc; nop, where the breakpoint is; inc; jmp ., among bytes that are no padding */
static const uint8_t body[64] = {0x40, 0x90, 0x40, 0xeb, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

#define BODY 0x2040ull
#define COPY 0x1040ull /* the same place in vCPU 0's page */

static void pause_first(void)
{
	debug_pause(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_PAUSE);
}

/* The test stands in for the guest, which moves its code while it runs, our int3 with it. */
static int move_body(void)
{
	const uint8_t spin[] = {0xeb, 0xfe}, nothing[sizeof(body)] = {0};
	struct memory *memory = points_rig.machine->memory;
	uint8_t moved[sizeof(body)];
	int number;

	rig_code(&points_rig, 0, spin, sizeof(spin));
	mem_write_phys(memory, BODY, body, sizeof(body));
	number = rig_break(&points_rig, BODY + 1);
	run_first();
	mem_read_phys(memory, BODY, moved, sizeof(moved));
	assert_int_equal(moved[1], 0xcc);
	mem_write_phys(memory, COPY, moved, sizeof(moved));
	mem_write_phys(memory, BODY, nothing, sizeof(nothing));
	pause_first();
	assert_int_equal(rig_byte(&points_rig, BODY + 1), 0);
	assert_int_equal(rig_byte(&points_rig, COPY + 1), 0xcc);
	return number;
}

static void test_copied_int3_is_not_seen(void **state)
{
	uint8_t bytes[sizeof(body)];

	(void)state;
	move_body();
	assert_int_equal(
		debug_read(points_rig.debug, 0, SPACE_PHYSICAL, COPY, bytes, sizeof(bytes)),
		sizeof(bytes));
	assert_memory_equal(bytes, body, sizeof(body));
	assert_int_equal(rig_byte(&points_rig, COPY + 1), body[1]);
}

static void test_nothing_is_left_when_the_owner_leaves(void **state)
{
	(void)state;
	move_body();
	debug_points_forget(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_byte(&points_rig, COPY + 1), body[1]);
}

static void test_no_snapshot_has_a_copied_int3(void **state)
{
	struct error err = {0};

	(void)state;
	move_body();
	if (debug_snapshot_save(points_rig.debug, "moved", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig_byte(&points_rig, COPY + 1), body[1]);
}

/* The breakpoint goes where the code went, and brings the right byte back there. */
static void test_breakpoint_onto_a_copied_int3(void **state)
{
	(void)state;
	debug_point_remove(points_rig.debug, move_body(), NULL);
	rig_break(&points_rig, COPY + 1);
	run_first();
	pause_first();
	assert_int_equal(rig_byte(&points_rig, COPY + 1), body[1]);
}

static void test_int3_of_the_guest_is_left_alone(void **state)
{
	const uint8_t int3 = 0xcc;
	uint8_t byte;

	(void)state;
	move_body();
	mem_write_phys(points_rig.machine->memory, COPY + 3, &int3, 1);
	mem_write_phys(points_rig.machine->memory, BODY + 1, &int3, 1);
	for (uint64_t at = BODY + 1; at; at = at == COPY + 3 ? 0 : COPY + 3) {
		debug_read(points_rig.debug, 0, SPACE_PHYSICAL, at, &byte, 1);
		assert_int_equal(byte, int3);
	}
}

static void test_copied_int3_is_undone(void **state)
{
	(void)state;
	move_body();
	rig_set_reg(&points_rig, 0, "rip", COPY);
	while (rig_reg(&points_rig, 0, "rax") < 2) {
		run_first();
		pause_first();
	}
	assert_int_equal(rig_byte(&points_rig, COPY + 1), 0x90);
	assert_int_equal(dummy_counts(points_rig.machine->vcpus[0].accel)->injected_bp, 0);
}

/* ---- plans that run to a place ----------------------------------------------------------- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, points_start, points_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_copied_int3_is_not_seen),
		TEST(test_nothing_is_left_when_the_owner_leaves),
		TEST(test_no_snapshot_has_a_copied_int3),
		TEST(test_breakpoint_onto_a_copied_int3),
		TEST(test_int3_of_the_guest_is_left_alone),
		TEST(test_copied_int3_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
