// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A console on a unix socket: lines come in, answers and news go out. What a client does not take at once is kept, and
 * what is said while nobody is there waits for the next one; of too much the oldest goes. Lines that came are run, even
 * when their client has gone; points, settings and the machine know nothing of clients. A byte of 3 is Ctrl-C.
 */
#include "log.h"
#include "monitor/console_private.h"
#include "net_listen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MAX   (1u << 20)
#define QUEUED_MAX 65536
#define CTRL_C	   3

struct console_socket {
	struct net_address address;
	int listener, peer; /* peer -1: nobody is there */
	bool said_all;	    /* it sends no more */
	bool prompted;	    /* a prompt is the last thing that it got */
	bool ready;	    /* all lines are run */
	struct string kept; /* what it has not taken yet */
	bool lost;	    /* and something before that is gone */
};

static void peer_event(void *ctx, int fd, short revents);

/* Whoever sends faster than lines are run waits. */
static void rearm(struct console *console)
{
	struct console_socket *socket = console->socket;
	bool full = console->input.size >= QUEUED_MAX && console_has_lines(console);
	bool reads = !socket->said_all && !full;
	short events = (short)((reads ? POLLIN : 0) | (socket->kept.size ? POLLOUT : 0));

	if (socket->peer >= 0)
		event_loop_watch(console->loop, socket->peer, events, peer_event, console);
}

static void drop_peer(struct console *console)
{
	struct console_socket *socket = console->socket;

	event_loop_forget(console->loop, socket->peer);
	close(socket->peer);
	socket->peer = -1;
	socket->said_all = socket->prompted = false;
	if (socket->kept.size && socket->kept.text[socket->kept.size - 1] != '\n')
		string_add(&socket->kept, "\n", 1); /* what the next one is told begins a line */
}

/* ---- output --------------------------------------------------------------------------------- */

static void forget_front(struct string *kept, size_t size)
{
	kept->size -= size;
	memmove(kept->text, kept->text + size, kept->size + 1);
}

static void flush(struct console *console)
{
	struct console_socket *socket = console->socket;

	while (socket->peer >= 0 && socket->kept.size) {
		ssize_t done = send(socket->peer, socket->kept.text, socket->kept.size,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno != EAGAIN)
			drop_peer(console);
		if (done <= 0)
			break;
		forget_front(&socket->kept, (size_t)done);
	}
	rearm(console);
}

/* Whole lines go, half of what there is: not a few with each new one. */
static void keep_less(struct console_socket *socket)
{
	size_t half = socket->kept.size / 2;
	const char *newline = memchr(socket->kept.text + half, '\n', socket->kept.size - half);

	forget_front(&socket->kept, newline ? (size_t)(newline + 1 - socket->kept.text) : half);
	socket->lost = true;
}

void console_socket_write(struct console *console, const char *text, size_t size)
{
	struct console_socket *socket = console->socket;

	string_add(&socket->kept, text, size);
	if (socket->kept.size > KEPT_MAX)
		keep_less(socket);
	if (socket->peer >= 0)
		flush(console);
}

void console_socket_leave_prompt(struct console *console)
{
	if (console->socket->prompted)
		console_socket_write(console, "\n", 1);
	console->socket->prompted = false;
}

static void prompt(struct console *console)
{
	const char *text = monitor_prompt(console->monitor, OWNER_CONSOLE);

	if (console->socket->prompted || console->out.json)
		return;
	if (console->partial.size)
		console_socket_write(console, "\n", 1);
	string_free(&console->partial);
	console->socket->prompted = true;
	console_socket_write(console, text, strlen(text));
}

/* Output that it has not taken is waited for, by POLLOUT. */
static void end_if_done(struct console *console)
{
	struct console_socket *socket = console->socket;

	if (socket->peer >= 0 && socket->said_all && socket->ready && !socket->kept.size)
		drop_peer(console);
}

void console_socket_ready(struct console *console)
{
	struct console_socket *socket = console->socket;

	socket->ready = true;
	if (socket->peer >= 0 && !socket->said_all)
		prompt(console);
	if (socket->peer >= 0)
		rearm(console);
	end_if_done(console);
}

/* ---- input ---------------------------------------------------------------------------------- */

static void interrupt(struct console *console)
{
	monitor_cancel(console->monitor, OWNER_CONSOLE);
	if (monitor_guest_running(console->monitor))
		monitor_interrupt(console->monitor);
}

