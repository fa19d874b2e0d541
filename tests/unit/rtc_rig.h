/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A clock whose time the test lets pass. */
#ifndef TESTS_RTC_RIG_H
#define TESTS_RTC_RIG_H

#include "device_host.h"

#define SECOND 1000000000ull
#define MIB    (1ull << 20)

struct clock {
	struct test_host h;
	struct device *rtc;
};

extern struct clock rtc;

int rtc_start(const struct rtc_config *config);
int rtc_setup(void **state);
int rtc_teardown(void **state);
uint8_t rtc_get(uint8_t index);
void rtc_set(uint8_t index, uint8_t value);
void expect_time(uint8_t hour, uint8_t minute, uint8_t second);
void pass(uint64_t ns);

#endif
