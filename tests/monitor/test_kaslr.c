// SPDX-License-Identifier: GPL-3.0-or-later
/* info kaslr, and symbols that follow a kernel. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SLIDE 0x1200000ull
#define HIGH  0xffffffff81000000ull

static void is_at(struct rig *rig, uint64_t address)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "0x%llx = ", (unsigned long long)address);
	contains(answer(rig, "print add_one"), wanted);
}

static void stop_high(struct rig *rig, uint64_t idt)
{
	rig->debug->state[0].general.rip = HIGH;
	rig->debug->state[0].system.idt.base = idt;
	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "");
}

static void test_on_request(void **state)
{
	struct rig *rig = *state;
	uint64_t linked = address_of(rig, "add_one");

	contains(answer(rig, "info kaslr"), "not to be seen from here");
	rig->debug->slide = (struct image_slide){.base = HIGH, .slide = SLIDE, .found = true};
	contains(answer(rig, "info kaslr"),
		 "0x1200000 above where it was linked: it begins at 0xffffffff82200000\n");
	is_at(rig, linked + SLIDE);
	rig->debug->prepared = SLIDE;
	contains(answer(rig, "info slide"), "0xffffffff82200000, where vitrine has put it\n");
	rig->debug->slide.slide = 0;
	contains(answer(rig, "info kaslr"), "none: it is where it was linked");
	is_at(rig, linked);
	/* What the user says counts. */
	answer(rig, "symbol-file -o 0x4000");
	contains(answer(rig, "info kaslr"),
		 "the symbols are 0x4000 above, as symbol-file -o has it");
	is_at(rig, linked + 0x4000);
	rig->debug->running = true;
	refusal(rig, "info kaslr", -EBUSY);
}

static void test_at_stops(void **state)
{
	struct rig *rig = *state;
	uint64_t linked = address_of(rig, "add_one");

	fake_debug_stop(rig->debug, STOP_PAUSE, 0, "");
	assert_int_equal(rig->debug->searches, 0); /* it does not run in the kernel's half */
	stop_high(rig, 0x5000);
	assert_int_equal(rig->debug->searches, 1);
	is_at(rig, linked); /* nothing was found */
	rig->debug->slide = (struct image_slide){.base = HIGH, .slide = SLIDE, .found = true};
	stop_high(rig, 0x5000);
	assert_int_equal(rig->debug->searches,
			 1); /* nothing has changed, and a search takes a while */
	stop_high(rig, 0x6000);
	assert_int_equal(rig->debug->searches, 2);
	is_at(rig, linked + SLIDE);
	/* It starts anew, and goes somewhere else. */
	fake_debug_tell(rig->debug, DEBUG_RESET, OWNER_NONE);
	is_at(rig, linked);
	rig->debug->slide.slide = 2 * SLIDE;
	stop_high(rig, 0x6000);
	is_at(rig, linked + 2 * SLIDE);
}

static void test_where_the_loader_has_put_it(void **state)
{
	struct rig *rig = *state;
	uint64_t linked = address_of(rig, "add_one");

	rig->debug->prepared = SLIDE;
	fake_debug_tell(rig->debug, DEBUG_RESET, OWNER_NONE);
	is_at(rig, linked + SLIDE);
	stop_high(rig, 0x5000);
	assert_int_equal(rig->debug->searches, 0);
	/* Of other symbols, too; a user who says where they are is believed. */
	answer(rig, "symbol-file /proc/self/exe");
	assert_int_equal(symbols_offset(rig->monitor->symbols), SLIDE);
	answer(rig, "symbol-file -o 0x1000");
	fake_debug_tell(rig->debug, DEBUG_RESET, OWNER_NONE);
	assert_int_equal(symbols_offset(rig->monitor->symbols), 0x1000);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_on_request),
		ROW(test_at_stops),
		ROW(test_where_the_loader_has_put_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
