// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Output: any thread writes what the other side takes at once and leaves the rest in a ring, which the
 * loop empties as the other side goes on reading. Input: the loop reads, the user takes what it has room
 * for. An eventfd brings other threads' news into the loop.
 */
#include "chardev.h"

#include "chardev_private.h"
#include "log.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RING_SIZE  (1u << 20)
#define HIGH_WATER (64u << 10)
#define LOW_WATER  (HIGH_WATER / 2)
#define POLL_PIECE 512
#define CLOSE_MS   1000

/* ---- the ring; lock held ---------------------------------------------------------------------- */

static void ring_put(struct chardev *cd, const uint8_t *bytes, size_t size)
{
	size_t room = RING_SIZE - cd->count;
	size_t n = size < room ? size : room;

	for (size_t i = 0; i < n; i++)
		cd->ring[(cd->head + cd->count++) % RING_SIZE] = bytes[i];
	if (n < size && !cd->dropping) {
		cd->dropping = true;
		log_warn("serial", "output is lost: %s does not take it",
			 cd->where[0] ? cd->where : "standard output");
	}
}

static void ring_drop(struct chardev *cd, size_t size)
{
	cd->head = (cd->head + size) % RING_SIZE;
	cd->count -= size;
	if (cd->count == 0)
		cd->dropping = false;
}

/* The oldest bytes that lie in a row. */
static size_t ring_front(const struct chardev *cd, const uint8_t **bytes)
{
	size_t straight = RING_SIZE - cd->head;

	*bytes = cd->ring + cd->head;
	return cd->count < straight ? cd->count : straight;
}

/* ---- output; lock held ------------------------------------------------------------------------ */

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

static void wake_loop(struct chardev *cd)
{
	uint64_t one = 1;
	ssize_t n = write(cd->wake, &one, sizeof(one));

	(void)n; /* it fails only when 2^64 - 1 wake-ups wait already */
}

void chardev_write(struct chardev *cd, const void *bytes, size_t size)
{
	size_t done = 0;

	pthread_mutex_lock(&cd->lock);
	if (cd->out_fd >= 0 && !cd->out_error) {
		if (cd->count == 0 && !cd->divert)
			done = push(cd, bytes, size);
		if (done < size)
			ring_put(cd, (const uint8_t *)bytes + done, size - done);
		if (cd->count > 0 || cd->out_error)
			wake_loop(cd);
	}
	pthread_mutex_unlock(&cd->lock);
}

bool chardev_has_room(struct chardev *cd)
{
	bool room;

	pthread_mutex_lock(&cd->lock);
	room = cd->count < HIGH_WATER;
	if (!room)
		cd->stalled = true;
	pthread_mutex_unlock(&cd->lock);
	return room;
}

/* ---- output, from the loop -------------------------------------------------------------------- */

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
		wake_loop(cd); /* the rest in the next round: others want the loop, too */
	pthread_mutex_unlock(&cd->lock);
	if (n > 0)
		cd->user.console_output(cd->user.ctx, text, n);
}

static void tell_room(struct chardev *cd)
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

static void output_step(struct chardev *cd)
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
	tell_room(cd);
}

static size_t waiting(struct chardev *cd)
{
	size_t count;

	pthread_mutex_lock(&cd->lock);
	count = cd->count;
	pthread_mutex_unlock(&cd->lock);
	return count;
}

int chardev_flush(struct chardev *cd, int idle_ms)
{
	while (cd->out_fd >= 0 && waiting(cd) > 0) {
		struct pollfd p = {.fd = cd->out_fd, .events = POLLOUT};

		if (!cd->divert && poll(&p, 1, idle_ms) == 0)
			return -ETIMEDOUT;
		output_step(cd);
	}
	return 0;
}

/* ---- input ------------------------------------------------------------------------------------ */

/* The user may answer with chardev_ready() at once; that comes through the loop, and finds the rest. */
static void offer(struct chardev *cd)
{
	size_t taken;

	if (!cd->connected || cd->pending_count == 0)
		return;
	taken = cd->user.input(cd->user.ctx, cd->pending, cd->pending_count);
	cd->pending_count -= taken;
	memmove(cd->pending, cd->pending + taken, cd->pending_count);
	cd->refused = cd->pending_count > 0;
}

/* From a person's terminal keys are read even if the guest takes none: Ctrl-A must always work. Who
 * types on past a full buffer hears the bell. */
static bool reads_on(const struct chardev *cd)
{
	return !cd->refused || (cd->mux && cd->terminal);
}

static void take_key(struct chardev *cd, uint8_t byte)
{
	if (!chardev_mux_key(cd, byte))
		return;
	if (cd->pending_count < sizeof(cd->pending))
		cd->pending[cd->pending_count++] = byte;
	else
		chardev_write(cd, "\a", 1);
}

