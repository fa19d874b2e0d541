// SPDX-License-Identifier: GPL-3.0-or-later
/* Serial backends on the terminal. */
#include "chardev.h"
#include "chardev_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- helpers ---------------------------------------------------------------------------------- */

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

/* ---- stdio ------------------------------------------------------------------------------------ */

static void test_stdin_ends_output_goes_on(void **state)
{
	int in, out;

	(void)state;
	stdio_is_pipes(&in, &out);
	open_chardev("stdio");
	chardev_type(in, "bye");
	close(in);
	expect_input("bye");
	chardev_say("still here");
	chardev_expect(out, "still here");
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
	chardev_say("after");
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
	chardev_spin();
	while ((size = chardev_drain(pair[0], got + all, sizeof(got) - all))) {
		all += size;
		chardev_spin();
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
	chardev_type(screen, "q");	       /* no line needed */
	expect_input("q");
	chardev_say("a\n");
	chardev_expect(screen, "a\r\n");
	close_chardev();
	assert_int_equal(local_modes(), before);
	open_chardev("mon:stdio");
	assert_int_equal(local_modes(), 0); /* Ctrl-C is the guest's */
	chardev_type(screen, "\003");
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
	chardev_type(screen, "a\001\001b\001zc"); /* Ctrl-A z means nothing */
	expect_input("a\001bc");
	chardev_type(screen, "\001");
	chardev_type(screen, "h");
	chardev_spin();
	{
		char buf[500] = "";

		chardev_drain(screen, buf, sizeof(buf) - 1);
		assert_non_null(strstr(buf, "quit vitrine"));
	}
	assert_int_equal(the.quits, 0);
	chardev_type(screen, "\001x");
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
	chardev_type(screen, "x\001cinfo\n");
	assert_int_equal(the.switches, 1);
	expect_input("x");
	assert_int_equal(local_modes(), ICANON | ECHO | ISIG);
	assert_int_equal(chardev_drain(0, buf, sizeof(buf)), 5); /* as readline would */
	assert_string_equal(buf, "info\n");
	chardev_type(screen, "stop\n");
	expect_input("x");
	assert_int_equal(chardev_drain(0, buf, sizeof(buf)), 5);
	chardev_set_active(the.cd, true);
	assert_int_equal(local_modes(), 0);
	chardev_type(screen, "y");
	expect_input("xy");
	close(screen);
}

static void test_console_gets_output(void **state)
{
	int screen = stdio_is_terminal();

	(void)state;
	open_chardev("mon:stdio");
	chardev_set_active(the.cd, false);
	chardev_say("o");
	chardev_say("n");
	chardev_say("e\n");
	spin_ms(50);
	chardev_expect(screen, "");
	assert_string_equal(the.console, "one\n");
	assert_int_equal(the.console_calls, 1); /* not one for each byte */
	chardev_say("two\n");			/* still on its way when the terminal comes back */
	chardev_set_active(the.cd, true);
	chardev_say("three\n");
	chardev_expect(screen, "two\r\nthree\r\n");
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
	chardev_say("output meanwhile");
	chardev_ready(the.cd);
	chardev_spin();
	chardev_type(screen, "\n");
	assert_int_equal(console_watches, 1);
	event_loop_forget(the.loop, 0);
	chardev_set_active(the.cd, true);
	chardev_type(screen, "z");
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
	chardev_type(screen, "\001x");
	assert_int_equal(the.quits, 1);
	assert_int_equal(the.got_count, 2);
	close(screen);
}

/* ---- pty -------------------------------------------------------------------------------------- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, chardev_setup, chardev_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
