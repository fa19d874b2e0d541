// SPDX-License-Identifier: GPL-3.0-or-later
/* Commands about points. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct cpu_state *fake_state(void *ctx, unsigned groups)
{
	return debug_state(ctx, 0, groups);
}

/* ---- points -------------------------------------------------------------------------------- */

static void test_break(void **state)
{
	struct rig *rig = *state;
	uint64_t body = symbols_breakpoint_address(rig->symbols, address_of(rig, "add_one"));

	rig->debug->next_number = 1;
	contains(answer(rig, "break add_one"), "breakpoint 1 at 0x");
	contains(rig->text, "fixture.c:19");
	contains(rig->text, "(fake)");
	assert_int_equal(rig->debug->points[0].spec.address, body);
	answer(rig, "tbreak fixture.c:21");
	assert_true(rig->debug->points[1].spec.temporary);
	answer(rig, "hbreak *0x1234");
	assert_int_equal(rig->debug->points[2].spec.kind, POINT_HARDWARE);
	assert_int_equal(rig->debug->points[2].spec.address, 0x1234);
	answer(rig, "b add_one+1");
	assert_int_equal(rig->debug->points[3].spec.address, address_of(rig, "add_one") + 1);
	answer(rig, "b 12");
	contains(rig->text, "fixture.c:12");
	answer(rig, "b 18"); /* a function's first line */
	assert_int_equal(rig->debug->points[5].spec.address, body);
	answer(rig, "b");
	assert_int_equal(rig->debug->points[6].spec.address, rig->debug->state[0].general.rip);
	refusal(rig, "b nowhere", -ENOENT);
	refusal(rig, "b nowhere.c:5", -ENOENT);
	contains(answer(rig, "info breakpoints"), "hardware breakpoint");
	contains(rig->text, "deleted when hit");
	answer(rig, "delete 1 3");
	assert_int_equal(rig->debug->point_count, 5);
	refusal(rig, "delete 1", -ENOENT);
	refusal(rig, "delete x", -EINVAL);
	refusal(rig, "delete 99999999999", -EINVAL);
	run_as(rig, OWNER_GDB, "break twice");
	assert_int_equal(rig->debug->points[5].owner, OWNER_GDB);
	contains(refusal(rig, "delete 8", -EPERM), "gdb");
	contains(answer(rig, "delete"), "5 deleted");
	assert_int_equal(rig->debug->point_count, 1);
	assert_int_equal(run_as(rig, OWNER_GDB, "delete"), 0);
	assert_int_equal(rig->debug->point_count, 0);
}

static const struct point *last_point(struct rig *rig)
{
	assert_true(rig->debug->point_count > 0);
	return &rig->debug->points[rig->debug->point_count - 1];
}

/* What the last point's condition says of vCPU 0. */
static int64_t condition_value(struct rig *rig)
{
	struct program_fault fault = {0};
	struct program_context context = {rig->debug, 0, fake_state, NULL, NULL};
	int64_t result;

	assert_non_null(last_point(rig)->condition);
	assert_int_equal(program_run(last_point(rig)->condition, &context, &result, &fault), 0);
	return result;
}

static void test_break_clauses(void **state)
{
	struct rig *rig = *state;
	const struct point_limit *limit;

	answer(rig, "break add_one if $edi > 5 && $_cpu == 0 cpu 1 ring 3 cr3 $cr3+0x1000");
	limit = &last_point(rig)->spec.limit;
	assert_int_equal(limit->by, LIMIT_VCPU | LIMIT_CR3 | LIMIT_RING);
	assert_int_equal(limit->vcpu, 1);
	assert_int_equal(limit->ring, 3);
	assert_int_equal(limit->cr3, FAKE_TABLES + 0x1000);
	assert_true(last_point(rig)->enabled);
	assert_true(last_point(rig)->spec.disabled); /* when it was made */
	rig->debug->state[0].general.gpr[GPR_RDI] = 6;
	assert_int_equal(condition_value(rig), 1);
	rig->debug->state[0].general.gpr[GPR_RDI] = 5;
	assert_int_equal(condition_value(rig), 0);
	contains(answer(rig, "info breakpoints"),
		 "only on vCPU 1, in ring 3, where cr3 is 0x2000\n");
	contains(rig->text, "only if $edi > 5 && $_cpu == 0: come upon 0 times\n");
	answer(rig, "break if($edi)");
	assert_int_equal(last_point(rig)->spec.address, rig->debug->state[0].general.rip);
	assert_string_equal(program_text(last_point(rig)->condition), "($edi)");
	answer(rig, "hbreak -p 0x7c00 ring 0");
	assert_true(last_point(rig)->spec.physical);
	contains(rig->text, "hardware breakpoint 3 at physical 0x7c00 (fake)\n");
	answer(rig, "break twice ring 0");
	assert_false(last_point(rig)->spec.disabled);
	assert_null(last_point(rig)->condition);
}

