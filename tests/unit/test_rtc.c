// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define MIB    (1ull << 20)
#define GIB    (1ull << 30)

/* 2024-02-29 23:59:58 UTC, a Thursday. */
#define EPOCH 1709251198ull

static struct {
	struct test_host h;
	struct device *rtc;
} the;

static int start(const struct rtc_config *config)
{
	test_host_init(&the.h);
	return rtc_init(&the.h.host, config, &the.rtc, NULL);
}

static int setup(void **state)
{
	(void)state;
	return start(&(struct rtc_config){.ram_size = 128 * MIB, .vcpus = 4, .epoch = EPOCH});
}

static int teardown(void **state)
{
	(void)state;
	the.rtc->destroy(the.rtc);
	assert_null(the.h.timers);
	return 0;
}

static uint8_t get(uint8_t index)
{
	out8(&the.h, 0x70, index);
	return in8(&the.h, 0x71);
}

static void set(uint8_t index, uint8_t value)
{
	out8(&the.h, 0x70, index);
	out8(&the.h, 0x71, value);
}

static void expect_time(uint8_t hour, uint8_t minute, uint8_t second)
{
	assert_int_equal(get(4), hour);
	assert_int_equal(get(2), minute);
	assert_int_equal(get(0), second);
}

static void expect_date(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t weekday)
{
	assert_int_equal(get(0x32), century);
	assert_int_equal(get(9), year);
	assert_int_equal(get(8), month);
	assert_int_equal(get(7), day);
	assert_int_equal(get(6), weekday);
}

static void pass(uint64_t ns)
{
	test_host_pass(&the.h, ns);
}

static void test_date_in_bcd(void **state)
{
	(void)state;
	expect_time(0x23, 0x59, 0x58);
	expect_date(0x20, 0x24, 0x02, 0x29, 5);
	pass(2 * SECOND);
	expect_time(0x00, 0x00, 0x00);
	expect_date(0x20, 0x24, 0x03, 0x01, 6);
	assert_int_equal(get(0x0d), 0x80);
	assert_null(the.h.timers); /* nothing ticks for nobody */
}

static void test_formats(void **state)
{
	(void)state;
	set(0x0b, 0x06);
	expect_time(23, 59, 58);
	expect_date(20, 24, 2, 29, 5);
	set(0x0b, 0x00);
	assert_int_equal(get(4), 0x91); /* 11 pm */
	pass(2 * SECOND);
	assert_int_equal(get(4), 0x12); /* midnight is 12 am */
	set(0x0b, 0x04);
	pass(12 * 3600 * SECOND);
	assert_int_equal(get(4), 0x8c); /* noon is 12 pm */
	pass(3600 * SECOND);
	assert_int_equal(get(4), 0x81);
}

static void test_setting_the_clock(void **state)
{
	(void)state;
	set(0x0b, 0x82);
	pass(5 * SECOND);
	expect_time(0x23, 0x59, 0x58); /* held */
	set(0x32, 0x19);
	set(9, 0x99);
	set(8, 0x12);
	set(7, 0x31);
	set(4, 0x23);
	set(2, 0x59);
	set(0, 0x59);
	assert_int_equal(get(0), 0x59);
	set(0x0b, 0x02);
	expect_time(0x23, 0x59, 0x59);
	pass(SECOND);
	expect_time(0, 0, 0);
	expect_date(0x20, 0x00, 0x01, 0x01, 7);
}

static void test_setting_without_hold(void **state)
{
	(void)state;
	set(4, 0x05);
	expect_time(0x05, 0x59, 0x58);
	pass(SECOND * 2);
	expect_time(0x06, 0x00, 0x00);
	expect_date(0x20, 0x24, 0x02, 0x29, 5);
	set(2, 0x30);
	expect_time(0x06, 0x30, 0x00);
	set(0, 0x15);
	expect_time(0x06, 0x30, 0x15);
	set(7, 0x28);
	set(8, 0x03);
	set(9, 0x31);
	set(0x32, 0x19);
	expect_date(0x19, 0x31, 0x03, 0x28, 7);
	set(0x0b, 0x00);
	set(4, 0x82); /* 2 pm */
	set(0x0b, 0x02);
	expect_time(0x14, 0x30, 0x15);
}

