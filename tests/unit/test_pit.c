// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HZ     1193182ull
#define SECOND 1000000000ull

static struct {
	struct test_host h;
	struct device *pit;
} the;

static int setup(void **state)
{
	(void)state;
	test_host_init(&the.h);
	the.h.now = 12345678901ull; /* nothing may depend on time beginning at 0 */
	return pit_init(&the.h.host, &the.pit, NULL);
}

static int teardown(void **state)
{
	(void)state;
	the.pit->destroy(the.pit);
	assert_null(the.h.timers);
	return 0;
}

static void out(uint16_t port, uint8_t value)
{
	out8(&the.h, port, value);
}

static uint8_t in(uint16_t port)
{
	return in8(&the.h, port);
}

static uint64_t ns_of(uint64_t ticks)
{
	return (ticks * SECOND + HZ - 1) / HZ;
}

static void pass_ticks(uint64_t ticks)
{
	test_host_pass(&the.h, ns_of(ticks));
}

static void program(unsigned counter, unsigned mode, uint16_t count)
{
	out(0x43, (uint8_t)(counter << 6 | 0x30 | mode << 1));
	out((uint16_t)(0x40 + counter), (uint8_t)count);
	out((uint16_t)(0x40 + counter), (uint8_t)(count >> 8));
}

static unsigned count_of(unsigned counter)
{
	unsigned low;

	out(0x43, (uint8_t)(counter << 6));
	low = in((uint16_t)(0x40 + counter));
	return low | (unsigned)in((uint16_t)(0x40 + counter)) << 8;
}

static bool out2(void)
{
	return in(0x61) & 0x20;
}

static void test_nothing_runs_after_reset(void **state)
{
	(void)state;
	test_host_pass(&the.h, 10 * SECOND);
	assert_int_equal(the.h.edges[0], 0);
	assert_null(the.h.timers);
}

static void test_rate_generator_does_not_drift(void **state)
{
	(void)state;
	program(0, 2, 11932); /* 100 Hz, nearly */
	test_host_pass(&the.h, 100 * SECOND);
	assert_int_equal(the.h.edges[0], 100 * HZ / 11932);
	program(0, 3, 0); /* 65536: 18.2 Hz */
	the.h.edges[0] = 0;
	test_host_pass(&the.h, 1000 * SECOND);
	assert_int_equal(the.h.edges[0], 1000 * HZ / 65536);
}

static void test_late_host_skips_but_keeps_the_phase(void **state)
{
	uint64_t start = the.h.now, period = ns_of(11932);

	(void)state;
	program(0, 2, 11932);
	the.h.now += period * 7 / 2; /* three periods and a half without a timer */
	test_host_pass(&the.h, 0);
	assert_int_equal(the.h.edges[0], 1);
	assert_true(the.h.timers->deadline == start + ns_of(4 * 11932));
}

static void test_tiny_counts_are_held_back(void **state)
{
	(void)state;
	program(0, 2, 2);
	test_host_pass(&the.h, SECOND / 100);
	assert_in_range(the.h.edges[0], 50, 100);
	program(0, 3, 1);
	test_host_pass(&the.h, SECOND / 100);
	assert_in_range(count_of(0), 0, 1);
}

static void test_one_shot(void **state)
{
	(void)state;
	program(0, 0, 1000);
	pass_ticks(999);
	assert_false(the.h.level[0]);
	assert_int_equal(count_of(0), 1);
	test_host_pass(&the.h, ns_of(1000) - ns_of(999));
	assert_true(the.h.level[0]);
	pass_ticks(100000);
	assert_int_equal(the.h.edges[0], 1);
	out(0x40, 10);		     /* a new count: once more */
	assert_true(the.h.level[0]); /* half a count is none */
	out(0x40, 0);
	assert_false(the.h.level[0]);
	pass_ticks(20);
	assert_int_equal(the.h.edges[0], 2);
	assert_int_equal(count_of(0), 65526); /* and goes on counting */
}

