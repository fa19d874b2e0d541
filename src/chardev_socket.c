// SPDX-License-Identifier: GPL-3.0-or-later
/* unix: and tcp: listen, and take one peer at a time. Others wait in the queue until it has gone. */
#include "chardev_private.h"
#include "log.h"
#include "net_listen.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_connect(void *ctx, int fd, short revents)
{
	struct chardev *cd = ctx;
	int peer = net_accept(fd);

	(void)revents;
	if (peer < 0)
		return;
	event_loop_forget(cd->loop, fd);
	chardev_set_peer(cd, peer, OUT_SOCKET);
}

static int listen_again(struct chardev *cd)
{
	return event_loop_watch(cd->loop, cd->listen, POLLIN, on_connect, cd);
}

/* Over a unix socket a peer that has only shut down its sending side still wants to read. Over TCP it
 * cannot be told from one that has gone. */
static bool still_reads(const struct chardev *cd)
{
	struct pollfd p = {.fd = cd->in_fd};

	return cd->address.kind == NET_UNIX && poll(&p, 1, 0) == 0;
}

static void socket_lost(struct chardev *cd, bool input)
{
	int fd = cd->out_fd;

	if (input && !cd->eof && still_reads(cd)) {
		cd->eof = true;
		return;
	}
	chardev_set_peer(cd, -1, OUT_SOCKET);
	close(fd);
	if (listen_again(cd) < 0)
		log_error("serial", "out of memory: %s takes no more connections", cd->where);
}

static void socket_destroy(struct chardev *cd)
{
	if (cd->address.kind == NET_UNIX)
		unlink(cd->address.path);
}

int chardev_open_socket(struct chardev *cd, const char *spec, struct error *err)
{
	int fd, rc = net_address_parse(spec, &cd->address, err);

	if (rc < 0)
		return rc;
	fd = net_listen(&cd->address, err);
	if (fd < 0)
		return error_prefix(err, "-serial %s", spec);
	cd->listen = fd;
	cd->lost = socket_lost;
	cd->destroy = socket_destroy;
	net_address_text(&cd->address, cd->where, sizeof(cd->where));
	rc = listen_again(cd);
	return rc < 0 ? error_set(err, rc, "cannot watch socket %s: %s", cd->where, strerror(-rc))
		      : 0;
}
