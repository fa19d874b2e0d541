// SPDX-License-Identifier: GPL-3.0-or-later
#include "chardev.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
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

#define KIB 1024u

struct fixture {
	struct event_loop *loop;
	struct chardev *cd;
	int saved_in, saved_out; /* the test program's own stdin and stdout */
	char dir[40], path[80];

	char got[8192]; /* what the guest was given */
	size_t got_count, room_for;
	unsigned rooms, switches, quits, logs;
	char console[4096];
	size_t console_count;
	unsigned console_calls;
	char log[300];
};

static struct fixture the;

static size_t on_input(void *ctx, const void *bytes, size_t size)
{
	struct fixture *f = ctx;
	size_t n = size < f->room_for ? size : f->room_for;

	assert_true(f->got_count + n < sizeof(f->got));
	memcpy(f->got + f->got_count, bytes, n);
	f->got_count += n;
	f->room_for -= n;
	return n;
}

static void on_room(void *ctx)
{
	((struct fixture *)ctx)->rooms++;
}

static void on_switch(void *ctx)
{
	((struct fixture *)ctx)->switches++;
}

static void on_quit(void *ctx)
{
	((struct fixture *)ctx)->quits++;
}

static void on_console_output(void *ctx, const char *text, size_t size)
{
	struct fixture *f = ctx;

	assert_true(f->console_count + size < sizeof(f->console));
	memcpy(f->console + f->console_count, text, size);
	f->console_count += size;
	f->console_calls++;
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	struct fixture *f = ctx;

	(void)level;
	f->logs++;
	snprintf(f->log, sizeof(f->log), "%s", line);
}

static const struct chardev_user user = {.ctx = &the,
					 .input = on_input,
					 .room = on_room,
					 .switch_to_console = on_switch,
					 .quit = on_quit,
					 .console_output = on_console_output};

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	the.room_for = SIZE_MAX;
	the.loop = event_loop_new();
	the.saved_in = dup(0);
	the.saved_out = dup(1);
	strcpy(the.dir, "/tmp/vitrine-test-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	snprintf(the.path, sizeof(the.path), "%s/x", the.dir);
	log_set_sink(on_log, &the);
	return 0;
}

static void close_chardev(void)
{
	chardev_close(the.cd);
	the.cd = NULL;
}

static int teardown(void **state)
{
	(void)state;
	close_chardev();
	dup2(the.saved_in, 0);
	dup2(the.saved_out, 1);
	close(the.saved_in);
	close(the.saved_out);
	log_set_sink(NULL, NULL);
	event_loop_free(the.loop);
	unlink(the.path);
	rmdir(the.dir);
	return 0;
}

/* ---- helpers ---------------------------------------------------------------------------------- */

static void open_chardev(const char *spec)
{
	struct error err = {0};

	if (chardev_open(spec, the.loop, &the.cd, &err) < 0)
		fail_msg("%s: %s", spec, err.text);
	assert_int_equal(chardev_connect(the.cd, &user, &err), 0);
}

static void open_with_path(const char *prefix)
{
	char spec[100];

	snprintf(spec, sizeof(spec), "%s%s", prefix, the.path);
	open_chardev(spec);
}

/* Lets the loop do what there is to do; a little later than now, too. */
static void spin(void)
{
	for (int i = 0; i < 20; i++)
		event_loop_once(the.loop, i < 3 ? 5 : 0);
}

static void spin_ms(int ms)
{
	for (int i = 0; i < ms; i += 10)
		event_loop_once(the.loop, 10);
}

static void say(const char *text)
{
	chardev_write(the.cd, text, strlen(text));
}

