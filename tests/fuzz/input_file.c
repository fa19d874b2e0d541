// SPDX-License-Identifier: GPL-3.0-or-later
#include "input_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[300];

static void forget(void)
{
	unlink(path);
}

/* A memfd has no path that realpath() knows. */
static int make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/fuzz-%d", tmp ? tmp : "/tmp", (int)getpid());
	atexit(forget);
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

const char *input_file(const void *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = make();
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size) {
		perror(path);
		abort();
	}
	return path;
}
