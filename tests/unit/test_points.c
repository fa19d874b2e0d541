// SPDX-License-Identifier: GPL-3.0-or-later
/* What a point has beside its place: limits, a condition, an ignore count, an action; and plans that run to a
 * place. On the dummy accelerator. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "accel/dummy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* loop: inc %eax; nop; jmp loop */
static const uint8_t counting_loop[] = {0x40, 0x90, 0xeb, 0xfc};
#define AT_NOP (RIG_CODE + 1)

static struct rig rig;
static char lines[4][128];
static unsigned line_count;

static void heard_line(void *ctx, enum debug_event event, enum debug_owner actor)
{
	(void)ctx;
	if (event != DEBUG_OUTPUT)
		return;
	assert_int_equal(actor, OWNER_CONSOLE);
	snprintf(lines[line_count % 4], sizeof(lines[0]), "%s", debug_output(rig.debug));
	line_count++;
}

static int start(void **state)
{
	(void)state;
	rig = (struct rig){0};
	line_count = 0;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	rig_code(&rig, 1, counting_loop, sizeof(counting_loop));
	debug_listen(rig.debug, heard_line, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

static unsigned register_row(const char *name)
{
	for (unsigned i = 0; i < register_count; i++)
		if (!strcmp(registers[i].name, name))
			return i;
	fail_msg("no register %s", name);
	return 0;
}

/* rax OP value */
static struct program *rax_is(enum program_op op, uint64_t value)
{
	struct program_builder builder = {0};
	struct program *program;
	struct error err = {0};

	program_append(&builder, PROGRAM_REGISTER, register_row("rax"));
	program_append(&builder, PROGRAM_CONST, value);
	program_append(&builder, op, 0);
	program_append(&builder, PROGRAM_END, 0);
	if (program_finish(&builder, "rax", &program, &err) < 0)
		fail_msg("%s", err.text);
	return program;
}

static struct program *word_at(uint64_t address)
{
	struct program_builder builder = {0};
	struct program *program;

	program_append(&builder, PROGRAM_CONST, address);
	program_append(&builder, PROGRAM_READ64, 0);
	program_append(&builder, PROGRAM_END, 0);
	assert_int_equal(program_finish(&builder, NULL, &program, NULL), 0);
	return program;
}

static const struct point *point(int number)
{
	const struct point *p = NULL;

	while ((p = debug_point_next(rig.debug, p)))
		if (p->number == number)
			return p;
	return NULL;
}

static void run_first(void)
{
	const struct plan plans[2] = {{.action = PLAN_RUN}, {.action = PLAN_HOLD}};

	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
}

static void test_condition_lets_pass_until_it_holds(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	assert_int_equal(debug_point_condition(rig.debug, number, rax_is(PROGRAM_EQUAL, 50), NULL),
			 0);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 50);
	assert_int_equal(point(number)->hits, 1);
	assert_int_equal(point(number)->evaluations, 50);
	assert_int_equal(rig_byte(&rig, AT_NOP), 0x90);
}

static void test_condition_that_cannot_be_evaluated_stops(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	debug_point_condition(rig.debug, number, word_at(0x7fff0000), NULL);
	run_first();
	assert_non_null(strstr(rig_wait_stop(&rig)->text, "cannot be evaluated"));
	assert_non_null(strstr(debug_last_stop(rig.debug)->text, "0x7fff0000"));
	assert_int_equal(debug_last_stop(rig.debug)->point, number);
}

static void test_condition_is_taken_away(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	debug_point_condition(rig.debug, number, rax_is(PROGRAM_EQUAL, 1000), NULL);
	debug_point_condition(rig.debug, number, NULL, NULL);
	run_first();
	rig_wait_stop(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
}

static void test_ignore_count(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	assert_int_equal(debug_point_ignore(rig.debug, number, 9, NULL), 0);
	run_first();
	rig_wait_stop(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 10);
	assert_int_equal(point(number)->hits, 10);
	assert_int_equal(point(number)->ignore, 0);
}

/* A step that ends on a point uses up one of its ignored hits, and going on uses up no other. */
static void test_ignore_count_and_a_step(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	debug_point_ignore(rig.debug, number, 1, NULL);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_last_stop(rig.debug)->point, 0);
	run_first();
	rig_wait_stop(&rig);
	assert_int_equal(point(number)->hits, 2);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 2);
}

