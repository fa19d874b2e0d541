// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gdb at the other end of standard input and output: `target remote | vitrine -gdb stdio …`. There is one session,
 * which begins with gdb's first byte and after which nobody can come again. From the start on nothing else gets at
 * the two: what is printed goes to standard error.
 */
#include "gdbstub/server_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Others may have the same description, who do not want it to be non-blocking: a pipe or a terminal is opened
 * once more. A socket has its own way to write without waiting, and a file never waits. */
static int copy_output(void)
{
	int fd = is_socket(STDOUT_FILENO)
			 ? -1
			 : open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Puts others in their places. */
static int withdraw_standard_streams(void)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		rc = -errno;
	if (nothing >= 0)
		close(nothing);
	return rc;
}

static void on_first_byte(void *ctx, int fd, short revents)
{
	struct gdb_server *server = ctx;

	(void)revents;
	if (client_begin(server, fd) < 0) {
		client_close(server);
		return;
	}
	client_receive(server);
	client_settle(server);
}

int stdio_new(struct gdb_server *server, struct error *err)
{
	int rc;

	server->client = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	server->client_out = server->client < 0 ? -1 : copy_output();
	server->plain_write = !is_socket(STDOUT_FILENO);
	if (server->client < 0 || server->client_out < 0)
		return error_set(err, -errno, "-gdb stdio needs standard input and output: %s",
				 strerror(errno));
	rc = withdraw_standard_streams();
	if (rc == 0)
		rc = event_loop_watch(server->loop, server->client, POLLIN, on_first_byte, server);
	return rc < 0 ? error_set(err, rc, "the gdb server cannot start: %s", strerror(-rc)) : 0;
}
