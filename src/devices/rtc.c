// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Motorola MC146818 real-time clock and its battery-backed memory, from its datasheet ("address map",
 * "registers", "update cycle"). What PC firmware keeps in there is in cmos.c.
 *
 * Time is arithmetic on guest time: nothing ticks unless an interrupt is enabled. "Update in progress"
 * is shown for the last 2.2 ms of each second, so who waits for either of its edges gets them; the
 * registers can be read at any moment all the same. The weekday follows from the date. The square wave
 * output is not connected.
 */
#include "devices/devices.h"
#include "devices/rtc_registers.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RTC_IRQ 8

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

static bool is_time_byte(uint8_t index)
{
	return index == SECONDS || index == MINUTES ||
	       (index >= HOURS && index <= YEAR && index != HOURS_ALARM) || index == CENTURY;
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void update_irq(struct rtc *rtc)
{
	bool level = rtc_interrupts(&rtc->r);

	if (level == rtc->level)
		return;
	rtc->level = level;
	rtc->host->irq(rtc->host->ctx, RTC_IRQ, level);
}

/* Brings register C up to date. Everything that changes what counts as an event comes here first. */
static void catch_up(struct rtc *rtc)
{
	uint64_t ns = now(rtc);

	rtc->r.cmos[REG_C] |= rtc_events_between(&rtc->r, rtc->r.checked, ns);
	rtc->r.checked = ns;
}

static void settle(struct rtc *rtc)
{
	update_irq(rtc);
	rtc->host->timer_arm(rtc->host->ctx, &rtc->timer, rtc_next_event(&rtc->r));
}

static void rtc_timer(void *arg)
{
	struct rtc *rtc = arg;

	catch_up(rtc);
	settle(rtc);
}

/* ---- registers -------------------------------------------------------------------------------- */

static uint8_t read_c(struct rtc *rtc)
{
	uint8_t value;

	catch_up(rtc);
	value = rtc->r.cmos[REG_C] | (rtc_interrupts(&rtc->r) ? C_IRQ : 0);
	rtc->r.cmos[REG_C] = 0;
	settle(rtc);
	return value;
}

static uint8_t rtc_read(struct rtc *rtc)
{
	uint8_t index = rtc->r.index;

	if (index == REG_A)
		return rtc_read_a(&rtc->r, now(rtc));
	if (index == REG_C)
		return read_c(rtc);
	if (is_time_byte(index))
		rtc_show_time(&rtc->r, now(rtc));
	return rtc->r.cmos[index];
}

static void write_time(struct rtc_registers *r, uint8_t value, uint64_t ns)
{
	rtc_show_time(r, ns);
	r->cmos[r->index] = value;
	if (!rtc_is_set_mode(r))
		rtc_take_time(r, ns);
}

/* While SET is on the registers are the guest's; when it goes off the clock starts from them, in the
 * format that the new value chooses. */
static void write_b(struct rtc_registers *r, uint8_t value, uint64_t ns)
{
	bool was = rtc_is_set_mode(r), is = value & B_SET;

	if (!was && is)
		rtc_show_time(r, ns);
	r->cmos[REG_B] = value;
	if (was && !is)
		rtc_take_time(r, ns);
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
	if (in->error || r.index >= CMOS_SIZE || r.seconds > RTC_SECONDS_MAX ||
	    r.seconds < -RTC_SECONDS_MAX || r.base > r.checked)
		return -EINVAL;
	rtc->r = r;
	rtc->level = !rtc_interrupts(&r);
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

/* ---- life -------------------------------------------------------------------------------------- */

static void power_on(struct rtc_registers *r, const struct rtc_config *config)
{
	r->cmos[REG_A] = A_RUNNING | 0x06; /* 32768 Hz crystal, 1024 Hz */
	r->cmos[REG_B] = B_24H;
	r->cmos[REG_D] = D_VALID;
	cmos_fill(r->cmos, config);
	r->seconds = config->epoch > RTC_SECONDS_MAX ? RTC_SECONDS_MAX : (int64_t)config->epoch;
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
	power_on(&rtc->r, config);
	return device_attach(&rtc->device, &(struct device_region){host->ports, &rtc->region}, 1,
			     device, err);
}
