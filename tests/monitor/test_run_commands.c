// SPDX-License-Identifier: GPL-3.0-or-later
/* Commands that let the guest run. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_running_refuses(void **state)
{
	static const char *const lines[] = {
		"info registers", "x 0",      "step",	 "next", "finish",
		"advance twice",  "continue", "bt",	 "pt 0", "list",
		"set $rax = 1",	  "p $rax",   "context", "u"};
	struct rig *rig = *state;

	answer(rig, "continue");
	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		contains(refusal(rig, lines[i], -EBUSY), "running");
	contains(answer(rig, "info cpus"), "running");
	contains(answer(rig, "info status"), "VM status: running");
	contains(answer(rig, "p 1+1"), "2");
	contains(answer(rig, "info symbol 0x200014"), "add_one");
	answer(rig, "stop");
	assert_int_equal(rig->debug->pauses, 1);
	assert_true(monitor_expects_stop(rig->monitor));
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	assert_false(monitor_expects_stop(rig->monitor));
	contains(answer(rig, "stop"), "already");
	contains(answer(rig, "info status"), "VM status: paused");
}

static void test_step_count(void **state)
{
	struct rig *rig = *state;
	unsigned before = rig->events;

	answer(rig, "s 3");
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(rig->debug->steps, i);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	}
	assert_int_equal(rig->debug->steps, 3);
	assert_int_equal(rig->events, before + 2); /* one resume, one stop */
	assert_int_equal(rig->last_event, DEBUG_STOPPED);
	answer(rig, ""); /* three again */
	fake_debug_stop(rig->debug, STOP_BREAKPOINT, 0, "breakpoint 1");
	assert_int_equal(rig->debug->steps, 4);
	assert_false(rig->debug->running);
	refusal(rig, "s 0", -EINVAL);
	refusal(rig, "s 1000001", -EINVAL);
}

/* A breakpoint on the way is worth a look. */
static void test_breakpoint_ends_steps(void **state)
{
	struct rig *rig = *state;

	answer(rig, "s 3");
	fake_debug_stop_as(rig->debug, &(struct stop){.reason = STOP_STEP, .point = 1});
	assert_int_equal(rig->debug->steps, 1);
	assert_false(rig->debug->running);
}

static void test_next(void **state)
{
	struct rig *rig = *state;

	answer(rig, "n 2");
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(rig->debug->steps, i);
		assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	}
	assert_false(rig->debug->running);
	answer(rig, "nexti");
	assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "");
	assert_int_equal(rig->debug->steps, 4);
}

static void test_advance(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "advance *0x1234"), "running until 0x1234");
	assert_int_equal(rig->debug->plans[0].action, PLAN_UNTIL);
	assert_int_equal(rig->debug->plans[0].address, 0x1234);
	assert_int_equal(rig->debug->plans[0].above_sp, 0);
	assert_true(monitor_expects_stop(rig->monitor));
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	contains(answer(rig, "until twice"), "twice");
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	refusal(rig, "advance", -EINVAL);
	refusal(rig, "until nowhere", -ENOENT);
}

/* At its first instruction a function's return address is on top of the stack, later above rbp. */
static void test_finish(void **state)
{
	struct rig *rig = *state;
	uint64_t back = address_of(rig, "twice") + 9, top = FAKE_STACK - 64;
	struct cpu_general *cpu = &rig->debug->state[0].general;

	memcpy(rig->debug->ram + top, &back, 8);
	cpu->rip = address_of(rig, "add_one");
	cpu->gpr[GPR_RSP] = top;
	contains(answer(rig, "finish"), "twice+0x9");
	assert_int_equal(rig->debug->plans[0].action, PLAN_UNTIL);
	assert_int_equal(rig->debug->plans[0].address, back);
	assert_int_equal(rig->debug->plans[0].above_sp, top);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	cpu->rip = symbols_breakpoint_address(rig->symbols, cpu->rip);
	cpu->gpr[GPR_RBP] = top - 8;
	cpu->gpr[GPR_RSP] = top - 40;
	answer(rig, "fin");
	assert_int_equal(rig->debug->plans[0].above_sp, top);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
	memset(rig->debug->ram + top, 0, 8);
	contains(refusal(rig, "finish", -ENOENT), "nobody called");
	cpu->gpr[GPR_RBP] = 0x600000;
	contains(refusal(rig, "finish", -ENOENT), "at 0x600008, where nothing is mapped");
	cpu->gpr[GPR_RBP] = 0;
	contains(refusal(rig, "finish", -ENOENT), "the return address is 0");
}

