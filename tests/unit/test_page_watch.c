// SPDX-License-Identifier: GPL-3.0-or-later
/* Watches by page protection, on the dummy accelerator: who is asked, who is told, and when not. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <string.h>

#define DATA 0x8000u

/* mov %eax,DATA; mov %eax,DATA+8; mov %al,DATA+1; mov %eax,DATA; loop */
static const uint8_t stores[] = {0xa3, 0x00, 0x80, 0, 0,    0xa3, 0x08, 0x80, 0, 0,    0xa2,
				 0x01, 0x80, 0,	   0, 0xa3, 0x00, 0x80, 0,    0, 0xeb, 0xea};

static void start(struct rig *rig, const char *strategy)
{
	*rig = (struct rig){0};
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, 1, IRQCHIP_KERNEL);
	rig_code(rig, 0, stores, sizeof(stores));
	rig_set_reg(rig, 0, "rax", 0x41424344);
}

static void expect(struct rig *rig, int point, uint64_t pc)
{
	const struct stop *stop;

	rig_continue(rig);
	stop = rig_wait_stop(rig);
	if (stop->point != point || debug_pc(rig->debug, 0) != pc)
		fail_msg("'%s' at 0x%llx", stop->text, (unsigned long long)debug_pc(rig->debug, 0));
}

static void each_write_to_watched_bytes_stops(void **state)
{
	struct rig rig;
	int number;

	(void)state;
	start(&rig, "watch=page");
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	expect(&rig, number, RIG_CODE + 5);
	assert_int_equal(rig_wait_stop(&rig)->new_value, 0x41424344);
	expect(&rig, number, RIG_CODE + 15);
	assert_int_equal(rig_wait_stop(&rig)->new_value, 0x41424444);
	expect(&rig, number, RIG_CODE + 20);
	assert_int_equal(rig_point(&rig, number)->hits, 3);
	assert_int_equal(rig_byte(&rig, DATA + 8), 0x44);
	rig_stop(&rig);
}

static void expect_step(struct rig *rig, int point)
{
	const struct stop *stop;

	rig_step(rig, 0);
	stop = rig_wait_stop(rig);
	if (stop->point != point || (point && stop->reason != STOP_WATCH_WRITE))
		fail_msg("'%s' at 0x%llx", stop->text, (unsigned long long)debug_pc(rig->debug, 0));
}

/* Neither a step nor the step off a breakpoint hides what the instruction wrote. */
static void a_watch_is_hit_in_a_step(void **state)
{
	static const char *const strategies[] = {"watch=slot", "watch=page"};
	struct rig rig;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int number;

		start(&rig, strategies[i]);
		number = rig_watch(&rig, POINT_WRITE, DATA, 4);
		expect_step(&rig, number);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 5);
		expect_step(&rig, 0);
		expect_step(&rig, number);
		expect(&rig, number, RIG_CODE + 20);
		rig_stop(&rig);
	}
}

/* Set where the vCPU is about to write, told there, and stepped off. */
static void a_watch_is_hit_stepping_off(void **state)
{
	static const char *const strategies[] = {"watch=slot", "watch=page"};
	struct rig rig;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int number, here;

		start(&rig, strategies[i]);
		number = rig_watch(&rig, POINT_WRITE, DATA + 8, 4);
		here = rig_break(&rig, RIG_CODE + 5);
		expect(&rig, here, RIG_CODE + 5);
		expect(&rig, number, RIG_CODE + 10);
		expect(&rig, here, RIG_CODE + 5);
		rig_stop(&rig);
	}
}

/* What debug registers have no room for, or cannot hold, goes to pages. */
static void more_than_debug_registers_hold(void **state)
{
	struct rig rig;
	const struct point *p = NULL;
	unsigned pages = 0;
	int last;

	(void)state;
	start(&rig, NULL);
	for (unsigned i = 0; i < 6; i++)
		rig_watch(&rig, POINT_WRITE, DATA + 0x100 + 4 * i, 4);
	last = rig_watch(&rig, POINT_WRITE, DATA + 9, 1000);
	while ((p = debug_point_next(rig.debug, p)))
		pages += !strcmp(p->rung, "page protection");
	assert_int_equal(pages, 3);
	expect(&rig, last, RIG_CODE + 10);
	rig_stop(&rig);
}