static void test_strobe_and_gated_modes_on_counter_0(void **state)
{
	(void)state;
	program(0, 4, 100);
	pass_ticks(1000);
	assert_int_equal(the.h.edges[0], 1);
	program(0, 1, 100); /* its gate is always high: no edge to start it */
	pass_ticks(1000);
	program(0, 5, 100);
	pass_ticks(1000);
	assert_int_equal(the.h.edges[0], 1);
}

static void test_new_mode_stops_the_old(void **state)
{
	(void)state;
	program(0, 2, 11932);
	out(0x43, 0x34);
	pass_ticks(100000);
	assert_int_equal(the.h.edges[0], 0);
	assert_null(the.h.timers);
}

static void test_counting(void **state)
{
	(void)state;
	program(0, 2, 1000);
	assert_int_equal(count_of(0), 1000);
	pass_ticks(1);
	assert_int_equal(count_of(0), 999);
	pass_ticks(1998);
	assert_int_equal(count_of(0), 1);
	program(0, 3, 1000);
	pass_ticks(100);
	assert_int_equal(count_of(0), 800); /* by two */
	pass_ticks(499);
	assert_in_range(count_of(0), 800, 804);
	program(1, 0, 5);
	pass_ticks(6);
	assert_int_equal(count_of(1), 0xffff);
}

static void test_access_modes(void **state)
{
	(void)state;
	out(0x43, 0x50); /* counter 1, low byte */
	out(0x41, 0x80);
	assert_int_equal(in(0x41), 0x80);
	out(0x43, 0x60); /* high byte */
	out(0x41, 0x12);
	assert_int_equal(in(0x41), 0x12);
	out(0x43, 0x70); /* both */
	out(0x41, 0x34);
	out(0x41, 0x12);
	assert_int_equal(in(0x41), 0x34);
	assert_int_equal(in(0x41), 0x12);
	assert_int_equal(in(0x43), 0xff); /* the control word cannot be read */
}

static void test_latch_holds_the_count(void **state)
{
	(void)state;
	program(0, 2, 0x1234);
	out(0x43, 0x00);
	pass_ticks(0x300);
	out(0x43, 0x00); /* a second latch changes nothing */
	assert_int_equal(in(0x40), 0x34);
	pass_ticks(0x300);
	assert_int_equal(in(0x40), 0x12);
	assert_int_equal(count_of(0), 0x1234 - 0x600);
}

static void test_read_back(void **state)
{
	(void)state;
	out(0x43, 0xb6); /* counter 2, both bytes, mode 3: no count yet */
	out(0x43, 0xe8); /* its status */
	assert_int_equal(in(0x42), 0x80 | 0x40 | 0x36);
	program(2, 0, 0x100);
	program(0, 2, 0x222);
	out(0x43, 0xc2 | 0x08); /* count and status of 0 and 2 */
	assert_int_equal(in(0x40), 0x80 | 0x34);
	assert_int_equal(in(0x40), 0x22);
	assert_int_equal(in(0x40), 0x02);
	assert_int_equal(in(0x42), 0x30);
	assert_int_equal(in(0x42), 0x00);
	assert_int_equal(in(0x42), 0x01);
}

static void test_bcd(void **state)
{
	(void)state;
	out(0x43, 0x35); /* counter 0, both, mode 2, BCD */
	out(0x40, 0x00);
	out(0x40, 0x10); /* 1000 */
	pass_ticks(1);
	assert_int_equal(count_of(0), 0x0999);
	out(0x40, 0);
	out(0x40, 0); /* 10000 */
	pass_ticks(1);
	assert_int_equal(count_of(0), 0x9999);
	the.h.edges[0] = 0;
	pass_ticks(10000 * 5);
	assert_int_equal(the.h.edges[0], 5);
	out(0x40, 0xff);
	out(0x40, 0xff); /* not decimal; harmless */
	pass_ticks(20000);
	count_of(0);
}

