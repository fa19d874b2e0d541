// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots under KVM: what only KVM keeps, time, and half-done I/O. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "bare_vm.h"
#include "guest.h"
#include "picture.h"

#include "debug/core.h"
#include "kvm_snapshot_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what only KVM keeps ---------------------------------------------------------------------------- */

static const struct named_part *vcpu_part(const struct picture *picture, const char *name)
{
	const struct named_part *part = parts_find(&picture->parts.vcpu[0], name);

	assert_non_null(part);
	return part;
}

static uint64_t msr_in(const struct picture *picture, uint32_t index)
{
	const struct named_part *part = vcpu_part(picture, "msrs");

	for (size_t at = 0; at + 16 <= part->size; at += 16) {
		uint32_t number;
		uint64_t value;

		memcpy(&number, part->bytes + at, sizeof(number));
		memcpy(&value, part->bytes + at + 8, sizeof(value));
		if (number == index)
			return value;
	}
	return UINT64_MAX;
}

/* mov ecx, index; xor edx, edx; mov eax, value; wrmsr; nop */
static void write_msr(uint32_t index, uint32_t value)
{
	uint8_t code[] = {0xb9, 0, 0, 0, 0, 0x31, 0xd2, 0xb8, 0, 0, 0, 0, 0x0f, 0x30, 0x90, 0xf4};

	memcpy(code + 1, &index, sizeof(index));
	memcpy(code + 8, &value, sizeof(value));
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	for (unsigned i = 0; i < 4; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	}
}

/* An MTRR is in no table that a user sees. */
static void test_msrs_that_nobody_shows(void **state)
{
	enum { MTRR_BASE_0 = 0x200 };
	struct picture first, second;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	if (!vcpu_state(&rig.machine->vcpus[0], CPU_MSRS)->msrs.valid[MSR_SLOT_MTRR_DEF_TYPE]) {
		rig_stop(&rig);
		print_message("# SKIP this host's KVM has no MTRRs\n");
		skip();
	}
	write_msr(MTRR_BASE_0, 0x40000006);
	kvm_snapshot_save("a");
	picture_take(&first, rig.machine);
	assert_int_equal(msr_in(&first, MTRR_BASE_0), 0x40000006);
	write_msr(MTRR_BASE_0, 0x80000000);
	kvm_snapshot_restore("a");
	picture_take(&second, rig.machine);
	assert_int_equal(msr_in(&second, MTRR_BASE_0), 0x40000006);
	picture_same(&first, &second);
	picture_free(&first);
	picture_free(&second);
	rig_stop(&rig);
}

/* mov dword [address], value; … ; nop */
static void write_words(const uint32_t (*words)[2], unsigned count)
{
	uint8_t code[128];
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		code[size++] = 0xc7;
		code[size++] = 0x05;
		memcpy(code + size, &words[i][0], 4);
		memcpy(code + size + 4, &words[i][1], 4);
		size += 8;
	}
	code[size++] = 0xf4;
	rig_code(&rig, 0, code, size);
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	for (unsigned i = 0; i < count; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	}
}

#define APIC	      0xfee00000u
#define APIC_SPURIOUS (APIC + 0xf0)
#define APIC_TIMER    (APIC + 0x320)
#define APIC_INITIAL  (APIC + 0x380)
#define APIC_DIVIDE   (APIC + 0x3e0)

enum { PERIODIC = 1 << 17, DEADLINE = 2 << 17 };

static void to_deadline(void)
{
	const uint32_t words[][2] = {{APIC_TIMER, DEADLINE | 0x41}};

	write_words(words, 1);
}

/* The local APIC's timer: in another mode its count would be lost. */
static void test_the_local_timer(void **state)
{
	const uint32_t words[][2] = {{APIC_SPURIOUS, 0x1ff},
				     {APIC_DIVIDE, 0xb},
				     {APIC_TIMER, PERIODIC | 0x10000 | 0x40},
				     {APIC_INITIAL, 50000000}};
	struct picture picture;
	uint32_t initial;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	write_words(words, 4);
	comes_back(to_deadline);
	picture_take(&picture, rig.machine);
	memcpy(&initial, vcpu_part(&picture, "apic")->bytes + 0x380, sizeof(initial));
	assert_int_equal(initial, 50000000);
	picture_free(&picture);
	rig_stop(&rig);
}