/* Reads what is there within a short while. */
static size_t drain(int fd, char *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t done = 0;

	while (done < size && poll(&p, 1, 20) == 1) {
		ssize_t n = read(fd, buf + done, size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void expect(int fd, const char *text)
{
	char buf[1000] = "";

	spin();
	drain(fd, buf, sizeof(buf) - 1);
	assert_string_equal(buf, text);
}

static void expect_input(const char *text)
{
	spin();
	the.got[the.got_count] = 0;
	assert_string_equal(the.got, text);
}

static void type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	spin();
}

/* stdin and stdout become the far ends of two pipes; ours come back. */
static void stdio_is_pipes(int *to_stdin, int *from_stdout)
{
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	dup2(in[0], 0);
	dup2(out[1], 1);
	close(in[0]);
	close(out[1]);
	*to_stdin = in[1];
	*from_stdout = out[0];
}

/* stdin and stdout become a terminal; its keyboard and screen come back. */
static int stdio_is_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	dup2(slave, 0);
	dup2(slave, 1);
	close(slave);
	return master;
}

static tcflag_t local_modes(void)
{
	struct termios mode;

	assert_int_equal(tcgetattr(0, &mode), 0);
	return mode.c_lflag & (ICANON | ECHO | ISIG);
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
	say("into nothing");
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
	say("first ");
	say("second\n");
	close_chardev();
	fd = open(the.path, O_RDONLY);
	assert_int_equal(read(fd, buf, sizeof(buf)), 13);
	assert_string_equal(buf, "first second\n");
	close(fd);
}

static void test_full_disk_is_told_once(void **state)
{
	(void)state;
	open_chardev("file:/dev/full");
	say("a");
	say("b");
	spin();
	say("c");
	spin();
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
	say("nobody hears this");
	peer = connect_to(the.path);
	expect(peer, "");
	say("hello");
	expect(peer, "hello");
	type(peer, "ls\n");
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
	type(peer, "x");
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
	spin();
	say("one");
	expect(first, "one");
	expect(second, "");
	close(first);
	spin();
	say("two");
	expect(second, "two");
	type(second, "2");
	expect_input("2");
	close(second);
	spin();
	say("nobody");
	first = connect_to(the.path);
	spin();
	say("three");
	expect(first, "three");
	close(first);
}

static void test_peer_that_stopped_sending_still_reads(void **state)
{
	int peer;

	(void)state;
	open_with_path("unix:");
	peer = connect_to(the.path);
	type(peer, "last");
	shutdown(peer, SHUT_WR);
	expect_input("last");
	say("answer");
	expect(peer, "answer");
	close(peer);
	spin();
	peer = connect_to(the.path);
	spin();
	say("next");
	expect(peer, "next");
	close(peer);
}

static void test_refused_input_waits(void **state)
{
	int peer;

	(void)state;
	the.room_for = 4;
	open_with_path("unix:");
	peer = connect_to(the.path);
	type(peer, "0123456789");
	expect_input("0123");
	spin();
	expect_input("0123");
	the.room_for = 3;
	chardev_ready(the.cd);
	expect_input("0123456");
	the.room_for = 100;
	chardev_ready(the.cd);
	expect_input("0123456789");
	type(peer, "!");
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
	spin();
	assert_int_equal(the.got_count, 0);
	assert_true(sent < 4096 * KIB);
	close(peer);
}

/* ---- a reader that is slow -------------------------------------------------------------------- */

static void test_slow_reader_loses_nothing(void **state)
{
	static char want[300 * KIB], got[300 * KIB];
	size_t sent = 0, done = 0;
	int in, out;

	(void)state;
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = (char)('a' + i / 7 % 26);
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	while (sent < sizeof(want) && chardev_has_room(the.cd)) {
		chardev_write(the.cd, want + sent, 1000);
		sent += 1000;
	}
	assert_in_range(sent, 64 * KIB, 256 * KIB); /* a pipe's worth, and ours */
	assert_int_equal(the.rooms, 0);
	spin();
	assert_int_equal(the.rooms, 0);
	while (done < sent) {
		done += drain(out, got + done, 16 * KIB < sent - done ? 16 * KIB : sent - done);
		spin();
	}
	assert_int_equal(the.rooms, 1);
	assert_true(chardev_has_room(the.cd));
	assert_memory_equal(want, got, sent);
	assert_int_equal(the.logs, 0);
	close(in);
	close(out);
}

static void test_no_reader_drops_with_one_line(void **state)
{
	static char blob[64 * KIB];
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	for (int i = 0; i < 40; i++)
		chardev_write(the.cd, blob, sizeof(blob));
	assert_int_equal(the.logs, 1);
	assert_non_null(strstr(the.log, "output is lost"));
	assert_int_equal(chardev_flush(the.cd, 10), -ETIMEDOUT);
	close(out); /* the reader goes away altogether */
	spin();
	assert_true(chardev_has_room(the.cd));
	assert_int_equal(the.logs, 2);
	say("nothing happens");
	close(in);
}

static void *read_late(void *arg)
{
	size_t total = 0;
	char buf[4096];
	ssize_t n = 1;

	usleep(400000);
	while (total < 96 * KIB && n > 0) {
		n = read(*(int *)arg, buf, sizeof(buf));
		total += n > 0 ? (size_t)n : 0;
	}
	return (void *)total;
}

static void test_flush_waits_for_a_late_reader(void **state)
{
	static char blob[96 * KIB];
	pthread_t reader;
	void *total;
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	chardev_write(the.cd, blob, sizeof(blob));
	assert_int_equal(chardev_flush(the.cd, 100), -ETIMEDOUT);
	pthread_create(&reader, NULL, read_late, &out);
	assert_int_equal(chardev_flush(the.cd, -1), 0);
	pthread_join(reader, &total);
	assert_int_equal((size_t)total, sizeof(blob));
	close(in);
	close(out);
}

static void test_flush_gives_in_to_a_signal(void **state)
{
	static char blob[96 * KIB];
	sigset_t set;
	int in, out, sig;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	chardev_write(the.cd, blob, sizeof(blob));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGTERM);
	assert_int_equal(chardev_flush(the.cd, -1), -EINTR);
	close_chardev();
	sigwait(&set, &sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(in);
	close(out);
}

static void *read_all(void *arg)
{
	size_t total = 0;
	char buf[4096];
	ssize_t n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (char)((total + (size_t)i) % 251))
				return (void *)1;
		total += (size_t)n;
	}
	return (void *)total;
}

