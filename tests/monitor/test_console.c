// SPDX-License-Identifier: GPL-3.0-or-later
/* What the console puts on a terminal while a line is being edited. A child has the console and the
 * terminal's inner end; the parent reads the outer one. */
#include "fake_debug.h"
#include "monitor/console.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define PROMPT "(vitrine) "
#define HANGS  30 /* seconds */

struct inside {
	struct event_loop *loop;
	struct debug *debug;
	struct monitor *monitor;
	struct console *console;
};

static void no_quit(void *ctx)
{
	(void)ctx;
}

static void no_end(void *ctx, bool failed)
{
	(void)ctx;
	(void)failed;
}

static void print(struct inside *inside, const char *text)
{
	console_print(inside->console, text, strlen(text));
}

static void feed(struct inside *inside, const char *lines, bool last)
{
	console_feed(inside->console, lines, strlen(lines), last);
}

static void turn(struct inside *inside)
{
	for (unsigned i = 0; i < 20; i++)
		event_loop_once(inside->loop, 5);
}

static const struct console_config config = {.end = no_end};

static void build(struct inside *inside)
{
	inside->loop = event_loop_new();
	inside->debug = fake_debug_new(NULL);
	inside->monitor = monitor_new(inside->debug, NULL, no_quit, NULL);
	if (!inside->loop || !inside->monitor ||
	    console_new(inside->monitor, inside->debug, inside->loop, &config, &inside->console,
			NULL))
		_exit(2);
	turn(inside);
}

static void tear_down(struct inside *inside)
{
	console_free(inside->console);
	monitor_free(inside->monitor);
	fake_debug_free(inside->debug);
	event_loop_free(inside->loop);
}

/* The child never returns into the tests. */
static void run_child(void (*play)(struct inside *inside))
{
	struct inside inside = {0};

	setenv("TERM", "xterm", 1);
	setenv("INPUTRC", "/dev/null", 1);
	setenv("XDG_STATE_HOME", "/nonexistent", 1);
	build(&inside);
	play(&inside);
	tear_down(&inside);
	exit(0);
}

#define KEYS_PLEASE "KEYS?"

static void type(int fd, const char *keys)
{
	assert_int_equal(write(fd, keys, strlen(keys)), strlen(keys));
}

/* Everything that was written until the end, without readline's bracketed-paste switches. */
static void read_all(int fd, const char *when_asked, char *text, size_t size)
{
	static const char *const switches[] = {"\033[?2004h", "\033[?2004l\r"};
	size_t used = 0;
	ssize_t done;

	while (used < size - 1 && (done = read(fd, text + used, size - 1 - used)) > 0) {
		used += done;
		text[used] = 0;
		if (!strstr(text, KEYS_PLEASE))
			continue;
		type(fd, when_asked);
		when_asked = "";
	}
	text[used] = 0;
	for (unsigned i = 0; i < 2; i++)
		for (char *at; (at = strstr(text, switches[i]));)
			memmove(at, at + strlen(switches[i]), strlen(at + strlen(switches[i])) + 1);
}

static void show_typing(void (*play)(struct inside *inside), const char *first,
			const char *when_asked, char *text, size_t size)
{
	struct winsize window = {.ws_row = 24, .ws_col = 40};
	int fd, status;
	pid_t child;

	fflush(NULL);
	child = forkpty(&fd, NULL, NULL, &window);
	if (!child)
		run_child(play);
	assert_true(child > 0);
	type(fd, first);
	read_all(fd, when_asked, text, size);
	close(fd);
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		printf("# the terminal saw: %s\n", text);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void show(void (*play)(struct inside *inside), const char *typed, char *text, size_t size)
{
	show_typing(play, typed, "", text, size);
}

static void contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("`%s' is not in `%s'", wanted, text);
}

/* ---- what is played ------------------------------------------------------------------------ */

static void play_lines(struct inside *inside)
{
	turn(inside);
	print(inside, "one\ntwo\n");
	turn(inside);
}

static void test_lines_go_above_the_prompt(void **state)
{
	char text[4096];

	(void)state;
	show(play_lines, "p 12", text, sizeof(text));
	contains(text, PROMPT "p 12\r\033[K");
	contains(text, "one\r\ntwo\r\n" PROMPT "p 12");
}

static void play_pieces(struct inside *inside)
{
	print(inside, "login: ");
	print(inside, "ro");
	print(inside, "ot\nPassword: ");
	turn(inside);
}

/* An unfinished line stands above the prompt, and is continued there. */
static void test_pieces_of_a_line(void **state)
{
	char text[4096];

	(void)state;
	show(play_pieces, "", text, sizeof(text));
	contains(text, "login: \r\n" PROMPT);
	contains(text, "\033[A\rlogin: ro\r\n" PROMPT);
	contains(text, "\033[A\rlogin: root\r\nPassword: \r\n" PROMPT);
}

static void play_news(struct inside *inside)
{
	print(inside, "guest: wor");
	console_end_line(inside->console);
	print(inside, "news of vitrine's\n");
	console_end_line(inside->console); /* there is nothing to end */
	print(inside, "king\n");
	turn(inside);
}

static void test_a_line_that_is_ended(void **state)
{
	char text[4096];

	(void)state;
	show(play_news, "", text, sizeof(text));
	contains(text, "guest: wor\r\n");
	assert_null(strstr(text, "guest: wornews"));
	assert_null(strstr(text, "\033[A")); /* nothing goes on in a line above */
	contains(text, "king\r\n");
}

static void play_wide(struct inside *inside)
{
	for (unsigned i = 0; i < 12; i++)
		print(inside, "0123456789");
	print(inside, "\nend\n");
}

