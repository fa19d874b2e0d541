// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The guest's timer while a debugger holds the machine: as many ticks come as the guest had time for, by the host's
 * clock, while it ran.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include <string.h>
#include <time.h>

#define PERIOD_MS 50 /* of long64's timer */

static struct rig rig;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* To its first ticks: its timer is set. */
static int start(void)
{
	int number;

	rig_needs_kvm();
	memset(&rig, 0, sizeof(rig));
	guest_start(&rig, 1, "long64", "every=1000000");
	number = rig_break(&rig, guest_symbol(&rig, "timer_interrupt"));
	for (unsigned i = 0; i < 3; i++) {
		rig_continue(&rig);
		assert_true(guest_stops(&rig));
	}
	return number;
}

/* A breakpoint in the handler, and a user who thinks for longer than a period. */
static void no_tick_falls_into_a_pause(void **state)
{
	const unsigned hits = 12, foreseen = 2;
	double ran = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < hits; i++) {
		double begun;

		sleep_ms(3 * PERIOD_MS / 2);
		begun = now_ms();
		rig_continue(&rig);
		assert_true(guest_stops(&rig));
		ran += now_ms() - begun;
	}
	if (ran < (hits - foreseen - 1) * PERIOD_MS)
		fail_msg("%u ticks in %.0f ms", hits, ran);
	rig_stop(&rig);
}

static uint64_t ticks(void)
{
	uint64_t count = 0;

	assert_int_equal(debug_read(rig.debug, 0, SPACE_LINEAR, guest_symbol(&rig, "shared"),
				    &count, sizeof(count)),
			 sizeof(count));
	return count;
}

/* Less than a period between two pauses, always. */
static void ticks_come_between_many_pauses(void **state)
{
	uint64_t before, came;
	double ran = 0;
	int number;

	(void)state;
	number = start();
	assert_int_equal(debug_point_remove(rig.debug, number, NULL), 0);
	before = ticks();
	for (unsigned i = 0; i < 60; i++) {
		double begun = now_ms();

		rig_continue(&rig);
		sleep_ms(PERIOD_MS / 3);
		debug_pause(rig.debug, OWNER_GDB);
		assert_true(guest_stops(&rig));
		ran += now_ms() - begun;
		sleep_ms(5);
	}
	came = ticks() - before;
	/* A busy host takes time from the guest that is counted here; a timer that starts anew at each pause never
	 * ticks. */
	if ((double)came < ran / PERIOD_MS / 4 || (double)came > ran / PERIOD_MS + 3)
		fail_msg("%u ticks in %.0f ms", (unsigned)came, ran);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_tick_falls_into_a_pause),
		cmocka_unit_test(ticks_come_between_many_pauses),
	};

	return cmocka_run_group_tests_name("KVM's 8254 and pauses", tests, NULL, NULL);
}
