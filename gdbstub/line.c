// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gdb over a character device. Nobody connects and nobody hangs up there: a session begins with the first
 * whole packet, and ends with a goodbye, or when another gdb introduces itself.
 *
 *          a packet                      D, k: all is said
 *   IDLE ────────────> in a session ────────────────────────> IDLE
 *    ^                  │        ^ │
 *    │                  │        └─┘ qSupported, again: another gdb, the last one went without a word
 *    │   the device     v
 *    └── is back ──── GONE  (a USB adapter pulled out, a pseudo-terminal whose owner ended)
 *
 * gdb has no patience: what is not answered within two seconds (`set remotetimeout`) it asks again, and would take the
 * answer to that for one to its next question. So what comes while a packet is obeyed is dropped.
 *
 * Between sessions acknowledgments, Ctrl-C and noise mean nothing. Bytes may be lost or changed on the way, so
 * gdb keeps acknowledging packets: see gdb_config.noisy.
 */
#include "gdbstub/packet.h"
#include "gdbstub/server_private.h"
#include "log.h"
#include "serial_line.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOOK_SECONDS 1
#define PATIENCE_MS  1000 /* gdb's is longer */
#define FIRST_MAX    4096 /* who begins with a longer packet is no gdb */

struct gdb_line {
	struct serial_line device;
	int timer; /* looks whether the device is back */
	bool greeted;
	struct packet_reader reader; /* of the bytes that the session gets too */
	size_t raw_size;	     /* FIRST_MAX + 1: more than that */
	uint8_t raw[FIRST_MAX];	     /* the packet being read, as it came */
	int64_t since;	     /* when what is being obeyed came, in client_now_ms(); 0: nothing is */
	unsigned interrupts; /* that came meanwhile */
};

/* ---- the device comes and goes -------------------------------------------------- */

static void look_often(struct gdb_line *line, bool on)
{
	struct itimerspec every = {.it_interval.tv_sec = LOOK_SECONDS,
				   .it_value.tv_sec = LOOK_SECONDS};

	timerfd_settime(line->timer, 0, on ? &every : &(struct itimerspec){0}, NULL);
}

/* The fd is watched from here to line_hung_up(), whether or not a session is going on. */
static void device_is_back(struct gdb_server *server)
{
	struct gdb_line *line = server->line;

	packet_reader_init(&line->reader);
	look_often(line, false);
	server->client = line->device.fd;
	server->broken = false;
	client_settle(server);
}

static int try_device(struct gdb_server *server, struct error *err)
{
	struct serial_line *device = &server->line->device;
	int rc = serial_line_open(server->config.address.path, device, err);

	if (rc < 0)
		return rc;
	if (serial_line_is_dead(device))
		serial_line_close(device);
	else
		device_is_back(server);
	return 0;
}

static void on_look(void *ctx, int fd, short revents)
{
	struct gdb_server *server = ctx;
	struct error err;
	uint64_t count;

	(void)revents;
	if (read(fd, &count, sizeof(count)) < 0 || server->client >= 0)
		return;
	if (try_device(server, &err) == 0 && server->client >= 0)
		log_info("gdb", "%s is back", server->config.address.path);
}

void line_hung_up(struct gdb_server *server)
{
	event_loop_forget(server->loop, server->client);
	serial_line_close(&server->line->device);
	server->client = -1;
	look_often(server->line, true);
	log_info("gdb", "%s has hung up", server->config.address.path);
	if (server->session)
		client_end(server);
}

/* ---- sessions ------------------------------------------------------------------- */

/* gdb's first question, which it asks once. */
static bool is_greeting(const struct packet_reader *reader)
{
	static const char greeting[] = "qSupported";
	const char *rest = reader->body + sizeof(greeting) - 1;

	return strncmp(reader->body, greeting, sizeof(greeting) - 1) == 0 &&
	       (!*rest || *rest == ':');
}