/* What is wider than the terminal cannot be continued: the cursor would not find back. */
static void test_a_wide_piece(void **state)
{
	char text[4096], *at;

	(void)state;
	show(play_wide, "", text, sizeof(text));
	for (at = text; (at = strstr(at, "\033[A")); at += 3)
		assert_true(strcspn(at + 4, "\r\n") <= 40);
	contains(text, "end\r\n" PROMPT);
}

static void play_escapes(struct inside *inside)
{
	print(inside, "a\033[2Jb\007c\x9b"
		      "31m\xc2\x9b"
		      "d\r\n");
	print(inside, "\xe2");
	print(inside, "\x96");
	print(inside, "\xa0 \xc3");
	print(inside, "\xa4\n");
}

static void test_escapes_of_the_guest(void **state)
{
	char text[4096];

	(void)state;
	show(play_escapes, "", text, sizeof(text));
	contains(text, "a\\x1b[2Jb\\x07c\\x9b31m\\xc2\\x9bd\r\n");
	contains(text, "\xe2\x96\xa0 \xc3\xa4\r\n");
}

static void play_inactive(struct inside *inside)
{
	struct termios modes, raw;

	turn(inside);
	console_set_active(inside->console, false);
	tcgetattr(STDOUT_FILENO, &modes);
	raw = modes;
	cfmakeraw(&raw);
	tcsetattr(STDOUT_FILENO, TCSANOW, &raw);
	print(inside, "meanwhile\n");
	fake_debug_stop(inside->debug, STOP_PAUSE, 0, "a stop");
	tcsetattr(STDOUT_FILENO, TCSANOW, &modes);
	printf("BACK");
	console_set_active(inside->console, true);
	turn(inside);
}

static void test_somebody_else_has_the_terminal(void **state)
{
	char text[8192], *back;

	(void)state;
	show(play_inactive, "half", text, sizeof(text));
	contains(text, "meanwhile\r\n");
	contains(text, "a stop\r\n");
	back = strstr(text, "BACK");
	assert_non_null(back);
	contains(back, PROMPT);
	contains(back, "half");
	*back = 0;
	assert_null(strstr(strstr(text, "meanwhile"), PROMPT));
}

static void play_queue(struct inside *inside)
{
	feed(inside, "print 6*7", false);
	feed(inside, "echo done", false);
	turn(inside);
}

static void test_queued_lines_come_first(void **state)
{
	char text[4096];

	(void)state;
	show(play_queue, "", text, sizeof(text));
	contains(text, PROMPT "print 6*7\r\n0x2a = 42\r\n" PROMPT "echo done\r\ndone\r\n" PROMPT);
}

static void play_steps(struct inside *inside)
{
	feed(inside, "step", false);
	feed(inside, "echo stepped", false);
	turn(inside);
	printf("WAITS\n");
	fflush(stdout);
	fake_debug_stop(inside->debug, STOP_STEP, 0, "step");
	turn(inside);
}

static void test_a_queued_line_waits_for_the_stop(void **state)
{
	char text[4096], *waits;

	(void)state;
	show(play_steps, "", text, sizeof(text));
	waits = strstr(text, "WAITS");
	assert_non_null(waits);
	contains(waits, "stepped\r\n");
	*waits = 0;
	assert_null(strstr(text, "stepped"));
}

static void play_second(struct inside *inside)
{
	struct console *second = NULL;
	struct error err = {0};

	if (console_new(inside->monitor, inside->debug, inside->loop, &config, &second, &err))
		print(inside, err.text);
}

static void test_one_console_only(void **state)
{
	char text[4096];

	(void)state;
	show(play_second, "", text, sizeof(text));
	contains(text, "there is a console already");
}

/* What Ctrl-C does to keys that nobody has read yet (termios(3), NOFLSH), between poll and read. */
static void throw_keys_away(void *ctx, int fd, short revents)
{
	(void)ctx;
	(void)fd;
	(void)revents;
	tcflush(STDIN_FILENO, TCIFLUSH);
}

static void play_keys_thrown_away(struct inside *inside)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int ready = eventfd(1, EFD_CLOEXEC);

	/* The loop asks in the order of coming: the console comes behind. */
	console_set_active(inside->console, false);
	event_loop_watch(inside->loop, ready, POLLIN, throw_keys_away, NULL);
	console_set_active(inside->console, true);
	printf(KEYS_PLEASE "\n");
	fflush(stdout);
	assert_int_equal(poll(&input, 1, -1), 1);
	alarm(HANGS);
	event_loop_once(inside->loop, 0);
	event_loop_forget(inside->loop, ready);
	close(ready);
	print(inside, poll(&input, 1, 0) ? "the keys are there\n" : "still here\n");
	turn(inside);
}

static void test_keys_that_ctrl_c_threw_away(void **state)
{
	char text[4096];

	(void)state;
	show_typing(play_keys_thrown_away, "", "abc", text, sizeof(text));
	contains(text, "still here");
	assert_null(strstr(text, "abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_go_above_the_prompt),
		cmocka_unit_test(test_pieces_of_a_line),
		cmocka_unit_test(test_a_line_that_is_ended),
		cmocka_unit_test(test_a_wide_piece),
		cmocka_unit_test(test_escapes_of_the_guest),
		cmocka_unit_test(test_somebody_else_has_the_terminal),
		cmocka_unit_test(test_queued_lines_come_first),
		cmocka_unit_test(test_a_queued_line_waits_for_the_stop),
		cmocka_unit_test(test_one_console_only),
		cmocka_unit_test(test_keys_that_ctrl_c_threw_away),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
