// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

/* No timerfd is set farther ahead than this; it then only wakes up to be set again. */
#define FARTHEST (1ull << 60)

static uint64_t host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t now_locked(const struct clock *clock)
{
	return clock->running ? host_now() - clock->offset : clock->stopped_at;
}

/* The timerfd follows the head of the list; it is off while the clock stands still. Zero would mean
 * off to it, so the past begins at one. */
static void program(struct clock *clock)
{
	struct itimerspec when = {0};

	if (!clock->armed && !(clock->running && clock->timers))
		return;
	if (clock->running && clock->timers) {
		uint64_t now = now_locked(clock), deadline = clock->timers->deadline;
		uint64_t ahead = deadline > now ? deadline - now : 0;
		uint64_t at = now + clock->offset + (ahead < FARTHEST ? ahead : FARTHEST);

		when.it_value.tv_sec = (time_t)(at / NS_PER_S);
		when.it_value.tv_nsec = (long)(at % NS_PER_S) | 1;
	}
	clock->armed = when.it_value.tv_nsec;
	timerfd_settime(clock->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

int clock_init(struct clock *clock, struct error *err)
{
	*clock = (struct clock){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
				.offset = host_now()};
	if (clock->fd < 0)
		return error_set(err, -errno, "cannot create a timer: %s", strerror(errno));
	pthread_mutex_init(&clock->lock, NULL);
	return 0;
}

void clock_destroy(struct clock *clock)
{
	if (clock->fd < 0)
		return;
	close(clock->fd);
	clock->fd = -1;
	pthread_mutex_destroy(&clock->lock);
}

uint64_t clock_now(struct clock *clock)
{
	uint64_t now;

	pthread_mutex_lock(&clock->lock);
	now = now_locked(clock);
	pthread_mutex_unlock(&clock->lock);
	return now;
}

void clock_start(struct clock *clock, bool follow)
{
	pthread_mutex_lock(&clock->lock);
	if (!clock->running) {
		if (!follow)
			clock->offset = host_now() - clock->stopped_at;
		clock->running = true;
		program(clock);
	}
	pthread_mutex_unlock(&clock->lock);
}

void clock_stop(struct clock *clock)
{
	pthread_mutex_lock(&clock->lock);
	if (clock->running) {
		clock->stopped_at = now_locked(clock);
		clock->running = false;
		program(clock);
	}
	pthread_mutex_unlock(&clock->lock);
}

static void set_locked(struct clock *clock, uint64_t now)
{
	clock->offset = host_now() - now;
	clock->stopped_at = now;
	program(clock);
}

void clock_set(struct clock *clock, uint64_t now)
{
	pthread_mutex_lock(&clock->lock);
	set_locked(clock, now);
	pthread_mutex_unlock(&clock->lock);
}

void clock_reset(struct clock *clock)
{
	pthread_mutex_lock(&clock->lock);
	for (; clock->timers; clock->timers = clock->timers->next)
		clock->timers->deadline = UINT64_MAX;
	set_locked(clock, 0);
	pthread_mutex_unlock(&clock->lock);
}

/* Whether it is in the list says the list alone: a timer may be fresh zeros. */
static void take_out(struct clock *clock, struct device_timer *timer)
{
	struct device_timer **link = &clock->timers;

	while (*link && *link != timer)
		link = &(*link)->next;
	if (*link)
		*link = timer->next;
	timer->next = NULL;
	timer->deadline = UINT64_MAX;
}

static void put_in(struct clock *clock, struct device_timer *timer, uint64_t deadline)
{
	struct device_timer **link = &clock->timers;

	while (*link && (*link)->deadline <= deadline)
		link = &(*link)->next;
	timer->deadline = deadline;
	timer->next = *link;
	*link = timer;
}

void clock_timer_arm(struct clock *clock, struct device_timer *timer, uint64_t deadline)
{
	const struct device_timer *first;

	pthread_mutex_lock(&clock->lock);
	first = clock->timers;
	take_out(clock, timer);
	if (deadline != UINT64_MAX)
		put_in(clock, timer, deadline);
	if (clock->timers == timer || first == timer)
		program(clock);
	pthread_mutex_unlock(&clock->lock);
}

static struct device_timer *take_due(struct clock *clock, uint64_t now)
{
	struct device_timer *timer = clock->timers;

	if (!clock->running || !timer || timer->deadline > now)
		return NULL;
	take_out(clock, timer);
	return timer;
}

static unsigned count_due(const struct clock *clock, uint64_t now)
{
	unsigned count = 0;

	for (const struct device_timer *t = clock->timers; t && t->deadline <= now; t = t->next)
		count++;
	return count;
}

/* A timer's function may arm and disarm timers, so the lock is not held while it runs. The number
 * of calls is fixed at the start: a timer that is always late cannot keep the loop here. */
void clock_run(struct clock *clock)
{
	struct device_timer *timer;
	uint64_t now, expirations;
	unsigned count;
	ssize_t n = read(clock->fd, &expirations, sizeof(expirations));

	(void)n; /* empty when another thread moved the deadline since poll said it was due */
	pthread_mutex_lock(&clock->lock);
	now = now_locked(clock);
	count = count_due(clock, now);
	while (count-- > 0 && (timer = take_due(clock, now))) {
		pthread_mutex_unlock(&clock->lock);
		timer->fn(timer->arg);
		pthread_mutex_lock(&clock->lock);
	}
	program(clock);
	pthread_mutex_unlock(&clock->lock);
}