static _Atomic bool writer_done;

static void *write_much(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < 400000; i++) {
		char byte = (char)(i % 251);

		chardev_write(the.cd, &byte, 1);
		while (!chardev_has_room(the.cd))
			usleep(100);
	}
	writer_done = true;
	return NULL;
}

static void test_threads_write_while_the_loop_flushes(void **state)
{
	pthread_t reader, writer;
	void *total;
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	fcntl(out, F_SETPIPE_SZ, 4096);
	open_chardev("stdio");
	writer_done = false;
	pthread_create(&reader, NULL, read_all, &out);
	pthread_create(&writer, NULL, write_much, NULL);
	while (!writer_done)
		event_loop_once(the.loop, 5);
	pthread_join(writer, NULL);
	close_chardev(); /* and what is left is still delivered */
	dup2(the.saved_out, 1);
	pthread_join(reader, &total);
	assert_int_equal((size_t)total, 400000);
	close(in);
	close(out);
}

/* ---- stdio ------------------------------------------------------------------------------------ */

static void test_stdin_ends_output_goes_on(void **state)
{
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	type(in, "bye");
	close(in);
	expect_input("bye");
	say("still here");
	expect(out, "still here");
	close(out);
}

static void test_stdin_is_one_users(void **state)
{
	struct chardev *second = NULL;
	struct error err = {0};
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	assert_true(chardev_uses_stdin(the.cd));
	assert_int_equal(chardev_open("mon:stdio", the.loop, &second, &err), -EBUSY);
	assert_null(second);
	close_chardev();
	open_chardev("mon:stdio");
	close(in);
	close(out);
}

static void test_stdout_is_a_file(void **state)
{
	char buf[30] = "";
	int fd = open(the.path, O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "before ", 7), 7);
	dup2(fd, 1);
	open_chardev("stdio");
	say("after");
	close_chardev();
	assert_int_equal(pread(fd, buf, sizeof(buf), 0), 12);
	assert_string_equal(buf, "before after");
	close(fd);
}

