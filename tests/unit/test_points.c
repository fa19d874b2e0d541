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

#include "points_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static void test_condition_lets_pass_until_it_holds(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	assert_int_equal(
		debug_point_condition(points_rig.debug, number, rax_is(PROGRAM_EQUAL, 50), NULL),
		0);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, number);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 50);
	assert_int_equal(points_find(number)->hits, 1);
	assert_int_equal(points_find(number)->evaluations, 50);
	assert_int_equal(rig_byte(&points_rig, AT_NOP), 0x90);
}

static void test_condition_that_cannot_be_evaluated_stops(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	debug_point_condition(points_rig.debug, number, word_at(0x7fff0000), NULL);
	run_first();
	assert_non_null(strstr(rig_wait_stop(&points_rig)->text, "cannot be evaluated"));
	assert_non_null(strstr(debug_last_stop(points_rig.debug)->text, "0x7fff0000"));
	assert_int_equal(debug_last_stop(points_rig.debug)->point, number);
}

static void test_condition_is_taken_away(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	debug_point_condition(points_rig.debug, number, rax_is(PROGRAM_EQUAL, 1000), NULL);
	debug_point_condition(points_rig.debug, number, NULL, NULL);
	run_first();
	rig_wait_stop(&points_rig);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 1);
}

static void test_ignore_count(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	assert_int_equal(debug_point_ignore(points_rig.debug, number, 9, NULL), 0);
	run_first();
	rig_wait_stop(&points_rig);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 10);
	assert_int_equal(points_find(number)->hits, 10);
	assert_int_equal(points_find(number)->ignore, 0);
}

/* A step that ends on a point uses up one of its ignored hits, and going on uses up no other. */
static void test_ignore_count_and_a_step(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	debug_point_ignore(points_rig.debug, number, 1, NULL);
	rig_step(&points_rig, 0);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_STEP);
	assert_int_equal(debug_last_stop(points_rig.debug)->point, 0);
	run_first();
	rig_wait_stop(&points_rig);
	assert_int_equal(points_find(number)->hits, 2);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 2);
}

static void test_disabled_is_not_there(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	assert_int_equal(debug_point_enable(points_rig.debug, number, false, NULL), 0);
	assert_false(points_find(number)->enabled);
	rig_continue(&points_rig);
	debug_pause(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_PAUSE);
	debug_point_enable(points_rig.debug, number, true, NULL);
	rig_continue(&points_rig);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_BREAKPOINT);
}

/* Nobody meets it before it has its condition. */
static void test_begins_disabled(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP, .disabled = true};
	int number = debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	assert_false(points_find(number)->enabled);
	rig_continue(&points_rig);
	assert_int_equal(
		debug_point_condition(points_rig.debug, number, rax_is(PROGRAM_EQUAL, 0), NULL), 0);
	assert_int_equal(debug_point_enable(points_rig.debug, number, true, NULL), 0);
	debug_pause(points_rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&points_rig)->reason, STOP_PAUSE);
	assert_int_equal(points_find(number)->hits, 0);
}

static void test_separate_points_at_one_place(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP};
	int first = debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	assert_int_equal(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL), first);
	spec.separate = true;
	assert_int_not_equal(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL), first);
}

static void test_limited_to_a_vcpu(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE,
				  .address = RIG_CODE,
				  .limit = {.by = LIMIT_VCPU, .vcpu = 1}};
	int number = debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	rig_set_reg(&points_rig, 1, "rip", RIG_CODE + 1);
	rig_set_reg(&points_rig, 0, "rip", RIG_CODE + 1);
	for (int i = 0; i < 20; i++) {
		rig_continue(&points_rig);
		assert_int_equal(rig_wait_stop(&points_rig)->vcpu, 1);
		assert_int_equal(debug_last_stop(points_rig.debug)->point, number);
	}
	assert_int_equal(points_find(number)->hits, 20);
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

		numbers[i] = debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL);
	}
	do {
		rig_set_reg(&points_rig, 0, "rip", RIG_CODE);
		rig_set_reg(&points_rig, 1, "rip", RIG_CODE);
		rig_continue(&points_rig);
		first = rig_wait_stop(&points_rig)->vcpu;
		assert_int_equal(debug_last_stop(points_rig.debug)->point, numbers[first]);
	} while (first == 1 || rig_reg(&points_rig, 1, "rip") != AT_NOP);
	/* It has hit, or is about to. */
	assert_int_equal(debug_resume(points_rig.debug, second_alone, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&points_rig)->vcpu, 1);
	assert_int_equal(debug_last_stop(points_rig.debug)->point, numbers[1]);
}

static void test_limited_to_a_ring_and_a_space(void **state)
{
	struct point_spec spec = {
		.kind = POINT_SOFTWARE, .address = AT_NOP, .limit = {.by = LIMIT_RING, .ring = 3}};

	(void)state;
	assert_true(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL) > 0);
	spec.limit = (struct point_limit){.by = LIMIT_CR3, .cr3 = 0x5000};
	assert_true(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL) > 0);
	spec.limit.cr3 = 0;
	spec.address = RIG_CODE + 2;
	assert_int_equal(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL), 3);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, 3);
	assert_int_equal(points_find(1)->hits, 0);
	assert_int_equal(points_find(2)->hits, 0);
}

