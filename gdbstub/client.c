// SPDX-License-Identifier: GPL-3.0-or-later
/* The one client: its bytes in and out, and how its session begins and ends. */
#include "gdbstub/server_private.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* While this much waits to be sent, nothing more is read: a client that asks and does not listen
 * holds up itself alone. */
#define OUTPUT_PAUSE 0x100000
/* While this much does, points that print for gdb wait. Less, since gdb must read it before it hears that the guest
 * was paused. */
#define OUTPUT_FULL 0x10000
/* A client that does not read has no part in when vitrine ends. */
#define LAST_WORDS_MS 5000
/* One command's answer may be longer; at this length the client is given up. */
#define OUTPUT_MAX 0x4000000

/* ---- output --------------------------------------------------------------------- */

static ssize_t send_some(const struct gdb_server *server, const void *bytes, size_t size)
{
	return server->plain_write
		       ? write(server->client_out, bytes, size)
		       : send(server->client_out, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Sends what the other side takes; what is left moves to the front. */
void client_flush(struct gdb_server *server)
{
	size_t sent = 0;

	while (sent < server->out_size && !server->broken) {
		ssize_t n = send_some(server, server->out + sent, server->out_size - sent);

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

int64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_drain(struct gdb_server *server)
{
	struct pollfd fd = {.fd = server->client_out, .events = POLLOUT};
	int64_t end = client_now_ms() + LAST_WORDS_MS, left = LAST_WORDS_MS;

	client_flush(server);
	while (server->out_size && !server->broken && left > 0 && poll(&fd, 1, (int)left) > 0) {
		client_flush(server);
		left = end - client_now_ms();
	}
}

static void note_fullness(struct gdb_server *server)
{
	bool full = server->out_size > OUTPUT_FULL;

	if (full != server->full)
		debug_output_full(server->debug, OWNER_GDB, full);
	server->full = full;
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

/* Collects: the acknowledgment and the reply behind it leave in one piece. Not on a line, where gdb says again what is
 * not acknowledged soon. */
static void on_output(void *ctx, const void *bytes, size_t size)
{
	struct gdb_server *server = ctx;

	if (server->broken)
		return;
	if (server->line)
		line_answers(server);
	if (server->out_size > OUTPUT_PAUSE)
		client_flush(server);
	if (!out_reserve(server, size)) {
		log_warn("gdb", "gdb does not read its answers; the connection is closed");
		server->broken = true;
		return;
	}
	memcpy(server->out + server->out_size, bytes, size);
	server->out_size += size;
	if (server->line)
		client_flush(server);
}

/* ---- the end of a session ------------------------------------------------------- */

static void continue_guest(struct gdb_server *server)
{
	struct error err = {0};

	if (!debug_running(server->debug) && debug_continue(server->debug, OWNER_GDB, &err) < 0)
		log_warn("gdb", "the guest stays paused: %s", err.text);
}

static bool is_stdio(const struct gdb_server *server)
{
	return server->config.address.kind == NET_STDIO;
}

/* What to type: gdb takes a unix socket's path without our prefix. A device's other end has a name that only
 * its user knows. */
static void target_text(const struct gdb_server *server, char *buf, unsigned size)
{
	const struct net_address *address = &server->config.address;
	char place[160];

	net_address_text(address, place, sizeof(place));
	if (address->kind == NET_DEVICE)
		snprintf(buf, size, "gdb may come again over %s", place);
	else if (is_stdio(server))
		snprintf(buf, size, "nobody can come again%s",
			 server->config.on_disconnect == DISCONNECT_KEEP ? ", so the machine ends"
									 : "");
	else
		snprintf(buf, size, "`target remote %s` connects again",
			 address->kind == NET_UNIX ? address->path : place);
}

static void on_lost(struct gdb_server *server)
{
	char target[220];

	target_text(server, target, sizeof(target));
	if (server->config.on_disconnect == DISCONNECT_CONTINUE)
		continue_guest(server);
	log_warn("gdb", "the connection was lost; gdb's breakpoints are gone, the guest %s; %s",
		 debug_running(server->debug) ? "runs" : "stays paused", target);
	if (server->config.on_disconnect == DISCONNECT_KILL)
		debug_kill(server->debug, OWNER_GDB, 0);
}

static void tell_attached(struct gdb_server *server, bool attached)
{
	if (server->config.attached)
		server->config.attached(server->config.attached_ctx, attached);
}

void client_end(struct gdb_server *server)
{
	bool goodbye = server->closing;

	gdb_session_free(server->session);
	server->session = NULL;
	server->closing = false;
	free(server->out);
	server->out = NULL;
	server->out_size = server->out_capacity = 0;
	note_fullness(server);
	tell_attached(server, false);
	if (!goodbye)
		on_lost(server);
	else if (server->detached)
		log_info("gdb", "gdb detached");
	/* Whoever has started vitrine for this one gdb waits for it. */
	if (is_stdio(server) && !server->leaving &&
	    server->config.on_disconnect != DISCONNECT_CONTINUE)
		debug_kill(server->debug, OWNER_GDB, GDB_KILL_STATUS);
}

void client_close(struct gdb_server *server)
{
	if (server->line) {
		line_hung_up(server);
		return;
	}
	event_loop_forget(server->loop, server->client);
	close(server->client);
	if (is_stdio(server)) {
		event_loop_forget(server->loop, server->client_out);
		close(server->client_out);
	}
	server->client = server->client_out = -1;
	client_end(server);
}

/* ---- input, and what to wait for ------------------------------------------------ */

void client_receive(struct gdb_server *server)
{
	char bytes[0x10000];
	ssize_t n = read(server->client, bytes, sizeof(bytes));

	if (n > 0 && server->line)
		line_feed(server, bytes, (size_t)n);
	else if (n > 0)
		gdb_session_feed(server->session, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		server->broken = true;
}

/* The next gdb on a line does not wait until the last one has read everything. */
static bool listens(const struct gdb_server *server)
{
	return server->line || !server->closing;
}

/* Hang-ups are noticed by reading or writing: what arrived before them is obeyed first. */
static void on_client(void *ctx, int fd, short revents)
{
	struct gdb_server *server = ctx;

	(void)fd;
	if ((revents & POLLIN) && listens(server))
		client_receive(server);
	else if (revents & (POLLHUP | POLLERR | POLLNVAL))
		server->broken = true;
	client_settle(server);
}

/* What comes in and what goes out may be two descriptors. */
static int watch(struct gdb_server *server, short events)
{
	int rc;

	if (server->client_out == server->client || server->client_out < 0)
		return event_loop_watch(server->loop, server->client, events, on_client, server);
	rc = event_loop_watch(server->loop, server->client, events & POLLIN, on_client, server);
	if (rc == 0 && events & POLLOUT)
		rc = event_loop_watch(server->loop, server->client_out, POLLOUT, on_client, server);
	else
		event_loop_forget(server->loop, server->client_out);
	return rc;
}

void client_settle(struct gdb_server *server)
{
	short events = 0;

	if (server->client < 0)
		return;
	client_flush(server);
	note_fullness(server);
	if (server->closing && !server->out_size && server->line && !server->broken)
		client_end(server);
	if (server->broken || (server->closing && !server->out_size)) {
		client_close(server);
		return;
	}
	if (server->out_size)
		events |= POLLOUT;
	if (server->out_size < OUTPUT_PAUSE && listens(server))
		events |= POLLIN;
	if (watch(server, events) < 0)
		client_close(server);
}

/* ---- the beginning of a session ------------------------------------------------- */

static void on_closed(void *ctx, bool detached)
{
	struct gdb_server *server = ctx;

	server->closing = true;
	server->detached = detached;
}

static int start_session(struct gdb_server *server)
{
	struct gdb_config config = {
		.ctx = server,
		.output = on_output,
		.closed = on_closed,
		.noisy = server->line,
		.arch = server->config.arch,
		.files = server->config.files,
		.file_count = server->config.file_count,
		.monitor_ctx = server->config.monitor_ctx,
		.monitor = server->config.monitor,
	};
	int ret = debug_pause_wait(server->debug, OWNER_GDB, GDB_ATTACH_TIMEOUT_MS);

	if (ret)
		return ret;
	server->session = gdb_session_new(server->debug, &config);
	return server->session ? 0 : -ENOMEM;
}

int client_begin(struct gdb_server *server, int fd)
{
	int ret = start_session(server);

	if (ret) {
		log_warn("gdb", "gdb was turned away: the guest could not be paused (%s)",
			 strerror(-ret));
		return ret;
	}
	server->client = fd;
	if (!is_stdio(server))
		server->client_out = fd;
	server->closing = server->detached = server->broken = false;
	log_info("gdb", "gdb connected");
	tell_attached(server, true);
	return 0;
}
