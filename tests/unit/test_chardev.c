// SPDX-License-Identifier: GPL-3.0-or-later
#include "chardev.h"
#include "chardev_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- helpers ---------------------------------------------------------------------------------- */

static void open_with_path(const char *prefix)
{
	char spec[100];

	snprintf(spec, sizeof(spec), "%s%s", prefix, the.path);
	open_chardev(spec);
}

static int connect_to(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

/* ---- spelling --------------------------------------------------------------------------------- */

static void test_spellings(void **state)
{
	static const char *const bad[] = {
		"",	 "bogus", "stdio2", "mon:pty", "file:",
		"unix:", "pty:",  "tcp:x",  "STDIO",   "file:/no/such/dir/x"};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct error){0};
		if (chardev_open(bad[i], the.loop, &the.cd, &err) >= 0 || !err.text[0])
			fail_msg("\"%s\" was taken, or refused without a word", bad[i]);
		assert_null(the.cd);
	}
	open_chardev("none");
	assert_null(chardev_where(the.cd));
	close_chardev();
	open_chardev("null");
	chardev_say("into nothing");
	assert_true(chardev_has_room(the.cd));
	assert_false(chardev_uses_stdin(the.cd));
}

/* ---- file ------------------------------------------------------------------------------------- */

static void test_file_takes_everything(void **state)
{
	char buf[100] = "";
	int fd;

	(void)state;
	open_with_path("file:");
	chardev_say("first ");
	chardev_say("second\n");
	close_chardev();
	fd = open(the.path, O_RDONLY);
	assert_int_equal(read(fd, buf, sizeof(buf)), 13);
	assert_string_equal(buf, "first second\n");
	close(fd);
}

static void test_file_below_home(void **state)
{
	char folder[] = "/tmp/test-chardev-XXXXXX", path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("HOME", folder, 1);
	open_chardev("file:~/serial.log");
	chardev_say("hello");
	close_chardev();
	snprintf(path, sizeof(path), "%s/serial.log", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 5);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static void test_full_disk_is_told_once(void **state)
{
	(void)state;
	open_chardev("file:/dev/full");
	chardev_say("a");
	chardev_say("b");
	chardev_spin();
	chardev_say("c");
	chardev_spin();
	assert_int_equal(the.logs, 1);
	assert_non_null(strstr(the.log, "/dev/full"));
	assert_true(chardev_has_room(the.cd));
}

/* ---- socket ----------------------------------------------------------------------------------- */

static void test_socket_both_directions(void **state)
{
	int peer;

	(void)state;
	open_with_path("unix:");
	chardev_say("nobody hears this");
	peer = connect_to(the.path);
	chardev_expect(peer, "");
	chardev_say("hello");
	chardev_expect(peer, "hello");
	chardev_type(peer, "ls\n");
	expect_input("ls\n");
	close(peer);
	close_chardev();
	assert_int_equal(access(the.path, F_OK), -1);
}

static void test_socket_spelled_as_in_qemu(void **state)
{
	char spec[100];
	int peer;

	(void)state;
	snprintf(spec, sizeof(spec), "unix:%s,server,nowait", the.path);
	open_chardev(spec);
	peer = connect_to(the.path);
	chardev_type(peer, "x");
	expect_input("x");
	close(peer);
}

static void test_one_peer_at_a_time(void **state)
{
	int first, second;

	(void)state;
	open_with_path("unix:");
	first = connect_to(the.path);
	second = connect_to(the.path);
	chardev_spin();
	chardev_say("one");
	chardev_expect(first, "one");
	chardev_expect(second, "");
	close(first);
	chardev_spin();
	chardev_say("two");
	chardev_expect(second, "two");
	chardev_type(second, "2");
	expect_input("2");
	close(second);
	chardev_spin();
	chardev_say("nobody");
	first = connect_to(the.path);
	chardev_spin();
	chardev_say("three");
	chardev_expect(first, "three");
	close(first);
}

static void test_peer_that_stopped_sending_still_reads(void **state)
{
	int peer;

	(void)state;
	open_with_path("unix:");
	peer = connect_to(the.path);
	chardev_type(peer, "last");
	shutdown(peer, SHUT_WR);
	expect_input("last");
	chardev_say("answer");
	chardev_expect(peer, "answer");
	close(peer);
	chardev_spin();
	peer = connect_to(the.path);
	chardev_spin();
	chardev_say("next");
	chardev_expect(peer, "next");
	close(peer);
}

static void test_refused_input_waits(void **state)
{
	int peer;

	(void)state;
	the.room_for = 4;
	open_with_path("unix:");
	peer = connect_to(the.path);
	chardev_type(peer, "0123456789");
	expect_input("0123");
	chardev_spin();
	expect_input("0123");
	the.room_for = 3;
	chardev_ready(the.cd);
	expect_input("0123456");
	the.room_for = 100;
	chardev_ready(the.cd);
	expect_input("0123456789");
	chardev_type(peer, "!");
	expect_input("0123456789!");
	close(peer);
}

/* More than the chardev reads ahead: the rest stays with the sender. */
static void test_refused_input_stops_the_sender(void **state)
{
	static char blob[4096];
	size_t sent = 0;
	ssize_t n;
	int peer;

	(void)state;
	memset(blob, 'x', sizeof(blob));
	the.room_for = 0;
	open_with_path("unix:");
	peer = connect_to(the.path);
	fcntl(peer, F_SETFL, O_NONBLOCK);
	while ((n = write(peer, blob, sizeof(blob))) > 0) {
		sent += (size_t)n;
		event_loop_once(the.loop, 0);
	}
	chardev_spin();
	assert_int_equal(the.got_count, 0);
	assert_true(sent < 4096 * KIB);
	close(peer);
}

/* ---- pty -------------------------------------------------------------------------------------- */

static void test_pty(void **state)
{
	struct termios mode;
	int user_fd;

	(void)state;
	open_chardev("pty");
	assert_non_null(chardev_where(the.cd));
	chardev_say("before anybody looks");
	spin_ms(250);
	for (int i = 0; i < 2; i++) {
		user_fd = open(chardev_where(the.cd), O_RDWR | O_NOCTTY);
		assert_true(user_fd >= 0);
		assert_int_equal(tcgetattr(user_fd, &mode), 0);
		assert_int_equal(mode.c_lflag & (ICANON | ECHO), 0);
		chardev_type(user_fd, "up");
		spin_ms(250);
		chardev_say("down\n");
		chardev_expect(user_fd, "down\n");
		close(user_fd);
		spin_ms(30);
		chardev_say("lost");
	}
	expect_input("upup");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, chardev_setup, chardev_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spellings),
		TEST(test_file_takes_everything),
		TEST(test_file_below_home),
		TEST(test_full_disk_is_told_once),
		TEST(test_socket_both_directions),
		TEST(test_socket_spelled_as_in_qemu),
		TEST(test_one_peer_at_a_time),
		TEST(test_peer_that_stopped_sending_still_reads),
		TEST(test_refused_input_waits),
		TEST(test_refused_input_stops_the_sender),
		TEST(test_pty),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
