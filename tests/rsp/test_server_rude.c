// SPDX-License-Identifier: GPL-3.0-or-later
/* Clients that do not read, talk nonsense, or go abruptly. */
#include "peer.h"
#include "server_rig.h"

#include "event_loop.h"
#include "gdbstub/server.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

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

	server_say(fd, "$vCont;c#a8");
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
	server_say(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	server_expect(fd, "");
	server_say(fd, "$qC#b4");
	server_expect(fd, "+$QC1#c5");
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

int main(void)
{
#define AT(name, before) cmocka_unit_test_setup_teardown(name, before, server_teardown)
	const struct CMUnitTest tests[] = {
		AT(a_client_that_does_not_read, server_setup),
		AT(a_client_that_does_not_read_what_points_print, server_setup),
		AT(the_last_words_are_waited_for, server_setup),
		AT(nothing_but_noise, server_setup),
		AT(many_abrupt_disconnects, server_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
