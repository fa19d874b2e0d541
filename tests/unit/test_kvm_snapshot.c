// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots on the host's KVM: small pieces of code for what KVM itself keeps, and whole guests, whose own
 * sums tell whether a restore has lost or doubled anything. */
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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct rig rig;

static void setup(unsigned vcpus, enum irqchip irqchip)
{
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm};
	rig_start(&rig, vcpus, irqchip);
}

static void save(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(rig.debug, name, &err) < 0)
		fail_msg("%s", err.text);
}

static void restore(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_restore(rig.debug, name, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000l};

	nanosleep(&t, NULL);
}

static void run_ms(unsigned ms)
{
	rig_continue(&rig);
	sleep_ms(ms);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 10000), 0);
	debug_dispatch(rig.debug);
}

/* Of whatever width. */
static void set_reg(const char *name, uint64_t value)
{
	uint64_t wide[2] = {value, ~value};
	int reg = register_find(name);

	assert_true(reg >= 0);
	assert_int_equal(debug_reg_set(rig.debug, 0, (unsigned)reg, wide), 0);
}

/* Runs until the code's own hlt is stepped on: a breakpoint there. */
static void run_to(uint64_t address)
{
	rig_break(&rig, address);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(debug_pc(rig.debug, 0), address);
}

/* Saves, lets change() happen, restores, and compares everything. */
static void comes_back(void (*change)(void))
{
	struct picture before, changed, after;

	save("here");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "here"));
	change();
	picture_take(&changed, rig.machine);
	assert_true(picture_differs(&before, &changed));
	for (unsigned tries = 0; tries < 5; tries++) {
		restore("here");
		picture_take(&after, rig.machine);
		/* On a busy host a timer in the kernel may have gone off again already. */
		if (tries == 4 || !picture_differs(&before, &after))
			break;
		picture_free(&after);
	}
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&changed);
	picture_free(&after);
}

static void run_on(void)
{
	run_ms(30);
}

/* ---- one vCPU, a few instructions ---------------------------------------------------------------- */

/* loop: inc ebx; mov [0x20000], ebx; mov [0x30000 + ecx * 4], ebx; inc ecx; and ecx, 0xfff; jmp loop */
static const uint8_t writer[] = {0x43, 0x89, 0x1d, 0x00, 0x00, 0x02, 0x00, 0x89,
				 0x1c, 0x8d, 0x00, 0x00, 0x03, 0x00, 0x41, 0x81,
				 0xe1, 0xff, 0x0f, 0x00, 0x00, 0xeb, 0xe9};

static void writer_comes_back(unsigned vcpus, enum irqchip irqchip)
{
	setup(vcpus, irqchip);
	for (unsigned i = 0; i < vcpus; i++)
		rig_code(&rig, i, writer, sizeof(writer));
	run_ms(20);
	set_reg("xmm3", 0x1122334455667788);
	set_reg("dr2", 0x4000);
	set_reg("lstar", 0x5555);
	comes_back(run_on);
	for (unsigned i = 0; i < 5; i++)
		comes_back(run_on);
	rig_stop(&rig);
}

static void test_everything_comes_back(void **state)
{
	(void)state;
	writer_comes_back(1, IRQCHIP_KERNEL);
	writer_comes_back(1, IRQCHIP_USER);
	writer_comes_back(4, IRQCHIP_KERNEL);
}

static void change_registers(void)
{
	static const char *const names[] = {"rax",   "r15",  "xmm0", "xmm15",
					    "mxcsr", "cr2",  "dr0",  "dr3",
					    "lstar", "star", "pat",  "kernel_gs_base"};
	static const uint64_t values[] = {1, 2, 3, 4, 0x1f00, 5, 6, 7, 8, 9, 0x0007040600070405,
					  10};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		set_reg(names[i], values[i]);
}

