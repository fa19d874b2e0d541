// SPDX-License-Identifier: GPL-3.0-or-later
/* Serial backends whose reader is slow, late or missing. */
#include "chardev.h"
#include "chardev_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
	chardev_spin();
	assert_int_equal(the.rooms, 0);
	while (done < sent) {
		done += chardev_drain(out, got + done,
				      16 * KIB < sent - done ? 16 * KIB : sent - done);
		chardev_spin();
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
	chardev_spin();
	assert_true(chardev_has_room(the.cd));
	assert_int_equal(the.logs, 2);
	chardev_say("nothing happens");
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

/* ---- pty -------------------------------------------------------------------------------------- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, chardev_setup, chardev_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slow_reader_loses_nothing),
		TEST(test_no_reader_drops_with_one_line),
		TEST(test_flush_waits_for_a_late_reader),
		TEST(test_flush_gives_in_to_a_signal),
		TEST(test_threads_write_while_the_loop_flushes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