static void test_clauses_that_are_wrong(void **state)
{
	struct rig *rig = *state;

	contains(refusal(rig, "break twice when 5", -EINVAL), "if EXPR, cpu N");
	contains(refusal(rig, "break twice if", -EINVAL), "missing");
	contains(refusal(rig, "break twice if nowhere", -ENOENT), "nowhere");
	contains(refusal(rig, "break twice if 1 if 2", -EINVAL), "&&");
	contains(refusal(rig, "break twice if 1 2", -EINVAL), "`2`");
	contains(refusal(rig, "break twice if 1 cpu 2", -EINVAL), "0 to 1");
	contains(refusal(rig, "break twice ring 4", -EINVAL), "0 to 3");
	contains(refusal(rig, "break twice cr3 *0x600000", -EFAULT), "not mapped");
	refusal(rig, "break -p", -EINVAL);
	assert_int_equal(rig->debug->point_count, 0);
	for (unsigned i = 0; i < FAKE_POINTS; i++)
		answer(rig, "break twice if 1");
	contains(refusal(rig, "break twice if 1", -ENOSPC), "no room");
}

/* What is read would be watched, and so is what an address stands for. */
static void test_watch(void **state)
{
	static const struct {
		const char *line;
		enum point_kind kind;
		uint64_t address, length;
	} cases[] = {
		{"watch counter", POINT_WRITE, 0, 4},
		{"watch *counter", POINT_WRITE, 0, 4},
		{"watch *&counter if 1", POINT_WRITE, 0, 4},
		{"rwatch 0x1000", POINT_READ, 0x1000, 8},
		{"awatch *(u16 *)0x1000 cpu 1", POINT_ACCESS, 0x1000, 2},
		{"watch (u8 *)0x1000 + 5", POINT_WRITE, 0x1005, 1},
		{"watch -p 0x1000,4096", POINT_WRITE, 0x1000, 4096},
		{"watch 0x1000, $edx + 3 if $rax", POINT_WRITE, 0x1000, 3},
	};
	struct rig *rig = *state;

	rig->debug->state[0].general.gpr[GPR_RDX] = 0;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		answer(rig, cases[i].line);
		assert_int_equal(last_point(rig)->spec.kind, cases[i].kind);
		assert_int_equal(last_point(rig)->spec.address,
				 cases[i].address ? cases[i].address : address_of(rig, "counter"));
		assert_int_equal(last_point(rig)->spec.length, cases[i].length);
	}
	contains(rig->text, "write watch 8 at 0x1000, 3 bytes (fake)\n");
	contains(answer(rig, "info breakpoints"), "4 bytes counter");
	contains(rig->text, "physical 0x1000, 4096 bytes\n");
	refusal(rig, "watch", -EINVAL);
	refusal(rig, "watch 0x1000,0", -EINVAL);
	refusal(rig, "watch 0x1000,", -EINVAL);
	refusal(rig, "watch 0x1000 4", -EINVAL);
	refusal(rig, "watch nowhere", -ENOENT);
}

/* Who wrote is named, in place of where the vCPU stands behind it. */
static void test_watch_screen(void **state)
{
	struct rig *rig = *state;
	struct stop stop = {.reason = STOP_WATCH_WRITE, .point = 1, .text = "a write"};

	stop.address = address_of(rig, "counter");
	stop.writer = address_of(rig, "twice") + 9;
	fake_debug_stop_as(rig->debug, &stop);
	contains(answer(rig, "context"),
		 "■ vCPU 0: a write\n  counter · by twice+0x9 at fixture.c:");
	stop.writer = 0;
	fake_debug_stop_as(rig->debug, &stop);
	contains(answer(rig, "context"), "a write\n  counter · ");
	lacks(rig->text, "by ");
}

static void test_changing_points(void **state)
{
	struct rig *rig = *state;

	answer(rig, "break twice");
	answer(rig, "break add_one");
	answer(rig, "condition 2 $rax == 5");
	rig->debug->state[0].general.gpr[GPR_RAX] = 5;
	assert_int_equal(condition_value(rig), 1);
	assert_null(rig->debug->points[0].condition);
	contains(answer(rig, "cond 2"), "unconditional");
	assert_null(last_point(rig)->condition);
	contains(answer(rig, "ignore 2 3"), "the next 3 hits of 2 pass\n");
	assert_int_equal(last_point(rig)->ignore, 3);
	contains(answer(rig, "info breakpoints"), "the next 3 hits pass\n");
	contains(answer(rig, "ignore 2 0"), "next hit");
	answer(rig, "disable 2");
	assert_true(rig->debug->points[0].enabled && !last_point(rig)->enabled);
	contains(answer(rig, "info breakpoints"), ", disabled");
	contains(answer(rig, "disable"), "2 disabled");
	assert_false(rig->debug->points[0].enabled);
	contains(answer(rig, "enable"), "2 enabled");
	assert_true(rig->debug->points[0].enabled && last_point(rig)->enabled);
	refusal(rig, "condition", -EINVAL);
	contains(refusal(rig, "condition x 1", -EINVAL), "number");
	refusal(rig, "condition 9 1", -ENOENT);
	refusal(rig, "condition 2 nowhere", -ENOENT);
	refusal(rig, "ignore 2", -EINVAL);
	refusal(rig, "ignore 2 -1", -EINVAL);
	refusal(rig, "ignore 9 1", -ENOENT);
	refusal(rig, "enable 1 9", -ENOENT);
	run_as(rig, OWNER_GDB, "break twice");
	for (unsigned i = 0; i < 4; i++) {
		static const char *const lines[] = {"condition 3 1", "ignore 3 1", "disable 3",
						    "enable 3"};

		contains(refusal(rig, lines[i], -EPERM), "gdb");
	}
}

