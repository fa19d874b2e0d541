// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots on the dummy accelerator: that a restore brings back everything, that a save costs what changed,
 * that a failure changes nothing, and what the debugger makes of it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* loop: inc eax; mov [0x20000], eax; mov [0x30010], eax; inc ebx; jmp loop */
static const uint8_t writer[] = {0x40, 0xa3, 0x00, 0x00, 0x02, 0x00, 0xa3,
				 0x10, 0x00, 0x03, 0x00, 0x43, 0xeb, 0xf2};
static const uint8_t spin[] = {0xeb, 0xfe};
static const uint8_t nops[] = {0x90, 0x90, 0x90, 0xeb, 0xfb};

static void save(struct rig *rig, const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(rig->debug, name, &err) < 0)
		fail_msg("%s", err.text);
}

static void restore(struct rig *rig, const char *name)
{
	struct error err = {0};

	if (debug_snapshot_restore(rig->debug, name, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

static struct snapshot_info info_of(struct rig *rig, const char *name)
{
	struct snapshot_info info;

	for (unsigned i = 0; debug_snapshot_next(rig->debug, i, &info); i++)
		if (!strcmp(info.name, name))
			return info;
	fail_msg("there is no %s", name);
	return info;
}

static void steps(struct rig *rig, unsigned count)
{
	while (count-- > 0) {
		rig_step(rig, 0);
		assert_int_equal(rig_wait_stop(rig)->reason, STOP_STEP);
	}
}

static void run_a_little(struct rig *rig)
{
	rig_continue(rig);
	while (rig_byte(rig, 0x20001) < 4)
		;
	assert_int_equal(debug_pause_wait(rig->debug, OWNER_CONSOLE, 5000), 0);
	debug_dispatch(rig->debug);
}

/* ---- everything comes back -------------------------------------------------------------------- */

static void comes_back(unsigned vcpus, enum irqchip irqchip)
{
	struct picture before, after, changed;
	struct rig rig = {0};

	rig_start(&rig, vcpus, irqchip);
	for (unsigned i = 0; i < vcpus; i++)
		rig_code(&rig, i, writer, sizeof(writer));
	run_a_little(&rig);
	rig_set_reg(&rig, 0, "rcx", 0x1234567812345678);
	save(&rig, "a");
	picture_take(&before, rig.machine);
	run_a_little(&rig);
	machine_serial_input(rig.machine, 0, "later", 5);
	rig_set_reg(&rig, 0, "rcx", 5);
	rig_set_reg(&rig, (int)vcpus - 1, "cr2", 0x77);
	picture_take(&changed, rig.machine);
	assert_true(picture_differs(&before, &changed));
	restore(&rig, "a");
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	picture_free(&changed);
	rig_stop(&rig);
}

static void test_everything_comes_back(void **state)
{
	(void)state;
	comes_back(1, IRQCHIP_KERNEL);
	comes_back(1, IRQCHIP_USER);
	comes_back(4, IRQCHIP_KERNEL);
}

/* The same future, twice. */
static void test_continues_the_same_way(void **state)
{
	struct picture first, second;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	steps(&rig, 7);
	save(&rig, "a");
	steps(&rig, 123);
	picture_take(&first, rig.machine);
	restore(&rig, "a");
	steps(&rig, 123);
	picture_take(&second, rig.machine);
	second.parts.guest_time = first.parts.guest_time; /* how long steps took */
	picture_same(&first, &second);
	picture_free(&first);
	picture_free(&second);
	rig_stop(&rig);
}

/* Back and forth between several, in any order. */
static void test_many_snapshots(void **state)
{
	struct picture picture[5], now;
	struct rig rig = {0};
	unsigned seed = 3;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	for (unsigned i = 0; i < 5; i++) {
		char name[2] = {(char)('a' + i), 0};
		uint64_t value = i + 1;

		steps(&rig, 10);
		assert_int_equal(
			debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x40000 + i * 0x1000, &value, 8),
			8);
		save(&rig, name);
		picture_take(&picture[i], rig.machine);
	}
	for (unsigned round = 0; round < 60; round++) {
		unsigned i = (unsigned)rand_r(&seed) % 5;
		char name[2] = {(char)('a' + i), 0};

		steps(&rig, (unsigned)rand_r(&seed) % 20);
		restore(&rig, name);
		picture_take(&now, rig.machine);
		picture_same(&picture[i], &now);
		picture_free(&now);
	}
	for (unsigned i = 0; i < 5; i++)
		picture_free(&picture[i]);
	rig_stop(&rig);
}

/* ---- RAM: what a save costs --------------------------------------------------------------------- */

static void test_a_save_costs_what_changed(void **state)
{
	struct rig rig = {.ram_size = 64 << 20};
	uint64_t value = 0x0700000007;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "first");
	assert_int_equal(info_of(&rig, "first").pages, 1); /* the code; all else is zeros */
	save(&rig, "same");
	assert_int_equal(info_of(&rig, "same").pages, 0);
	run_a_little(&rig);
	save(&rig, "ran");
	assert_int_equal(info_of(&rig, "ran").pages, 2);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	save(&rig, "wrote");
	assert_int_equal(info_of(&rig, "wrote").pages, 2); /* across a page's end */
	value = 0;
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	save(&rig, "zeros");
	assert_int_equal(info_of(&rig, "zeros").pages, 2);
	assert_int_equal(debug_write(rig.debug, 0, SPACE_PHYSICAL, 0x3ffffc, &value, 8), 8);
	save(&rig, "again");
	assert_int_equal(info_of(&rig, "again").pages, 0); /* written, but nothing new */
	rig_stop(&rig);
}

/* Pages that were never touched are not made by looking at them. */
static uint64_t resident(struct rig *rig)
{
	uint64_t bytes = 0;
	off_t at = 0, hole;
	int fd = memory_fd(rig->machine->memory);

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		hole = lseek(fd, at, SEEK_HOLE);
		bytes += (uint64_t)(hole - at);
		at = hole;
	}
	return bytes;
}