enum { TABLES = 0x10000, NEXT_TABLES = TABLES + 32, DIRECTORY = 0x11000, FLAGS = 0x18 };

/* With PAE, tables of many address spaces lie in one page. The dummy itself knows no paging. */
static void test_limited_to_a_space_of_pae(void **state)
{
	const uint64_t directory = DIRECTORY | 1, page = 0x83; /* 2 MiB from 0 on */
	struct point_spec spec = {.kind = POINT_SOFTWARE,
				  .address = AT_NOP,
				  .limit = {.by = LIMIT_CR3, .cr3 = NEXT_TABLES}};
	struct memory *memory = points_rig.machine->memory;

	(void)state;
	mem_write_phys(memory, TABLES, &directory, sizeof(directory));
	mem_write_phys(memory, NEXT_TABLES, &directory, sizeof(directory));
	mem_write_phys(memory, DIRECTORY, &page, sizeof(page));
	rig_set_reg(&points_rig, 0, "cr4", CR4_PAE);
	rig_set_reg(&points_rig, 0, "cr3", TABLES | FLAGS);
	rig_set_reg(&points_rig, 0, "cr0", CR0_PE | CR0_PG);
	assert_int_equal(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL), 1);
	spec.limit.cr3 = TABLES;
	spec.address = RIG_CODE + 2;
	assert_int_equal(debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL), 2);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, 2);
	assert_int_equal(points_find(1)->hits, 0);
}

/* Each of two at one place counts, and the one that stops is told. */
static void test_two_at_one_place(void **state)
{
	struct point_spec spec = {.kind = POINT_HARDWARE, .address = AT_NOP};
	int first = rig_break(&points_rig, AT_NOP);
	int second = debug_point_add(points_rig.debug, &spec, OWNER_GDB, NULL);

	(void)state;
	assert_true(second > first);
	debug_point_condition(points_rig.debug, first, rax_is(PROGRAM_EQUAL, 0), NULL);
	debug_point_ignore(points_rig.debug, second, 4, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, second);
	assert_int_equal(rig_reg(&points_rig, 0, "rax"), 5);
	assert_int_equal(points_find(first)->evaluations, 5);
	assert_int_equal(points_find(second)->hits, 5);
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
	int number = rig_break(&points_rig, AT_NOP);
	int last = rig_break(&points_rig, RIG_CODE + 2);

	(void)state;
	debug_point_action(points_rig.debug, number,
			   print("rax is %4ld!\n", rax_is(PROGRAM_ADD, 0), true), NULL);
	debug_point_ignore(points_rig.debug, last, 2, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, last);
	assert_int_equal(points_line_count, 3);
	assert_string_equal(points_lines[0], "rax is    1!\n");
	assert_string_equal(points_lines[2], "rax is    3!\n");
	assert_int_equal(points_find(number)->hits, 3);
}

static void test_action_that_stops(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);

	(void)state;
	debug_point_action(points_rig.debug, number, print("100%% %s", word_at(0x7fff0000), false),
			   NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, number);
	assert_int_equal(points_line_count, 1);
	assert_non_null(strstr(points_lines[0], "100% <"));
}

/* Many lines, and nobody in a hurry to read them: none is lost. */
static void test_no_line_is_lost(void **state)
{
	int number = rig_break(&points_rig, AT_NOP);
	int last = rig_break(&points_rig, RIG_CODE + 2);

	(void)state;
	debug_point_action(points_rig.debug, number, print("%d", rax_is(PROGRAM_ADD, 0), true),
			   NULL);
	debug_point_ignore(points_rig.debug, last, 9999, NULL);
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, last);
	assert_int_equal(points_line_count, 10000);
	assert_string_equal(points_lines[9999 % 4], "10000\n");
}

static void test_temporary_goes_with_its_stop(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = AT_NOP, .temporary = true};
	int number = debug_point_add(points_rig.debug, &spec, OWNER_CONSOLE, NULL);

	(void)state;
	run_first();
	assert_int_equal(rig_wait_stop(&points_rig)->point, number);
	assert_null(debug_point_next(points_rig.debug, NULL));
}

static void test_what_is_not_there_cannot_be_changed(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(debug_point_condition(points_rig.debug, 7, NULL, &err), -ENOENT);
	assert_int_equal(debug_point_ignore(points_rig.debug, 7, 1, &err), -ENOENT);
	assert_int_equal(debug_point_enable(points_rig.debug, 0, true, &err), -ENOENT);
	assert_int_equal(debug_point_action(points_rig.debug, -1, NULL, &err), -ENOENT);
	assert_true(strlen(err.text) > 0);
}

/* ---- plans that run to a place ----------------------------------------------------------- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, points_start, points_stop)

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
		TEST(test_limited_to_a_space_of_pae),
		TEST(test_two_at_one_place),
		TEST(test_action_prints_and_goes_on),
		TEST(test_action_that_stops),
		TEST(test_no_line_is_lost),
		TEST(test_temporary_goes_with_its_stop),
		TEST(test_what_is_not_there_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
