// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Input: the loop reads, the user takes what it has room for. An eventfd brings other threads' news into
 * the loop. Output is in chardev_output.c, the kinds in files of their own.
 */
#include "chardev.h"

#include "chardev_private.h"
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CLOSE_MS 1000

/* ---- input ------------------------------------------------------------------------------- */

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

/* ---- the loop's callbacks ---------------------------------------------------------------- */

/* A write finds out what is wrong with the output, if poll() says that something is. */
static void on_peer(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;

	if (fd == cd->in_fd && !cd->eof && (revents & POLLIN))
		input_step(cd);
	else if (fd == cd->in_fd && (revents & (POLLHUP | POLLERR | POLLNVAL)))
		cd->lost(cd, true);
	if (fd == cd->out_fd && (revents & (POLLOUT | POLLERR | POLLHUP)))
		chardev_output_step(cd);
	chardev_rearm(cd);
}

static void on_wake(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;
	uint64_t count;

	if (!(revents & POLLIN) || read(fd, &count, sizeof(count)) < 0)
		return;
	chardev_output_step(cd);
	offer(cd);
	chardev_rearm(cd);
}

void chardev_ready(struct chardev *cd)
{
	chardev_wake(cd);
}

static short input_events(const struct chardev *cd)
{
	return cd->connected && !cd->eof && reads_on(cd) ? POLLIN : 0;
}

static short output_events(struct chardev *cd)
{
	return cd->out_fd >= 0 && !cd->divert && chardev_waiting(cd) > 0 ? POLLOUT : 0;
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
	chardev_replace_output(cd, fd, out);
	chardev_rearm(cd);
	chardev_tell_room(cd);
}

/* The input's end goes first, or comes last: in between there is one end and one watch. */
void chardev_set_peer(struct chardev *cd, int fd, enum chardev_out out)
{
	chardev_set_input(cd, -1);
	chardev_set_output(cd, fd, out);
	chardev_set_input(cd, fd);
}

/* ---- opening and closing ----------------------------------------------------------------- */

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
	{"none", open_none, false},
	{"null", open_none, false},
	{"stdio", chardev_open_stdio, false},
	{"stderr", chardev_open_stderr, false},
	{"mon:stdio", chardev_open_mux, false},
	{"pty", chardev_open_pty, false},
	{"file:", chardev_open_file, false},
	{"unix:", chardev_open_socket, true},
	{"tcp:", chardev_open_socket, true},
};

static int find_kind(const char *spec, struct error *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].name);
		bool takes_arg = kinds[i].name[length - 1] == ':';

		if (strncmp(spec, kinds[i].name, length) == 0 && (takes_arg || !spec[length]))
			return (int)i;
	}
	return error_set(err, -EINVAL,
			 "-serial %s is unknown: use stdio, mon:stdio, stderr, pty, file:PATH, "
			 "unix:PATH or none",
			 spec);
}

int chardev_check(const char *spec, struct error *err)
{
	int kind = find_kind(spec, err);

	return kind < 0 ? kind : 0;
}

static int open_kind(struct chardev *cd, const char *spec, struct error *err)
{
	int kind = find_kind(spec, err);

	if (kind < 0)
		return kind;
	return kinds[kind].open(cd, kinds[kind].whole ? spec : spec + strlen(kinds[kind].name),
				err);
}

static int create(struct event_loop *loop, struct chardev **out)
{
	struct chardev *cd = calloc(1, sizeof(*cd));

	if (!cd)
		return -ENOMEM;
	cd->loop = loop;
	cd->in_fd = cd->out_fd = cd->listen = cd->timer = -1;
	pthread_mutex_init(&cd->lock, NULL);
	cd->ring = malloc(CHARDEV_RING);
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

void chardev_set_active(struct chardev *cd, bool active)
{
	if (!active && !cd->mux)
		return;
	if (active && cd->inactive) {
		cd->inactive = false;
		take_terminal(cd, NULL);
	} else if (!active && !cd->inactive) {
		watch(cd, cd->in_fd, false, 0, &cd->in_watched);
		cd->inactive = true;
		terminal_restore();
	}
	chardev_divert(cd, !active);
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
	chardev_divert(cd, false);
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

/* ---- for its user ------------------------------------------------------------------------ */

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