static void test_untouched_memory_stays_so(void **state)
{
	struct rig rig = {.ram_size = 512 << 20};
	struct error err;
	static uint8_t much[8 << 20];

	(void)state;
	memset(much, 0x5a, sizeof(much));
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_boot(&rig, spin, sizeof(spin));
	save(&rig, "first");
	assert_true(resident(&rig) < 1 << 20);
	mem_write_phys(rig.machine->memory, 16 << 20, much, sizeof(much));
	save(&rig, "much");
	assert_int_equal(info_of(&rig, "much").pages, sizeof(much) / 4096);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	save(&rig, "reset");
	assert_int_equal(info_of(&rig, "reset").pages, sizeof(much) / 4096);
	assert_true(resident(&rig) < 1 << 20);
	restore(&rig, "much");
	assert_int_equal(rig_byte(&rig, (24 << 20) - 1), 0x5a);
	restore(&rig, "first");
	assert_int_equal(rig_byte(&rig, (24 << 20) - 1), 0);
	assert_true(resident(&rig) < 1 << 20);
	rig_stop(&rig);
}

/* Slots that are cut, joined and withdrawn between the saves lose nothing of their logs. */
static void test_slots_may_change_meanwhile(void **state)
{
	const struct memory_run runs[] = {{0x30000, 0x1000, MEMORY_READ_ONLY},
					  {0x50000, 0x2000, MEMORY_WITHDRAWN}};
	struct picture before, after;
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	run_a_little(&rig);
	save(&rig, "a");
	picture_take(&before, rig.machine);
	for (unsigned round = 0; round < 3; round++) {
		run_a_little(&rig); /* logged in one slot … */
		assert_int_equal(memory_protect(rig.machine->memory, runs, 2, &err), 0);
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		steps(&rig, 2); /* … in another one … */
		assert_int_equal(mem_write_phys(rig.machine->memory, 0x51000, "x", 1), 1);
		if (round == 1) /* … and restored in that state, or in the first one */
			assert_int_equal(memory_protect(rig.machine->memory, NULL, 0, &err), 0);
		restore(&rig, "a");
		assert_int_equal(memory_protect(rig.machine->memory, NULL, 0, &err), 0);
		picture_take(&after, rig.machine);
		picture_same(&before, &after);
		picture_free(&after);
	}
	picture_free(&before);
	rig_stop(&rig);
}

/* A page that the host has lost is replaced. */
static void test_a_lost_page_is_replaced(void **state)
{
	struct rig rig = {0};
	struct error err = {0};
	int fd;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "a");
	run_a_little(&rig);
	fd = memory_fd(rig.machine->memory);
	assert_int_equal(ftruncate(fd, 0x28000), 0); /* 0x30000 is gone */
	assert_int_equal(debug_snapshot_save(rig.debug, "b", &err), -EFAULT);
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &err), -EFAULT);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_HOST_ERROR);
	assert_int_equal(ftruncate(fd, RIG_RAM), 0);
	restore(&rig, "a");
	assert_int_equal(rig_byte(&rig, 0x20000), 0);
	assert_int_equal(rig_byte(&rig, 0x30010), 0);
	rig_stop(&rig);
}

