/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest time, and the devices' timers. Guest time stands still while the machine is stopped. The
 * timers share one timerfd, which the event loop watches.
 */
#ifndef MACHINE_CLOCK_H
#define MACHINE_CLOCK_H

#include "devices/device.h"

#include <pthread.h>

struct clock {
	pthread_mutex_t lock; /* innermost of all */
	bool running;
	uint64_t offset;     /* guest time = host monotonic time - offset, while running */
	uint64_t stopped_at; /* guest time, while not running */
	int fd;		     /* readable when a timer is due */
	bool armed;
	struct device_timer
		*timers; /* sorted by deadline; equal ones in the order they were armed */
};

/* A clock that stands at guest time 0. On failure fd is -1 and clock_destroy() need not be called.
 */
int clock_init(struct clock *clock, struct error *err);
void clock_destroy(struct clock *clock); /* also fine on one that was never made, with fd == -1 */

uint64_t
clock_now(struct clock *clock); /* ns; never goes back, except by clock_reset() and clock_set() */
/* Both do nothing when it is so already. follow: the time that it stood still has passed for the guest, too. */
void clock_start(struct clock *clock, bool follow);
void clock_stop(struct clock *clock);
void clock_reset(struct clock *clock); /* guest time 0, no timers */
void clock_set(struct clock *clock,
	       uint64_t now); /* guest time of a snapshot; timers keep their deadlines */

/* See device_host.timer_arm. The timer stays the caller's, who disarms it before freeing it. */
void clock_timer_arm(struct clock *clock, struct device_timer *timer, uint64_t deadline);

/* Runs the timers that are due, earliest first; one that is armed again for the past meanwhile
 * waits for the next call. Does nothing while the clock stands still. Caller holds the device lock.
 */
void clock_run(struct clock *clock);

#endif
