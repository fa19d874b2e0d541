// SPDX-License-Identifier: GPL-3.0-or-later
/* Watches under KVM and code: steps, breakpoints beside the data, page tables, a reset. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "watch_rig.h"

#include <string.h>

/* ---- steps ------------------------------------------------------------------------------- */

static void a_step_over_a_write_tells_the_watch(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;

	watch_start(&rig, 1, *state);
	LOAD(&rig, NOP, 0x89, 0x07, 0x89, 0x5f, 0x08, NOP, NOP);
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned ends[] = {1, 3, 6, 7};

		rig_step(&rig, 0);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, i == 1 ? STOP_WATCH_WRITE : STOP_STEP);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + ends[i]);
	}
	assert_int_equal(watch_get(&rig, DATA + 8, 4), 0x55667788);
	rig_stop(&rig);
}

/* KVM executes the writes beside the watch itself, and may forget its step over that. */
static void a_range_of_writes_beside_the_watch(void **state)
{
	const struct plan range = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 12};
	struct rig rig = {0};

	watch_start(&rig, 1, *state);
	LOAD(&rig, NOP, 0x89, 0x5f, 0x08, NOP, 0x89, 0x5f, 0x0c, NOP, 0x89, 0x5f, 0x10, NOP, NOP);
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	assert_int_equal(debug_resume(rig.debug, &range, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 12);
	assert_int_equal(watch_get(&rig, DATA + 16, 4), 0x55667788);
	rig_stop(&rig);
}

/* A breakpoint on the writer: first the one, then the other. */
static void a_breakpoint_on_the_writer(void **state)
{
	struct rig rig = {0};
	int end, here, number;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, NOP, 0x89, 0x07, NOP);
	here = rig_break(&rig, RIG_CODE + 1);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, here);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* ---- code that is watched ----------------------------------------------------------------- */

/* The int3 stays where it is, and the guest's byte goes where it will be found. */
static void writes_over_a_breakpoint(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int end, number;

	watch_start(&rig, 1, *state);
	/* movb $0x43,code+7 (inc %ebx over a nop); that nop; the end */
	end = LOAD(&rig, 0xc6, 0x05, 0x08, 0x10, 0x00, 0x00, 0x43, NOP, NOP);
	rig_break(&rig, RIG_CODE + 8);
	number = rig_watch(&rig, POINT_WRITE, RIG_CODE, 0x100);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->old_value, NOP);
	assert_int_equal(stop->new_value, 0x43);
	assert_int_equal(rig_byte(&rig, RIG_CODE + 8), 0x43);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 8);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x55667789);
	rig_stop(&rig);
}

/* ---- code that is not there yet ----------------------------------------------------------- */

#define KERNEL 0xc000ull

/* A loader copies a kernel over the int3, byte by byte, and jumps to it. */
static void a_breakpoint_under_a_copy(void **state)
{
	static const uint8_t kernel[] = {NOP, 0x43, 0x43, NOP, 0x43};
	struct rig rig = {0};
	uint8_t page[PAGE];
	int here, end;

	watch_start(&rig, 1, *state);
	/* rep movsb; jmp KERNEL */
	LOAD(&rig, 0xf3, 0xa4, 0xe9, 0xf9, 0xaf, 0, 0, NOP);
	memset(page, NOP, sizeof(page));
	memcpy(page, kernel, sizeof(kernel));
	mem_write_phys(rig.machine->memory, DATA, page, sizeof(page));
	rig_set_reg(&rig, 0, "rsi", DATA);
	rig_set_reg(&rig, 0, "rdi", KERNEL);
	rig_set_reg(&rig, 0, "rcx", PAGE);
	here = rig_break(&rig, KERNEL + 1);
	end = rig_break(&rig, KERNEL + 6);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, here);
	assert_int_equal(debug_pc(rig.debug, 0), KERNEL + 1);
	for (unsigned i = 0; i < PAGE; i++)
		assert_int_equal(rig_byte(&rig, KERNEL + i), page[i]);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x5566778b);
	rig_stop(&rig);
}