static void test_speaker_gate_mode_0(void **state)
{
	(void)state;
	out(0x61, 0x00);
	program(2, 0, 1000);
	pass_ticks(5000);
	assert_false(out2()); /* the gate is shut */
	assert_int_equal(count_of(2), 1000);
	out(0x61, 0x01);
	pass_ticks(600);
	out(0x61, 0x00);
	pass_ticks(5000);
	assert_int_equal(count_of(2), 400);
	assert_false(out2());
	out(0x61, 0x01);
	pass_ticks(401);
	assert_true(out2());
	assert_int_equal(the.h.edges[0], 0);
}

static void test_speaker_gate_other_modes(void **state)
{
	(void)state;
	out(0x61, 0x00);
	program(2, 3, 1000);
	assert_true(out2());
	out(0x61, 0x03);
	pass_ticks(600);
	assert_false(out2()); /* the low half */
	out(0x61, 0x02);
	assert_true(out2()); /* a shut gate holds it high */
	out(0x61, 0x03);
	pass_ticks(400);
	assert_true(out2()); /* and starts it over */
	assert_int_equal(in(0x61) & 0x0f, 0x03);
	program(2, 3, 5); /* an odd count is high for longer */
	test_host_pass(&the.h, ns_of(2));
	assert_true(out2());
	test_host_pass(&the.h, ns_of(3) - ns_of(2));
	assert_false(out2());
	program(2, 1, 100);
	pass_ticks(50);
	assert_true(out2()); /* waits for an edge of the gate */
	out(0x61, 0x00);
	out(0x61, 0x01);
	pass_ticks(50);
	assert_false(out2());
	pass_ticks(51);
	assert_true(out2());
	program(2, 5, 100);
	out(0x61, 0x00);
	out(0x61, 0x01);
	test_host_pass(&the.h, ns_of(100));
	assert_false(out2()); /* low for one tick */
	pass_ticks(1);
	assert_true(out2());
	program(2, 2, 100);
	test_host_pass(&the.h, ns_of(99));
	assert_false(out2());
	pass_ticks(1);
	assert_true(out2());
}

/* How boot code calibrates: it waits for this bit, or for OUT2, to change. */
static void test_refresh_bit_toggles(void **state)
{
	unsigned toggles = 0;
	uint8_t last = in(0x61) & 0x10;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint8_t bit;

		test_host_pass(&the.h, 1000);
		bit = in(0x61) & 0x10;
		toggles += bit != last;
		last = bit;
	}
	assert_in_range(toggles, 60, 70);
}

static void test_save_and_load(void **state)
{
	struct test_host h;
	struct device *copy;

	(void)state;
	test_host_init(&h);
	pit_init(&h.host, &copy, NULL);
	program(0, 2, 11932);
	program(2, 3, 1000);
	out(0x61, 0x03);
	out(0x43, 0xc2);
	in(0x40);
	pass_ticks(5000);
	h.now = the.h.now;
	check_save_load(the.pit, copy);
	assert_true(h.timers->deadline == the.h.timers->deadline);
	test_host_pass(&h, SECOND);
	test_host_pass(&the.h, SECOND);
	assert_int_equal(h.edges[0], the.h.edges[0]);
	assert_int_equal(in8(&h, 0x61), in(0x61));
	copy->destroy(copy);
}

static void test_load_refuses_nonsense(void **state)
{
	struct device_stream s = {0};

	(void)state;
	for (int i = 0; i < 49; i++)
		stream_put_u64(&s, 0); /* a count of 0 would be divided by */
	assert_int_equal(the.pit->load(the.pit, &s), -EINVAL);
	stream_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_runs_after_reset),
		TEST(test_rate_generator_does_not_drift),
		TEST(test_late_host_skips_but_keeps_the_phase),
		TEST(test_tiny_counts_are_held_back),
		TEST(test_one_shot),
		TEST(test_strobe_and_gated_modes_on_counter_0),
		TEST(test_new_mode_stops_the_old),
		TEST(test_counting),
		TEST(test_access_modes),
		TEST(test_latch_holds_the_count),
		TEST(test_read_back),
		TEST(test_bcd),
		TEST(test_speaker_gate_mode_0),
		TEST(test_speaker_gate_other_modes),
		TEST(test_refresh_bit_toggles),
		TEST(test_save_and_load),
		TEST(test_load_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
