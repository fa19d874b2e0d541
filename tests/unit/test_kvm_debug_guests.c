// SPDX-License-Identifier: GPL-3.0-or-later
/* Debugging under KVM: whole guests, and ring 3. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include "x86/exceptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- whole guests ------------------------------------------------------------------------ */

/* The guest is entered in real time: a timer must run. */
static void keep_going(struct rig *rig)
{
	while (guest_stops(rig))
		rig_continue(rig);
}

enum { SMP_ROUNDS = 700 };

/* Four vCPUs go through one breakpoint; each passage is told once, and the guest counts right. */
static void test_every_hit_of_four_vcpus(void **state)
{
	struct rig rig = {0};
	unsigned told = 0, of[4] = {0};
	uint64_t add_one;

	(void)state;
	rig_needs_kvm();
	guest_start_counted(&rig, 4, SMP_ROUNDS);
	add_one = guest_symbol(&rig, "add_one");
	rig_break(&rig, add_one);
	rig_continue(&rig);
	while (guest_stops(&rig)) {
		const struct stop *stop = debug_last_stop(rig.debug);

		if (stop->reason != STOP_BREAKPOINT)
			fail_msg("%s", stop->text);
		assert_int_equal(debug_pc(rig.debug, stop->vcpu), add_one);
		told++;
		of[stop->vcpu]++;
		rig_continue(&rig);
	}
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_int_equal(told, 4 * SMP_ROUNDS);
	assert_int_equal(debug_point_next(rig.debug, NULL)->hits, told);
	for (int i = 0; i < 4; i++)
		assert_int_equal(of[i], SMP_ROUNDS);
	rig_stop(&rig);
}

static uint64_t guest_word(struct rig *rig, uint64_t address)
{
	uint64_t word = 0;

	assert_int_equal(debug_read(rig->debug, 0, SPACE_PHYSICAL, address, &word, sizeof(word)),
			 sizeof(word));
	return word;
}

enum { PAUSED_ROUNDS = 3000 };

/* So that each host has time for many pauses, whatever its speed: the longest wait, in microseconds,
 * after which the next pause comes. */
static unsigned next_wait(unsigned wait, uint64_t progress)
{
	if (progress > 4 * PAUSED_ROUNDS / 100)
		return wait / 2 + 1;
	return progress == 0 && wait < 500 ? wait * 2 : wait;
}

/* Pauses by the hundred, at whatever place; the guest does not notice. */
static void test_pauses_change_nothing(void **state)
{
	struct rig rig = {0};
	unsigned pauses = 0, wait = 100;
	uint64_t counter, last = 0;

	(void)state;
	rig_needs_kvm();
	guest_start(&rig, 4, "smp", "rounds=3000");
	counter = guest_symbol(&rig, "shared") + 8;
	for (;;) {
		uint64_t now;

		rig_continue(&rig);
		usleep((unsigned)rand() % wait);
		debug_pause(rig.debug, OWNER_GDB);
		if (!guest_stops(&rig))
			break;
		pauses++;
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
		assert_int_equal(rig.machine->gate.parked_count, 4);
		now = guest_word(&rig, counter);
		assert_true(now >= last);
		wait = next_wait(wait, now - last);
		last = now;
	}
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	assert_true(pauses > 10);
	print_message("%u pauses\n", pauses);
	rig_stop(&rig);
}

/* The guest's int3 reaches the guest, with breakpoints of ours planted elsewhere or none. */
static void guests_own_int3(bool with_breakpoint)
{
	struct rig rig = {0};

	guest_start(&rig, 1, "faults", "fault=bp");
	if (with_breakpoint)
		rig_break(&rig, guest_symbol(&rig, "raise_pf"));
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, VECTOR_BP << 1 | 1);
	rig_stop(&rig);
}

static void test_guests_own_int3(void **state)
{
	(void)state;
	rig_needs_kvm();
	guests_own_int3(false);
	guests_own_int3(true);
}

/* ---- ring 3 ------------------------------------------------------------------------------ */

static bool pause_in_ring_3(struct rig *rig)
{
	for (unsigned i = 0; i < 2000; i++) {
		struct vcpu_info info;

		rig_continue(rig);
		for (volatile unsigned n = (unsigned)rand() % 100000; n > 0; n--)
			;
		debug_pause(rig->debug, OWNER_CONSOLE);
		if (!guest_stops(rig))
			return false;
		assert_int_equal(debug_vcpu_info(rig->debug, 0, &info), 0);
		if (info.cpl == 3)
			return true;
	}
	return false;
}

/* Where ring 3 cannot be stepped that is refused, and the program does not see that it was tried. */
static void test_ring_3_sees_no_refused_step(void **state)
{
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_needs_kvm();
	guest_start(&rig, 1, "user", "rounds=40 exit=5");
	if (pause_in_ring_3(&rig) && !debug_capabilities(rig.debug)->step[CAP_USER]) {
		uint64_t pc = debug_pc(rig.debug, 0);

		assert_int_equal(debug_step(rig.debug, 0, OWNER_CONSOLE, &err), -ENOTSUP);
		assert_non_null(strstr(err.text, "ring 3"));
		assert_int_equal(debug_pc(rig.debug, 0), pc);
		assert_int_equal(rig_reg(&rig, 0, "rflags") & RFLAGS_TF, 0);
	}
	if (rig.count[DEBUG_EXITED] == 0) {
		rig_continue(&rig);
		keep_going(&rig);
	}
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 5 << 1 | 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_hit_of_four_vcpus),
		cmocka_unit_test(test_pauses_change_nothing),
		cmocka_unit_test(test_guests_own_int3),
		cmocka_unit_test(test_ring_3_sees_no_refused_step),
	};

	return cmocka_run_group_tests_name("kvm debug guests", tests, NULL, NULL);
}
