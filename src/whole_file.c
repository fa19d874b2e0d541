// SPDX-License-Identifier: GPL-3.0-or-later
#include "whole_file.h"

#include "plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_MAX (1u << 20)

/* Bytes that came, of size; a file that has become shorter has fewer. -errno. */
static ssize_t read_all(int fd, uint8_t *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && n) {
		n = read(fd, bytes + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)done;
}

static int read_fd(int fd, size_t size, struct whole_file *file)
{
	uint8_t *bytes = malloc(size);
	ssize_t done = bytes ? read_all(fd, bytes, size) : -ENOMEM;

	if (done <= 0) {
		free(bytes);
		return (int)done;
	}
	*file = (struct whole_file){bytes, (size_t)done};
	return 0;
}

int whole_file_read(const char *path, struct whole_file *file, struct error *err)
{
	off_t size;
	int fd = plain_file_open(path, &size), rc = 0;

	if (fd == -EINVAL)
		return error_set(err, fd, "%.200s is not a file", path);
	if (fd < 0)
		return error_set(err, fd, "cannot open %.200s: %s", path, strerror(-fd));
	if (size)
		rc = read_fd(fd, (size_t)size, file);
	close(fd);
	return rc < 0 ? error_set(err, rc, "cannot read %.200s: %s", path, strerror(-rc)) : 0;
}

/* No end is known before it is there: one byte more than may come is asked for. */
static int read_stream(int fd, struct whole_file *file)
{
	int rc = read_fd(fd, STREAM_MAX + 1, file);

	if (rc < 0 || file->size <= STREAM_MAX)
		return rc;
	whole_file_free(file);
	return -EFBIG;
}

int whole_file_read_stream(const char *path, struct whole_file *file, struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return error_set(err, -errno, "cannot open %.200s: %s", path, strerror(errno));
	rc = read_stream(fd, file);
	if (!is_stdin)
		close(fd);
	return rc < 0 ? error_set(err, rc, "cannot read %.200s: %s", path, strerror(-rc)) : 0;
}

void whole_file_free(struct whole_file *file)
{
	free(file->bytes);
	*file = (struct whole_file){0};
}