bool console_socket_wants_stop(const struct console *console)
{
	char bytes[4096];
	ssize_t size = recv(console->socket->peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK);

	return size > 0 && memchr(bytes, CTRL_C, (size_t)size);
}

/* Typed while lines that came before wait for a stop. */
static bool asks_to_stop(const char *bytes, size_t size)
{
	char line[64];

	if (!size || size >= sizeof(line) || memchr(bytes, '\n', size) != bytes + size - 1)
		return false;
	snprintf(line, sizeof(line), "%.*s", (int)size - 1, bytes);
	return monitor_is_stop(line);
}

static void take_bytes(struct console *console, char *bytes, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == CTRL_C)
			interrupt(console);
		else
			bytes[used++] = bytes[i];
	}
	if (console->waiting && asks_to_stop(bytes, used))
		monitor_interrupt(console->monitor);
	else
		console_take_input(console, bytes, used);
}

static void read_peer(struct console *console)
{
	struct console_socket *socket = console->socket;
	char bytes[4096];
	ssize_t size = recv(socket->peer, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0 && memchr(bytes, '\n', (size_t)size))
		socket->prompted = false; /* the line's end is on the client's screen */
	socket->ready = false;
	if (size > 0) {
		take_bytes(console, bytes, (size_t)size);
	} else {
		socket->said_all = true;
		if (console->input.size)
			console_take_input(console, "\n", 1);
	}
	rearm(console);
	console_prompt(console);
}

/* A client that has only ended its own sending still wants to read. One that is gone may have left lines. */
static void peer_event(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)fd;
	if (revents & POLLOUT)
		flush(console);
	if (console->socket->peer >= 0 && !console->socket->said_all && revents & ~POLLOUT)
		read_peer(console);
	else if (console->socket->peer >= 0 && revents & (POLLHUP | POLLERR))
		drop_peer(console);
	end_if_done(console);
}

/* ---- clients -------------------------------------------------------------------------------- */

static void greet(struct console *console)
{
	struct console_socket *socket = console->socket;

	if (socket->lost) {
		out_printf(console_news(console), "there was more, which is lost\n");
		console_told(console, "lost");
	}
	socket->lost = false;
	flush(console);
	monitor_show_state(console->monitor, OWNER_NONE, console_news(console));
	console_told(console, "state");
}

/* The loop would have seen it a moment later: the client is gone, or has said all. One that only waits for answers
 * makes room, too. */
static void make_room(struct console *console)
{
	struct console_socket *socket = console->socket;
	struct pollfd fd = {.fd = socket->peer, .events = POLLRDHUP};

	if (socket->peer < 0 || poll(&fd, 1, 0) <= 0)
		return;
	while (socket->peer >= 0 && !socket->said_all)
		read_peer(console);
	if (socket->peer >= 0)
		drop_peer(console);
}

static void on_connection(void *ctx, int listener, short revents)
{
	struct console *console = ctx;
	const char *busy = console->out.json ? "{\"event\":\"busy\"}\n"
					     : "somebody else has this console\n";
	int fd = net_accept(listener);

	(void)revents;
	if (fd < 0)
		return;
	make_room(console);
	if (console->socket->peer >= 0) {
		if (send(fd, busy, strlen(busy), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("monitor", "a second client went before it was told");
		close(fd);
		return;
	}
	console->socket->peer = fd;
	greet(console);
}

int console_socket_new(struct console *console, const struct net_address *address,
		       struct error *err)
{
	struct console_socket *socket = calloc(1, sizeof(*socket));
	int ret;

	if (!socket)
		return error_set(err, -ENOMEM, "no memory for the console");
	*socket = (struct console_socket){.address = *address, .peer = -1};
	ret = net_listen(&socket->address, err);
	if (ret < 0) {
		free(socket);
		return ret;
	}
	socket->listener = ret;
	console->socket = socket;
	ret = event_loop_watch(console->loop, socket->listener, POLLIN, on_connection, console);
	if (ret < 0)
		console_socket_free(console);
	return ret < 0 ? error_set(err, ret, "the console cannot listen: %s", strerror(-ret)) : 0;
}

/* The last words may be the answer to `quit`. */
void console_socket_free(struct console *console)
{
	struct console_socket *socket = console->socket;

	if (!socket)
		return;
	flush(console);
	if (socket->peer >= 0)
		drop_peer(console);
	event_loop_forget(console->loop, socket->listener);
	close(socket->listener);
	unlink(socket->address.path);
	string_free(&socket->kept);
	free(socket);
	console->socket = NULL;
}