/* A multiplexed terminal is read byte by byte: what follows Ctrl-A c is the console's to read. */
static ssize_t read_some(struct chardev *cd)
{
	uint8_t byte;
	ssize_t n;

	if (!cd->mux) {
		n = read(cd->in_fd, cd->pending + cd->pending_count,
			 sizeof(cd->pending) - cd->pending_count);
		cd->pending_count += n > 0 ? (size_t)n : 0;
		return n;
	}
	n = read(cd->in_fd, &byte, 1);
	if (n == 1)
		take_key(cd, byte);
	return n;
}

static void input_step(struct chardev *cd)
{
	ssize_t n = read_some(cd);

	if (n > 0)
		offer(cd);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		cd->lost(cd, true);
}

/* ---- the loop's callbacks --------------------------------------------------------------------- */

static void on_peer(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;

	if (fd == cd->in_fd && !cd->eof && (revents & POLLIN))
		input_step(cd);
	else if (fd == cd->in_fd && (revents & (POLLHUP | POLLERR | POLLNVAL)))
		cd->lost(cd, true);
	if (revents & POLLOUT)
		output_step(cd);
	else if (fd == cd->out_fd && fd != cd->in_fd && (revents & (POLLERR | POLLHUP)))
		cd->lost(cd, false);
	chardev_rearm(cd);
}

static void on_wake(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;
	uint64_t count;

	if (!(revents & POLLIN) || read(fd, &count, sizeof(count)) < 0)
		return;
	output_step(cd);
	offer(cd);
	chardev_rearm(cd);
}

void chardev_ready(struct chardev *cd)
{
	wake_loop(cd);
}

static short input_events(const struct chardev *cd)
{
	return cd->connected && !cd->eof && reads_on(cd) ? POLLIN : 0;
}

static short output_events(struct chardev *cd)
{
	return cd->out_fd >= 0 && !cd->divert && waiting(cd) > 0 ? POLLOUT : 0;
}

/* Watches only what is to be watched now, and forgets only what it watched: while the console has the
 * terminal, stdin's watch is the console's. */
static void watch(struct chardev *cd, int fd, bool wanted, short events, bool *watched)
{
	if (wanted)
		event_loop_watch(cd->loop, fd, events, on_peer, cd);
	else if (*watched)
		event_loop_forget(cd->loop, fd);
	*watched = wanted;
}

/* A peer that has sent its last byte is kept until it hangs up, which poll() tells without being asked. */
void chardev_rearm(struct chardev *cd)
{
	short in = input_events(cd), out = output_events(cd);

	if (cd->in_fd < 0 && cd->out_fd < 0)
		return;
	if (cd->in_fd == cd->out_fd) {
		watch(cd, cd->in_fd, in || out || cd->eof, in | out, &cd->in_watched);
		return;
	}
	if (cd->in_fd >= 0 && !cd->inactive)
		watch(cd, cd->in_fd, in, in, &cd->in_watched);
	if (cd->out_fd >= 0)
		watch(cd, cd->out_fd, out, out, &cd->out_watched);
}

void chardev_set_input(struct chardev *cd, int fd)
{
	watch(cd, cd->in_fd, false, 0, &cd->in_watched);
	cd->in_fd = fd;
	cd->eof = false;
	chardev_rearm(cd);
}

void chardev_set_output(struct chardev *cd, int fd, enum chardev_out out)
{
	watch(cd, cd->out_fd, false, 0, &cd->out_watched);
	pthread_mutex_lock(&cd->lock);
	cd->out_fd = fd;
	cd->out = out;
	cd->out_error = 0;
	ring_drop(cd, cd->count);
	pthread_mutex_unlock(&cd->lock);
	chardev_rearm(cd);
	tell_room(cd);
}

/* The input's end goes first, or comes last: in between there is one end and one watch. */
void chardev_set_peer(struct chardev *cd, int fd, enum chardev_out out)
{
	chardev_set_input(cd, -1);
	chardev_set_output(cd, fd, out);
	chardev_set_input(cd, fd);
}

/* ---- opening and closing ---------------------------------------------------------------------- */

/* A file has no reader who could be slow; it can only fail. */
static void file_lost(struct chardev *cd, bool input)
{
	int fd = cd->out_fd;

	(void)input;
	log_error("serial", "cannot write to %s: %s; its output ends here", cd->where,
		  strerror(cd->out_error));
	chardev_set_peer(cd, -1, OUT_NONBLOCK);
	close(fd);
}

static int open_file(struct chardev *cd, const char *path, struct error *err)
{
	int fd;

	if (!*path)
		return error_set(err, -EINVAL, "-serial file: needs a path: write file:PATH");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(err, -errno, "cannot write serial output to %s: %s", path,
				 strerror(errno));
	snprintf(cd->where, sizeof(cd->where), "%s", path);
	cd->lost = file_lost;
	chardev_set_output(cd, fd, OUT_NONBLOCK);
	return 0;
}

static int open_none(struct chardev *cd, const char *arg, struct error *err)
{
	(void)cd;
	(void)arg;
	(void)err;
	return 0;
}