/* A CPU in the middle of an NMI, with another one waiting, and the shadow of sti. */
static void change_events(void)
{
	struct vcpu *vcpu = &rig.machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	state->events.nmi.masked = !state->events.nmi.masked;
	state->events.nmi.pending = state->events.nmi.masked;
	state->events.interrupt.shadow ^= 2;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static void test_events_come_back(void **state)
{
	(void)state;
	setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	comes_back(change_events);
	change_events();
	comes_back(change_events);
	rig_stop(&rig);
}

static void test_registers_come_back(void **state)
{
	(void)state;
	setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	run_ms(5);
	comes_back(change_registers);
	rig_stop(&rig);
}

/* A picture is the same after the same future: a loop that counts to a million, and a snapshot in it. */
static void test_continues_the_same_way(void **state)
{
	/* mov ecx, 20000; loop: add eax, ecx; rol eax, 3; mov [edi], eax; add edi, 4; and edi, 0x2fffc;
	 * or edi, 0x20000; dec ecx; jne loop; hlt */
	static const uint8_t code[] = {0xb9, 0x20, 0x4e, 0x00, 0x00, 0x01, 0xc8, 0xc1,
				       0xc0, 0x03, 0x89, 0x07, 0x83, 0xc7, 0x04, 0x81,
				       0xe7, 0xfc, 0xff, 0x02, 0x00, 0x81, 0xcf, 0x00,
				       0x00, 0x02, 0x00, 0x49, 0x75, 0xe7, 0xf4};
	struct picture first, second;

	(void)state;
	setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rdi", 0x20000);
	for (unsigned i = 0; i < 200; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	}
	save("early");
	run_to(RIG_CODE + sizeof(code) - 1);
	picture_take(&first, rig.machine);
	for (unsigned i = 0; i < 3; i++) {
		restore("early");
		assert_true(rig_reg(&rig, 0, "rcx") > 19000);
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		picture_take(&second, rig.machine);
		second.parts.guest_time =
			first.parts.guest_time; /* the host was faster or slower */
		picture_same(&first, &second);
		picture_free(&second);
	}
	picture_free(&first);
	rig_stop(&rig);
}

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
	setup(1, IRQCHIP_KERNEL);
	if (!vcpu_state(&rig.machine->vcpus[0], CPU_MSRS)->msrs.valid[MSR_SLOT_MTRR_DEF_TYPE]) {
		rig_stop(&rig);
		print_message("# SKIP this host's KVM has no MTRRs\n");
		skip();
	}
	write_msr(MTRR_BASE_0, 0x40000006);
	save("a");
	picture_take(&first, rig.machine);
	assert_int_equal(msr_in(&first, MTRR_BASE_0), 0x40000006);
	write_msr(MTRR_BASE_0, 0x80000000);
	restore("a");
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
	setup(1, IRQCHIP_KERNEL);
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
	setup(1, IRQCHIP_KERNEL);
	write_words(words, 4);
	save("armed"); /* 5 ms to go, or little less */
	for (unsigned i = 0; i < 3; i++) {
		uint8_t request;

		wait_out();
		run_ms(10);
		picture_take(&picture, rig.machine);
		request = vcpu_part(&picture, "apic")
				  ->bytes[REQUESTED + VECTOR / 32 * 0x10 + VECTOR % 32 / 8];
		assert_int_equal(request >> VECTOR % 8 & 1, 1);
		picture_free(&picture);
		restore("armed");
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
	setup(1, IRQCHIP_KERNEL);
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
	setup(2, IRQCHIP_KERNEL);
	for (unsigned i = 0; i < 2; i++)
		rig_code(&rig, i, writer, sizeof(writer));
	run_ms(10);
	save("a");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "a"));
	run_ms(400 * rig_slower());
	picture_take(&later, rig.machine);
	restore("a");
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
	setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	run_ms(20);
	save("a");
	picture_take(&before, rig.machine);
	run_ms(500);
	restore("a");
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

	setup(1, irqchip);
	rig_code(&rig, 0, echo, sizeof(echo));
	rig_set_reg(&rig, 0, "rdx", 0x3ff);
	for (unsigned i = 0; i < 120; i++) {
		char name[2] = {(char)('a' + rand_r(&seed) % 6), 0};

		run_ms((unsigned)rand_r(&seed) % 3);
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		assert_true(rig_reg(&rig, 0, "rip") < RIG_CODE + sizeof(echo) - 1);
		if (i < 6 || rand_r(&seed) % 2)
			save(i < 6 ? (char[2]){(char)('a' + i), 0} : name);
		else
			restore(name);
	}
	rig_stop(&rig);
}

