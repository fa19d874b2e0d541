// SPDX-License-Identifier: GPL-3.0-or-later
/* A serial port whose output goes to a file. */
#include "chardev_private.h"
#include "home_path.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int chardev_open_file(struct chardev *cd, const char *typed, struct error *err)
{
	char path[PATH_MAX];
	int fd;

	if (!*typed)
		return error_set(err, -EINVAL, "-serial file: needs a path: write file:PATH");
	fd = home_path(typed, path, sizeof(path), err);
	if (fd < 0)
		return fd;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(err, -errno, "cannot write serial output to %s: %s", path,
				 strerror(errno));
	snprintf(cd->where, sizeof(cd->where), "%.*s", (int)sizeof(cd->where) - 1, path);
	cd->lost = file_lost;
	chardev_set_output(cd, fd, OUT_NONBLOCK);
	return 0;
}
