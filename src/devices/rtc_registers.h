/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MC146818's registers as arithmetic on guest time: no timers, no interrupt line. ns is guest time
 * throughout. The RTC's own. */
#ifndef DEVICES_RTC_REGISTERS_H
#define DEVICES_RTC_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

/* The farthest date that is kept, so that no arithmetic on it overflows: some 100,000 years. */
#define RTC_SECONDS_MAX (1ll << 42)

enum {
	SECONDS = 0x00,
	SECONDS_ALARM = 0x01,
	MINUTES = 0x02,
	MINUTES_ALARM = 0x03,
	HOURS = 0x04,
	HOURS_ALARM = 0x05,
	WEEKDAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	CENTURY = 0x32,
	CMOS_SIZE = 128
};

enum { A_UPDATING = 0x80, A_DIVIDER = 0x70, A_RUNNING = 0x20, A_RATE = 0x0f };
enum { B_SET = 0x80, B_SOURCES = 0x70, B_BINARY = 0x04, B_24H = 0x02 };
enum { C_IRQ = 0x80, C_PERIODIC = 0x40, C_ALARM = 0x20, C_UPDATE = 0x10 };
enum { D_VALID = 0x80 };
enum { HOUR_PM = 0x80, ALARM_ANY = 0xc0 };

struct rtc_registers {
	uint8_t index;
	uint8_t cmos[CMOS_SIZE];
	int64_t seconds;  /* since 1970, as the guest set it, … */
	uint64_t base;	  /* … at this guest time (ns) */
	uint64_t checked; /* guest time up to which register C knows what happened */
};

struct rtc_config;

/* Into a memory of zeros. */
void cmos_fill(uint8_t cmos[CMOS_SIZE], const struct rtc_config *config);

/* Register A, with its "update in progress". */
uint8_t rtc_read_a(const struct rtc_registers *r, uint64_t ns);
bool rtc_is_set_mode(const struct rtc_registers *r); /* the guest holds the date to set it */
bool rtc_interrupts(const struct rtc_registers *r);  /* an enabled source is flagged */

/* Puts the date into the registers, unless the guest holds them. */
void rtc_show_time(struct rtc_registers *r, uint64_t ns);
/* The date goes on from what the registers say; the phase within the second stays. Nonsense such as a 13th
 * month is carried over, as in mktime(3). */
void rtc_take_time(struct rtc_registers *r, uint64_t ns);

/* Which of register C's flags arose behind `from` and up to `to`. */
uint8_t rtc_events_between(const struct rtc_registers *r, uint64_t from, uint64_t to);
/* Guest time of the next event behind r->checked that an enabled source waits for; UINT64_MAX: none. What is
 * flagged already is not waited for: nothing new can be told before the guest reads register C. */
uint64_t rtc_next_event(const struct rtc_registers *r);

#endif
