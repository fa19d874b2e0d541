// SPDX-License-Identifier: GPL-3.0-or-later
/* The server: one gdb at a time over a real socket, with an event loop and the fake machine. */
#include "peer.h"

#include "event_loop.h"
#include "gdbstub/server.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
	struct debug *debug;
	struct event_loop *loop;
	struct gdb_server *server;
	char path[100];
	char log[4000];
};

static struct place place;

static void on_log(void *ctx, enum log_level level, const char *line)
{
	size_t used = strlen(place.log);

	(void)ctx;
	(void)level;
	snprintf(place.log + used, sizeof(place.log) - used, "%s\n", line);
}

static void start(enum on_disconnect policy)
{
	struct gdb_server_config config = {.on_disconnect = policy};
	const char *folder = getenv("TMPDIR");
	struct error err = {0};

	memset(&place, 0, sizeof(place));
	snprintf(place.path, sizeof(place.path), "%.60s/test_server.%d", folder ? folder : "/tmp",
		 (int)getpid());
	config.address.kind = NET_UNIX;
	snprintf(config.address.path, sizeof(config.address.path), "%s", place.path);
	log_set_sink(on_log, NULL);
	place.debug = fake_new(2);
	place.loop = event_loop_new();
	assert_int_equal(gdb_server_new(place.debug, place.loop, &config, &place.server, &err), 0);
}

static int setup(void **state)
{
	(void)state;
	start(DISCONNECT_KEEP);
	return 0;
}

static int setup_continue(void **state)
{
	(void)state;
	start(DISCONNECT_CONTINUE);
	return 0;
}

static int setup_kill(void **state)
{
	(void)state;
	start(DISCONNECT_KILL);
	return 0;
}

static int teardown(void **state)
{
	struct stat st;

	(void)state;
	gdb_server_free(place.server);
	assert_int_equal(stat(place.path, &st), -1);
	assert_null(place.debug->listener);
	event_loop_free(place.loop);
	fake_free(place.debug);
	log_set_sink(NULL, NULL);
	return 0;
}

/* Lets the server do what there is to do. */
static void rounds(void)
{
	for (int i = 0; i < 20; i++)
		event_loop_once(place.loop, 1);
}

static int connect_quietly(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", place.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static int connect_client(void)
{
	int fd = connect_quietly();

	rounds();
	return fd;
}

static void say(int fd, const char *bytes)
{
	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	rounds();
}

static void expect(int fd, const char *bytes)
{
	char got[500];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, bytes);
}

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

static void conversation(void **state)
{
	int fd = connect_client();

	(void)state;
	assert_int_equal(place.debug->pauses, 1);
	assert_true(gdb_server_attached(place.server));
	say(fd, "+");
	say(fd, "$qC#b4");
	expect(fd, "+$QC1#c5");
	say(fd, "$QStartNoAckMode#b0");
	expect(fd, "+$OK#9a");
	say(fd, "+$vCont;c#a8");
	expect(fd, "");
	assert_true(place.debug->running);
	say(fd, "\x03");
	assert_int_equal(place.debug->pauses, 2);
	fake_stop(place.debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_GDB);
	say(fd, "$qC#b4");
	assert_int_not_equal(recv(fd, (char[4]){0}, 4, MSG_PEEK), -1);
	close(fd);
	rounds();
	assert_false(gdb_server_attached(place.server));
}

static void a_second_gdb_is_refused(void **state)
{
	int first = connect_client();
	int second = connect_client();

	(void)state;
	assert_true(is_closed(second));
	assert_non_null(strstr(place.log, "second gdb was refused"));
	say(first, "$qC#b4");
	expect(first, "+$QC1#c5");
	close(second);
	close(first);
	rounds();
	first = connect_client();
	say(first, "$qC#b4");
	expect(first, "+$QC1#c5");
	close(first);
}

static void a_guest_that_cannot_be_paused(void **state)
{
	int fd;

	(void)state;
	place.debug->refuse_pause = -ETIMEDOUT;
	fd = connect_client();
	assert_true(is_closed(fd));
	assert_non_null(strstr(place.log, "could not be paused"));
	close(fd);
	place.debug->refuse_pause = 0;
	fd = connect_client();
	say(fd, "$qC#b4");
	expect(fd, "+$QC1#c5");
	close(fd);
}