/* What the other vCPU does meanwhile, by gdb's names. */
static void test_scheduler_locking(void **state)
{
	static const struct {
		const char *mode;
		enum plan_action at_step, at_continue;
	} cases[] = {{"off", PLAN_RUN, PLAN_RUN},
		     {"on", PLAN_HOLD, PLAN_HOLD},
		     {"step", PLAN_HOLD, PLAN_RUN}};
	struct rig *rig = *state;
	char line[64];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "set scheduler-locking %s", cases[i].mode);
		answer(rig, line);
		answer(rig, "next");
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_step);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
		answer(rig, "advance twice");
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_continue);
		fake_debug_stop(rig->debug, STOP_STEP, 0, "there");
		answer(rig, "continue");
		assert_int_equal(rig->debug->plans[0].action, PLAN_RUN);
		assert_int_equal(rig->debug->plans[1].action, cases[i].at_continue);
		fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	}
	contains(refusal(rig, "set scheduler-locking maybe", -EINVAL), "off, on or step");
}

/* Nobody has to say so: one vCPU steps, all run. */
static void test_locking_at_first(void **state)
{
	struct rig *rig = *state;

	answer(rig, "step");
	assert_int_equal(rig->debug->plans[1].action, PLAN_HOLD);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "continue");
	assert_int_equal(rig->debug->plans[1].action, PLAN_RUN);
}

static void test_interrupt_ends_steps(void **state)
{
	struct rig *rig = *state;
	unsigned steps = rig->debug->steps;

	answer(rig, "s 1000");
	monitor_interrupt(rig->monitor);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	assert_int_equal(rig->debug->steps, steps + 1);
	assert_false(rig->debug->running);
}

static void test_refused_step_ends_the_count(void **state)
{
	struct rig *rig = *state;
	unsigned steps = rig->debug->steps;

	answer(rig, "s 5");
	rig->debug->refuse_step = true;
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	assert_int_equal(rig->debug->steps, steps + 1);
	contains(refusal(rig, "s", -ENOTSUP), "cannot step");
	rig->debug->refuse_step = false;
}

static void test_gdb_holds(void **state)
{
	struct rig *rig = *state;
	unsigned continues = rig->debug->continues;

	assert_int_equal(run_as(rig, OWNER_GDB, "continue"), -EPERM);
	contains(rig->text, "gdb's own `continue`");
	assert_int_equal(run_as(rig, OWNER_GDB, "s"), -EPERM);
	assert_int_equal(run_as(rig, OWNER_GDB, "info cpus"), 0);
	monitor_set_gdb_attached(rig->monitor, true);
	contains(refusal(rig, "c", -EPERM), "`detach`");
	refusal(rig, "step", -EPERM);
	contains(answer(rig, "info status"), "held by gdb");
	contains(answer(rig, "set $rbx = 1"), "flush register-cache");
	rig->debug->running = true;
	answer(rig, "stop");
	rig->debug->running = false;
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
	monitor_set_gdb_attached(rig->monitor, false);
	assert_int_equal(rig->debug->continues, continues);
	answer(rig, "c");
	assert_int_equal(rig->debug->continues, continues + 1);
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "paused");
}

static void test_the_rest(void **state)
{
	struct rig *rig = *state;
	unsigned quits = rig->quits, resets = rig->debug->resets;

	answer(rig, "system_reset");
	assert_int_equal(rig->debug->resets, resets + 1);
	answer(rig, "q");
	assert_int_equal(rig->quits, quits + 1);
	answer(rig, "set step-interrupts on");
	assert_true(rig->debug->step_interrupts);
	refusal(rig, "set step-interrupts maybe", -EINVAL);
	refusal(rig, "set nothing on", -EINVAL);
	answer(rig, "set disassembly-flavor intel");
	contains(answer(rig, "u add_one 1"), "push   rbp");
	answer(rig, "set disassembly-flavor att");
	contains(answer(rig, "u add_one 2"), "mov    %rsp, %rbp");
	contains(answer(rig, ""), "0x200018 <add_one+0x4>");
	contains(answer(rig, "info capabilities"), "by emulation failure");
	contains(answer(rig, "doctor"), "so on this host");
	contains(answer(rig, "doctor -j"), "\"debuggable\": true");
	contains(answer(rig, "info line add_one"), "line 19 of ");
	contains(answer(rig, "list twice"), "\n12   → ");
	contains(rig->text, "int result = value * 2;");
	contains(answer(rig, ""), "shared.counter++");
	refusal(rig, "u add_one 0", -EINVAL);
	refusal(rig, "list 0x300000", -ENOENT);
}

