// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Callbacks may change the set of watches while a round is being dispatched. So a round polls a
 * copy, and before each call looks its watch up again by number: a watch that was forgotten, or
 * made anew for another file behind the same descriptor, has no such number any more.
 */
#include "event_loop.h"

#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct watch {
	int fd;
	short events;
	event_fn *fn;
	void *ctx;
	uint64_t number; /* never used twice */
};

struct event_loop {
	struct watch *watches;
	size_t count, capacity;
	uint64_t last_number;
	bool quitting;
	int status;
};

/* What one round polls: a copy of the watches as they were at its start. */
struct round {
	size_t count;
	struct pollfd *fds;
	uint64_t *numbers;
};

struct event_loop *event_loop_new(void)
{
	return calloc(1, sizeof(struct event_loop));
}

void event_loop_free(struct event_loop *loop)
{
	if (!loop)
		return;
	free(loop->watches);
	free(loop);
}

static struct watch *find_fd(struct event_loop *loop, int fd)
{
	for (size_t i = 0; i < loop->count; i++)
		if (loop->watches[i].fd == fd)
			return &loop->watches[i];
	return NULL;
}

static struct watch *find_number(struct event_loop *loop, uint64_t number)
{
	for (size_t i = 0; i < loop->count; i++)
		if (loop->watches[i].number == number)
			return &loop->watches[i];
	return NULL;
}

static struct watch *append(struct event_loop *loop)
{
	if (loop->count == loop->capacity) {
		size_t capacity = loop->capacity ? 2 * loop->capacity : 16;
		struct watch *watches = reallocarray(loop->watches, capacity,
						     sizeof(*loop->watches));

		if (!watches)
			return NULL;
		loop->watches = watches;
		loop->capacity = capacity;
	}
	return &loop->watches[loop->count++];
}

/* A watch that only changes its events keeps its number: what this round's poll found for it is
 * still news, and a neighbour that re-arms it every round cannot starve it. */
int event_loop_watch(struct event_loop *loop, int fd, short events, event_fn *fn, void *ctx)
{
	struct watch *watch = find_fd(loop, fd);
	uint64_t number;

	if (!watch)
		watch = append(loop);
	else if (watch->fn == fn && watch->ctx == ctx) {
		watch->events = events;
		return 0;
	}
	if (!watch)
		return -ENOMEM;
	number = ++loop->last_number;
	*watch = (struct watch){.fd = fd, .events = events, .fn = fn, .ctx = ctx, .number = number};
	return 0;
}

/* Order is kept: the watch that came first is called first. */
void event_loop_forget(struct event_loop *loop, int fd)
{
	struct watch *watch = find_fd(loop, fd);

	if (!watch)
		return;
	loop->count--;
	memmove(watch, watch + 1, (size_t)(loop->watches + loop->count - watch) * sizeof(*watch));
}

static int round_start(const struct event_loop *loop, struct round *round)
{
	round->count = loop->count;
	round->fds = calloc(loop->count + 1, sizeof(*round->fds));
	round->numbers = calloc(loop->count + 1, sizeof(*round->numbers));
	if (!round->fds || !round->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < loop->count; i++) {
		round->fds[i].fd = loop->watches[i].fd;
		round->fds[i].events = loop->watches[i].events;
		round->numbers[i] = loop->watches[i].number;
	}
	return 0;
}

/* A descriptor that was closed while it was watched would be ready for ever. */
static void forget_closed(struct event_loop *loop, uint64_t number)
{
	struct watch *watch = find_number(loop, number);

	if (!watch)
		return;
	log_warn("loop", "descriptor %d was closed while it was watched", watch->fd);
	event_loop_forget(loop, watch->fd);
}

static void call(struct event_loop *loop, uint64_t number, short revents)
{
	struct watch *watch = find_number(loop, number);

	if (!watch)
		return;
	revents &= (short)(watch->events | POLLERR | POLLHUP | POLLNVAL);
	if (revents)
		watch->fn(watch->ctx, watch->fd, revents);
	if (revents & POLLNVAL)
		forget_closed(loop, number);
}

static void dispatch(struct event_loop *loop, const struct round *round)
{
	bool was_quitting = loop->quitting;

	for (size_t i = 0; i < round->count; i++) {
		if (loop->quitting != was_quitting)
			return;
		if (round->fds[i].revents)
			call(loop, round->numbers[i], round->fds[i].revents);
	}
}

int event_loop_once(struct event_loop *loop, int timeout_ms)
{
	struct round round = {0};
	int rc = round_start(loop, &round);

	if (rc == 0 && poll(round.fds, round.count, timeout_ms) < 0)
		rc = errno == EINTR ? 0 : -errno;
	else if (rc == 0)
		dispatch(loop, &round);
	free(round.fds);
	free(round.numbers);
	return rc;
}

int event_loop_run(struct event_loop *loop)
{
	while (!loop->quitting) {
		int rc = event_loop_once(loop, -1);

		if (rc < 0)
			return rc;
	}
	loop->quitting = false;
	return loop->status;
}

void event_loop_quit(struct event_loop *loop, int status)
{
	if (!loop->quitting)
		loop->status = status;
	loop->quitting = true;
}