static void a_lost_connection_leaves_a_paused_guest_paused(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$Z0,100,1#a4");
	expect(fd, "+$OK#9a");
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 1);
	close(fd);
	rounds();
	assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 0);
	assert_false(place.debug->running);
	assert_non_null(strstr(place.log, "the guest stays paused"));
	assert_non_null(strstr(place.log, text("target remote %s`", place.path)));
}

static void a_lost_connection_leaves_a_running_guest_running(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$vCont;c#a8");
	close(fd);
	rounds();
	assert_true(place.debug->running);
	assert_int_equal(place.debug->resumes, 1);
	assert_non_null(strstr(place.log, "the guest runs"));
}

static void in_the_middle_of_a_packet(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$qRcmd,6162");
	close(fd);
	rounds();
	fd = connect_client();
	say(fd, "63#00$qC#b4");
	expect(fd, "+$QC1#c5");
	close(fd);
}

/* The old gdb is gone, though what it said is not all read yet: it does not keep the new one out. */
static void the_next_gdb_comes_at_once(void **state)
{
	char noise[100000];
	int first = connect_client();
	int second;

	(void)state;
	memset(noise, '#', sizeof(noise));
	while (send(first, noise, sizeof(noise), MSG_NOSIGNAL) > 0)
		;
	close(first);
	second = connect_quietly();
	rounds();
	say(second, "$qC#b4");
	expect(second, "+$QC1#c5");
	assert_null(strstr(place.log, "refused"));
	/* A goodbye among the last words is one. */
	say(second, "$D#44");
	close(second);
	assert_true(place.debug->running);
	first = connect_quietly();
	rounds();
	say(first, "$qC#b4");
	expect(first, "+$QC1#c5");
	close(first);
}

static void lost_and_continued(void **state)
{
	int fd = connect_client();

	(void)state;
	close(fd);
	rounds();
	assert_int_equal(place.debug->resumes, 1);
	assert_true(place.debug->running);
}

static void lost_and_killed(void **state)
{
	int fd = connect_client();

	(void)state;
	close(fd);
	rounds();
	assert_int_equal(place.debug->kills, 1);
}

static void detach_closes_after_its_reply(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$D#44");
	expect(fd, "+$OK#9a");
	assert_true(is_closed(fd));
	assert_true(place.debug->running);
	assert_null(strstr(place.log, "lost"));
	close(fd);
	fd = connect_client();
	assert_int_equal(place.debug->pauses, 2);
	close(fd);
}

static void kill_closes(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$k#6b");
	expect(fd, "+");
	assert_true(is_closed(fd));
	assert_int_equal(place.debug->kills, 1);
	close(fd);
}

static void the_end_of_the_run_is_told_at_once(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "$vCont;c#a8");
	expect(fd, "+");
	/* Without another round of the loop: it may have been the last. */
	fake_stop(place.debug, &(struct stop){.reason = STOP_SHUTDOWN}, OWNER_NONE);
	expect(fd, "$W00#b7");
	assert_true(is_closed(fd));
	close(fd);
}

/* A client that asks for memory without end and never reads: it is not read any more, and a
 * little memory holds what it is owed. */
static void a_client_that_does_not_read(void **state)
{
	static const char request[] = "$m2000,10000#4c";
	int fd = connect_client();
	unsigned sent = 0, received = 0;
	char bytes[0x10000];
	ssize_t n;

	(void)state;
	while (sent < 100000 && send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0) {
		sent++;
		event_loop_once(place.loop, 0);
	}
	assert_in_range(sent, 10, 99999);
	for (int idle = 0; idle < 50;) {
		n = recv(fd, bytes, sizeof(bytes), 0);
		event_loop_once(place.loop, 0);
		if (n <= 0) {
			idle++;
			continue;
		}
		idle = 0;
		for (ssize_t i = 0; i < n; i++)
			received += bytes[i] == '$';
	}
	/* The last request may have been cut by the full socket. */
	assert_in_range(received, sent - 1, sent);
	assert_true(gdb_server_attached(place.server));
	close(fd);
}

/* What points print until nobody can take more; how many texts that were. */
static unsigned print_until_full(int fd)
{
	unsigned count = 0;

	say(fd, "$vCont;c#a8");
	while (!place.debug->output_full && count < 1000000) {
		fake_tell(place.debug, DEBUG_OUTPUT, OWNER_GDB);
		count++;
	}
	assert_true(place.debug->output_full);
	return count;
}

