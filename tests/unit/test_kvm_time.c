// SPDX-License-Identifier: GPL-3.0-or-later
/* The guest's clocks while a debugger holds it: they stand still, or follow the host. */
#include "rig.h"

#include "accel/kvm_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <x86intrin.h>

#include <cmocka.h>

#define PAUSES	 10
#define PAUSE_MS 60

static struct rig rig;

/* Reads the counter for ever; the breakpoint is behind that. */
static const uint8_t reader[] = {0x0f, 0x31, 0x90, 0xeb, 0xfb}; /* rdtsc; nop; jmp */
#define BEHIND (RIG_CODE + 2)

static void start(enum stopped_clock clock)
{
	rig_needs_kvm();
	memset(&rig, 0, sizeof(rig));
	rig.accel = &accel_kvm;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig.machine->config.stopped_clock = clock;
	for (unsigned i = 0; i < 2; i++)
		rig_code(&rig, i, reader, sizeof(reader));
}

static void needs_tsc(void)
{
	if (to_kvm_vm(rig.machine->vm)->moves_tsc)
		return;
	rig_stop(&rig);
	print_message("# SKIP this host's KVM cannot set the time stamp counter\n");
	skip();
}

static uint64_t tsc(int vcpu)
{
	return rig_reg(&rig, vcpu, "tsc");
}

/* What the guest read last. */
static uint64_t read_by_guest(void)
{
	return rig_reg(&rig, 0, "rdx") << 32 | (uint32_t)rig_reg(&rig, 0, "rax");
}

static void hit(void)
{
	rig_continue(&rig);
	rig_wait_stop(&rig);
}

static void stopped_counters_stand_still(void **state)
{
	struct accel_vcpu *first_vcpu;
	uint64_t first, second;

	(void)state;
	start(CLOCK_STANDS);
	first_vcpu = rig.machine->vcpus[0].accel;
	needs_tsc();
	rig_break(&rig, BEHIND);
	hit();
	first = tsc(0);
	second = tsc(1);
	sleep_ms(50);
	assert_true(tsc(0) == first);
	assert_true(tsc(1) == second);
	assert_true(read_by_guest() <= first);
	first_vcpu->ops->msr_set(first_vcpu, MSR_TSC, 1ull << 40);
	sleep_ms(50);
	rig.machine->vcpus[0].valid = 0;
	assert_true(tsc(0) == 1ull << 40);
	assert_true(tsc(1) == second);
	rig_stop(&rig);
}

/* Over some pauses: ticks that the guest saw, ticks of the host while it ran, and while it stood still. */
struct counts {
	uint64_t guest, running, stopped;
};

static struct counts count(void)
{
	struct counts c = {0};
	uint64_t begun = __rdtsc(), first;

	rig_break(&rig, BEHIND);
	hit();
	first = read_by_guest();
	for (unsigned i = 0; i < PAUSES; i++) {
		uint64_t stopped = __rdtsc();

		sleep_ms(PAUSE_MS);
		c.stopped += __rdtsc() - stopped;
		hit();
	}
	c.guest = read_by_guest() - first;
	c.running = __rdtsc() - begun - c.stopped;
	return c;
}

static void pauses_are_taken_out_of_the_counter(void **state)
{
	struct counts c;
	uint64_t apart;

	(void)state;
	start(CLOCK_STANDS);
	needs_tsc();
	apart = tsc(1) - tsc(0);
	c = count();
	assert_true(c.guest > 0 && c.guest < c.running + c.stopped / 10);
	assert_true(tsc(1) - tsc(0) == apart);
	rig_stop(&rig);
}

static void or_left_in_it(void **state)
{
	struct counts c;

	(void)state;
	start(CLOCK_FOLLOWS_HOST);
	c = count();
	assert_true(c.guest > c.stopped - c.stopped / 10);
	rig_stop(&rig);
}

static uint64_t kvm_clock(void)
{
	struct parts parts = {0};
	const struct named_part *part;
	uint64_t value;

	assert_int_equal(rig.machine->vm->ops->vm_save(rig.machine->vm, &parts), 0);
	part = parts_find(&parts, "clock");
	assert_non_null(part);
	memcpy(&value, part->bytes, sizeof(value));
	parts_free(&parts);
	return value;
}

static void kvms_clock(void **state)
{
	static const enum stopped_clock clocks[] = {CLOCK_STANDS, CLOCK_FOLLOWS_HOST};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t before, after, stopped = PAUSES * PAUSE_MS * 1000000ull, seen;
		int64_t begun, passed;

		start(clocks[i]);
		if (!to_kvm_vm(rig.machine->vm)->adjust_clock) {
			rig_stop(&rig);
			print_message("# SKIP a host whose KVM has KVM_CAP_ADJUST_CLOCK\n");
			skip();
		}
		begun = kvm_host_now();
		before = kvm_clock();
		count();
		after = kvm_clock();
		passed = kvm_host_now() - begun;
		seen = after - before;
		assert_true(after >= before);
		if (clocks[i] == CLOCK_STANDS)
			assert_true(seen < (uint64_t)passed - stopped + stopped / 10);
		else
			assert_true(seen > stopped - stopped / 10);
		rig_stop(&rig);
	}
}

/* A machine that waits to be started has not begun to count. */
static void time_begins_with_the_first_instruction(void **state)
{
	uint64_t ticks;

	(void)state;
	start(CLOCK_STANDS);
	needs_tsc();
	rig_break(&rig, BEHIND);
	ticks = tsc(0);
	sleep_ms(200);
	assert_true(tsc(0) == ticks);
	hit();
	assert_true(read_by_guest() >= ticks);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, NULL), 0);
	ticks = tsc(0);
	sleep_ms(50);
	assert_true(tsc(0) == ticks);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_counters_stand_still),
		cmocka_unit_test(pauses_are_taken_out_of_the_counter),
		cmocka_unit_test(or_left_in_it),
		cmocka_unit_test(kvms_clock),
		cmocka_unit_test(time_begins_with_the_first_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