static void test_nonsense_dates_do_no_harm(void **state)
{
	(void)state;
	set(0x0b, 0x82);
	for (uint8_t i = 0; i < 10; i++)
		set(i, 0xff);
	set(0x32, 0xff);
	set(0x0b, 0x02);
	get(0);
	get(9);
	set(0x0b, 0x82);
	for (uint8_t i = 0; i < 10; i++)
		set(i, 0x00);
	set(0x32, 0x00);
	set(0x0b, 0x06);
	pass(100 * SECOND);
	for (uint8_t i = 0; i < 10; i++)
		get(i);
	assert_int_equal(get(0), 40);
}

static void test_update_in_progress_comes_and_goes(void **state)
{
	unsigned updating = 0;

	(void)state;
	for (int ms = 0; ms < 1000; ms++) {
		updating += get(0x0a) >> 7;
		pass(SECOND / 1000);
	}
	assert_in_range(updating, 1, 3);
	set(0x0b, 0x82);
	for (int ms = 0; ms < 1000; ms++) {
		assert_int_equal(get(0x0a), 0x26);
		pass(SECOND / 1000);
	}
}

static void test_time_stands_still_with_the_guest(void **state)
{
	(void)state;
	get(0);
	expect_time(0x23, 0x59, 0x58);
	expect_time(0x23, 0x59, 0x58);
}

static void test_update_interrupt(void **state)
{
	(void)state;
	pass(SECOND / 2);
	set(0x0b, 0x12);
	pass(SECOND / 2 - 1);
	assert_false(the.h.level[8]);
	pass(1);
	assert_true(the.h.level[8]);
	pass(10 * SECOND);
	assert_int_equal(the.h.edges[8], 1); /* not acknowledged: nothing new to tell */
	assert_int_equal(get(0x0c) & 0x90, 0x90);
	assert_false(the.h.level[8]);
	assert_int_equal(get(0x0c), 0x00);
	pass(SECOND);
	assert_int_equal(the.h.edges[8], 2);
}

static void test_periodic_interrupt(void **state)
{
	unsigned ticks = 0;

	(void)state;
	set(0x0b, 0x42); /* rate 6: 1024 Hz */
	for (int i = 0; i < 100000; i++) {
		pass(SECOND / 100000);
		if (the.h.level[8]) {
			assert_int_equal(get(0x0c) & 0xc0, 0xc0);
			ticks++;
		}
	}
	assert_in_range(ticks, 1023, 1024);
	set(0x0a, 0x2f); /* 2 Hz */
	get(0x0c);
	the.h.edges[8] = 0;
	for (int i = 0; i < 100; i++) {
		pass(SECOND / 10);
		get(0x0c);
	}
	assert_int_equal(the.h.edges[8], 20);
	set(0x0a, 0x20); /* rate 0: none */
	pass(SECOND);
	assert_int_equal(get(0x0c) & 0x40, 0);
	assert_null(the.h.timers);
}

static void test_alarm(void **state)
{
	(void)state;
	set(1, 0x03);
	set(3, 0x01);
	set(5, 0x00);
	set(0x0b, 0x22);
	pass(64 * SECOND);
	assert_int_equal(the.h.edges[8], 0);
	pass(SECOND); /* 00:01:03 */
	assert_int_equal(the.h.edges[8], 1);
	assert_int_equal(get(0x0c) & 0xa0, 0xa0);
	pass(86400 * SECOND - 1);
	assert_int_equal(the.h.edges[8], 1);
	pass(1);
	assert_int_equal(the.h.edges[8], 2);
	get(0x0c);
	set(3, 0xff); /* any minute … */
	set(5, 0xc0); /* … of any hour */
	the.h.edges[8] = 0;
	for (int i = 0; i < 60; i++) {
		pass(60 * SECOND);
		get(0x0c);
	}
	assert_int_equal(the.h.edges[8], 60);
}

static void test_flags_can_be_polled(void **state)
{
	(void)state;
	assert_int_equal(get(0x0c), 0);
	pass(SECOND);
	assert_int_equal(get(0x0c), 0x50); /* nothing enabled: no IRQF */
	pass(1);
	assert_int_equal(get(0x0c), 0);
	set(1, 0x10);
	set(3, 0xff);
	set(5, 0xff);
	pass(3 * 86400 * SECOND);
	assert_int_equal(get(0x0c), 0x70);
	assert_int_equal(the.h.edges[8], 0);
}

static void test_memory(void **state)
{
	(void)state;
	set(0x0f, 0x0a);
	assert_int_equal(get(0x0f), 0x0a);
	assert_int_equal(get(0x8f), 0x0a); /* bit 7 is the NMI mask */
	set(0x7f, 0x55);
	assert_int_equal(get(0x7f), 0x55);
	set(0x0d, 0x00); /* read only */
	assert_int_equal(get(0x0d), 0x80);
	set(0x0c, 0xff);
	assert_int_equal(get(0x0c), 0x00);
	assert_int_equal(in8(&the.h, 0x70), 0xff);
}

