// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Motorola MC146818 real-time clock and its battery-backed memory, from its datasheet ("address map",
 * "registers", "update cycle"), with the bytes that PC firmware keeps there.
 *
 * Time is arithmetic on guest time: nothing ticks unless an interrupt is enabled. "Update in progress"
 * is shown for the last 2.2 ms of each second, so who waits for either of its edges gets them; the
 * registers can be read at any moment all the same. The square wave output is not connected.
 */
#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S	1000000000ull
#define SECONDS_PER_DAY 86400ll
#define UPDATE_NS	(244000ull + 1984000ull)
#define RTC_IRQ		8

/* RAM below 4 GiB ends here; what is more lies above 4 GiB. */
#define RAM_LOW_END 0xc0000000ull

/* The farthest date that is kept, so that no arithmetic on it overflows: some 100,000 years. */
#define SECONDS_MAX (1ll << 42)

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

struct rtc {
	struct device device;
	const struct device_host *host;
	struct bus_region region;
	struct device_timer timer;
	bool level; /* of the interrupt line */
	struct rtc_registers r;
};

static struct rtc *rtc_of(struct device *device)
{
	return (struct rtc *)device;
}

static uint64_t now(const struct rtc *rtc)
{
	return rtc->host->now(rtc->host->ctx);
}

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

static bool is_set_mode(const struct rtc_registers *r)
{
	return r->cmos[REG_B] & B_SET;
}

/* Puts the date of guest time ns into the registers, unless the guest holds them to set them. */
static void show_time(struct rtc_registers *r, uint64_t ns)
{
	time_t seconds = seconds_at(r, ns);
	struct tm tm;

	if (is_set_mode(r) || !gmtime_r(&seconds, &tm))
		return;
	r->cmos[SECONDS] = encode(r, tm.tm_sec);
	r->cmos[MINUTES] = encode(r, tm.tm_min);
	r->cmos[HOURS] = encode_hour(r, tm.tm_hour);
	r->cmos[WEEKDAY] = encode(r, tm.tm_wday + 1);
	r->cmos[DAY] = encode(r, tm.tm_mday);
	r->cmos[MONTH] = encode(r, tm.tm_mon + 1);
	r->cmos[YEAR] = encode(r, tm.tm_year % 100);
	r->cmos[CENTURY] = encode(r, (tm.tm_year + 1900) / 100 % 100);
}

/* The date goes on from what the registers say; the phase within the second stays. Nonsense such as a
 * 13th month is carried over, as in mktime(3). */
static void take_time(struct rtc_registers *r, uint64_t ns)
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