static void test_half_done_input_and_output(void **state)
{
	(void)state;
	echo_survives(IRQCHIP_KERNEL);
	echo_survives(IRQCHIP_USER);
}

/* ---- whole guests ------------------------------------------------------------------------------------------- */

static void guest(unsigned vcpus, const char *name, const char *append)
{
	rig_needs_kvm();
	rig = (struct rig){0};
	guest_start(&rig, vcpus, name, append);
}

/* Timer, interrupts, text on the serial port; the guest sleeps in hlt. */
static void test_a_guest_with_interrupts(void **state)
{
	(void)state;
	guest(1, "long64", "");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(120);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

/* Ring 3 may run without any exit: its writes are logged all the same. */
static void test_a_guest_with_a_program(void **state)
{
	(void)state;
	guest(1, "user", "rounds=0");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(40);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

static void test_a_guest_on_four_cpus(void **state)
{
	(void)state;
	guest(4, "smp", "");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(40);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

/* From before the others were started, and from any moment behind: the guest's sum is right in the end. */
/* How often each CPU adds in so many milliseconds; fast hosts do in a moment what others never finish. */
static unsigned rounds_in(unsigned ms)
{
	uint64_t counter, before = 0, after = 0;

	guest(4, "smp", "rounds=0");
	counter = guest_symbol(&rig, "shared") + 8;
	run_ms(300);
	debug_read(rig.debug, 0, SPACE_PHYSICAL, counter, &before, sizeof(before));
	run_ms(100);
	debug_read(rig.debug, 0, SPACE_PHYSICAL, counter, &after, sizeof(after));
	rig_stop(&rig);
	return (unsigned)((after - before) * ms / 100 / 4) + 3000;
}

static void test_the_sum_is_right_in_the_end(void **state)
{
	unsigned seed = 9, saved = 1;
	char rounds[32];

	(void)state;
	/* Far more than it gets done before the end is waited for. */
	snprintf(rounds, sizeof(rounds), "rounds=%u", rounds_in(1500));
	guest(4, "smp", rounds);
	save("s0");
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%u", (unsigned)rand_r(&seed) % saved);
		run_ms((unsigned)rand_r(&seed) % 12);
		if (rig.count[DEBUG_EXITED] || i % 3 == 0) {
			restore(name);
			continue;
		}
		snprintf(name, sizeof(name), "s%u", saved++);
		save(name);
	}
	for (unsigned i = 0; i < 3; i++) {
		restore("s0");
		if (i == 2)
			break;
		run_ms(100);
	}
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
}

/* Breakpoints set and hit, snapshots in between: memory in them is the guest's own. */
static void test_with_breakpoints(void **state)
{
	uint64_t add_one;

	(void)state;
	guest(4, "smp", "rounds=200");
	add_one = guest_symbol(&rig, "add_one");
	rig_break(&rig, add_one);
	rig_continue(&rig);
	assert_true(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_BREAKPOINT);
	save("hit");
	assert_true(rig_byte(&rig, add_one) != 0xcc);
	for (unsigned i = 0; i < 30; i++) {
		rig_continue(&rig);
		assert_true(guest_stops(&rig));
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_BREAKPOINT);
		if (i % 7 == 6)
			restore("hit");
	}
	restore("hit");
	debug_points_forget(rig.debug, OWNER_CONSOLE);
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* Into another machine, as another process would have it, and on to the end there. */
static void test_to_another_machine(void **state)
{
	struct picture before, after;
	struct error err = {0};
	char file[64];

	(void)state;
	snprintf(file, sizeof(file), "/tmp/vitrine-snapshot-%d", (int)getpid());
	guest(4, "smp", "rounds=2000");
	run_ms(25);
	save("a");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "a"));
	if (debug_snapshot_write(rig.debug, "a", file, &err) < 0)
		fail_msg("%s", err.text);
	rig_stop(&rig);
	guest(4, "smp", "rounds=2");
	run_ms(5);
	if (debug_snapshot_read(rig.debug, file, "b", &err) < 0)
		fail_msg("%s", err.text);
	restore("b");
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
	unlink(file);
}