static void wait_out(void)
{
	rig_set_reg(&rig, 0, "rip", RIG_CODE + 12); /* hlt, interrupts off */
	sleep_ms(30);
}

/* An interrupt of the timer that has come, and waits for IF; and one that comes after the restore. */
static void test_the_local_timer_goes_on(void **state)
{
	enum { VECTOR = 0x40, REQUESTED = 0x200 };
	const uint32_t words[][2] = {{APIC_SPURIOUS, 0x1ff},
				     {APIC_DIVIDE, 0xb},
				     {APIC_TIMER, VECTOR},
				     {APIC_INITIAL, 5000000}};
	struct picture picture;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	write_words(words, 4);
	kvm_snapshot_save("armed"); /* 5 ms to go, or little less */
	for (unsigned i = 0; i < 3; i++) {
		uint8_t request;

		wait_out();
		run_ms(10);
		picture_take(&picture, rig.machine);
		request = vcpu_part(&picture, "apic")
				  ->bytes[REQUESTED + VECTOR / 32 * 0x10 + VECTOR % 32 / 8];
		assert_int_equal(request >> VECTOR % 8 & 1, 1);
		picture_free(&picture);
		kvm_snapshot_restore("armed");
	}
	rig_stop(&rig);
}

static void port_out(uint16_t port, uint8_t value)
{
	machine_lock_devices(rig.machine);
	bus_access(&rig.machine->ports, port, 1, true, &value);
	machine_unlock_devices(rig.machine);
}

/* mov al, value; out port, al … by the guest, since the controllers are in the kernel */
static void guest_out(const uint16_t (*writes)[2], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t code[] = {0xb0,
				  (uint8_t)writes[i][1],
				  0x66,
				  0xba,
				  (uint8_t)writes[i][0],
				  (uint8_t)(writes[i][0] >> 8),
				  0xee,
				  0xf4};

		rig_code(&rig, 0, code, sizeof(code));
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		for (unsigned n = 0; n < 3; n++) {
			rig_step(&rig, 0);
			assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
		}
	}
}

static void reprogram_controllers(void)
{
	static const uint16_t writes[][2] = {{0x43, 0x30}, {0x40, 0x10}, {0x40, 0x00},
					     {0x43, 0xb0}, {0x42, 0x01}, {0x42, 0x01},
					     {0x21, 0x55}, {0xa1, 0xaa}, {0x61, 0x01}};

	guest_out(writes, sizeof(writes) / sizeof(writes[0]));
	machine_serial_input(rig.machine, 0, "more", 4);
}

/* PICs, PIT, and a serial port that has something to say. */
static void test_controllers_in_the_kernel(void **state)
{
	static const uint16_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, 0x01},
					     {0x21, 0xee}, {0x43, 0x34}, {0x40, 0x00}, {0x40, 0x10},
					     {0x43, 0xb6}, {0x42, 0x33}, {0x42, 0x05}};

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	guest_out(writes, sizeof(writes) / sizeof(writes[0]));
	port_out(0x3f9, 0x01);
	port_out(0x3fc, 0x08);
	machine_serial_input(rig.machine, 0, "a", 1);
	sleep_ms(20); /* the timer has its interrupt requested by now */
	comes_back(reprogram_controllers);
	rig_stop(&rig);
}

/* ---- time --------------------------------------------------------------------------------------------- */

/* Where it is not, KVM computes each vCPU's anew whenever it runs. */
static bool host_tsc_is_stable(void)
{
	FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource",
			   "r");
	char line[200] = "";
	bool stable = !file || (fgets(line, sizeof(line), file) && strstr(line, "tsc"));

	if (file)
		fclose(file);
	return stable;
}

static bool host_sets_tsc(void)
{
	struct bare_vm bare;
	bool sets;

	bare_open(&bare, &accel_kvm, NULL);
	bare_get(&bare, CPU_MSRS);
	bare.state.msrs.value[MSR_SLOT_TSC] += 1ull << 50;
	bare.ops->state_put(bare.vcpu, CPU_MSRS, &bare.state);
	bare.state.msrs.value[MSR_SLOT_TSC] = 0;
	bare_get(&bare, CPU_MSRS);
	sets = bare.state.msrs.value[MSR_SLOT_TSC] >> 50;
	bare_close(&bare);
	return sets;
}