/* Without snapshots nothing is logged. */
static void test_the_last_one_ends_the_log(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "a");
	save(&rig, "b");
	assert_int_equal(debug_snapshot_delete(rig.debug, "a", &err), 0);
	assert_true(rig.debug->snapshots->logging);
	assert_int_equal(debug_snapshot_delete(rig.debug, "b", &err), 0);
	assert_false(rig.debug->snapshots->logging);
	run_a_little(&rig);
	save(&rig, "c");
	assert_int_equal(info_of(&rig, "c").pages, 3);
	run_a_little(&rig);
	restore(&rig, "c");
	rig_stop(&rig);
}

/* ---- devices and time ----------------------------------------------------------------------------- */

static uint8_t port_in(struct machine *machine, uint16_t port)
{
	uint8_t value = 0;

	machine_lock_devices(machine);
	bus_access(&machine->ports, port, 1, false, &value);
	machine_unlock_devices(machine);
	return value;
}

static void port_out(struct machine *machine, uint16_t port, uint8_t value)
{
	machine_lock_devices(machine);
	bus_access(&machine->ports, port, 1, true, &value);
	machine_unlock_devices(machine);
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
	save(&rig, "a");
	assert_int_equal(port_in(rig.machine, 0x3f8), 'a');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'b');
	assert_int_equal(port_in(rig.machine, 0x3f8), 'c');
	port_out(rig.machine, 0x21, 0xff);
	assert_false(atomic_load(&rig.machine->intr));
	restore(&rig, "a");
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
	rig_code(&rig, 0, writer, sizeof(writer));
	port_out(rig.machine, 0x43, 0x34); /* counter 0, mode 2 */
	port_out(rig.machine, 0x40, 0xff);
	port_out(rig.machine, 0x40, 0xff);
	run_a_little(&rig);
	save(&rig, "a");
	then = clock_now(&rig.machine->clock);
	assert_int_equal(info_of(&rig, "a").guest_time, then);
	assert_non_null(rig.machine->clock.timers);
	deadline = rig.machine->clock.timers->deadline;
	port_out(rig.machine, 0x43, 0x30); /* mode 0, no count: no timer */
	run_a_little(&rig);
	assert_true(clock_now(&rig.machine->clock) > then);
	assert_null(rig.machine->clock.timers);
	restore(&rig, "a");
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
	save(&rig, "a");
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
	save(&rig, "a");
	vcpu_state(vcpu, CPU_GENERAL)->general.gpr[GPR_RBP] = 0x222;
	vcpu_dirty(vcpu, CPU_GENERAL);
	restore(&rig, "a");
	assert_int_equal(rig_reg(&rig, 0, "rbp"), 0x111);
	rig_code(&rig, 0, spin, sizeof(spin));
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
	save(&rig, "halted");
	rig.machine->vcpus[0].halted = false;
	restore(&rig, "halted");
	assert_int_equal(debug_vcpu_info(rig.debug, 0, &info), 0);
	assert_int_equal(info.run_state, CPU_HALTED);
	rig.machine->vcpus[0].halted = false;
	save(&rig, "awake");
	restore(&rig, "halted");
	restore(&rig, "awake");
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
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "bad");
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
	restore(&rig, "bad");
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
	save(&rig, "a");
	part = part_of(&snapshots_find(rig.debug->snapshots, "a")->parts.devices, "i8042");
	part->bytes = realloc(part->bytes, part->size + 1);
	part->bytes[part->size++] = 0;
	is_refused(&rig, "a");
	rig_stop(&rig);
}

/* ---- the debugger --------------------------------------------------------------------------------------- */

static void test_listeners_are_told_once(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	rig_code(&rig, 1, spin, sizeof(spin));
	save(&rig, "a");
	restore(&rig, "a");
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.actor[DEBUG_RESTORED], OWNER_CONSOLE);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	assert_non_null(strstr(debug_last_stop(rig.debug)->text, "\"a\""));
	assert_int_equal(debug_last_stop(rig.debug)->pc, RIG_CODE);
	rig_stop(&rig);
}

/* Saved and restored in mid-run, it runs on. */
static void test_a_running_machine_runs_on(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	rig_code(&rig, 1, writer, sizeof(writer));
	rig_continue(&rig);
	save(&rig, "a");
	assert_true(debug_running(rig.debug));
	while (rig_byte(&rig, 0x20002) == 0)
		;
	restore(&rig, "a");
	assert_true(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 0);
	while (rig_byte(&rig, 0x20002) == 0)
		;
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	rig_stop(&rig);
}

/* A step was of a time that is no more. */
static void test_a_stepping_machine_stops(void **state)
{
	struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 0x10};
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, spin, sizeof(spin));
	save(&rig, "a");
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, &err), 0);
	restore(&rig, "a");
	assert_false(debug_running(rig.debug));
	debug_dispatch(rig.debug);
	assert_int_equal(rig.count[DEBUG_RESTORED], 1);
	assert_int_equal(rig.count[DEBUG_STOPPED], 1);
	rig_stop(&rig);
}

