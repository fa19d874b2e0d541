// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Output: any thread writes what the other side takes at once and leaves the rest in a ring, which the
 * loop empties as the other side goes on reading.
 */
#include "chardev_private.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define HIGH_WATER     (64u << 10)
#define LOW_WATER      (HIGH_WATER / 2)
#define POLL_PIECE     512
#define DIVERT_NS      10000000
#define FLUSH_SLICE_MS 50

/* ---- the ring; lock held ----------------------------------------------------------------- */

static void ring_put(struct chardev *cd, const uint8_t *bytes, size_t size)
{
	size_t room = CHARDEV_RING - cd->count;
	size_t n = size < room ? size : room;

	for (size_t i = 0; i < n; i++)
		cd->ring[(cd->head + cd->count++) % CHARDEV_RING] = bytes[i];
	if (n < size && !cd->dropping) {
		cd->dropping = true;
		log_warn("serial", "output is lost: %s does not take it",
			 cd->where[0] ? cd->where : "standard output");
	}
}

static void ring_drop(struct chardev *cd, size_t size)
{
	cd->head = (cd->head + size) % CHARDEV_RING;
	cd->count -= size;
	if (cd->count == 0)
		cd->dropping = false;
}

/* The oldest bytes that lie in a row. */
static size_t ring_front(const struct chardev *cd, const uint8_t **bytes)
{
	size_t straight = CHARDEV_RING - cd->head;

	*bytes = cd->ring + cd->head;
	return cd->count < straight ? cd->count : straight;
}

/* ---- output; lock held ------------------------------------------------------------------- */

static ssize_t poll_and_write(int fd, const void *bytes, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, size < POLL_PIECE ? size : POLL_PIECE);
}

static ssize_t write_some(const struct chardev *cd, const void *bytes, size_t size)
{
	switch (cd->out) {
	case OUT_NONBLOCK: return write(cd->out_fd, bytes, size);
	case OUT_SOCKET: return send(cd->out_fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	case OUT_POLL: break;
	}
	return poll_and_write(cd->out_fd, bytes, size);
}

/* Bytes that are done with: taken by the other side, or lost with it. */
static size_t push(struct chardev *cd, const uint8_t *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write_some(cd, bytes + done, size - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			return done;
		else {
			cd->out_error = n < 0 ? errno : EIO;
			return size;
		}
	}
	return done;
}

static void push_ring(struct chardev *cd)
{
	while (cd->count > 0 && cd->out_fd >= 0 && !cd->out_error) {
		const uint8_t *bytes;
		size_t size = ring_front(cd, &bytes), done = push(cd, bytes, size);

		ring_drop(cd, done);
		if (done < size)
			return;
	}
}

void chardev_wake(struct chardev *cd)
{
	uint64_t one = 1;
	ssize_t n = write(cd->wake, &one, sizeof(one));

	(void)n; /* it fails only when 2^64 - 1 wake-ups wait already */
}

/* The console redraws its line for each piece that it prints, so it gets what a few milliseconds bring at
 * once, and not each byte. */
static void divert_soon(struct chardev *cd)
{
	struct itimerspec soon = {.it_value.tv_nsec = DIVERT_NS};

	timerfd_settime(cd->timer, 0, &soon, NULL);
}

static void write_locked(struct chardev *cd, const uint8_t *bytes, size_t size)
{
	bool empty = cd->count == 0;
	size_t done = empty && !cd->divert ? push(cd, bytes, size) : 0;

	if (done < size)
		ring_put(cd, bytes + done, size - done);
	if (!cd->divert && (cd->count > 0 || cd->out_error))
		chardev_wake(cd);
	else if (cd->divert && empty)
		divert_soon(cd);
}

void chardev_write(struct chardev *cd, const void *bytes, size_t size)
{
	pthread_mutex_lock(&cd->lock);
	if (cd->out_fd >= 0 && !cd->out_error)
		write_locked(cd, bytes, size);
	pthread_mutex_unlock(&cd->lock);
}

bool chardev_has_room(struct chardev *cd)
{
	bool room;

	pthread_mutex_lock(&cd->lock);
	room = cd->lossy || cd->count < HIGH_WATER;
	if (!room)
		cd->stalled = true;
	pthread_mutex_unlock(&cd->lock);
	return room;
}

/* ---- output, from the loop --------------------------------------------------------------- */

/* The console prints above the line being edited, so it gets its bytes in the loop's thread. */
static void divert_piece(struct chardev *cd)
{
	const uint8_t *bytes;
	char text[4096];
	size_t n;

	pthread_mutex_lock(&cd->lock);
	n = ring_front(cd, &bytes);
	n = n < sizeof(text) ? n : sizeof(text);
	memcpy(text, bytes, n);
	ring_drop(cd, n);
	if (cd->count > 0)
		chardev_wake(cd); /* the rest in the next round: others want the loop, too */
	pthread_mutex_unlock(&cd->lock);
	if (n > 0)
		cd->user.console_output(cd->user.ctx, text, n);
}

void chardev_tell_room(struct chardev *cd)
{
	bool tell;

	pthread_mutex_lock(&cd->lock);
	tell = cd->stalled && cd->count <= LOW_WATER;
	if (tell)
		cd->stalled = false;
	pthread_mutex_unlock(&cd->lock);
	if (tell && cd->connected && cd->user.room)
		cd->user.room(cd->user.ctx);
}

void chardev_output_step(struct chardev *cd)
{
	int error;

	pthread_mutex_lock(&cd->lock);
	if (!cd->divert)
		push_ring(cd);
	error = cd->out_error;
	pthread_mutex_unlock(&cd->lock);
	if (error)
		cd->lost(cd, false);
	if (cd->divert)
		divert_piece(cd);
	chardev_tell_room(cd);
}

size_t chardev_waiting(struct chardev *cd)
{
	size_t count;

	pthread_mutex_lock(&cd->lock);
	count = cd->count;
	pthread_mutex_unlock(&cd->lock);
	return count;
}

/* Whoever wants vitrine to end has waited long enough. Signals are blocked and wait for the loop, which does
 * not run now. */
static bool asked_to_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP);
}

int chardev_flush(struct chardev *cd, int idle_ms)
{
	int idle = 0;

	while (cd->out_fd >= 0 && chardev_waiting(cd) > 0) {
		struct pollfd p = {.fd = cd->out_fd, .events = POLLOUT};

		if (asked_to_end())
			return -EINTR;
		if (cd->divert || poll(&p, 1, FLUSH_SLICE_MS) != 0) {
			chardev_output_step(cd);
			idle = 0;
		} else if (idle_ms >= 0 && (idle += FLUSH_SLICE_MS) >= idle_ms) {
			return -ETIMEDOUT;
		}
	}
	return 0;
}

/* ---- where it goes ----------------------------------------------------------------------- */

void chardev_divert(struct chardev *cd, bool on)
{
	pthread_mutex_lock(&cd->lock);
	cd->divert = on && cd->user.console_output;
	pthread_mutex_unlock(&cd->lock);
	chardev_wake(cd); /* what waits goes the new way */
}

void chardev_replace_output(struct chardev *cd, int fd, enum chardev_out out)
{
	pthread_mutex_lock(&cd->lock);
	cd->out_fd = fd;
	cd->out = out;
	cd->out_error = 0;
	ring_drop(cd, cd->count);
	pthread_mutex_unlock(&cd->lock);
}
