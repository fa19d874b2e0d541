// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots: devices and time, and restores that are refused. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "snapshot_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- devices and time ----------------------------------------------------------------------------- */

static uint8_t port_in(struct machine *machine, uint16_t port)
{
	uint8_t value = 0;

	machine_lock_devices(machine);
	bus_access(&machine->ports, port, 1, false, &value);
	machine_unlock_devices(machine);
	return value;
}

/* Bytes that have come and were not read, and the interrupt that tells of them. */
static void test_serial_input_is_kept(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	port_out(rig.machine, 0x3fa, 0x01);
	port_out(rig.machine, 0x3f9, 0x01);
	port_out(rig.machine, 0x3fc, 0x08);
	port_out(rig.machine, 0x20, 0x11);
	port_out(rig.machine, 0x21, 0x20);
	port_out(rig.machine, 0x21, 0x04);
	port_out(rig.machine, 0x21, 0x01);
	assert_int_equal(machine_serial_input(rig.machine, 0, "abc", 3), 3);
	assert_true(atomic_load(&rig.machine->intr));
	snapshot_save(&rig, "a");
	assert_int_equal(port_in(rig.machine, 0x3f8), 'a');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'b');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'c');
	port_out(rig.machine, 0x21, 0xff);
	assert_false(atomic_load(&rig.machine->intr));
	snapshot_restore(&rig, "a");
	assert_true(atomic_load(&rig.machine->intr));
	assert_int_equal(port_in(rig.machine, 0x3f8), 'a');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'b');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'c');
	assert_int_equal(port_in(rig.machine, 0x3fd) & 1, 0);
	rig_stop(&rig);
}

/* A port that waited for its backend, and whose backend has room today: the interrupt that tells so is not
 * lost among controllers that are loaded. */
static bool has_room;

static bool backend_has_room(void *ctx)
{
	(void)ctx;
	return has_room;
}

static void test_a_transmitter_that_waited(void **state)
{
	struct machine_config config = {.accel = &accel_dummy,
					.ram_size = RIG_RAM,
					.vcpus = 1,
					.irqchip = IRQCHIP_USER,
					.serial[0] = {.has_room = backend_has_room}};
	struct machine *machine;
	struct snapshots *snapshots;
	struct error err = {0};

	(void)state;
	assert_int_equal(machine_create(&config, &machine, &err), 0);
	snapshots = snapshots_new(machine);
	port_out(machine, 0x20, 0x11);
	port_out(machine, 0x21, 0x20);
	port_out(machine, 0x21, 0x04);
	port_out(machine, 0x21, 0x01);
	port_out(machine, 0x3fc, 0x08);
	port_out(machine, 0x3f9, 0x02);
	has_room = false;
	port_in(machine, 0x3fa);
	port_out(machine, 0x3f8, 'x');
	assert_int_equal(port_in(machine, 0x3fd) & 0x20, 0);
	port_out(machine, 0x20, 0x20);
	assert_int_equal(snapshots_save(snapshots, "a", &err), 0);
	assert_int_equal(snapshots_restore(snapshots, "a", &err), 0);
	assert_int_equal(port_in(machine, 0x3fd) & 0x20, 0); /* still none */
	has_room = true;
	assert_int_equal(snapshots_restore(snapshots, "a", &err), 0);
	assert_int_equal(port_in(machine, 0x3fd) & 0x20, 0x20);
	assert_int_equal(port_in(machine, 0x3fa) & 0x0f, 0x02);
	assert_true(atomic_load(&machine->intr));
	snapshots_free(snapshots);
	machine_destroy(machine);
}

/* Guest time goes back, and timers are armed for what was to come. */
static void test_time_and_timers(void **state)
{
	struct rig rig = {0};
	uint64_t then, deadline;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	port_out(rig.machine, 0x43, 0x34); /* counter 0, mode 2 */
	port_out(rig.machine, 0x40, 0xff);
	port_out(rig.machine, 0x40, 0xff);
	run_a_little(&rig);
	snapshot_save(&rig, "a");
	then = clock_now(&rig.machine->clock);
	assert_int_equal(info_of(&rig, "a").guest_time, then);
	assert_non_null(rig.machine->clock.timers);
	deadline = rig.machine->clock.timers->deadline;
	port_out(rig.machine, 0x43, 0x30); /* mode 0, no count: no timer */
	run_a_little(&rig);
	assert_true(clock_now(&rig.machine->clock) > then);
	assert_null(rig.machine->clock.timers);
	snapshot_restore(&rig, "a");
	assert_int_equal(clock_now(&rig.machine->clock), then);
	assert_non_null(rig.machine->clock.timers);
	assert_int_equal(rig.machine->clock.timers->deadline, deadline);
	rig_stop(&rig);
}

/* An exception that was to be given back to the guest with the next run is in the CPU's state. */
static void test_a_given_back_exception_is_not_lost(void **state)
{
	struct rig rig = {0};
	unsigned before;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	before = dummy_counts(rig.machine->vcpus[0].accel)->injected_db;
	rig.machine->vcpus[0].debug.inject = 1;
	snapshot_save(&rig, "a");
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_db, before + 1);
	assert_int_equal(rig.machine->vcpus[0].debug.inject, -1);
	rig_stop(&rig);
}