/* A spelling that ends in a colon takes an argument; `whole`: the kind wants to see its own name, too. */
static const struct {
	const char *name;
	int (*open)(struct chardev *cd, const char *arg, struct error *err);
	bool whole;
} kinds[] = {
	{"none", open_none, false},	      {"null", open_none, false},
	{"stdio", chardev_open_stdio, false}, {"mon:stdio", chardev_open_mux, false},
	{"pty", chardev_open_pty, false},     {"file:", open_file, false},
	{"unix:", chardev_open_socket, true}, {"tcp:", chardev_open_socket, true},
};

static int open_kind(struct chardev *cd, const char *spec, struct error *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].name);
		bool takes_arg = kinds[i].name[length - 1] == ':';

		if (strncmp(spec, kinds[i].name, length) == 0 && (takes_arg || !spec[length]))
			return kinds[i].open(cd, kinds[i].whole ? spec : spec + length, err);
	}
	return error_set(err, -EINVAL,
			 "-serial %s is unknown: use stdio, mon:stdio, pty, file:PATH, unix:PATH "
			 "or none",
			 spec);
}

static int create(struct event_loop *loop, struct chardev **out)
{
	struct chardev *cd = calloc(1, sizeof(*cd));

	if (!cd)
		return -ENOMEM;
	cd->loop = loop;
	cd->in_fd = cd->out_fd = cd->listen = cd->timer = -1;
	pthread_mutex_init(&cd->lock, NULL);
	cd->ring = malloc(RING_SIZE);
	cd->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	*out = cd;
	if (!cd->ring || cd->wake < 0)
		return cd->ring ? -errno : -ENOMEM;
	return event_loop_watch(loop, cd->wake, POLLIN, on_wake, cd);
}

int chardev_open(const char *spec, struct event_loop *loop, struct chardev **out, struct error *err)
{
	struct chardev *cd = NULL;
	int rc = create(loop, &cd);

	if (rc < 0)
		error_set(err, rc, "cannot create a serial backend: %s", strerror(-rc));
	else
		rc = open_kind(cd, spec, err);
	if (rc < 0) {
		chardev_close(cd);
		return rc;
	}
	*out = cd;
	return 0;
}

static int take_terminal(struct chardev *cd, struct error *err)
{
	int rc = cd->is_stdio && !cd->inactive ? terminal_raw(!cd->mux) : 0;

	return rc < 0 ? error_set(err, rc, "cannot set the terminal's modes: %s", strerror(-rc))
		      : 0;
}

int chardev_connect(struct chardev *cd, const struct chardev_user *user, struct error *err)
{
	int rc = take_terminal(cd, err);

	if (rc < 0)
		return rc;
	cd->user = *user;
	cd->connected = true;
	chardev_set_active(cd, !cd->inactive);
	return 0;
}

static void divert(struct chardev *cd, bool on)
{
	pthread_mutex_lock(&cd->lock);
	cd->divert = on && cd->user.console_output;
	pthread_mutex_unlock(&cd->lock);
	wake_loop(cd); /* what waits goes the new way */
}

void chardev_set_active(struct chardev *cd, bool active)
{
	if (active && cd->inactive) {
		cd->inactive = false;
		take_terminal(cd, NULL);
	} else if (!active && !cd->inactive) {
		watch(cd, cd->in_fd, false, 0, &cd->in_watched);
		cd->inactive = true;
		terminal_restore();
	}
	divert(cd, !active);
	chardev_rearm(cd);
}

static void close_fd(struct chardev *cd, int fd)
{
	if (fd < 0)
		return;
	event_loop_forget(cd->loop, fd);
	close(fd);
}

/* stdin, the one in_fd that is not out_fd, stays open: it is not ours. */
static void close_peer(struct chardev *cd)
{
	int fd = cd->out_fd;

	chardev_set_peer(cd, -1, OUT_NONBLOCK);
	if (fd >= 0)
		close(fd);
}

void chardev_close(struct chardev *cd)
{
	if (!cd)
		return;
	cd->connected = false;
	divert(cd, false);
	chardev_flush(cd, CLOSE_MS);
	close_peer(cd);
	if (cd->destroy)
		cd->destroy(cd);
	close_fd(cd, cd->listen);
	close_fd(cd, cd->timer);
	close_fd(cd, cd->wake);
	pthread_mutex_destroy(&cd->lock);
	free(cd->ring);
	free(cd);
}

/* ---- for its user ----------------------------------------------------------------------------- */

static void backend_write(void *ctx, const void *bytes, size_t size)
{
	chardev_write(ctx, bytes, size);
}

static void backend_ready(void *ctx)
{
	chardev_ready(ctx);
}

static bool backend_has_room(void *ctx)
{
	return chardev_has_room(ctx);
}

struct serial_backend chardev_serial_backend(struct chardev *cd)
{
	return (struct serial_backend){.ctx = cd,
				       .write = backend_write,
				       .ready = backend_ready,
				       .has_room = backend_has_room};
}

const char *chardev_where(const struct chardev *cd)
{
	return cd->where[0] ? cd->where : NULL;
}

bool chardev_uses_stdin(const struct chardev *cd)
{
	return cd->is_stdio;
}

bool chardev_has_console(const struct chardev *cd)
{
	return cd->mux;
}