/* Points are the debugger's: they stay, and one under the restored pc was not hit yet. */
static void test_points_stay_and_are_met_again(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, nops, sizeof(nops));
	rig_break(&rig, RIG_CODE + 2);
	save(&rig, "start");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	save(&rig, "point");
	for (unsigned i = 0; i < 3; i++) {
		restore(&rig, "start");
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	}
	/* memory is the guest's own in every snapshot */
	assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0x90);
	restore(&rig, "point");
	assert_int_equal(rig_byte(&rig, RIG_CODE + 2), 0x90);
	steps(&rig, 1);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 3);
	rig_stop(&rig);
}

/* Back to life from a triple fault. */
static void test_a_dead_guest_lives_again(void **state)
{
	static const struct vm_exit script[] = {{.reason = EXIT_SHUTDOWN}};
	struct rig rig = {.dummy = {.script = script, .script_length = 1}};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "alive");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_TRIPLE_FAULT);
	assert_int_equal(debug_continue(rig.debug, OWNER_CONSOLE, &err), -ENOTSUP);
	restore(&rig, "alive");
	run_a_little(&rig);
	rig_stop(&rig);
}

static void test_an_ended_run_stays_ended(void **state)
{
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	save(&rig, "a");
	debug_kill(rig.debug, OWNER_CONSOLE, 3);
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &err), -ESHUTDOWN);
	assert_int_equal(debug_snapshot_save(rig.debug, "b", &err), -ESHUTDOWN);
	rig_stop(&rig);
}

/* A reset that a device asked for belongs to the time that is left behind. */
static void test_a_waiting_reset_is_forgotten(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save(&rig, "a");
	port_out(rig.machine, 0x64, 0xfe);
	restore(&rig, "a");
	run_a_little(&rig);
	assert_int_equal(rig.count[DEBUG_RESET], 0);
	rig_stop(&rig);
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
	char longest[64], longer[65];
	struct snapshot_info info;
	struct error err = {0};
	struct rig rig = {0};

	(void)state;
	memset(longest, 'n', 63);
	memset(longer, 'n', 64);
	longest[63] = longer[64] = 0;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(debug_snapshot_save(rig.debug, "", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a/b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, "a\n", &err), -EINVAL);
	assert_int_equal(debug_snapshot_save(rig.debug, longer, &err), -EINVAL);
	assert_int_equal(debug_snapshot_restore(rig.debug, "none", OWNER_GDB, &err), -ENOENT);
	assert_int_equal(debug_snapshot_delete(rig.debug, "none", &err), -ENOENT);
	assert_false(debug_snapshot_next(rig.debug, 0, &info));
	save(&rig, longest);
	save(&rig, "b");
	rig_set_reg(&rig, 0, "rax", 77);
	save(&rig, longest); /* replaced, and now the newest */
	assert_true(debug_snapshot_next(rig.debug, 0, &info));
	assert_string_equal(info.name, "b");
	assert_false(info.current);
	assert_true(debug_snapshot_next(rig.debug, 1, &info));
	assert_string_equal(info.name, longest);
	assert_true(info.current);
	assert_false(debug_snapshot_next(rig.debug, 2, &info));
	restore(&rig, "b");
	assert_true(info_of(&rig, "b").current);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0);
	restore(&rig, longest);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 77);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_continues_the_same_way),
		cmocka_unit_test(test_many_snapshots),
		cmocka_unit_test(test_a_save_costs_what_changed),
		cmocka_unit_test(test_untouched_memory_stays_so),
		cmocka_unit_test(test_slots_may_change_meanwhile),
		cmocka_unit_test(test_a_lost_page_is_replaced),
		cmocka_unit_test(test_the_last_one_ends_the_log),
		cmocka_unit_test(test_serial_input_is_kept),
		cmocka_unit_test(test_a_transmitter_that_waited),
		cmocka_unit_test(test_time_and_timers),
		cmocka_unit_test(test_registers_on_their_way),
		cmocka_unit_test(test_a_given_back_exception_is_not_lost),
		cmocka_unit_test(test_a_halted_vcpu),
		cmocka_unit_test(test_a_failed_restore_changes_nothing),
		cmocka_unit_test(test_too_much_state_is_refused),
		cmocka_unit_test(test_listeners_are_told_once),
		cmocka_unit_test(test_a_running_machine_runs_on),
		cmocka_unit_test(test_a_stepping_machine_stops),
		cmocka_unit_test(test_points_stay_and_are_met_again),
		cmocka_unit_test(test_a_dead_guest_lives_again),
		cmocka_unit_test(test_an_ended_run_stays_ended),
		cmocka_unit_test(test_a_waiting_reset_is_forgotten),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