static void test_settings(void **state)
{
	struct rig *rig = *state;
	char all[512];

	assert_string_equal(answer(rig, "show scheduler-locking"),
			    "  scheduler-locking   step   off, on or step\n");
	answer(rig, "set scheduler-locking off");
	answer(rig, "set step-interrupts on");
	answer(rig, "set trace-pc on");
	answer(rig, "set track-writes on");
	answer(rig, "set gdb-files on");
	answer(rig, "set pagination off"); /* gdb's name for it */
	answer(rig, "set dis intel");	   /* what no other begins with */
	assert_string_equal(answer(rig, "show"), "  disassembly-flavor  intel  att or intel\n"
						 "  step-interrupts     on     off or on\n"
						 "  scheduler-locking   off    off, on or step\n"
						 "  trace-pc            on     off or on\n"
						 "  track-writes        on     off or on\n"
						 "  pager               off    off or on\n"
						 "  gdb-files           on     auto, off or on\n");
	snprintf(all, sizeof(all), "%s", answer(rig, "show"));
	assert_string_equal(answer(rig, "set"), all);
	assert_string_equal(answer(rig, "info settings"), all);
	assert_string_equal(answer(rig, "show pagination"),
			    "  pager               off    off or on\n");
	contains(answer(rig, "json show dis"), "\"result\":{\"settings\":[{\"setting\":"
					       "\"disassembly-flavor\",\"value\":\"intel\","
					       "\"values\":[\"att\",\"intel\"]}]}");
	contains(refusal(rig, "set pager maybe", -EINVAL), "pager may be off or on; it is off");
	contains(refusal(rig, "set sched", -EINVAL),
		 "scheduler-locking may be off, on or step; it is off");
	contains(refusal(rig, "show t", -EINVAL), "no setting `t`; `show` lists them");
	contains(refusal(rig, "set t on", -EINVAL), "no setting `t`");
}

static const struct point_spec *caught(struct rig *rig, const char *line)
{
	answer(rig, line);
	return &rig->debug->points[rig->debug->point_count - 1].spec;
}

static void test_catches(void **state)
{
	struct rig *rig = *state;
	const struct point_spec *spec = caught(rig, "catch io 0x60-0x64 r");

	contains(rig->text, "catch 1: io 0x60-0x64 r (");
	assert_int_equal(spec->kind, POINT_CATCH_IO);
	assert_int_equal(spec->address, 0x60);
	assert_int_equal(spec->length, 5);
	assert_int_equal(spec->direction, ON_READ);
	spec = caught(rig, "tcatch msr 0xc0000080 w cpu 1");
	assert_int_equal(spec->length, 1);
	assert_int_equal(spec->direction, ON_WRITE);
	assert_int_equal(spec->limit.vcpu, 1);
	assert_true(spec->temporary);
	spec = caught(rig, "catch exception pf");
	assert_int_equal(spec->address, 14);
	assert_int_equal(caught(rig, "catch exception 6")->address, 6);
	assert_int_equal(caught(rig, "catch -l triple-fault")->kind, POINT_CATCH_TRIPLE_FAULT);
	contains(answer(rig, "info breakpoints"),
		 "catch msr           0     0xc0000080 w MSR_EFER");
	contains(rig->text, "catch exception     0     14 #PF");
	contains(rig->text, "prints what it catches and goes on");
	refusal(rig, "catch io", -EINVAL);
	refusal(rig, "catch nonsense", -EINVAL);
	refusal(rig, "catch io 5-4", -EINVAL);
	refusal(rig, "catch io 1 x", -EINVAL);
	refusal(rig, "catch hlt 5", -EINVAL);
	fake_debug_stop(rig->debug, STOP_TRIPLE_FAULT, 0, "triple fault");
	contains(answer(rig, "context"),
		 "\n  2nd  #NP  while delivering it: gate 14 is not present");
}