static bool is_time_byte(uint8_t index)
{
	return index == SECONDS || index == MINUTES ||
	       (index >= HOURS && index <= YEAR && index != HOURS_ALARM) || index == CENTURY;
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

static uint8_t events_between(const struct rtc_registers *r, uint64_t from, uint64_t to)
{
	int64_t after = seconds_at(r, from), until = seconds_at(r, to);
	uint8_t events = periods_at(r, to) > periods_at(r, from) ? C_PERIODIC : 0;

	if (is_set_mode(r) || until <= after)
		return events;
	events |= C_UPDATE;
	return events | (alarm_between(r, after, until) ? C_ALARM : 0);
}

static bool interrupts(const struct rtc_registers *r)
{
	return r->cmos[REG_C] & r->cmos[REG_B] & B_SOURCES;
}

static void update_irq(struct rtc *rtc)
{
	bool level = interrupts(&rtc->r);

	if (level == rtc->level)
		return;
	rtc->level = level;
	rtc->host->irq(rtc->host->ctx, RTC_IRQ, level);
}

/* Guest time of the next change that an enabled source waits for. What is flagged already needs no
 * timer: nothing new can be told before the guest reads register C. */
static uint64_t next_event(const struct rtc_registers *r)
{
	uint8_t wanted = r->cmos[REG_B] & B_SOURCES & ~r->cmos[REG_C];
	uint64_t next = UINT64_MAX, hz = rate(r);

	if ((wanted & C_PERIODIC) && hz) {
		unsigned __int128 ns = (unsigned __int128)(periods_at(r, r->checked) + 1) *
				       NS_PER_S;

		next = (uint64_t)((ns + hz - 1) / hz);
	}
	if ((wanted & (C_ALARM | C_UPDATE)) && !is_set_mode(r)) {
		uint64_t second = r->checked - (r->checked - r->base) % NS_PER_S + NS_PER_S;

		next = second < next ? second : next;
	}
	return next;
}

/* Brings register C up to date. Everything that changes what counts as an event comes here first. */
static void catch_up(struct rtc *rtc)
{
	uint64_t ns = now(rtc);

	rtc->r.cmos[REG_C] |= events_between(&rtc->r, rtc->r.checked, ns);
	rtc->r.checked = ns;
}

static void settle(struct rtc *rtc)
{
	update_irq(rtc);
	rtc->host->timer_arm(rtc->host->ctx, &rtc->timer, next_event(&rtc->r));
}

static void rtc_timer(void *arg)
{
	struct rtc *rtc = arg;

	catch_up(rtc);
	settle(rtc);
}

/* ---- registers -------------------------------------------------------------------------------- */

static uint8_t read_a(const struct rtc_registers *r, uint64_t ns)
{
	bool updating = !is_set_mode(r) && (ns - r->base) % NS_PER_S >= NS_PER_S - UPDATE_NS;

	return (r->cmos[REG_A] & ~A_UPDATING) | (updating ? A_UPDATING : 0);
}

static uint8_t read_c(struct rtc *rtc)
{
	uint8_t value;

	catch_up(rtc);
	value = rtc->r.cmos[REG_C] | (interrupts(&rtc->r) ? C_IRQ : 0);
	rtc->r.cmos[REG_C] = 0;
	settle(rtc);
	return value;
}

static uint8_t rtc_read(struct rtc *rtc)
{
	uint8_t index = rtc->r.index;

	if (index == REG_A)
		return read_a(&rtc->r, now(rtc));
	if (index == REG_C)
		return read_c(rtc);
	if (is_time_byte(index))
		show_time(&rtc->r, now(rtc));
	return rtc->r.cmos[index];
}

static void write_time(struct rtc_registers *r, uint8_t value, uint64_t ns)
{
	show_time(r, ns);
	r->cmos[r->index] = value;
	if (!is_set_mode(r))
		take_time(r, ns);
}

/* While SET is on the registers are the guest's; when it goes off the clock starts from them, in the
 * format that the new value chooses. */
static void write_b(struct rtc_registers *r, uint8_t value, uint64_t ns)
{
	bool was = is_set_mode(r), is = value & B_SET;

	if (!was && is)
		show_time(r, ns);
	r->cmos[REG_B] = value;
	if (was && !is)
		take_time(r, ns);
}

static void rtc_write(struct rtc *rtc, uint8_t value)
{
	struct rtc_registers *r = &rtc->r;

	catch_up(rtc);
	if (is_time_byte(r->index))
		write_time(r, value, r->checked);
	else if (r->index == REG_B)
		write_b(r, value, r->checked);
	else if (r->index == REG_A)
		r->cmos[REG_A] = value & ~A_UPDATING;
	else if (r->index != REG_C && r->index != REG_D)
		r->cmos[r->index] = value;
	settle(rtc);
}

/* ---- the five verbs --------------------------------------------------------------------------- */

/* The RESET pin: no interrupt enabled, none pending. */
static void rtc_reset(struct device *device)
{
	struct rtc *rtc = rtc_of(device);

	catch_up(rtc);
	rtc->r.index = 0;
	rtc->r.cmos[REG_B] &= (uint8_t)~B_SOURCES;
	rtc->r.cmos[REG_C] = 0;
	settle(rtc);
}

static void rtc_save(const struct device *device, struct device_stream *out)
{
	const struct rtc_registers *r = &((const struct rtc *)device)->r;

	stream_put_u64(out, r->index);
	stream_put(out, r->cmos, sizeof(r->cmos));
	stream_put_u64(out, (uint64_t)r->seconds);
	stream_put_u64(out, r->base);
	stream_put_u64(out, r->checked);
}

static int rtc_load(struct device *device, struct device_stream *in)
{
	struct rtc *rtc = rtc_of(device);
	struct rtc_registers r = {0};

	r.index = stream_get_u8(in);
	stream_get(in, r.cmos, sizeof(r.cmos));
	r.seconds = (int64_t)stream_get_u64(in);
	r.base = stream_get_u64(in);
	r.checked = stream_get_u64(in);
	if (in->error || r.index >= CMOS_SIZE || r.seconds > SECONDS_MAX ||
	    r.seconds < -SECONDS_MAX || r.base > r.checked)
		return -EINVAL;
	rtc->r = r;
	rtc->level = !interrupts(&r);
	settle(rtc);
	return 0;
}

static void rtc_io(void *device, struct bus_access *access)
{
	struct rtc *rtc = device;

	if (access->offset == 0 && access->write)
		rtc->r.index = access->value & (CMOS_SIZE - 1); /* bit 7 would mask NMIs */
	else if (access->write)
		rtc_write(rtc, (uint8_t)access->value);
	else if (access->offset == 1)
		access->value = rtc_read(rtc);
}

static void rtc_destroy(struct device *device)
{
	struct rtc *rtc = rtc_of(device);

	rtc->host->timer_arm(rtc->host->ctx, &rtc->timer, UINT64_MAX);
	free(rtc);
}

/* ---- what PC firmware keeps in the memory ----------------------------------------------------- */

static void put_u16(uint8_t *low, uint64_t value)
{
	if (value > UINT16_MAX)
		value = UINT16_MAX;
	low[0] = (uint8_t)value;
	low[1] = (uint8_t)(value >> 8);
}

static uint64_t units_above(uint64_t size, uint64_t start, uint64_t unit)
{
	return size > start ? (size - start) / unit : 0;
}

static void fill_sizes(uint8_t *cmos, uint64_t ram_size)
{
	uint64_t low = ram_size < RAM_LOW_END ? ram_size : RAM_LOW_END;
	uint64_t high = units_above(ram_size, RAM_LOW_END, 65536);
	uint64_t base = low / 1024;

	put_u16(cmos + 0x15, base < 640 ? base : 640);		 /* KiB below 1 MiB */
	put_u16(cmos + 0x17, units_above(low, 1 << 20, 1024));	 /* KiB above 1 MiB */
	put_u16(cmos + 0x30, units_above(low, 1 << 20, 1024));	 /* once more */
	put_u16(cmos + 0x34, units_above(low, 16 << 20, 65536)); /* 64 KiB above 16 MiB */
	cmos[0x5b] = (uint8_t)high;				 /* 64 KiB above 4 GiB */
	cmos[0x5c] = (uint8_t)(high >> 8);
	cmos[0x5d] = (uint8_t)(high >> 16);
}

static void fill_cmos(struct rtc_registers *r, const struct rtc_config *config)
{
	r->cmos[REG_A] = A_RUNNING | 0x06; /* 32768 Hz crystal, 1024 Hz */
	r->cmos[REG_B] = B_24H;
	r->cmos[REG_D] = D_VALID;
	r->cmos[0x14] = 0x02; /* equipment: a coprocessor */
	r->cmos[0x5f] = (uint8_t)(config->vcpus > 256 ? 255 : config->vcpus - 1);
	fill_sizes(r->cmos, config->ram_size);
	r->seconds = config->epoch > SECONDS_MAX ? SECONDS_MAX : (int64_t)config->epoch;
}

int rtc_init(const struct device_host *host, const struct rtc_config *config,
	     struct device **device, struct error *err)
{
	struct rtc *rtc = calloc(1, sizeof(*rtc));

	if (!rtc)
		return error_set(err, -ENOMEM, "out of memory");
	rtc->device = (struct device){.name = "rtc",
				      .reset = rtc_reset,
				      .save = rtc_save,
				      .load = rtc_load,
				      .destroy = rtc_destroy};
	rtc->host = host;
	rtc->timer = (struct device_timer){.fn = rtc_timer, .arg = rtc, .deadline = UINT64_MAX};
	rtc->region = (struct bus_region){
		.name = "rtc", .base = 0x70, .size = 2, .max_size = 1, .io = rtc_io, .device = rtc};
	fill_cmos(&rtc->r, config);
	return device_attach(&rtc->device, &(struct device_region){host->ports, &rtc->region}, 1,
			     device, err);
}
