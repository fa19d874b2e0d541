// SPDX-License-Identifier: GPL-3.0-or-later
#include "plain_file.h"

#include <errno.h>
#include <fcntl.h>
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