static void test_the_flight_recorder(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info exits"), "vCPU 0: 750 ms running, 41 310 exits\n");
	contains(rig->text, "  io            41 210    600 ms    150 ms   100.0 %  ██████████████");
	contains(rig->text, "\n           0x3f8 out (4 000) of the last 4 095 exits\n");
	contains(rig->text, "  hlt              100    250 µs      0 µs     0.0 %  ▏\n");
	assert_null(strstr(rig->text, "mmio"));
	contains(answer(rig, "trace"), "no exits yet\n");
	rig->debug->traced = 30;
	contains(answer(rig, "trace 2"), "  +1.204311  io       out 0x3f8 ← 0x41 'A'\n"
					 "  +1.204312  io       out 0x3f8 ← 0x41 'A'\n"
					 "where each happened: `set trace-pc on`");
	answer(rig, "set trace-pc on");
	assert_true(rig->debug->trace_pc);
	answer(rig, "set $rip = add_one");
	contains(answer(rig, "trace -a 1"),
		 "  +1.204311  vCPU 1  io       out 0x3f8 ← 0x41 'A'           ");
	contains(answer(rig, "trace 1"), "out 0x3f8 ← 0x41 'A'           add_one\n");
	refusal(rig, "trace 0", -EINVAL);
	refusal(rig, "trace 5000", -EINVAL);
}

/* The jump at a loop's end, and any other instruction. */
static void test_until(void **state)
{
	struct rig *rig = *state;
	uint64_t jump = address_of(rig, "loop_end");
	struct cpu_general *general = &rig->debug->state[0].general;

	general->rip = jump;
	contains(answer(rig, "until"), "running until 0x");
	assert_int_equal(rig->debug->plans[0].action, PLAN_UNTIL);
	assert_int_equal(rig->debug->plans[0].address, jump + 2);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	general->rip = address_of(rig, "bare");
	answer(rig, "until");
	assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, ""); /* does it again */
	assert_int_equal(rig->debug->plans[0].action, PLAN_STEP_OVER);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
	answer(rig, "until *0x1234");
	assert_int_equal(rig->debug->plans[0].address, 0x1234);
	fake_debug_stop(rig->debug, STOP_STEP, 0, "stepped");
}

/* The vCPU that a command is told, and what it stops at is then the current one. */
static void test_on_another_cpu(void **state)
{
	static const struct {
		const char *line;
		enum plan_action action;
	} cases[] = {
		{"step cpu 1", PLAN_STEP},	     {"next 1 cpu 1", PLAN_STEP_OVER},
		{"advance twice cpu 1", PLAN_UNTIL}, {"until *0x1234 cpu 1", PLAN_UNTIL},
		{"until cpu 1", PLAN_STEP_OVER},
	};
	struct rig *rig = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		answer(rig, "cpu 0");
		answer(rig, cases[i].line);
		assert_int_equal(rig->debug->plans[1].action, cases[i].action);
		assert_int_not_equal(rig->debug->plans[0].action, cases[i].action);
		fake_debug_stop(rig->debug, STOP_STEP, 1, "stepped");
		contains(answer(rig, "cpu"), "vCPU 1: ");
	}
	contains(refusal(rig, "step cpu 2", -EINVAL), "there is no vCPU 2; they are 0 to 1");
	contains(refusal(rig, "cpu -1", -EINVAL), "there is no vCPU -1; they are 0 to 1");
	contains(refusal(rig, "next 3 cup 1", -EINVAL), "next [COUNT] [cpu N]");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_running_refuses, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_step_count, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_breakpoint_ends_steps, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_next, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_advance, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_until, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_on_another_cpu, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_finish, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_scheduler_locking, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_locking_at_first, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_interrupt_ends_steps, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_refused_step_ends_the_count, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_gdb_holds, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_the_rest, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_settings, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_catches, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_the_flight_recorder, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("run commands", tests, NULL, NULL);
}
