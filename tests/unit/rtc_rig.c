// SPDX-License-Identifier: GPL-3.0-or-later
#include "rtc_rig.h"
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 2024-02-29 23:59:58 UTC, a Thursday. */
#define EPOCH 1709251198ull

struct clock rtc;

int rtc_start(const struct rtc_config *config)
{
	test_host_init(&rtc.h);
	return rtc_init(&rtc.h.host, config, &rtc.rtc, NULL);
}

int rtc_setup(void **state)
{
	(void)state;
	return rtc_start(&(struct rtc_config){.ram_size = 128 * MIB, .vcpus = 4, .epoch = EPOCH});
}

int rtc_teardown(void **state)
{
	(void)state;
	rtc.rtc->destroy(rtc.rtc);
	assert_null(rtc.h.timers);
	return 0;
}

uint8_t rtc_get(uint8_t index)
{
	out8(&rtc.h, 0x70, index);
	return in8(&rtc.h, 0x71);
}

void rtc_set(uint8_t index, uint8_t value)
{
	out8(&rtc.h, 0x70, index);
	out8(&rtc.h, 0x71, value);
}

void expect_time(uint8_t hour, uint8_t minute, uint8_t second)
{
	assert_int_equal(rtc_get(4), hour);
	assert_int_equal(rtc_get(2), minute);
	assert_int_equal(rtc_get(0), second);
}

void pass(uint64_t ns)
{
	test_host_pass(&rtc.h, ns);
}
