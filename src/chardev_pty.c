// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pty: a pseudo-terminal for `screen`, `socat`, `cat`. The kernel does not tell when somebody opens the
 * other end: as long as nobody has it open poll() reports a hang-up, which is looked at ten times a second.
 */
#include "chardev_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

#define LOOK_NS 100000000

static void look_often(struct chardev *cd, bool on)
{
	struct itimerspec every = {.it_interval.tv_nsec = LOOK_NS, .it_value.tv_nsec = LOOK_NS};

	if (!on)
		every = (struct itimerspec){0};
	timerfd_settime(cd->timer, 0, &every, NULL);
}

static void pty_lost(struct chardev *cd, bool input)
{
	(void)input;
	cd->listen = cd->out_fd;
	chardev_set_peer(cd, -1, OUT_NONBLOCK);
	look_often(cd, true);
}

static void pty_opened(struct chardev *cd)
{
	int fd = cd->listen;

	cd->listen = -1;
	look_often(cd, false);
	chardev_set_peer(cd, fd, OUT_NONBLOCK);
}

static void on_look(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;
	struct pollfd master = {.fd = cd->listen};
	uint64_t count;

	if (!(revents & POLLIN) || read(fd, &count, sizeof(count)) < 0 || cd->listen < 0)
		return;
	if (poll(&master, 1, 0) == 0)
		pty_opened(cd);
}

/* Raw, so that bytes are the guest's and not a line discipline's. The modes stay with the pair; closing
 * the other end again makes "nobody has it open" true. */
static int make_raw(const char *path)
{
	struct termios mode;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &mode) < 0)
		rc = -errno;
	cfmakeraw(&mode);
	if (rc == 0 && tcsetattr(fd, TCSANOW, &mode) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int open_pair(struct chardev *cd)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	cd->listen = fd;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, cd->where, sizeof(cd->where)) ||
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	return make_raw(cd->where);
}

int chardev_open_pty(struct chardev *cd, const char *arg, struct error *err)
{
	int rc = open_pair(cd);

	(void)arg;
	cd->lost = pty_lost;
	if (rc == 0) {
		cd->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		rc = cd->timer < 0 ? -errno : 0;
	}
	if (rc == 0)
		rc = event_loop_watch(cd->loop, cd->timer, POLLIN, on_look, cd);
	if (rc < 0)
		return error_set(err, rc, "cannot make a pseudo-terminal for -serial pty: %s",
				 strerror(-rc));
	look_often(cd, true);
	return 0;
}
