// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/rtc_registers.h"

#include <time.h>

#define NS_PER_S	1000000000ull
#define SECONDS_PER_DAY 86400ll
#define UPDATE_NS	(244000ull + 1984000ull)

/* ---- date and time ---------------------------------------------------------------------------- */

static uint8_t encode(const struct rtc_registers *r, int value)
{
	return (uint8_t)(r->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static int decode(const struct rtc_registers *r, uint8_t value)
{
	return r->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t encode_hour(const struct rtc_registers *r, int hour)
{
	if (r->cmos[REG_B] & B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct rtc_registers *r, uint8_t value)
{
	if (r->cmos[REG_B] & B_24H)
		return decode(r, value);
	return decode(r, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* Whole seconds that have passed on the clock at guest time ns. */
static int64_t seconds_at(const struct rtc_registers *r, uint64_t ns)
{
	return r->seconds + (int64_t)((ns - r->base) / NS_PER_S);
}

bool rtc_is_set_mode(const struct rtc_registers *r)
{
	return r->cmos[REG_B] & B_SET;
}

void rtc_show_time(struct rtc_registers *r, uint64_t ns)
{
	time_t seconds = seconds_at(r, ns);
	struct tm tm;

	if (rtc_is_set_mode(r) || !gmtime_r(&seconds, &tm))
		return;
	r->cmos[SECONDS] = encode(r, tm.tm_sec);
	r->cmos[MINUTES] = encode(r, tm.tm_min);
	r->cmos[HOURS] = encode_hour(r, tm.tm_hour);
	r->cmos[WEEKDAY] = encode(r, tm.tm_wday + 1);
	r->cmos[DAY] = encode(r, tm.tm_mday);
	r->cmos[MONTH] = encode(r, tm.tm_mon + 1);
	r->cmos[YEAR] = encode(r, (tm.tm_year + 1900) % 100);
	r->cmos[CENTURY] = encode(r, (tm.tm_year + 1900) / 100 % 100);
}

void rtc_take_time(struct rtc_registers *r, uint64_t ns)
{
	const uint8_t *c = r->cmos;
	struct tm tm = {.tm_sec = decode(r, c[SECONDS]),
			.tm_min = decode(r, c[MINUTES]),
			.tm_hour = decode_hour(r, c[HOURS]),
			.tm_mday = decode(r, c[DAY]),
			.tm_mon = decode(r, c[MONTH]) - 1,
			.tm_year = decode(r, c[CENTURY]) * 100 + decode(r, c[YEAR]) - 1900};

	r->seconds = timegm(&tm);
	r->base = ns - (ns - r->base) % NS_PER_S;
}

/* ---- what happened since, and what happens next ----------------------------------------------- */

/* Periodic interrupts a second; 0: none. The two fastest codes are aliases of slower ones. */
static uint64_t rate(const struct rtc_registers *r)
{
	unsigned code = r->cmos[REG_A] & A_RATE;

	if (code == 0 || (r->cmos[REG_A] & A_DIVIDER) != A_RUNNING)
		return 0;
	return 32768u >> ((code < 3 ? code + 7 : code) - 1);
}

static uint64_t periods_at(const struct rtc_registers *r, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * rate(r) / NS_PER_S);
}

static bool alarm_byte_matches(uint8_t alarm, int value, int alarm_value)
{
	return alarm >= ALARM_ANY || value == alarm_value;
}

static bool alarm_matches(const struct rtc_registers *r, int64_t seconds)
{
	const uint8_t *c = r->cmos;
	int t = (int)(((seconds % SECONDS_PER_DAY) + SECONDS_PER_DAY) % SECONDS_PER_DAY);

	return alarm_byte_matches(c[SECONDS_ALARM], t % 60, decode(r, c[SECONDS_ALARM])) &&
	       alarm_byte_matches(c[MINUTES_ALARM], t / 60 % 60, decode(r, c[MINUTES_ALARM])) &&
	       alarm_byte_matches(c[HOURS_ALARM], t / 3600, decode_hour(r, c[HOURS_ALARM]));
}

/* The alarm looks at no date, so a day's seconds are all that there is to look at. */
static bool alarm_between(const struct rtc_registers *r, int64_t after, int64_t until)
{
	if (until - after > SECONDS_PER_DAY)
		after = until - SECONDS_PER_DAY;
	while (after++ < until)
		if (alarm_matches(r, after))
			return true;
	return false;
}

uint8_t rtc_events_between(const struct rtc_registers *r, uint64_t from, uint64_t to)
{
	int64_t after = seconds_at(r, from), until = seconds_at(r, to);
	uint8_t events = periods_at(r, to) > periods_at(r, from) ? C_PERIODIC : 0;

	if (rtc_is_set_mode(r) || until <= after)
		return events;
	events |= C_UPDATE;
	return events | (alarm_between(r, after, until) ? C_ALARM : 0);
}

bool rtc_interrupts(const struct rtc_registers *r)
{
	return r->cmos[REG_C] & r->cmos[REG_B] & B_SOURCES;
}

uint64_t rtc_next_event(const struct rtc_registers *r)
{
	uint8_t wanted = r->cmos[REG_B] & B_SOURCES & ~r->cmos[REG_C];
	uint64_t next = UINT64_MAX, hz = rate(r);

	if ((wanted & C_PERIODIC) && hz) {
		unsigned __int128 ns = (unsigned __int128)(periods_at(r, r->checked) + 1) *
				       NS_PER_S;

		next = (uint64_t)((ns + hz - 1) / hz);
	}
	if ((wanted & (C_ALARM | C_UPDATE)) && !rtc_is_set_mode(r)) {
		uint64_t second = r->checked - (r->checked - r->base) % NS_PER_S + NS_PER_S;

		next = second < next ? second : next;
	}
	return next;
}

/* ---- register A ------------------------------------------------------------------------------- */

uint8_t rtc_read_a(const struct rtc_registers *r, uint64_t ns)
{
	bool updating = !rtc_is_set_mode(r) && (ns - r->base) % NS_PER_S >= NS_PER_S - UPDATE_NS;

	return (r->cmos[REG_A] & ~A_UPDATING) | (updating ? A_UPDATING : 0);
}
