// SPDX-License-Identifier: GPL-3.0-or-later
/* Catches on the dummy accelerator: each kind stops once, after the access, with what it got; or logs. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "catch_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- a device that counts, and may do something to the guest --------------------------------- */

static void log_only(struct rig *rig, int number)
{
	struct point_action *action = calloc(1, sizeof(*action));
	struct error err = {0};

	action->format = strdup("");
	action->go_on = true;
	assert_int_equal(debug_point_action(rig->debug, number, action, &err), 0);
}

/* ---- ports and MMIO -------------------------------------------------------------------------- */

static void test_a_port(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};
	int out, in;

	(void)state;
	catch_start(&rig, &counter, catch_talk, sizeof(catch_talk));
	rig_set_reg(&rig, 0, "rax", 0x40);
	out = catch (&rig, POINT_CATCH_IO, 0, 0x20, ON_WRITE);
	in = catch (&rig, POINT_CATCH_IO, PORT + 1, 1, ON_READ);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_IO);
	assert_int_equal(stop->point, out);
	assert_int_equal(stop->address, PORT);
	assert_int_equal(stop->new_value, 0x41);
	assert_int_equal(stop->size, 1);
	assert_int_equal(stop->pc, RIG_CODE + 3);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	assert_string_equal(stop->text, "out 0x10 ← 0x41 'A', 1 byte (catch 1)");
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 3);
	assert_int_equal(counter.writes, 1);

	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->point, in);
	assert_int_equal(stop->new_value, 0x5a);
	assert_int_equal(stop->pc, RIG_CODE + 5);
	assert_int_equal(stop->writer, RIG_CODE + 3);
	assert_int_equal(rig_reg(&rig, 0, "rax") & 0xff, 0x5a);
	says(stop, "in 0x11 → 0x5a 'Z'");
	assert_int_equal(counter.writes, 1);
	assert_int_equal(counter.reads, 1);
	assert_int_equal(rig_point(&rig, out)->hits, 1);
	assert_int_equal(rig_point(&rig, in)->hits, 1);
	rig_stop(&rig);
}

/* A step over it tells of the access, not of the step; and makes it once. */
static void test_a_port_under_a_step(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};

	(void)state;
	catch_start(&rig, &counter, catch_talk, sizeof(catch_talk));
	catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	rig_step(&rig, 0);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_IO);
	assert_int_equal(stop->pc, RIG_CODE + 3);
	assert_int_equal(counter.writes, 1);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE + 5);
	rig_stop(&rig);
}

static void remember_line(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct rig *rig = ctx;

	(void)actor;
	if (event == DEBUG_OUTPUT)
		strncpy(rig->output, debug_output(rig->debug), sizeof(rig->output) - 1);
}

/* Two vCPUs at one port: each access is told once, or not at all when the catch is gone by then. */
static void test_two_at_one_port(void **state)
{
	static const uint8_t once[] = {0xe6, PORT, 0xeb, 0xfe};
	struct error err = {0};

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct rig rig = {0};
		int number;

		rig_start(&rig, 2, IRQCHIP_KERNEL);
		rig_code(&rig, 0, once, sizeof(once));
		rig_code(&rig, 1, once, sizeof(once));
		number = catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_IO);
		if (round % 2) {
			int told = debug_last_stop(rig.debug)->vcpu;

			rig_continue(&rig);
			assert_int_equal(rig_wait_stop(&rig)->reason, STOP_IO);
			assert_int_equal(debug_last_stop(rig.debug)->vcpu, !told);
			assert_int_equal(rig_point(&rig, number)->hits, 2);
		}
		assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
		rig_continue(&rig);
		rig_pause(&rig);
		debug_dispatch(rig.debug);
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		rig_stop(&rig);
	}
}

/* 1: out 0x10, al; jmp 1b */
static const uint8_t loop[] = {0xe6, PORT, 0xeb, 0xfc};

static void test_logging_and_ignoring(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	struct error err = {0};
	int logs, counts;

	(void)state;
	catch_start(&rig, &counter, loop, sizeof(loop));
	debug_listen(rig.debug, remember_line, &rig);
	logs = catch (&rig, POINT_CATCH_IO, PORT, 1, 0);
	log_only(&rig, logs);
	counts = catch (&rig, POINT_CATCH_IO, PORT, 2, 0);
	assert_int_equal(debug_point_ignore(rig.debug, counts, 9, &err), 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->point, counts);
	debug_dispatch(rig.debug);
	assert_int_equal(rig_point(&rig, logs)->hits, 10);
	assert_int_equal(rig.count[DEBUG_OUTPUT], 10);
	assert_string_equal(rig.output, "vCPU 0: out 0x10 ← 0x0, 1 byte (1)\n");
	assert_int_equal(counter.writes, 10);
	assert_int_equal(debug_point_enable(rig.debug, counts, false, &err), 0);
	assert_int_equal(debug_point_enable(rig.debug, logs, false, &err), 0);
	rig_continue(&rig);
	rig_pause(&rig);
	assert_false(atomic_load(&rig.machine->attentive));
	rig_stop(&rig);
}

/* mov [0xfe000000], eax; mov [0xb8000], al; 1: jmp 1b */
static const uint8_t store[] = {0xa3, 0, 0, 0, 0xfe, 0xa2, 0, 0x80, 0x0b, 0, 0xeb, 0xfe};