static void test_stdout_keeps_its_flags(void **state)
{
	int in, out, flags;

	(void)state;
	stdio_is_pipes(&in, &out);
	flags = fcntl(1, F_GETFL);
	open_chardev("stdio");
	assert_int_equal(fcntl(1, F_GETFL), flags);
	close(in);
	close(out);
}

/* Who reads standard error does so now and then: no guest waits for that, and what fits is kept. */
static void test_standard_error_makes_nobody_wait(void **state)
{
	static char sent[3 << 20], got[3 << 20];
	int saved = dup(2), pair[2];
	size_t size, all = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	dup2(pair[1], 2);
	close(pair[1]);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + i % 23);
	open_chardev("stderr");
	dup2(saved, 2);
	close(saved);
	chardev_write(the.cd, sent, sizeof(sent));
	assert_true(chardev_has_room(the.cd));
	spin();
	while ((size = drain(pair[0], got + all, sizeof(got) - all))) {
		all += size;
		spin();
	}
	assert_true(all > 1 << 20 && all < sizeof(sent));
	assert_memory_equal(got, sent, all);
	assert_non_null(strstr(the.log, "output is lost: standard error"));
	/* Its flags are as they were, for the others that have it. */
	assert_int_equal(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
	close(pair[0]);
}

static void test_terminal_modes(void **state)
{
	tcflag_t before;
	int screen = stdio_is_terminal();

	(void)state;
	before = local_modes();
	assert_int_equal(before, ICANON | ECHO | ISIG);
	open_chardev("stdio");
	assert_int_equal(local_modes(), ISIG); /* Ctrl-C still kills */
	type(screen, "q");		       /* no line needed */
	expect_input("q");
	say("a\n");
	expect(screen, "a\r\n");
	close_chardev();
	assert_int_equal(local_modes(), before);
	open_chardev("mon:stdio");
	assert_int_equal(local_modes(), 0); /* Ctrl-C is the guest's */
	type(screen, "\003");
	expect_input("q\003");
	close_chardev();
	assert_int_equal(local_modes(), before);
	close(screen);
}

/* ---- mon:stdio -------------------------------------------------------------------------------- */

static void test_mux_keys(void **state)
{
	int screen = stdio_is_terminal();

	(void)state;
	open_chardev("mon:stdio");
	assert_true(chardev_has_console(the.cd));
	type(screen, "a\001\001b\001zc"); /* Ctrl-A z means nothing */
	expect_input("a\001bc");
	type(screen, "\001");
	type(screen, "h");
	spin();
	{
		char buf[500] = "";

		drain(screen, buf, sizeof(buf) - 1);
		assert_non_null(strstr(buf, "quit vitrine"));
	}
	assert_int_equal(the.quits, 0);
	type(screen, "\001x");
	assert_int_equal(the.quits, 1);
	assert_int_equal(the.switches, 0);
	expect_input("a\001bc");
	close(screen);
}

static void test_console_gets_terminal_and_typeahead(void **state)
{
	int screen = stdio_is_terminal();
	char buf[20] = "";

	(void)state;
	open_chardev("mon:stdio");
	type(screen, "x\001cinfo\n");
	assert_int_equal(the.switches, 1);
	expect_input("x");
	assert_int_equal(local_modes(), ICANON | ECHO | ISIG);
	assert_int_equal(drain(0, buf, sizeof(buf)), 5); /* as readline would */
	assert_string_equal(buf, "info\n");
	type(screen, "stop\n");
	expect_input("x");
	assert_int_equal(drain(0, buf, sizeof(buf)), 5);
	chardev_set_active(the.cd, true);
	assert_int_equal(local_modes(), 0);
	type(screen, "y");
	expect_input("xy");
	close(screen);
}