static void test_disabled_is_not_there(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	assert_int_equal(debug_point_enable(rig.debug, number, false, NULL), 0);
	assert_false(point(number)->enabled);
	rig_continue(&rig);
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	debug_point_enable(rig.debug, number, true, NULL);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
}

/* Nobody meets it before it has its condition. */
static void test_begins_disabled(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP, .disabled = true};
	int number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	assert_false(point(number)->enabled);
	rig_continue(&rig);
	assert_int_equal(debug_point_condition(rig.debug, number, rax_is(PROGRAM_EQUAL, 0), NULL),
			 0);
	assert_int_equal(debug_point_enable(rig.debug, number, true, NULL), 0);
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	assert_int_equal(point(number)->hits, 0);
}

static void test_separate_points_at_one_place(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP};
	int first = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	assert_int_equal(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL), first);
	spec.separate = true;
	assert_int_not_equal(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL), first);
}

static void test_limited_to_a_vcpu(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE,
				  .address = RIG_CODE,
				  .limit = {.by = LIMIT_VCPU, .vcpu = 1}};
	int number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	rig_set_reg(&rig, 1, "rip", RIG_CODE + 1);
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 1);
	for (int i = 0; i < 20; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
		assert_int_equal(debug_last_stop(rig.debug)->point, number);
	}
	assert_int_equal(point(number)->hits, 20);
}

/* Both come to the same place until they do so together: one waits to be told then, and is told of its
 * own point. */
static void test_each_vcpu_has_its_own_point(void **state)
{
	const struct plan second_alone[2] = {{.action = PLAN_HOLD}, {.action = PLAN_RUN}};
	int numbers[2], first;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct point_spec spec = {.kind = POINT_SOFTWARE,
					  .address = AT_NOP,
					  .limit = {.by = LIMIT_VCPU, .vcpu = i}};

		numbers[i] = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL);
	}
	do {
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		rig_set_reg(&rig, 1, "rip", RIG_CODE);
		rig_continue(&rig);
		first = rig_wait_stop(&rig)->vcpu;
		assert_int_equal(debug_last_stop(rig.debug)->point, numbers[first]);
	} while (first == 1 || rig_reg(&rig, 1, "rip") != AT_NOP);
	/* It has hit, or is about to. */
	assert_int_equal(debug_resume(rig.debug, second_alone, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, 1);
	assert_int_equal(debug_last_stop(rig.debug)->point, numbers[1]);
}

static void test_limited_to_a_ring_and_a_space(void **state)
{
	struct point_spec spec = {
		.kind = POINT_SOFTWARE, .address = AT_NOP, .limit = {.by = LIMIT_RING, .ring = 3}};

	(void)state;
	assert_true(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL) > 0);
	spec.limit = (struct point_limit){.by = LIMIT_CR3, .cr3 = 0x5000};
	assert_true(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL) > 0);
	spec.limit.cr3 = 0;
	spec.address = RIG_CODE + 2;
	assert_int_equal(debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL), 3);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, 3);
	assert_int_equal(point(1)->hits, 0);
	assert_int_equal(point(2)->hits, 0);
}

/* Each of two at one place counts, and the one that stops is told. */
static void test_two_at_one_place(void **state)
{
	struct point_spec spec = {.kind = POINT_HARDWARE, .address = AT_NOP};
	int first = rig_break(&rig, AT_NOP);
	int second = debug_point_add(rig.debug, &spec, OWNER_GDB, NULL);

	(void)state;
	assert_true(second > first);
	debug_point_condition(rig.debug, first, rax_is(PROGRAM_EQUAL, 0), NULL);
	debug_point_ignore(rig.debug, second, 4, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, second);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 5);
	assert_int_equal(point(first)->evaluations, 5);
	assert_int_equal(point(second)->hits, 5);
}

static struct point_action *print(const char *format, struct program *arg, bool go_on)
{
	struct point_action *action = calloc(1, sizeof(*action));

	assert_non_null(action);
	action->format = strdup(format);
	action->args[0] = arg;
	action->arg_count = arg ? 1 : 0;
	action->go_on = go_on;
	return action;
}

