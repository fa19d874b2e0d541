// SPDX-License-Identifier: GPL-3.0-or-later
#include "rtc_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_date(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t weekday)
{
	assert_int_equal(rtc_get(0x32), century);
	assert_int_equal(rtc_get(9), year);
	assert_int_equal(rtc_get(8), month);
	assert_int_equal(rtc_get(7), day);
	assert_int_equal(rtc_get(6), weekday);
}

static void test_date_in_bcd(void **state)
{
	(void)state;
	expect_time(0x23, 0x59, 0x58);
	expect_date(0x20, 0x24, 0x02, 0x29, 5);
	pass(2 * SECOND);
	expect_time(0x00, 0x00, 0x00);
	expect_date(0x20, 0x24, 0x03, 0x01, 6);
	assert_int_equal(rtc_get(0x0d), 0x80);
	assert_null(rtc.h.timers); /* nothing ticks for nobody */
}

static void test_formats(void **state)
{
	(void)state;
	rtc_set(0x0b, 0x06);
	expect_time(23, 59, 58);
	expect_date(20, 24, 2, 29, 5);
	rtc_set(0x0b, 0x00);
	assert_int_equal(rtc_get(4), 0x91); /* 11 pm */
	pass(2 * SECOND);
	assert_int_equal(rtc_get(4), 0x12); /* midnight is 12 am */
	rtc_set(0x0b, 0x04);
	pass(12 * 3600 * SECOND);
	assert_int_equal(rtc_get(4), 0x8c); /* noon is 12 pm */
	pass(3600 * SECOND);
	assert_int_equal(rtc_get(4), 0x81);
}

static void test_setting_the_clock(void **state)
{
	(void)state;
	rtc_set(0x0b, 0x82);
	pass(5 * SECOND);
	expect_time(0x23, 0x59, 0x58); /* held */
	rtc_set(0x32, 0x19);
	rtc_set(9, 0x99);
	rtc_set(8, 0x12);
	rtc_set(7, 0x31);
	rtc_set(4, 0x23);
	rtc_set(2, 0x59);
	rtc_set(0, 0x59);
	assert_int_equal(rtc_get(0), 0x59);
	rtc_set(0x0b, 0x02);
	expect_time(0x23, 0x59, 0x59);
	pass(SECOND);
	expect_time(0, 0, 0);
	expect_date(0x20, 0x00, 0x01, 0x01, 7);
}

static void test_setting_without_hold(void **state)
{
	(void)state;
	rtc_set(4, 0x05);
	expect_time(0x05, 0x59, 0x58);
	pass(SECOND * 2);
	expect_time(0x06, 0x00, 0x00);
	expect_date(0x20, 0x24, 0x02, 0x29, 5);
	rtc_set(2, 0x30);
	expect_time(0x06, 0x30, 0x00);
	rtc_set(0, 0x15);
	expect_time(0x06, 0x30, 0x15);
	rtc_set(7, 0x28);
	rtc_set(8, 0x03);
	rtc_set(9, 0x31);
	rtc_set(0x32, 0x19);
	expect_date(0x19, 0x31, 0x03, 0x28, 7);
	rtc_set(0x0b, 0x00);
	rtc_set(4, 0x82); /* 2 pm */
	rtc_set(0x0b, 0x02);
	expect_time(0x14, 0x30, 0x15);
}

static void test_nonsense_dates_do_no_harm(void **state)
{
	(void)state;
	rtc_set(0x0b, 0x82);
	for (uint8_t i = 0; i < 10; i++)
		rtc_set(i, 0xff);
	rtc_set(0x32, 0xff);
	rtc_set(0x0b, 0x02);
	rtc_get(0);
	rtc_get(9);
	rtc_set(0x0b, 0x82);
	for (uint8_t i = 0; i < 10; i++)
		rtc_set(i, 0x00);
	rtc_set(0x32, 0x00);
	rtc_set(0x0b, 0x06);
	pass(100 * SECOND);
	for (uint8_t i = 0; i < 10; i++)
		rtc_get(i);
	assert_int_equal(rtc_get(0), 40);
}