static uint64_t tsc_in(const struct picture *picture, unsigned vcpu)
{
	uint64_t value;

	assert_int_equal(parts_get(&picture->parts.vcpu[vcpu], "tsc", &value, sizeof(value)), 0);
	return value;
}

/* Back to what it was; and the same distance between the vCPUs, exactly. */
static void test_the_time_stamp_counter(void **state)
{
	struct picture before, later, after;

	(void)state;
	rig_needs_kvm();
	if (!host_tsc_is_stable() || !host_sets_tsc()) {
		print_message("# SKIP this host's KVM cannot set the time stamp counter\n");
		skip();
	}
	kvm_snapshot_setup(2, IRQCHIP_KERNEL);
	for (unsigned i = 0; i < 2; i++)
		rig_code(&rig, i, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	run_ms(10);
	kvm_snapshot_save("a");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "a"));
	run_ms(400 * rig_slower());
	picture_take(&later, rig.machine);
	kvm_snapshot_restore("a");
	picture_take(&after, rig.machine);
	assert_true(tsc_in(&after, 0) - tsc_in(&before, 0) <
		    (tsc_in(&later, 0) - tsc_in(&before, 0)) / 2);
	assert_int_equal(tsc_in(&after, 1) - tsc_in(&after, 0),
			 tsc_in(&before, 1) - tsc_in(&before, 0));
	picture_free(&before);
	picture_free(&later);
	picture_free(&after);
	rig_stop(&rig);
}

static uint64_t kvm_clock_in(const struct picture *picture)
{
	const struct named_part *part = parts_find(&picture->parts.vm, "clock");
	uint64_t value;

	assert_non_null(part);
	memcpy(&value, part->bytes, sizeof(value));
	return value;
}

static void test_guest_time_and_the_kvm_clock(void **state)
{
	struct picture before, after;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	run_ms(20);
	kvm_snapshot_save("a");
	picture_take(&before, rig.machine);
	run_ms(500);
	kvm_snapshot_restore("a");
	picture_take(&after, rig.machine);
	assert_int_equal(before.parts.guest_time, after.parts.guest_time);
	assert_true(kvm_clock_in(&after) + 100000000 >= kvm_clock_in(&before));
	assert_true(kvm_clock_in(&after) < kvm_clock_in(&before) + 250000000);
	picture_free(&before);
	picture_free(&after);
	rig_stop(&rig);
}

/* ---- half-done I/O --------------------------------------------------------------------------------------- */

/* Writes each number to the UART's scratch register, reads it back, and compares: an access that is lost or
 * doubled by a pause ends in hlt.
 * loop: inc ebx; mov al, bl; out dx, al; xor eax, eax; in al, dx; cmp al, bl; je loop; hlt */
static const uint8_t echo[] = {0x43, 0x88, 0xd8, 0xee, 0x31, 0xc0,
			       0xec, 0x38, 0xd8, 0x74, 0xf5, 0xf4};

static void echo_survives(enum irqchip irqchip)
{
	unsigned seed = 5;

	kvm_snapshot_setup(1, irqchip);
	rig_code(&rig, 0, echo, sizeof(echo));
	rig_set_reg(&rig, 0, "rdx", 0x3ff);
	for (unsigned i = 0; i < 120; i++) {
		char name[2] = {(char)('a' + rand_r(&seed) % 6), 0};

		run_ms((unsigned)rand_r(&seed) % 3);
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		assert_true(rig_reg(&rig, 0, "rip") < RIG_CODE + sizeof(echo) - 1);
		if (i < 6 || rand_r(&seed) % 2)
			kvm_snapshot_save(i < 6 ? (char[2]){(char)('a' + i), 0} : name);
		else
			kvm_snapshot_restore(name);
	}
	rig_stop(&rig);
}

static void test_half_done_input_and_output(void **state)
{
	(void)state;
	echo_survives(IRQCHIP_KERNEL);
	echo_survives(IRQCHIP_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msrs_that_nobody_shows),
		cmocka_unit_test(test_the_local_timer),
		cmocka_unit_test(test_the_local_timer_goes_on),
		cmocka_unit_test(test_controllers_in_the_kernel),
		cmocka_unit_test(test_the_time_stamp_counter),
		cmocka_unit_test(test_guest_time_and_the_kvm_clock),
		cmocka_unit_test(test_half_done_input_and_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
