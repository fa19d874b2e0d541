// SPDX-License-Identifier: GPL-3.0-or-later
#include "serial_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* CLOCAL: without it a port waits for a carrier that three-wire cables do not have. */
static int make_raw(struct serial_line *line)
{
	struct termios mode;

	line->terminal = tcgetattr(line->fd, &line->before) == 0;
	if (!line->terminal)
		return errno == EIO ? -EIO : 0;
	mode = line->before;
	cfmakeraw(&mode);
	mode.c_cflag |= CLOCAL | CREAD;
	return tcsetattr(line->fd, TCSANOW, &mode) < 0 ? -errno : 0;
}

static int check_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) ? 0 : -ENOTTY;
}

int serial_line_open(const char *path, struct serial_line *line, struct error *err)
{
	int rc;

	*line = (struct serial_line){.fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
	if (line->fd < 0)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	rc = check_kind(line->fd);
	if (rc == 0)
		rc = make_raw(line);
	if (rc == 0)
		return 0;
	close(line->fd);
	line->fd = -1;
	if (rc == -ENOTTY)
		return error_set(err, rc,
				 "%s is not a character device: write unix:%s for a socket", path,
				 path);
	return error_set(err, rc, "cannot set the modes of %s: %s", path, strerror(-rc));
}

void serial_line_close(struct serial_line *line)
{
	if (line->fd < 0)
		return;
	if (line->terminal)
		tcsetattr(line->fd, TCSANOW, &line->before);
	close(line->fd);
	line->fd = -1;
}

bool serial_line_is_dead(const struct serial_line *line)
{
	struct pollfd fd = {.fd = line->fd};

	return poll(&fd, 1, 0) > 0;
}