static void removed_watches_leave_no_trace(void **state)
{
	struct rig rig;
	struct error err;
	unsigned slots;
	int number;

	(void)state;
	start(&rig, "watch=page");
	slots = memory_slot_count(rig.machine->memory);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	expect(&rig, number, RIG_CODE + 5);
	assert_int_equal(memory_slot_count(rig.machine->memory), slots + 2);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	assert_int_equal(memory_slot_count(rig.machine->memory), slots);
	rig_stop(&rig);
}

static void ignored_and_disabled(void **state)
{
	struct rig rig;
	struct error err;
	int number, end;

	(void)state;
	start(&rig, "watch=page");
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	end = rig_break(&rig, RIG_CODE + 20);
	assert_int_equal(debug_point_ignore(rig.debug, number, 2, &err), 0);
	expect(&rig, number, RIG_CODE + 20);
	assert_int_equal(rig_point(&rig, number)->hits, 3);
	assert_int_equal(debug_point_enable(rig.debug, number, false, &err), 0);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	expect(&rig, end, RIG_CODE + 20);
	assert_int_equal(rig_point(&rig, number)->hits, 3);
	rig_stop(&rig);
}

/* The address is another page for a while. */
static void physical_addresses_too(void **state)
{
	const struct point_spec spec = {
		.kind = POINT_WRITE, .address = DATA, .length = 4, .physical = true};
	struct rig rig;
	struct error err;
	int number;

	(void)state;
	start(&rig, NULL);
	number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err);
	assert_true(number > 0);
	expect(&rig, number, RIG_CODE + 5);
	rig_stop(&rig);
}

/* No protection stops a device; its writes are looked at on their way. */
static void writes_of_devices(void **state)
{
	static const uint8_t loop[] = {0xeb, 0xfe};
	const uint8_t data[32] = {[16] = 5};
	const struct stop *stop;
	struct rig rig;
	int number;

	(void)state;
	start(&rig, "watch=page");
	rig_code(&rig, 0, loop, sizeof(loop));
	number = rig_watch(&rig, POINT_WRITE, DATA + 16, 4);
	rig_continue(&rig);
	assert_int_equal(machine_device_write(rig.machine, DATA + 0x100, data, 32), 32);
	assert_true(debug_running(rig.debug));
	assert_int_equal(machine_device_write(rig.machine, DATA, data, 32), 32);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, number);
	assert_string_equal(stop->text, "write to 0x8010 (watch 1, 4 bytes): 0 → 5 by a device");
	assert_int_equal(rig_byte(&rig, DATA + 16), 5);
	assert_int_equal(rig_point(&rig, number)->hits, 1);
	assert_int_equal(machine_device_write(rig.machine, (1 << 20) - 4, data, 32), 4);
	rig_stop(&rig);
}

static void no_bytes_no_watch(void **state)
{
	const struct point_spec none = {.kind = POINT_WRITE, .address = DATA},
				endless = {.kind = POINT_WRITE, .address = DATA, .length = ~0ull};
	struct rig rig;
	struct error err;

	(void)state;
	start(&rig, "watch=page");
	assert_true(debug_point_add(rig.debug, &none, OWNER_CONSOLE, &err) < 0);
	assert_true(debug_point_add(rig.debug, &endless, OWNER_CONSOLE, &err) < 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_write_to_watched_bytes_stops),
		cmocka_unit_test(a_watch_is_hit_in_a_step),
		cmocka_unit_test(a_watch_is_hit_stepping_off),
		cmocka_unit_test(more_than_debug_registers_hold),
		cmocka_unit_test(removed_watches_leave_no_trace),
		cmocka_unit_test(ignored_and_disabled),
		cmocka_unit_test(physical_addresses_too),
		cmocka_unit_test(writes_of_devices),
		cmocka_unit_test(no_bytes_no_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