static void test_update_in_progress_comes_and_goes(void **state)
{
	unsigned updating = 0;

	(void)state;
	for (int ms = 0; ms < 1000; ms++) {
		updating += rtc_get(0x0a) >> 7;
		pass(SECOND / 1000);
	}
	assert_in_range(updating, 1, 3);
	rtc_set(0x0b, 0x82);
	for (int ms = 0; ms < 1000; ms++) {
		assert_int_equal(rtc_get(0x0a), 0x26);
		pass(SECOND / 1000);
	}
}

static void test_time_stands_still_with_the_guest(void **state)
{
	(void)state;
	rtc_get(0);
	expect_time(0x23, 0x59, 0x58);
	expect_time(0x23, 0x59, 0x58);
}

static void test_update_interrupt(void **state)
{
	(void)state;
	pass(SECOND / 2);
	rtc_set(0x0b, 0x12);
	pass(SECOND / 2 - 1);
	assert_false(rtc.h.level[8]);
	pass(1);
	assert_true(rtc.h.level[8]);
	pass(10 * SECOND);
	assert_int_equal(rtc.h.edges[8], 1); /* not acknowledged: nothing new to tell */
	assert_int_equal(rtc_get(0x0c) & 0x90, 0x90);
	assert_false(rtc.h.level[8]);
	assert_int_equal(rtc_get(0x0c), 0x00);
	pass(SECOND);
	assert_int_equal(rtc.h.edges[8], 2);
}

static void test_periodic_interrupt(void **state)
{
	unsigned ticks = 0;

	(void)state;
	rtc_set(0x0b, 0x42); /* rate 6: 1024 Hz */
	for (int i = 0; i < 100000; i++) {
		pass(SECOND / 100000);
		if (rtc.h.level[8]) {
			assert_int_equal(rtc_get(0x0c) & 0xc0, 0xc0);
			ticks++;
		}
	}
	assert_in_range(ticks, 1023, 1024);
	rtc_set(0x0a, 0x2f); /* 2 Hz */
	rtc_get(0x0c);
	rtc.h.edges[8] = 0;
	for (int i = 0; i < 100; i++) {
		pass(SECOND / 10);
		rtc_get(0x0c);
	}
	assert_int_equal(rtc.h.edges[8], 20);
	rtc_set(0x0a, 0x20); /* rate 0: none */
	pass(SECOND);
	assert_int_equal(rtc_get(0x0c) & 0x40, 0);
	assert_null(rtc.h.timers);
}

static void test_alarm(void **state)
{
	(void)state;
	rtc_set(1, 0x03);
	rtc_set(3, 0x01);
	rtc_set(5, 0x00);
	rtc_set(0x0b, 0x22);
	pass(64 * SECOND);
	assert_int_equal(rtc.h.edges[8], 0);
	pass(SECOND); /* 00:01:03 */
	assert_int_equal(rtc.h.edges[8], 1);
	assert_int_equal(rtc_get(0x0c) & 0xa0, 0xa0);
	pass(86400 * SECOND - 1);
	assert_int_equal(rtc.h.edges[8], 1);
	pass(1);
	assert_int_equal(rtc.h.edges[8], 2);
	rtc_get(0x0c);
	rtc_set(3, 0xff); /* any minute … */
	rtc_set(5, 0xc0); /* … of any hour */
	rtc.h.edges[8] = 0;
	for (int i = 0; i < 60; i++) {
		pass(60 * SECOND);
		rtc_get(0x0c);
	}
	assert_int_equal(rtc.h.edges[8], 60);
}

static void test_flags_can_be_polled(void **state)
{
	(void)state;
	assert_int_equal(rtc_get(0x0c), 0);
	pass(SECOND);
	assert_int_equal(rtc_get(0x0c), 0x50); /* nothing enabled: no IRQF */
	pass(1);
	assert_int_equal(rtc_get(0x0c), 0);
	rtc_set(1, 0x10);
	rtc_set(3, 0xff);
	rtc_set(5, 0xff);
	pass(3 * 86400 * SECOND);
	assert_int_equal(rtc_get(0x0c), 0x70);
	assert_int_equal(rtc.h.edges[8], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rtc_setup, rtc_teardown)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
