// SPDX-License-Identifier: GPL-3.0-or-later
/* Listening, and one connection at a time. */
#include "gdbstub/server_private.h"
#include "log.h"
#include "net_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads, of 64 KiB at most, of what a client sent before it hung up: more than a socket holds. */
#define LAST_WORDS_MAX 64

/* ---- a connection --------------------------------------------------------------- */

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct gdb_server *server = ctx;

	if (!server->session)
		return;
	gdb_session_on_event(server->session, event, actor);
	client_settle(server);
}

static void take_client(struct gdb_server *server, int fd)
{
	int one = 1;

	if (client_begin(server, fd) < 0) {
		close(fd);
		return;
	}
	/* Neither matters on a unix socket, which refuses them. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	client_settle(server);
}

static bool client_has_hung_up(const struct gdb_server *server)
{
	struct pollfd fd = {.fd = server->client, .events = POLLRDHUP};

	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Obeys what the old client said last, as the loop would have done a moment later. */
static void finish_client(struct gdb_server *server)
{
	for (int i = 0; i < LAST_WORDS_MAX && server->client >= 0 && !server->closing; i++) {
		client_receive(server);
		client_settle(server);
	}
	if (server->client >= 0)
		client_close(server);
}

static void on_connection(void *ctx, int listener, short revents)
{
	struct gdb_server *server = ctx;
	int fd = net_accept(listener);

	(void)revents;
	if (fd < 0)
		return;
	if (server->client >= 0 && client_has_hung_up(server))
		finish_client(server);
	if (server->client < 0) {
		take_client(server, fd);
		return;
	}
	log_warn("gdb", "a second gdb was refused: one is connected already");
	close(fd);
}

/* ---- the server ----------------------------------------------------------------------------- */

static int listen_for_gdb(struct gdb_server *server, struct error *err)
{
	int ret = net_listen(&server->config.address, err);

	if (ret < 0)
		return ret;
	server->listener = ret;
	if (net_is_wide(&server->config.address))
		log_warn("gdb",
			 "anybody who reaches %s port %u controls the guest: -gdb :%u keeps "
			 "it to this machine",
			 server->config.address.host, server->config.address.port,
			 server->config.address.port);
	ret = event_loop_watch(server->loop, server->listener, POLLIN, on_connection, server);
	return ret < 0 ? error_set(err, ret, "the gdb server cannot start: %s", strerror(-ret)) : 0;
}

static int start(struct gdb_server *server, struct error *err)
{
	int ret = debug_listen(server->debug, on_event, server);

	if (ret < 0)
		return error_set(err, ret, "the gdb server cannot start: %s", strerror(-ret));
	switch (server->config.address.kind) {
	case NET_DEVICE: return line_new(server, err);
	case NET_STDIO: return stdio_new(server, err);
	default: return listen_for_gdb(server, err);
	}
}

int gdb_server_new(struct debug *debug, struct event_loop *loop,
		   const struct gdb_server_config *config, struct gdb_server **result,
		   struct error *err)
{
	struct gdb_server *server = malloc(sizeof(*server));
	int ret;

	if (!server)
		return error_set(err, -ENOMEM, "out of memory for the gdb server");
	*server = (struct gdb_server){.debug = debug,
				      .loop = loop,
				      .config = *config,
				      .listener = -1,
				      .client = -1,
				      .client_out = -1};
	ret = start(server, err);
	if (ret < 0) {
		gdb_server_free(server);
		return ret;
	}
	*result = server;
	return 0;
}

void gdb_server_free(struct gdb_server *server)
{
	if (!server)
		return;
	debug_unlisten(server->debug, on_event, server);
	server->closing = server->leaving = true;
	if (server->session)
		client_drain(server);
	if (server->line)
		line_free(server);
	else if (server->client >= 0)
		client_close(server);
	if (server->listener >= 0) {
		event_loop_forget(server->loop, server->listener);
		close(server->listener);
		if (server->config.address.kind == NET_UNIX)
			unlink(server->config.address.path);
	}
	free(server);
}

const struct net_address *gdb_server_address(const struct gdb_server *server)
{
	return &server->config.address;
}

bool gdb_server_reachable(const struct gdb_server *server)
{
	return server && (server->config.address.kind != NET_STDIO || server->client >= 0);
}

bool gdb_server_attached(const struct gdb_server *server)
{
	return server && server->session;
}