static unsigned count_packets(const char *bytes, ssize_t size)
{
	unsigned count = 0;

	for (ssize_t i = 0; i < size; i++)
		count += bytes[i] == '$';
	return count;
}

/* Who prints for it waits, until it has read; and does not when it has gone. */
static void a_client_that_does_not_read_what_points_print(void **state)
{
	int fd = connect_client();
	unsigned told = print_until_full(fd), heard = 0;
	char bytes[0x1000];
	ssize_t n;

	(void)state;
	while (place.debug->output_full && (n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		heard += count_packets(bytes, n);
		rounds();
	}
	assert_false(place.debug->output_full);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		heard += count_packets(bytes, n);
		rounds();
	}
	assert_int_equal(heard, told);
	while (!place.debug->output_full)
		fake_tell(place.debug, DEBUG_OUTPUT, OWNER_GDB);
	close(fd);
	rounds();
	assert_false(place.debug->output_full);
}

struct reader {
	int fd;
	unsigned heard;
	bool closed;
};

static void *read_all(void *ctx)
{
	struct reader *reader = ctx;
	struct pollfd fd = {.fd = reader->fd, .events = POLLIN};
	char bytes[0x1000];
	ssize_t n = 1;

	while (n && poll(&fd, 1, 10000) > 0) {
		n = recv(reader->fd, bytes, sizeof(bytes), 0);
		reader->heard += count_packets(bytes, n);
	}
	reader->closed = n == 0;
	return NULL;
}

/* vitrine ends, and a client that is behind hears all of it. */
static void the_last_words_are_waited_for(void **state)
{
	struct reader reader = {.fd = connect_client()};
	unsigned told = print_until_full(reader.fd);
	pthread_t thread;

	(void)state;
	fake_stop(place.debug, &(struct stop){.reason = STOP_SHUTDOWN, .exit_status = 1},
		  OWNER_NONE);
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	gdb_server_free(place.server);
	place.server = NULL;
	pthread_join(thread, NULL);
	assert_true(reader.closed);
	assert_in_range(reader.heard, told + 1, told + 2); /* the exit, in words too */
	close(reader.fd);
}

static void nothing_but_noise(void **state)
{
	int fd = connect_client();

	(void)state;
	say(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	expect(fd, "");
	say(fd, "$qC#b4");
	expect(fd, "+$QC1#c5");
	close(fd);
}

static void many_abrupt_disconnects(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		int fd = connect_quietly();

		event_loop_once(place.loop, 10);
		send(fd, "$Z0,100,1#a4$vCont;c#a8", i % 24, MSG_NOSIGNAL);
		close(fd);
		while (gdb_server_attached(place.server))
			event_loop_once(place.loop, 10);
		assert_int_equal(fake_point_count(place.debug, OWNER_GDB), 0);
	}
}

static void the_address_is_taken(void **state)
{
	struct gdb_server_config config = {0};
	struct gdb_server *other = NULL;
	struct error err = {0};

	(void)state;
	config.address.kind = NET_UNIX;
	snprintf(config.address.path, sizeof(config.address.path), "%s", place.path);
	assert_int_equal(gdb_server_new(place.debug, place.loop, &config, &other, &err),
			 -EADDRINUSE);
	assert_true(strlen(err.text) > 10);
	assert_null(other);
	/* The failed one took nothing away from the first. */
	assert_int_equal(access(place.path, F_OK), 0);
}

int main(void)
{
#define AT(name, before) cmocka_unit_test_setup_teardown(name, before, teardown)
	const struct CMUnitTest tests[] = {
		AT(conversation, setup),
		AT(a_second_gdb_is_refused, setup),
		AT(a_guest_that_cannot_be_paused, setup),
		AT(a_lost_connection_leaves_a_paused_guest_paused, setup),
		AT(a_lost_connection_leaves_a_running_guest_running, setup),
		AT(in_the_middle_of_a_packet, setup),
		AT(the_next_gdb_comes_at_once, setup),
		AT(lost_and_continued, setup_continue),
		AT(lost_and_killed, setup_kill),
		AT(detach_closes_after_its_reply, setup),
		AT(kill_closes, setup),
		AT(the_end_of_the_run_is_told_at_once, setup),
		AT(a_client_that_does_not_read, setup),
		AT(a_client_that_does_not_read_what_points_print, setup),
		AT(the_last_words_are_waited_for, setup),
		AT(nothing_but_noise, setup),
		AT(many_abrupt_disconnects, setup),
		AT(the_address_is_taken, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
