// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/server.h"
#include "log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* While this much waits to be sent, nothing more is read: a client that asks and does not listen
 * holds up itself alone. */
#define OUTPUT_PAUSE 0x100000
/* One command's answer may be longer; at this length the client is given up. */
#define OUTPUT_MAX 0x4000000

/* Reads, of 64 KiB at most, of what a client sent before it hung up: more than a socket holds. */
#define LAST_WORDS_MAX 64

struct gdb_server {
	struct debug *debug;
	struct event_loop *loop;
	struct gdb_server_config config;
	int listener;

	/* The one client. */
	int client; /* -1: none */
	struct gdb_session *session;
	bool closing;  /* the session is over: close when all is sent */
	bool detached; /* it ended with a goodbye */
	bool broken;   /* the socket failed, or the client does not read */
	char *out;
	size_t out_size, out_capacity;
};

static void on_client(void *ctx, int fd, short revents);

/* ---- output --------------------------------------------------------------------- */

/* Sends what the socket takes; what is left moves to the front. */
static void flush(struct gdb_server *server)
{
	size_t sent = 0;

	while (sent < server->out_size && !server->broken) {
		ssize_t n = send(server->client, server->out + sent, server->out_size - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		else if (n == 0 || errno != EINTR)
			server->broken = true;
	}
	if (sent) {
		server->out_size -= sent;
		memmove(server->out, server->out + sent, server->out_size);
	}
}

static bool out_reserve(struct gdb_server *server, size_t more)
{
	size_t capacity = server->out_capacity ? server->out_capacity : 4096;
	char *out;

	if (more > OUTPUT_MAX - server->out_size)
		return false;
	while (capacity < server->out_size + more)
		capacity *= 2;
	if (capacity == server->out_capacity)
		return true;
	out = realloc(server->out, capacity);
	if (!out)
		return false;
	server->out = out;
	server->out_capacity = capacity;
	return true;
}

/* Collects: the acknowledgment and the reply behind it leave in one piece. */
static void on_output(void *ctx, const void *bytes, size_t size)
{
	struct gdb_server *server = ctx;

	if (server->broken)
		return;
	if (server->out_size > OUTPUT_PAUSE)
		flush(server);
	if (!out_reserve(server, size)) {
		log_warn("gdb", "gdb does not read its answers; the connection is closed");
		server->broken = true;
		return;
	}
	memcpy(server->out + server->out_size, bytes, size);
	server->out_size += size;
}

/* ---- the end of a connection ---------------------------------------------------- */

static void continue_guest(struct gdb_server *server)
{
	struct error err = {0};

	if (!debug_running(server->debug) && debug_continue(server->debug, OWNER_GDB, &err) < 0)
		log_warn("gdb", "the guest stays paused: %s", err.text);
}

/* What to type behind `target remote`: gdb takes a unix socket's path without our prefix. */
static void target_text(const struct gdb_server *server, char *buf, unsigned size)
{
	if (server->config.address.kind == NET_UNIX)
		snprintf(buf, size, "%s", server->config.address.path);
	else
		net_address_text(&server->config.address, buf, size);
}

static void on_lost(struct gdb_server *server)
{
	char target[160];

	target_text(server, target, sizeof(target));
	if (server->config.on_disconnect == DISCONNECT_CONTINUE)
		continue_guest(server);
	log_warn("gdb",
		 "the connection was lost; gdb's breakpoints are gone, the guest %s; "
		 "`target remote %s` connects again",
		 debug_running(server->debug) ? "runs" : "stays paused", target);
	if (server->config.on_disconnect == DISCONNECT_KILL)
		debug_kill(server->debug, OWNER_GDB, 0);
}

static void tell_attached(struct gdb_server *server, bool attached)
{
	if (server->config.attached)
		server->config.attached(server->config.attached_ctx, attached);
}

static void close_client(struct gdb_server *server)
{
	bool goodbye = server->closing;

	event_loop_forget(server->loop, server->client);
	close(server->client);
	server->client = -1;
	gdb_session_free(server->session);
	server->session = NULL;
	free(server->out);
	server->out = NULL;
	server->out_size = server->out_capacity = 0;
	tell_attached(server, false);
	if (!goodbye)
		on_lost(server);
	else if (server->detached)
		log_info("gdb", "gdb detached");
}

/* After anything that may have produced output or ended the session. */
static void settle(struct gdb_server *server)
{
	short events = 0;

	if (server->client < 0)
		return;
	flush(server);
	if (server->broken || (server->closing && !server->out_size)) {
		close_client(server);
		return;
	}
	if (server->out_size)
		events |= POLLOUT;
	if (server->out_size < OUTPUT_PAUSE && !server->closing)
		events |= POLLIN;
	if (event_loop_watch(server->loop, server->client, events, on_client, server) < 0)
		close_client(server);
}

/* ---- a connection --------------------------------------------------------------- */

static void on_closed(void *ctx, bool detached)
{
	struct gdb_server *server = ctx;

	server->closing = true;
	server->detached = detached;
}

static void receive(struct gdb_server *server)
{
	char bytes[0x10000];
	ssize_t n = recv(server->client, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		gdb_session_feed(server->session, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		server->broken = true;
}

/* Hang-ups are noticed by reading or writing: what arrived before them is obeyed first. */
static void on_client(void *ctx, int fd, short revents)
{
	struct gdb_server *server = ctx;

	(void)fd;
	if ((revents & POLLIN) && !server->closing)
		receive(server);
	else if (revents & (POLLHUP | POLLERR | POLLNVAL))
		server->broken = true;
	settle(server);
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct gdb_server *server = ctx;

	if (!server->session)
		return;
	gdb_session_on_event(server->session, event, actor);
	settle(server);
}

static int start_session(struct gdb_server *server)
{
	struct gdb_config config = {
		.ctx = server,
		.output = on_output,
		.closed = on_closed,
		.arch = server->config.arch,
		.monitor_ctx = server->config.monitor_ctx,
		.monitor = server->config.monitor,
	};
	int ret = debug_pause_wait(server->debug, OWNER_GDB, GDB_ATTACH_TIMEOUT_MS);

	if (ret)
		return ret;
	server->session = gdb_session_new(server->debug, &config);
	return server->session ? 0 : -ENOMEM;
}

static void take_client(struct gdb_server *server, int fd)
{
	int one = 1;
	int ret = start_session(server);

	if (ret) {
		log_warn("gdb", "gdb was turned away: the guest could not be paused (%s)",
			 strerror(-ret));
		close(fd);
		return;
	}
	/* Neither matters on a unix socket, which refuses them. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	server->client = fd;
	server->closing = server->detached = server->broken = false;
	log_info("gdb", "gdb connected");
	tell_attached(server, true);
	settle(server);
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
		receive(server);
		settle(server);
	}
	if (server->client >= 0)
		close_client(server);
}

static void on_connection(void *ctx, int listener, short revents)
{
	struct gdb_server *server = ctx;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

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

static int start_listening(struct gdb_server *server, struct error *err)
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
	if (ret >= 0)
		ret = debug_listen(server->debug, on_event, server);
	return ret < 0 ? error_set(err, ret, "the gdb server cannot start: %s", strerror(-ret)) : 0;
}

int gdb_server_new(struct debug *debug, struct event_loop *loop,
		   const struct gdb_server_config *config, struct gdb_server **result,
		   struct error *err)
{
	struct gdb_server *server = malloc(sizeof(*server));
	int ret;

	if (!server)
		return error_set(err, -ENOMEM, "out of memory for the gdb server");
	*server = (struct gdb_server){
		.debug = debug, .loop = loop, .config = *config, .listener = -1, .client = -1};
	ret = start_listening(server, err);
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
	if (server->client >= 0) {
		server->closing = true; /* vitrine ends: nothing was lost */
		flush(server);
		close_client(server);
	}
	if (server->listener >= 0) {
		event_loop_forget(server->loop, server->listener);
		close(server->listener);
		if (server->config.address.kind == NET_UNIX)
			unlink(server->config.address.path);
	}
	free(server);
}

bool gdb_server_attached(const struct gdb_server *server)
{
	return server && server->client >= 0;
}