static void test_mmio(void **state)
{
	struct rig rig = {.ram_size = 1 << 20};
	struct counter counter;
	const struct stop *stop;

	(void)state;
	catch_start(&rig, &counter, store, sizeof(store));
	rig_set_reg(&rig, 0, "rax", 0x12345678);
	catch (&rig, POINT_CATCH_MMIO, MMIO, 4, ON_WRITE);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MMIO);
	assert_int_equal(stop->address, MMIO);
	assert_int_equal(stop->new_value, 0x12345678);
	assert_int_equal(stop->size, 4);
	assert_int_equal(stop->pc, RIG_CODE + 5);
	assert_int_equal(stop->writer, RIG_CODE);
	assert_int_equal(counter.writes, 1);
	refused(&rig, (struct point_spec){.kind = POINT_CATCH_MMIO, .address = 0x1000, .length = 4},
		-EINVAL, "use a watch");
	rig_stop(&rig);
}

/* ---- MSRs ------------------------------------------------------------------------------------ */

/* wrmsr; rdmsr; 1: jmp 1b */
static const uint8_t msrs[] = {0x0f, 0x30, 0x0f, 0x32, 0xeb, 0xfe};

#define LSTAR 0xc0000082u

static void test_msrs(void **state)
{
	struct counter counter;
	const struct stop *stop;
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	catch_start(&rig, &counter, msrs, sizeof(msrs));
	rig_set_reg(&rig, 0, "rcx", LSTAR);
	rig_set_reg(&rig, 0, "rdx", 0xffffffff);
	rig_set_reg(&rig, 0, "rax", 0x81000000);
	catch (&rig, POINT_CATCH_MSR, LSTAR, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_MSR);
	assert_int_equal(stop->address, LSTAR);
	assert_true(stop->new_value == 0xffffffff81000000);
	assert_int_equal(stop->pc, RIG_CODE + 2);
	assert_int_equal(stop->writer, RIG_CODE);
	assert_string_equal(stop->text,
			    "wrmsr 0xc0000082 (MSR_LSTAR) ← 0xffffffff81000000 (catch 1)");
	rig_set_reg(&rig, 0, "rax", 0);
	rig_set_reg(&rig, 0, "rdx", 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_true(stop->new_value == 0xffffffff81000000);
	assert_int_equal(rig_reg(&rig, 0, "rdx"), 0xffffffff);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0x81000000);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 0);

	/* An address that cannot be, and an MSR that is not there: the guest's #GP, and told. */
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	rig_set_reg(&rig, 0, "rdx", 0x12345678);
	rig_continue(&rig);
	says(rig_wait_stop(&rig), ": refused, the guest gets #GP");
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 1);
	assert_int_equal(debug_point_remove(rig.debug, 1, &err), 0);
	catch (&rig, POINT_CATCH_MSR, 0x1200, 0x100, ON_READ);
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 2);
	rig_set_reg(&rig, 0, "rcx", 0x1234);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	says(stop, "rdmsr 0x1234: refused");
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->msr_faults, 2);
	refused(&rig, (struct point_spec){.kind = POINT_CATCH_MSR, .address = 0x830, .length = 1},
		-ENOTSUP, "local APIC");
	rig_stop(&rig);
}

/* What nobody catches any more does not exit. */
static void test_the_filter_goes_with_the_catch(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	struct error err = {0};
	int number;

	(void)state;
	catch_start(&rig, &counter, msrs, sizeof(msrs));
	rig_set_reg(&rig, 0, "rcx", LSTAR);
	number = catch (&rig, POINT_CATCH_MSR, LSTAR, 1, 0);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	rig_break(&rig, RIG_CODE + 4);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(recorder_exits(&rig.machine->vcpus[0].recorder, EXIT_WRMSR), 0);
	rig_stop(&rig);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void text_is(struct point_spec spec, const char *expected)
{
	char text[80];

	debug_catch_text(&spec, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_words(void **state)
{
	(void)state;
	text_is(
		(struct point_spec){
			.kind = POINT_CATCH_IO, .address = 0x60, .length = 5, .direction = ON_READ},
		"io 0x60-0x64 r");
	text_is((struct point_spec){.kind = POINT_CATCH_EXCEPTION, .address = 14, .length = 1},
		"exception 14 #PF");
	text_is((struct point_spec){.kind = POINT_CATCH_MSR, .address = LSTAR, .length = 1},
		"msr 0xc0000082 MSR_LSTAR");
	text_is((struct point_spec){.kind = POINT_CATCH_HLT}, "hlt");
	assert_int_equal(debug_catch_kind("triple-fault"), POINT_CATCH_TRIPLE_FAULT);
	assert_int_equal(debug_catch_kind("nothing"), POINT_KIND_COUNT);
	assert_null(debug_catch_name(POINT_WRITE));
	assert_true(debug_catch_ranged(POINT_CATCH_MSR));
	assert_false(debug_catch_directed(POINT_CATCH_EXCEPTION));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port),
		cmocka_unit_test(test_a_port_under_a_step),
		cmocka_unit_test(test_two_at_one_port),
		cmocka_unit_test(test_logging_and_ignoring),
		cmocka_unit_test(test_mmio),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_the_filter_goes_with_the_catch),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