/* Data beside a breakpoint: the page is given up, and costs no exits any more. */
static void a_breakpoint_beside_data(void **state)
{
	struct rig rig = {0};
	uint64_t exits;
	int end;

	watch_start(&rig, 1, *state);
	end = LOAD(&rig, 0xff, 0x05, 0x80, 0x10, 0, 0, 0xe2, 0xf8); /* incl CODE + 0x80; loop */
	rig_set_reg(&rig, 0, "rcx", 20000);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(watch_get(&rig, RIG_CODE + 0x80, 4), 20000);
	exits = recorder_exits(&rig.machine->vcpus[0].recorder, EXIT_MMIO);
	assert_in_range(exits, strstr(rig_point(&rig, end)->rung, "int3") ? 1000 : 0, 10000);
	rig_stop(&rig);
}

/* ---- page tables --------------------------------------------------------------------------- */

#define TABLE 0x14000ull

/* The guest maps a page, and then another in its place: KVM must hear of it, though it is vitrine that
 * writes the entry. */
static void a_page_table_that_is_watched(void **state)
{
	struct rig rig = {.ram_size = 4 << 20};
	int number, end;

	watch_start(&rig, 1, *state);
	enter_long_mode(&rig);
	put64(&rig, PD_LOW + 8, TABLE | 3);
	put64(&rig, TABLE, DATA | 3);
	if (*state == by_page &&
	    debug_capabilities(rig.debug)->page_table[CAP_LONG] != PAGE_WORKS) {
		expect_refusal(&rig, POINT_WRITE, TABLE + 0x800, "page tables in use");
		rig_stop(&rig);
		print_message("# SKIP this host's KVM: page tables on protected pages\n");
		skip();
	}
	put32(&rig, DATA, 1);
	put32(&rig, DATA + PAGE, 2);
	/* mov WINDOW,%eax; movq $DATA + PAGE | 3,TABLE; invlpg WINDOW; mov WINDOW,%ebx */
	end = LOAD(&rig, 0x8b, 0x04, 0x25, 0, 0, 0x20, 0, 0x48, 0xc7, 0x04, 0x25, 0, 0x40, 1, 0,
		   0x03, 0x90, 0, 0, 0x0f, 0x01, 0x3c, 0x25, 0, 0, 0x20, 0, 0x8b, 0x1c, 0x25, 0, 0,
		   0x20, 0);
	number = rig_watch(&rig, POINT_WRITE, TABLE + 0x800, 8);
	rig_continue(&rig);
	expect_end(&rig, end);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 2);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

/* ---- reset ------------------------------------------------------------------------------- */

static void a_reset_leaves_the_watch_in_force(void **state)
{
	static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xa3, 0x00, 0x80, 0, 0, 0xeb, 0xfe};
	struct rig rig = {0};
	struct error err = {0};

	watch_start(&rig, 1, *state);
	rig_boot(&rig, code, sizeof(code));
	rig_watch(&rig, POINT_WRITE, DATA, 4);
	for (unsigned i = 0; i < 3; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_WATCH_WRITE);
		assert_int_equal(debug_last_stop(rig.debug)->old_value, 0);
		assert_int_equal(watch_get(&rig, DATA, 4), 42);
		assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
		assert_int_equal(watch_get(&rig, DATA, 4), 0);
	}
	rig_stop(&rig);
}

#define BY_PAGE(f) cmocka_unit_test_prestate(f, by_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_BOTH(a_step_over_a_write_tells_the_watch),
		BY_BOTH(a_range_of_writes_beside_the_watch),
		BY_BOTH(a_breakpoint_on_the_writer),
		BY_BOTH(writes_over_a_breakpoint),
		BY_BOTH(a_page_table_that_is_watched),
		BY_BOTH(a_reset_leaves_the_watch_in_force),
		BY_PAGE(a_breakpoint_under_a_copy),
		BY_PAGE(a_breakpoint_beside_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