static unsigned word(uint8_t index)
{
	return get(index) | (unsigned)get((uint8_t)(index + 1)) << 8;
}

static void test_memory_sizes(void **state)
{
	static const struct {
		uint64_t size;
		unsigned base, extended, above16, above4g;
	} rows[] = {
		{512 * 1024, 512, 0, 0, 0},
		{1 * MIB, 640, 0, 0, 0},
		{16 * MIB, 640, 15 * 1024, 0, 0},
		{128 * MIB, 640, 65535, 112 * 16, 0},
		{3 * GIB, 640, 65535, 3056 * 16, 0},
		{4 * GIB, 640, 65535, 3056 * 16, 1024 * 16},
		{1024 * GIB, 640, 65535, 3056 * 16, 1021 * 1024 * 16},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		teardown(state);
		start(&(struct rtc_config){.ram_size = rows[i].size, .vcpus = i + 1});
		assert_int_equal(word(0x15), rows[i].base);
		assert_int_equal(word(0x17), rows[i].extended);
		assert_int_equal(word(0x30), rows[i].extended);
		assert_int_equal(word(0x34), rows[i].above16);
		assert_int_equal(word(0x5b) | (unsigned)get(0x5d) << 16,
				 rows[i].above4g & 0xffffff);
		assert_int_equal(get(0x5f), i);
	}
}

static void test_reset_keeps_what_the_battery_keeps(void **state)
{
	(void)state;
	set(0x0f, 0x0a);
	set(4, 0x05);
	set(0x0b, 0x72);
	pass(SECOND);
	assert_true(the.h.level[8]);
	the.rtc->reset(the.rtc);
	assert_false(the.h.level[8]);
	assert_null(the.h.timers);
	assert_int_equal(get(0x0b), 0x02);
	assert_int_equal(get(0x0c), 0);
	assert_int_equal(get(0x0f), 0x0a);
	expect_time(0x05, 0x59, 0x59);
}

static void test_save_and_load(void **state)
{
	struct test_host h;
	struct device *copy;

	(void)state;
	pass(7 * SECOND / 2);
	set(4, 0x11);
	set(0x0b, 0x12);
	pass(SECOND / 2);
	test_host_init(&h);
	h.now = the.h.now;
	rtc_init(&h.host, &(struct rtc_config){.ram_size = MIB, .vcpus = 1}, &copy, NULL);
	check_save_load(the.rtc, copy);
	assert_true(h.level[8]);
	out8(&h, 0x70, 0x0c);
	assert_int_equal(in8(&h, 0x71) & 0x90, 0x90);
	assert_false(h.level[8]);
	test_host_pass(&h, SECOND);
	assert_true(h.level[8]);
	out8(&h, 0x70, 0x04);
	assert_int_equal(in8(&h, 0x71), 0x11);
	copy->destroy(copy);
	assert_null(h.timers);
}

static void test_load_refuses_nonsense(void **state)
{
	struct device_stream s = {0};
	uint8_t cmos[128] = {0};

	(void)state;
	stream_put_u64(&s, 128); /* an index behind the memory */
	stream_put(&s, cmos, sizeof(cmos));
	for (int i = 0; i < 3; i++)
		stream_put_u64(&s, 0);
	assert_int_equal(the.rtc->load(the.rtc, &s), -EINVAL);
	stream_free(&s);
	stream_put_u64(&s, 1);
	stream_put(&s, cmos, sizeof(cmos));
	stream_put_u64(&s, 1ull << 62); /* a date that would overflow */
	stream_put_u64(&s, 0);
	stream_put_u64(&s, 0);
	assert_int_equal(the.rtc->load(the.rtc, &s), -EINVAL);
	stream_free(&s);
	expect_time(0x23, 0x59, 0x58);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_date_in_bcd),
		TEST(test_formats),
		TEST(test_setting_the_clock),
		TEST(test_setting_without_hold),
		TEST(test_nonsense_dates_do_no_harm),
		TEST(test_update_in_progress_comes_and_goes),
		TEST(test_time_stands_still_with_the_guest),
		TEST(test_update_interrupt),
		TEST(test_periodic_interrupt),
		TEST(test_alarm),
		TEST(test_flags_can_be_polled),
		TEST(test_memory),
		TEST(test_memory_sizes),
		TEST(test_reset_keeps_what_the_battery_keeps),
		TEST(test_save_and_load),
		TEST(test_load_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