/* The one before has gone without a word, and left the machine as it is. What waits to be sent is his. */
static void end_forgotten(struct gdb_server *server)
{
	log_info("gdb", "another gdb took over; the breakpoints of the last one are gone");
	server->closing = true;
	server->detached = false;
	client_end(server);
	tcflush(server->client, TCOFLUSH);
}

/* Only Ctrl-C is news. */
static void drop_repetitions(struct gdb_server *server)
{
	struct gdb_line *line = server->line;
	uint8_t bytes[256];
	ssize_t n;

	while ((n = read(server->client, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			line->interrupts += packet_read(&line->reader, bytes[i]) ==
					    PACKET_INTERRUPT;
}

void line_answers(struct gdb_server *server)
{
	struct gdb_line *line = server->line;

	if (line->since && client_now_ms() - line->since >= PATIENCE_MS)
		drop_repetitions(server);
}

static bool is_listened_to(const struct gdb_server *server)
{
	return server->session && !server->closing;
}

static void feed(struct gdb_server *server, const void *bytes, size_t size)
{
	struct gdb_line *line = server->line;

	gdb_session_feed(server->session, bytes, size);
	line->since = 0;
	for (; line->interrupts; line->interrupts--)
		if (is_listened_to(server))
			gdb_session_feed(server->session, "\x03", 1);
}

static void begin(struct gdb_server *server)
{
	struct gdb_line *line = server->line;

	if (server->session)
		end_forgotten(server);
	line->greeted = false;
	if (line->raw_size > FIRST_MAX || client_begin(server, server->client) < 0)
		return;
	line->greeted = is_greeting(&line->reader);
	feed(server, line->raw, line->raw_size);
}

/* A session that is over has its last words to say yet, perhaps to nobody. */
static bool begins(const struct gdb_server *server)
{
	const struct gdb_line *line = server->line;

	return !server->session || server->closing || (line->greeted && is_greeting(&line->reader));
}

static void note_raw(struct gdb_line *line, uint8_t byte)
{
	if (byte == '$')
		line->raw_size = 0;
	if (line->raw_size < FIRST_MAX)
		line->raw[line->raw_size] = byte;
	if (line->raw_size <= FIRST_MAX)
		line->raw_size++;
}

static void take_byte(struct gdb_server *server, uint8_t byte)
{
	struct gdb_line *line = server->line;
	bool whole;

	note_raw(line, byte);
	whole = packet_read(&line->reader, byte) == PACKET_WHOLE;
	line->since = whole ? client_now_ms() : 0;
	if (whole && begins(server)) {
		begin(server);
		return;
	}
	line->greeted |= whole && is_greeting(&line->reader);
	if (is_listened_to(server))
		feed(server, &byte, 1);
}

void line_feed(struct gdb_server *server, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		take_byte(server, byte[i]);
}

/* ---- beginning and end ---------------------------------------------------------- */

int line_new(struct gdb_server *server, struct error *err)
{
	struct gdb_line *line = calloc(1, sizeof(*line));
	int rc;

	if (!line)
		return error_set(err, -ENOMEM, "out of memory for the gdb server");
	server->line = line;
	server->plain_write = true;
	line->device.fd = -1;
	line->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	rc = line->timer < 0 ? -errno
			     : event_loop_watch(server->loop, line->timer, POLLIN, on_look, server);
	if (rc < 0)
		return error_set(err, rc, "the gdb server cannot start: %s", strerror(-rc));
	look_often(line, true);
	return try_device(server, err);
}

void line_free(struct gdb_server *server)
{
	struct gdb_line *line = server->line;

	if (server->session)
		client_end(server);
	if (server->client >= 0)
		event_loop_forget(server->loop, server->client);
	serial_line_close(&line->device);
	if (line->timer >= 0) {
		event_loop_forget(server->loop, line->timer);
		close(line->timer);
	}
	free(line);
}