static void test_console_gets_output(void **state)
{
	int screen = stdio_is_terminal();

	(void)state;
	open_chardev("mon:stdio");
	chardev_set_active(the.cd, false);
	say("o");
	say("n");
	say("e\n");
	spin_ms(50);
	expect(screen, "");
	assert_string_equal(the.console, "one\n");
	assert_int_equal(the.console_calls, 1); /* not one for each byte */
	say("two\n");				/* still on its way when the terminal comes back */
	chardev_set_active(the.cd, true);
	say("three\n");
	expect(screen, "two\r\nthree\r\n");
	assert_string_equal(the.console, "one\n");
	close(screen);
}

static unsigned console_watches;

static void on_console_stdin(void *ctx, int fd, short revents)
{
	char buf[10];

	(void)ctx;
	(void)revents;
	console_watches += read(fd, buf, sizeof(buf)) > 0;
}

/* The console watches the same stdin in the same loop: the chardev must not forget it. */
static void test_console_watch_is_left_alone(void **state)
{
	int screen = stdio_is_terminal();

	(void)state;
	open_chardev("mon:stdio");
	chardev_set_active(the.cd, false);
	event_loop_watch(the.loop, 0, POLLIN, on_console_stdin, NULL);
	say("output meanwhile");
	chardev_ready(the.cd);
	spin();
	type(screen, "\n");
	assert_int_equal(console_watches, 1);
	event_loop_forget(the.loop, 0);
	chardev_set_active(the.cd, true);
	type(screen, "z");
	expect_input("z");
	close(screen);
}

static void test_deaf_guest_does_not_lock_the_keyboard(void **state)
{
	int screen = stdio_is_terminal();
	char keys[600];

	(void)state;
	the.room_for = 2;
	open_chardev("mon:stdio");
	memset(keys, 'k', sizeof(keys));
	for (int i = 0; i < 10; i++) { /* more than is kept */
		assert_int_equal(write(screen, keys, sizeof(keys)), sizeof(keys));
		for (size_t n = 0; n < sizeof(keys) + 5; n++)
			event_loop_once(the.loop, 0);
	}
	type(screen, "\001x");
	assert_int_equal(the.quits, 1);
	assert_int_equal(the.got_count, 2);
	close(screen);
}

/* ---- pty -------------------------------------------------------------------------------------- */

static void test_pty(void **state)
{
	struct termios mode;
	int user_fd;

	(void)state;
	open_chardev("pty");
	assert_non_null(chardev_where(the.cd));
	say("before anybody looks");
	spin_ms(250);
	for (int i = 0; i < 2; i++) {
		user_fd = open(chardev_where(the.cd), O_RDWR | O_NOCTTY);
		assert_true(user_fd >= 0);
		assert_int_equal(tcgetattr(user_fd, &mode), 0);
		assert_int_equal(mode.c_lflag & (ICANON | ECHO), 0);
		type(user_fd, "up");
		spin_ms(250);
		say("down\n");
		expect(user_fd, "down\n");
		close(user_fd);
		spin_ms(30);
		say("lost");
	}
	expect_input("upup");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spellings),
		TEST(test_file_takes_everything),
		TEST(test_full_disk_is_told_once),
		TEST(test_socket_both_directions),
		TEST(test_socket_spelled_as_in_qemu),
		TEST(test_one_peer_at_a_time),
		TEST(test_peer_that_stopped_sending_still_reads),
		TEST(test_refused_input_waits),
		TEST(test_refused_input_stops_the_sender),
		TEST(test_slow_reader_loses_nothing),
		TEST(test_no_reader_drops_with_one_line),
		TEST(test_flush_waits_for_a_late_reader),
		TEST(test_flush_gives_in_to_a_signal),
		TEST(test_threads_write_while_the_loop_flushes),
		TEST(test_stdin_ends_output_goes_on),
		TEST(test_stdin_is_one_users),
		TEST(test_stdout_is_a_file),
		TEST(test_stdout_keeps_its_flags),
		TEST(test_standard_error_makes_nobody_wait),
		TEST(test_terminal_modes),
		TEST(test_mux_keys),
		TEST(test_console_gets_terminal_and_typeahead),
		TEST(test_console_gets_output),
		TEST(test_console_watch_is_left_alone),
		TEST(test_deaf_guest_does_not_lock_the_keyboard),
		TEST(test_pty),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
