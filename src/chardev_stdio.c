// SPDX-License-Identifier: GPL-3.0-or-later
/* stdio and mon:stdio: the terminal that vitrine was started on, or whatever stdin and stdout are. */
#include "chardev_private.h"
#include "log.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CTRL_A 0x01

/* A standard stream's description is shared with the shell and with whoever it was inherited from: O_NONBLOCK on it
 * would be theirs, too. A terminal or a pipe can be opened once more; a file keeps its position, and never
 * blocks; for the rest there are ways to write that do not wait. */
static int open_stream(int stream, enum chardev_out *out)
{
	char path[32];
	struct stat st;
	int fd = -1;

	*out = OUT_NONBLOCK;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", stream);
	if (fstat(stream, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (S_ISSOCK(st.st_mode))
		*out = OUT_SOCKET;
	else if (!S_ISREG(st.st_mode))
		*out = OUT_POLL;
	fd = fcntl(stream, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* The two directions end apart: `vitrine < /dev/null` still prints, `vitrine | head` still reads. */
static void stdio_lost(struct chardev *cd, bool input)
{
	int fd = cd->out_fd;

	if (input) {
		chardev_set_input(cd, -1);
		return;
	}
	log_warn("serial", "%s takes no more (%s); serial output is dropped",
		 cd->lossy ? "standard error" : "standard output", strerror(cd->out_error));
	chardev_set_output(cd, -1, OUT_NONBLOCK);
	close(fd);
}

static void stdio_destroy(struct chardev *cd)
{
	(void)cd;
	terminal_release();
}

int chardev_open_stdio(struct chardev *cd, const char *arg, struct error *err)
{
	enum chardev_out out;
	int fd;

	(void)arg;
	if (!terminal_claim())
		return error_set(err, -EBUSY,
				 "two serial ports cannot share stdio: give one of them pty, "
				 "file:PATH or unix:PATH");
	cd->destroy = stdio_destroy;
	fd = open_stream(STDOUT_FILENO, &out);
	if (fd < 0)
		return error_set(err, fd, "cannot use standard output for -serial: %s",
				 strerror(-fd));
	cd->is_stdio = true;
	cd->terminal = isatty(STDIN_FILENO);
	cd->lost = stdio_lost;
	chardev_set_output(cd, fd, out);
	chardev_set_input(cd, STDIN_FILENO);
	return 0;
}

int chardev_open_stderr(struct chardev *cd, const char *arg, struct error *err)
{
	enum chardev_out out;
	int fd = open_stream(STDERR_FILENO, &out);

	(void)arg;
	if (fd < 0)
		return error_set(err, fd, "cannot use standard error for -serial: %s",
				 strerror(-fd));
	cd->lossy = true;
	cd->lost = stdio_lost;
	snprintf(cd->where, sizeof(cd->where), "standard error");
	chardev_set_output(cd, fd, out);
	return 0;
}

/* ---- mon:stdio: Ctrl-A and a letter, as QEMU has them ------------------------------------ */

static void on_divert(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;
	uint64_t count;

	if (!(revents & POLLIN) || read(fd, &count, sizeof(count)) < 0)
		return;
	chardev_output_step(cd);
	chardev_rearm(cd);
}

int chardev_open_mux(struct chardev *cd, const char *arg, struct error *err)
{
	int rc = chardev_open_stdio(cd, arg, err);

	if (rc < 0)
		return rc;
	cd->mux = true;
	cd->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	rc = cd->timer < 0 ? -errno : event_loop_watch(cd->loop, cd->timer, POLLIN, on_divert, cd);
	return rc < 0 ? error_set(err, rc, "cannot create a timer: %s", strerror(-rc)) : 0;
}

static void key_help(struct chardev *cd)
{
	static const char help[] = "\nC-a h    this help\n"
				   "C-a c    switch between the serial port and the console\n"
				   "C-a x    quit vitrine\n"
				   "C-a C-a  send C-a to the guest\n";

	chardev_write(cd, help, sizeof(help) - 1);
}

static void key_console(struct chardev *cd)
{
	if (!cd->user.switch_to_console)
		return;
	chardev_set_active(cd, false);
	cd->user.switch_to_console(cd->user.ctx);
}

static void key_quit(struct chardev *cd)
{
	if (cd->user.quit)
		cd->user.quit(cd->user.ctx);
}

static const struct {
	uint8_t key;
	void (*run)(struct chardev *cd);
} keys[] = {{'h', key_help}, {'?', key_help}, {'c', key_console}, {'x', key_quit}};

bool chardev_mux_key(struct chardev *cd, uint8_t byte)
{
	bool escaped = cd->escape;

	cd->escape = !escaped && byte == CTRL_A;
	if (cd->escape)
		return false;
	if (!escaped || byte == CTRL_A)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == byte)
			keys[i].run(cd);
	return false;
}