/* Registers that were changed and not yet told to the accelerator; and others that are left behind so. */
static void test_registers_on_their_way(void **state)
{
	struct rig rig = {0};
	struct vcpu *vcpu;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	vcpu = &rig.machine->vcpus[0];
	vcpu_state(vcpu, CPU_GENERAL)->general.gpr[GPR_RBP] = 0x111;
	vcpu_dirty(vcpu, CPU_GENERAL);
	snapshot_save(&rig, "a");
	vcpu_state(vcpu, CPU_GENERAL)->general.gpr[GPR_RBP] = 0x222;
	vcpu_dirty(vcpu, CPU_GENERAL);
	snapshot_restore(&rig, "a");
	assert_int_equal(rig_reg(&rig, 0, "rbp"), 0x111);
	rig_code(&rig, 0, snapshot_spin, sizeof(snapshot_spin));
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	assert_int_equal(rig_reg(&rig, 0, "rbp"), 0x111);
	rig_stop(&rig);
}

/* hlt under -irqchip=user is vitrine's own state. */
static void test_a_halted_vcpu(void **state)
{
	static const uint8_t code[] = {0xf4, 0x90, 0xeb, 0xfe};
	struct vcpu_info info;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, code, sizeof(code));
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	snapshot_save(&rig, "halted");
	rig.machine->vcpus[0].halted = false;
	snapshot_restore(&rig, "halted");
	assert_int_equal(debug_vcpu_info(rig.debug, 0, &info), 0);
	assert_int_equal(info.run_state, CPU_HALTED);
	rig.machine->vcpus[0].halted = false;
	snapshot_save(&rig, "awake");
	snapshot_restore(&rig, "halted");
	snapshot_restore(&rig, "awake");
	assert_int_equal(debug_vcpu_info(rig.debug, 0, &info), 0);
	assert_int_equal(info.run_state, CPU_RUNNABLE);
	rig_stop(&rig);
}

/* ---- a restore that is refused changes nothing ------------------------------------------------------- */

static struct named_part *part_of(struct parts *parts, const char *name)
{
	return (struct named_part *)parts_find(parts, name);
}

static void is_refused(struct rig *rig, const char *name)
{
	struct picture before, after;
	struct error err = {0};
	unsigned told = rig->count[DEBUG_RESTORED];

	picture_take(&before, rig->machine);
	assert_int_equal(debug_snapshot_restore(rig->debug, name, OWNER_CONSOLE, &err), -EINVAL);
	assert_true(strlen(err.text) > 20);
	debug_dispatch(rig->debug);
	assert_int_equal(rig->count[DEBUG_RESTORED], told);
	picture_take(&after, rig->machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
}

static void test_a_failed_restore_changes_nothing(void **state)
{
	static const char *const devices[] = {"serial0", "rtc",	  "pit",
					      "pic",	 "i8042", "text-screen"};
	struct machine_parts *parts;
	struct named_part *part;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, snapshot_writer, sizeof(snapshot_writer));
	snapshot_save(&rig, "bad");
	parts = &snapshots_find(rig.debug->snapshots, "bad")->parts;
	port_out(rig.machine, 0x3ff, 0x42);
	run_a_little(&rig);
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		part = part_of(&parts->devices, devices[i]);
		part->size--;
		is_refused(&rig, "bad"); /* too short */
		part->size++;
	}
	part = part_of(&parts->devices, "rtc");
	part->bytes[0] = 0xff; /* an index that the RTC lacks */
	is_refused(&rig, "bad");
	part->bytes[0] = 0;
	part = part_of(&parts->vcpu[0], "cpu");
	part->bytes[offsetof(struct cpu_state, events.nmi.masked)] = 2;
	is_refused(&rig, "bad");
	part->bytes[offsetof(struct cpu_state, events.nmi.masked)] = 0;
	part_of(&parts->vcpu[0], "loop")->bytes[0] = 3;
	is_refused(&rig, "bad");
	part_of(&parts->vcpu[0], "loop")->bytes[0] = 0;
	snapshot_restore(&rig, "bad");
	assert_int_equal(port_in(rig.machine, 0x3ff), 0);
	rig_stop(&rig);
}

/* A longer state than the device reads is another device's. */
static void test_too_much_state_is_refused(void **state)
{
	struct rig rig = {0};
	struct named_part *part;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	snapshot_save(&rig, "a");
	part = part_of(&snapshots_find(rig.debug->snapshots, "a")->parts.devices, "i8042");
	part->bytes = realloc(part->bytes, part->size + 1);
	part->bytes[part->size++] = 0;
	is_refused(&rig, "a");
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial_input_is_kept),
		cmocka_unit_test(test_a_transmitter_that_waited),
		cmocka_unit_test(test_time_and_timers),
		cmocka_unit_test(test_registers_on_their_way),
		cmocka_unit_test(test_a_given_back_exception_is_not_lost),
		cmocka_unit_test(test_a_halted_vcpu),
		cmocka_unit_test(test_a_failed_restore_changes_nothing),
		cmocka_unit_test(test_too_much_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
