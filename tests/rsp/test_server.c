// SPDX-License-Identifier: GPL-3.0-or-later
/* The server: one gdb at a time over a real socket, with an event loop and the fake machine. */
#include "peer.h"
#include "server_rig.h"

#include "gdbstub/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int setup_continue(void **state)
{
	(void)state;
	server_start(DISCONNECT_CONTINUE);
	return 0;
}

static int setup_kill(void **state)
{
	(void)state;
	server_start(DISCONNECT_KILL);
	return 0;
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
	server_say(fd, "+");
	server_say(fd, "$qC#b4");
	server_expect(fd, "+$QC1#c5");
	server_say(fd, "$QStartNoAckMode#b0");
	server_expect(fd, "+$OK#9a");
	server_say(fd, "+$vCont;c#a8");
	server_expect(fd, "");
	assert_true(place.debug->running);
	server_say(fd, "\x03");
	assert_int_equal(place.debug->pauses, 2);
	fake_stop(place.debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_GDB);
	server_say(fd, "$qC#b4");
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
	server_say(first, "$qC#b4");
	server_expect(first, "+$QC1#c5");
	close(second);
	close(first);
	rounds();
	first = connect_client();
	server_say(first, "$qC#b4");
	server_expect(first, "+$QC1#c5");
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
	server_say(fd, "$qC#b4");
	server_expect(fd, "+$QC1#c5");
	close(fd);
}

static void a_lost_connection_leaves_a_paused_guest_paused(void **state)
{
	int fd = connect_client();

	(void)state;
	server_say(fd, "$Z0,100,1#a4");
	server_expect(fd, "+$OK#9a");
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
	server_say(fd, "$vCont;c#a8");
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
	server_say(fd, "$qRcmd,6162");
	close(fd);
	rounds();
	fd = connect_client();
	server_say(fd, "63#00$qC#b4");
	server_expect(fd, "+$QC1#c5");
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
	server_say(second, "$qC#b4");
	server_expect(second, "+$QC1#c5");
	assert_null(strstr(place.log, "refused"));
	/* A goodbye among the last words is one. */
	server_say(second, "$D#44");
	close(second);
	assert_true(place.debug->running);
	first = connect_quietly();
	rounds();
	server_say(first, "$qC#b4");
	server_expect(first, "+$QC1#c5");
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
	server_say(fd, "$D#44");
	server_expect(fd, "+$OK#9a");
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
	server_say(fd, "$k#6b");
	server_expect(fd, "+");
	assert_true(is_closed(fd));
	assert_int_equal(place.debug->kills, 1);
	close(fd);
}

static void the_end_of_the_run_is_told_at_once(void **state)
{
	int fd = connect_client();

	(void)state;
	server_say(fd, "$vCont;c#a8");
	server_expect(fd, "+");
	/* Without another round of the loop: it may have been the last. */
	fake_stop(place.debug, &(struct stop){.reason = STOP_SHUTDOWN}, OWNER_NONE);
	server_expect(fd, "$W00#b7");
	assert_true(is_closed(fd));
	close(fd);
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
#define AT(name, before) cmocka_unit_test_setup_teardown(name, before, server_teardown)
	const struct CMUnitTest tests[] = {
		AT(conversation, server_setup),
		AT(a_second_gdb_is_refused, server_setup),
		AT(a_guest_that_cannot_be_paused, server_setup),
		AT(a_lost_connection_leaves_a_paused_guest_paused, server_setup),
		AT(a_lost_connection_leaves_a_running_guest_running, server_setup),
		AT(in_the_middle_of_a_packet, server_setup),
		AT(the_next_gdb_comes_at_once, server_setup),
		AT(lost_and_continued, setup_continue),
		AT(lost_and_killed, setup_kill),
		AT(detach_closes_after_its_reply, server_setup),
		AT(kill_closes, server_setup),
		AT(the_end_of_the_run_is_told_at_once, server_setup),
		AT(the_address_is_taken, server_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
