// SPDX-License-Identifier: GPL-3.0-or-later
#include "plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int plain_file_open(const char *path, off_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), code;
	struct stat status;

	if (fd < 0)
		return -errno;
	code = fstat(fd, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
	if (code) {
		close(fd);
		return code;
	}
	if (size)
		*size = status.st_size;
	return fd;
}

int plain_file_new_beside(const char *path, char **beside)
{
	mode_t mask = umask(0);
	int fd, code;

	umask(mask);
	if (asprintf(beside, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(*beside, O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
		return fd;
	code = -errno;
	if (fd >= 0) {
		close(fd);
		unlink(*beside);
	}
	free(*beside);
	return code;
}
