// SPDX-License-Identifier: GPL-3.0-or-later
/* What watches by debug register tell, where the host's KVM reports them. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "watch_rig.h"

static void start(struct rig *rig)
{
	const struct debug_capabilities *found;

	watch_start(rig, 1, "watch=slot,access=slot");
	found = debug_capabilities(rig->debug);
	if (found->watch_write[CAP_PROT] && found->watch_access[CAP_PROT])
		return;
	rig_stop(rig);
	print_message("# SKIP needs a KVM that reports watches by debug register\n");
	skip();
}

static const struct stop *next(struct rig *rig)
{
	rig_continue(rig);
	return rig_wait_stop(rig);
}

static void a_write_is_told_with_values_and_writer(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int number, end;

	(void)state;
	start(&rig);
	/* mov %eax,(%edi); mov %ebx,(%edi), twice */
	end = LOAD(&rig, NOP, 0x89, 0x07, NOP, 0x89, 0x1f, 0x89, 0x1f);
	put32(&rig, DATA, 41);
	rig_set_reg(&rig, 0, "rax", 42);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	stop = next(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_WRITE);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->address, DATA);
	assert_int_equal(stop->size, 4);
	assert_int_equal(stop->old_value, 41);
	assert_int_equal(stop->new_value, 42);
	assert_int_equal(stop->writer, RIG_CODE + 1);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 41 → 42 by 0x1001");
	put32(&rig, DATA, 7); /* by the user: no hit, but it was there before the next one */
	stop = next(&rig);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 7 → 0x55667788 by 0x1004");
	stop = next(&rig);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 0x55667788 → 0x55667788 by 0x1006");
	assert_int_equal(rig_point(&rig, number)->hits, 3);
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* Hits that are let pass change what the next one finds there. */
static void what_passes_is_remembered(void **state)
{
	struct rig rig = {0};
	int number, end;

	(void)state;
	start(&rig);
	end = LOAD(&rig, 0x89, 0x07, 0xff, 0x07); /* mov %eax,(%edi); incl (%edi) */
	put32(&rig, DATA, 41);
	rig_set_reg(&rig, 0, "rax", 99);
	number = rig_watch(&rig, POINT_WRITE, DATA, 4);
	assert_int_equal(debug_point_ignore(rig.debug, number, 1, NULL), 0);
	expect_text(next(&rig), "write to 0x8000 (watch 2, 4 bytes): 99 → 100 by 0x1002");
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

/* The processor does not say which it was; a value that has changed does. */
static void an_access_watch_tells_writes_by_their_values(void **state)
{
	struct rig rig = {0};
	const struct stop *stop;
	int end;

	(void)state;
	start(&rig);
	end = LOAD(&rig, 0x8b, 0x17, 0x89, 0x07); /* mov (%edi),%edx; mov %eax,(%edi) */
	put32(&rig, DATA, 41);
	rig_set_reg(&rig, 0, "rax", 42);
	rig_watch(&rig, POINT_ACCESS, DATA, 4);
	stop = next(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_ACCESS);
	expect_text(stop, "access watch 2");
	stop = next(&rig);
	assert_int_equal(stop->reason, STOP_WATCH_ACCESS);
	expect_text(stop, "write to 0x8000 (watch 2, 4 bytes): 41 → 42 by 0x1002");
	rig_continue(&rig);
	expect_end(&rig, end);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_is_told_with_values_and_writer),
		cmocka_unit_test(what_passes_is_remembered),
		cmocka_unit_test(an_access_watch_tells_writes_by_their_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