/* Another processor is no home for it, and the sentence says why. */
static void test_another_processor_is_refused(void **state)
{
	struct accel_config config = {
		.vcpus = 1, .irqchip = true, .cpu_features = "max,-hypervisor"};
	struct parts parts = {0}, empty = {0};
	struct error err = {0};
	struct accel_vm *vm;

	(void)state;
	setup(1, IRQCHIP_KERNEL);
	assert_int_equal(rig.machine->vm->ops->vm_save(rig.machine->vm, &parts), 0);
	assert_int_equal(rig.machine->vm->ops->vm_fits(rig.machine->vm, &parts, &err), 0);
	assert_int_equal(accel_kvm.vm_create(&config, &vm, &err), 0);
	assert_int_equal(accel_kvm.vm_fits(vm, &parts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "hypervisor"));
	assert_int_equal(accel_kvm.vm_fits(vm, &empty, &err), -EINVAL);
	parts_free(&parts);
	assert_int_equal(accel_kvm.vm_save(vm, &parts), 0);
	assert_int_equal(rig.machine->vm->ops->vm_fits(rig.machine->vm, &parts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "hypervisor"));
	parts_free(&parts);
	accel_kvm.vm_destroy(vm);
	rig_stop(&rig);
}

/* KVM refuses a state that cannot be; then everything is as before. */
static void test_a_state_that_kvm_refuses(void **state)
{
	struct picture before, after;
	struct error err = {0};
	struct named_part *part;

	(void)state;
	setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, writer, sizeof(writer));
	save("bad");
	part = (struct named_part *)parts_find(
		&snapshots_find(rig.debug->snapshots, "bad")->parts.vcpu[0], "debug");
	part->bytes[part->size / 2 + 3] ^= 0xff;
	memset(part->bytes, 0xff, part->size);
	run_ms(10);
	picture_take(&before, rig.machine);
	assert_int_equal(debug_snapshot_restore(rig.debug, "bad", OWNER_CONSOLE, &err), -EINVAL);
	assert_non_null(strstr(err.text, "debug registers"));
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	run_ms(5);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_registers_come_back),
		cmocka_unit_test(test_events_come_back),
		cmocka_unit_test(test_continues_the_same_way),
		cmocka_unit_test(test_msrs_that_nobody_shows),
		cmocka_unit_test(test_the_local_timer),
		cmocka_unit_test(test_the_local_timer_goes_on),
		cmocka_unit_test(test_controllers_in_the_kernel),
		cmocka_unit_test(test_the_time_stamp_counter),
		cmocka_unit_test(test_guest_time_and_the_kvm_clock),
		cmocka_unit_test(test_half_done_input_and_output),
		cmocka_unit_test(test_a_guest_with_interrupts),
		cmocka_unit_test(test_a_guest_with_a_program),
		cmocka_unit_test(test_a_guest_on_four_cpus),
		cmocka_unit_test(test_the_sum_is_right_in_the_end),
		cmocka_unit_test(test_with_breakpoints),
		cmocka_unit_test(test_to_another_machine),
		cmocka_unit_test(test_another_processor_is_refused),
		cmocka_unit_test(test_a_state_that_kvm_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