static void test_action_prints_and_goes_on(void **state)
{
	int number = rig_break(&rig, AT_NOP);
	int last = rig_break(&rig, RIG_CODE + 2);

	(void)state;
	debug_point_action(rig.debug, number, print("rax is %4ld!\n", rax_is(PROGRAM_ADD, 0), true),
			   NULL);
	debug_point_ignore(rig.debug, last, 2, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	assert_int_equal(line_count, 3);
	assert_string_equal(lines[0], "rax is    1!\n");
	assert_string_equal(lines[2], "rax is    3!\n");
	assert_int_equal(point(number)->hits, 3);
}

static void test_action_that_stops(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	debug_point_action(rig.debug, number, print("100%% %s", word_at(0x7fff0000), false), NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_int_equal(line_count, 1);
	assert_non_null(strstr(lines[0], "100% <"));
}

/* Many lines, and nobody in a hurry to read them: none is lost. */
static void test_no_line_is_lost(void **state)
{
	int number = rig_break(&rig, AT_NOP);
	int last = rig_break(&rig, RIG_CODE + 2);

	(void)state;
	debug_point_action(rig.debug, number, print("%d", rax_is(PROGRAM_ADD, 0), true), NULL);
	debug_point_ignore(rig.debug, last, 9999, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, last);
	assert_int_equal(line_count, 10000);
	assert_string_equal(lines[9999 % 4], "10000\n");
}

static void test_temporary_goes_with_its_stop(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP, .temporary = true};
	int number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	run_first();
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	assert_null(debug_point_next(rig.debug, NULL));
}

static void test_what_is_not_there_cannot_be_changed(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(debug_point_condition(rig.debug, 7, NULL, &err), -ENOENT);
	assert_int_equal(debug_point_ignore(rig.debug, 7, 1, &err), -ENOENT);
	assert_int_equal(debug_point_enable(rig.debug, 0, true, &err), -ENOENT);
	assert_int_equal(debug_point_action(rig.debug, -1, NULL, &err), -ENOENT);
	assert_true(strlen(err.text) > 0);
}

/* ---- code that moves ---------------------------------------------------------------------- */

/* inc; nop, where the breakpoint is; inc; jmp ., among bytes that are no padding */
static const uint8_t body[64] = {0x40, 0x90, 0x40, 0xeb, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
#define BODY 0x2040ull
#define COPY 0x1040ull /* the same place in vCPU 0's page */

static void pause_first(void)
{
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
}

/* The test stands in for the guest, which moves its code while it runs, our int3 with it. */
static int move_body(void)
{
	const uint8_t spin[] = {0xeb, 0xfe}, nothing[sizeof(body)] = {0};
	struct memory *memory = rig.machine->memory;
	uint8_t moved[sizeof(body)];
	int number;

	rig_code(&rig, 0, spin, sizeof(spin));
	mem_write_phys(memory, BODY, body, sizeof(body));
	number = rig_break(&rig, BODY + 1);
	run_first();
	mem_read_phys(memory, BODY, moved, sizeof(moved));
	assert_int_equal(moved[1], 0xcc);
	mem_write_phys(memory, COPY, moved, sizeof(moved));
	mem_write_phys(memory, BODY, nothing, sizeof(nothing));
	pause_first();
	assert_int_equal(rig_byte(&rig, BODY + 1), 0);
	assert_int_equal(rig_byte(&rig, COPY + 1), 0xcc);
	return number;
}

static void test_copied_int3_is_not_seen(void **state)
{
	uint8_t bytes[sizeof(body)];

	(void)state;
	move_body();
	assert_int_equal(debug_read(rig.debug, 0, SPACE_PHYSICAL, COPY, bytes, sizeof(bytes)),
			 sizeof(bytes));
	assert_memory_equal(bytes, body, sizeof(body));
	assert_int_equal(rig_byte(&rig, COPY + 1), body[1]);
}

static void test_nothing_is_left_when_the_owner_leaves(void **state)
{
	(void)state;
	move_body();
	debug_points_forget(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_byte(&rig, COPY + 1), body[1]);
}

static void test_no_snapshot_has_a_copied_int3(void **state)
{
	struct error err = {0};

	(void)state;
	move_body();
	if (debug_snapshot_save(rig.debug, "moved", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig_byte(&rig, COPY + 1), body[1]);
}

/* The breakpoint goes where the code went, and brings the right byte back there. */
static void test_breakpoint_onto_a_copied_int3(void **state)
{
	(void)state;
	debug_point_remove(rig.debug, move_body(), NULL);
	rig_break(&rig, COPY + 1);
	run_first();
	pause_first();
	assert_int_equal(rig_byte(&rig, COPY + 1), body[1]);
}

static void test_int3_of_the_guest_is_left_alone(void **state)
{
	const uint8_t int3 = 0xcc;
	uint8_t byte;

	(void)state;
	move_body();
	mem_write_phys(rig.machine->memory, COPY + 3, &int3, 1);
	mem_write_phys(rig.machine->memory, BODY + 1, &int3, 1);
	for (uint64_t at = BODY + 1; at; at = at == COPY + 3 ? 0 : COPY + 3) {
		debug_read(rig.debug, 0, SPACE_PHYSICAL, at, &byte, 1);
		assert_int_equal(byte, int3);
	}
}

static void test_copied_int3_is_undone(void **state)
{
	(void)state;
	move_body();
	rig_set_reg(&rig, 0, "rip", COPY);
	while (rig_reg(&rig, 0, "rax") < 2) {
		run_first();
		pause_first();
	}
	assert_int_equal(rig_byte(&rig, COPY + 1), 0x90);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_bp, 0);
}

/* ---- plans that run to a place ----------------------------------------------------------- */

static void run_until(uint64_t address)
{
	const struct plan plans[2] = {{.action = PLAN_UNTIL, .address = address},
				      {.action = PLAN_RUN}};

	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
}

static void test_until_an_address(void **state)
{
	(void)state;
	run_until(RIG_CODE + 2);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_last_stop(rig.debug)->vcpu, 0);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	assert_null(debug_point_next(rig.debug, NULL));
}

/* To where one stands is once around. */
static void test_until_the_same_address(void **state)
{
	(void)state;
	run_until(RIG_CODE);
	rig_wait_stop(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 1);
}

static void test_until_is_forgotten_at_another_stop(void **state)
{
	int number = rig_break(&rig, AT_NOP);

	(void)state;
	run_until(RIG_CODE + 2);
	assert_int_equal(rig_wait_stop(&rig)->point, number);
	debug_point_remove(rig.debug, number, NULL);
	rig_continue(&rig);
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
}

static void test_until_waits_for_the_stack(void **state)
{
	const struct plan plans[2] = {{.action = PLAN_UNTIL, .address = AT_NOP, .above_sp = 0x8000},
				      {.action = PLAN_HOLD}};

	(void)state;
	rig_set_reg(&rig, 0, "rsp", 0x8000);
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	rig_set_reg(&rig, 0, "rsp", 0x8008);
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_condition_lets_pass_until_it_holds),
		TEST(test_condition_that_cannot_be_evaluated_stops),
		TEST(test_condition_is_taken_away),
		TEST(test_ignore_count),
		TEST(test_ignore_count_and_a_step),
		TEST(test_disabled_is_not_there),
		TEST(test_begins_disabled),
		TEST(test_separate_points_at_one_place),
		TEST(test_limited_to_a_vcpu),
		TEST(test_each_vcpu_has_its_own_point),
		TEST(test_limited_to_a_ring_and_a_space),
		TEST(test_two_at_one_place),
		TEST(test_action_prints_and_goes_on),
		TEST(test_action_that_stops),
		TEST(test_no_line_is_lost),
		TEST(test_temporary_goes_with_its_stop),
		TEST(test_what_is_not_there_cannot_be_changed),
		TEST(test_copied_int3_is_not_seen),
		TEST(test_nothing_is_left_when_the_owner_leaves),
		TEST(test_no_snapshot_has_a_copied_int3),
		TEST(test_breakpoint_onto_a_copied_int3),
		TEST(test_int3_of_the_guest_is_left_alone),
		TEST(test_copied_int3_is_undone),
		TEST(test_until_an_address),
		TEST(test_until_the_same_address),
		TEST(test_until_is_forgotten_at_another_stop),
		TEST(test_until_waits_for_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