static void test_dprintf(void **state)
{
	struct rig *rig = *state;
	const struct point_action *action;

	answer(rig, "dprintf add_one,\"a \\\"%d\\\"\\t%#lx 100%% %s\\n\", $edi ,$rdi + 1, $rsi if "
		    "$edi > 1 cpu 1");
	action = last_point(rig)->action;
	assert_int_equal(last_point(rig)->spec.address,
			 symbols_breakpoint_address(rig->symbols, address_of(rig, "add_one")));
	assert_string_equal(action->format, "a \"%d\"\t%#lx 100%% %s\n");
	assert_int_equal(action->arg_count, 3);
	assert_true(action->go_on);
	assert_string_equal(program_text(action->args[1]), "$rdi + 1");
	assert_string_equal(program_text(last_point(rig)->condition), "$edi > 1");
	assert_true(last_point(rig)->enabled);
	contains(answer(rig, "info breakpoints"),
		 "prints \"a \\\"%d\\\"\\t%#lx 100%% %s\\n\", $edi, $rdi + 1, $rsi and goes on\n");
	answer(rig, "dprintf fixture.c:21,\"hello, world\"");
	assert_int_equal(last_point(rig)->action->arg_count, 0);
	answer(rig, "dprintf *((u8 *)0x1000 + 1),\"%c\",'x'");
	assert_int_equal(last_point(rig)->spec.address, 0x1001);
}

static void test_dprintf_that_is_wrong(void **state)
{
	static const struct {
		const char *line, *words;
		int code;
	} cases[] = {
		{"dprintf", "missing", -EINVAL},
		{"dprintf add_one", "comma", -EINVAL},
		{"dprintf nowhere,\"x\"", "nowhere", -ENOENT},
		{"dprintf add_one,x", "quotes", -EINVAL},
		{"dprintf add_one twice,\"x\"", "does not belong to a location", -EINVAL},
		{"dprintf add_one,\"x", "closing quote", -EINVAL},
		{"dprintf add_one,\"x\\\"", "closing quote", -EINVAL},
		{"dprintf add_one,\"%d\"", "1 value, and 0 follow it", -EINVAL},
		{"dprintf add_one,\"x\",1,2", "0 values, and 2 follow it", -EINVAL},
		{"dprintf add_one,\"%n\",1", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%*d\",1,2", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%00000000000001d\",1", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"100%\"", "cannot be printed", -EINVAL},
		{"dprintf add_one,\"%d\",nowhere", "nowhere", -ENOENT},
		{"dprintf add_one,\"%d\",", "missing", -EINVAL},
		{"dprintf add_one,\"%d\",1 2", "`2`", -EINVAL},
		{"dprintf "
		 "add_one,\"\",1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
		 "26,27,28,29,30,31,32,33",
		 "32 values", -E2BIG},
	};
	struct rig *rig = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		contains(refusal(rig, cases[i].line, cases[i].code), cases[i].words);
	assert_int_equal(rig->debug->point_count, 0);
}

/* Points can be set while the guest runs; what needs its registers cannot be said then. */
static void test_points_of_a_running_guest(void **state)
{
	struct rig *rig = *state;

	answer(rig, "continue");
	answer(rig, "break add_one if $rdi == 1");
	answer(rig, "watch counter");
	answer(rig, "info breakpoints");
	answer(rig, "disable 1");
	contains(refusal(rig, "break", -EBUSY), "running");
	contains(refusal(rig, "break if 1", -EBUSY), "running");
	contains(refusal(rig, "break *$rax", -EBUSY), "running");
	contains(refusal(rig, "watch $rsp", -EBUSY), "running");
	answer(rig, "delete 1 2");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_break, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_break_clauses, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_clauses_that_are_wrong, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_watch, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_watch_screen, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_changing_points, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_dprintf, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_dprintf_that_is_wrong, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_points_of_a_running_guest, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("point commands", tests, NULL, NULL);
}
