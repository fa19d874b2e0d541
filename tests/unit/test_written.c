// SPDX-License-Identifier: GPL-3.0-or-later
/* Pages that the guest wrote since it was let run: its own writes, not the debugger's, and beside snapshots,
 * which read the same books. */
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* inc %eax; mov %eax, 0x20000; mov %eax, 0x3ffff; jmp back: the second write touches two pages. */
static const uint8_t writer[] = {0x40, 0xa3, 0x00, 0x00, 0x02, 0x00, 0xa3,
				 0xff, 0xff, 0x03, 0x00, 0xeb, 0xf3};

struct run {
	uint64_t gpa, size;
};

/* All of them, which are so many. */
static void written_is(struct rig *rig, const struct run *runs, unsigned count)
{
	uint64_t gpa, size, from = 0;

	for (unsigned i = 0; i < count; i++, from = gpa + size) {
		assert_true(debug_written(rig->debug, from, &gpa, &size));
		assert_int_equal(gpa, runs[i].gpa);
		assert_int_equal(size, runs[i].size);
	}
	assert_false(debug_written(rig->debug, from, &gpa, &size));
}

static const struct run first[] = {{0x20000, 0x1000}};
static const struct run both[] = {{0x20000, 0x1000}, {0x3f000, 0x2000}};

static void begin(struct rig *rig)
{
	rig_start(rig, 1, IRQCHIP_USER);
	rig_code(rig, 0, writer, sizeof(writer));
	assert_int_equal(debug_track_writes(rig->debug, true, NULL), 0);
}

static void step(struct rig *rig)
{
	rig_step(rig, 0);
	rig_wait_stop(rig);
}

static void test_each_run_anew(void **state)
{
	struct rig rig = {0};

	(void)state;
	begin(&rig);
	written_is(&rig, NULL, 0);
	step(&rig); /* inc */
	written_is(&rig, NULL, 0);
	step(&rig);
	written_is(&rig, first, 1);
	written_is(&rig, first, 1); /* asking changes nothing */
	step(&rig);
	written_is(&rig, &both[1], 1);
	step(&rig); /* jmp */
	written_is(&rig, NULL, 0);
	rig_stop(&rig);
}

/* Breakpoints and the debugger's own writes are none of the guest's. */
static void test_the_debuggers_are_not(void **state)
{
	uint8_t byte = 1;
	struct rig rig = {0};

	(void)state;
	begin(&rig);
	rig_break(&rig, RIG_CODE + 11);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x50000, &byte, 1), 1);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x51000, &byte, 1), 1);
	written_is(&rig, both, 2);
	rig_stop(&rig);
}

static void device_writes(struct rig *rig, uint64_t gpa)
{
	uint8_t byte = 7;

	assert_int_equal(machine_device_write(rig->machine, gpa, &byte, 1), 1);
}

/* A device's is, even while nobody runs. */
static void test_a_devices_are(void **state)
{
	static const struct run device[] = {{0x60000, 0x1000}};
	struct rig rig = {0};

	(void)state;
	begin(&rig);
	rig_code(&rig, 0, "\xeb\xfe", 2);
	rig_continue(&rig);
	device_writes(&rig, 0x60123);
	debug_pause(rig.debug, OWNER_CONSOLE);
	rig_wait_stop(&rig);
	written_is(&rig, device, 1);
	rig_stop(&rig);
}

/* Each reader has all of it, whoever asks first. */
static void test_beside_snapshots(void **state)
{
	struct snapshot_info info;
	struct rig rig = {0};

	(void)state;
	begin(&rig);
	assert_int_equal(debug_snapshot_save(rig.debug, "a", NULL), 0);
	step(&rig);
	step(&rig);
	assert_int_equal(debug_snapshot_save(rig.debug, "b", NULL), 0);
	written_is(&rig, first, 1);
	assert_true(debug_snapshot_next(rig.debug, 1, &info));
	assert_int_equal(info.pages, 1);
	step(&rig);
	written_is(&rig, &both[1], 1);
	assert_int_equal(debug_track_writes(rig.debug, false, NULL), 0);
	assert_int_equal(debug_snapshot_save(rig.debug, "c", NULL), 0);
	assert_true(debug_snapshot_next(rig.debug, 2, &info));
	assert_int_equal(info.pages, 1); /* the other page got the zeros that it had */
	rig_stop(&rig);
}

static void test_on_and_off(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	begin(&rig);
	assert_true(debug_tracks_writes(rig.debug));
	rig_continue(&rig);
	assert_int_equal(debug_track_writes(rig.debug, false, &err), -EBUSY);
	assert_true(strlen(err.text) > 10);
	debug_pause(rig.debug, OWNER_CONSOLE);
	rig_wait_stop(&rig);
	rig_break(&rig, RIG_CODE + 11);
	for (unsigned i = 0; i < 2; i++) { /* the first may be half a turn */
		rig_continue(&rig);
		rig_wait_stop(&rig);
	}
	written_is(&rig, both, 2);
	assert_int_equal(debug_track_writes(rig.debug, false, NULL), 0);
	assert_false(debug_tracks_writes(rig.debug));
	written_is(&rig, NULL, 0);
	step(&rig);
	assert_int_equal(debug_track_writes(rig.debug, true, NULL), 0);
	written_is(&rig, NULL, 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_run_anew), cmocka_unit_test(test_the_debuggers_are_not),
		cmocka_unit_test(test_a_devices_are), cmocka_unit_test(test_beside_snapshots),
		cmocka_unit_test(test_on_and_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
