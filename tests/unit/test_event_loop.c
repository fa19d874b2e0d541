// SPDX-License-Identifier: GPL-3.0-or-later
#include "event_loop.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PIPES 8

struct fixture {
	struct event_loop *loop;
	int rd[PIPES], wr[PIPES];
	char calls[1024]; /* a digit for each call, by pipe */
	void (*during)(struct fixture *f, int i);
};

static int which(struct fixture *f, int fd)
{
	for (int i = 0; i < PIPES; i++)
		if (f->rd[i] == fd || f->wr[i] == fd)
			return i;
	fail_msg("descriptor %d is none of ours", fd);
	return -1;
}

static void on_event(void *ctx, int fd, short revents)
{
	struct fixture *f = ctx;
	int i = which(f, fd);
	size_t n = strlen(f->calls);
	char byte;

	if (n < sizeof(f->calls) - 1)
		f->calls[n] = (char)('0' + i);
	if (f->during)
		f->during(f, i);
	if ((revents & POLLIN) && read(fd, &byte, 1) < 0)
		assert_int_equal(errno, EAGAIN);
}

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.loop = event_loop_new();
	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
		f.rd[i] = ends[0];
		f.wr[i] = ends[1];
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < PIPES; i++) {
		close(f->rd[i]);
		close(f->wr[i]);
	}
	event_loop_free(f->loop);
	return 0;
}

static void watch(struct fixture *f, int i)
{
	assert_int_equal(event_loop_watch(f->loop, f->rd[i], POLLIN, on_event, f), 0);
}

static void poke(struct fixture *f, int i)
{
	assert_int_equal(write(f->wr[i], "x", 1), 1);
}

static void test_calls_who_is_ready_in_order(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < PIPES; i++)
		watch(f, i);
	poke(f, 5);
	poke(f, 2);
	assert_int_equal(event_loop_once(f->loop, 0), 0);
	assert_string_equal(f->calls, "25");
	assert_int_equal(event_loop_once(f->loop, 0), 0);
	assert_string_equal(f->calls, "25");
}

static void forget_everything(struct fixture *f, int i)
{
	(void)i;
	for (int k = 0; k < PIPES; k++)
		event_loop_forget(f->loop, f->rd[k]);
}

static void test_forgotten_in_a_callback_is_not_called(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < PIPES; i++) {
		watch(f, i);
		poke(f, i);
	}
	f->during = forget_everything;
	event_loop_once(f->loop, 0);
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "0");
}

static void watch_the_rest(struct fixture *f, int i)
{
	for (int k = 1; i == 0 && k < PIPES; k++)
		watch(f, k);
}

static void test_watched_in_a_callback_is_called_next_round(void **state)
{
	struct fixture *f = *state;

	watch(f, 0);
	for (int i = 0; i < PIPES; i++)
		poke(f, i);
	f->during = watch_the_rest;
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "0");
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "01234567");
}

/* The descriptor number is the same, the file behind it is another: what poll said was of the old
 * one. */
static void reopen_one(struct fixture *f, int i)
{
	int ends[2];

	if (i != 0)
		return;
	f->during = NULL;
	event_loop_forget(f->loop, f->rd[1]);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[0], f->rd[1]), f->rd[1]);
	close(ends[0]);
	close(f->wr[1]);
	f->wr[1] = ends[1];
	watch(f, 1);
}

static void test_reused_descriptor_gets_no_stale_event(void **state)
{
	struct fixture *f = *state;

	watch(f, 0);
	watch(f, 1);
	poke(f, 0);
	poke(f, 1);
	f->during = reopen_one;
	event_loop_once(f->loop, 0);
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "0");
	poke(f, 1);
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "01");
}

static void rearm_neighbour(struct fixture *f, int i)
{
	if (i == 0)
		watch(f, 1);
}

static void test_rearming_does_not_starve(void **state)
{
	struct fixture *f = *state;

	watch(f, 0);
	watch(f, 1);
	poke(f, 0);
	poke(f, 1);
	f->during = rearm_neighbour;
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "01");
}

static void on_other(void *ctx, int fd, short revents)
{
	struct fixture *f = ctx;

	(void)fd;
	(void)revents;
	strcat(f->calls, "other");
	event_loop_forget(f->loop, fd);
}

static void test_watching_again_replaces(void **state)
{
	struct fixture *f = *state;

	watch(f, 0);
	event_loop_watch(f->loop, f->rd[0], POLLIN, on_other, f);
	poke(f, 0);
	event_loop_once(f->loop, 0);
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "other");
}

static void test_hangup_is_told_though_not_asked(void **state)
{
	struct fixture *f = *state;

	event_loop_watch(f->loop, f->rd[0], 0, on_other, f);
	close(f->wr[0]);
	f->wr[0] = -1;
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "other");
}

static void swallow(void *ctx, enum log_level level, const char *line)
{
	(void)level;
	*(bool *)ctx = strstr(line, "closed while it was watched") != NULL;
}

static void test_closed_descriptor_does_not_spin(void **state)
{
	struct fixture *f = *state;
	bool told = false;
	int fd = dup(f->rd[0]);

	f->rd[7] = fd;
	watch(f, 7);
	close(fd);
	log_set_sink(swallow, &told);
	event_loop_once(f->loop, 0);
	event_loop_once(f->loop, 0);
	log_set_sink(NULL, NULL);
	assert_string_equal(f->calls, "7");
	assert_true(told);
}

static void quit_seven(struct fixture *f, int i)
{
	event_loop_quit(f->loop, 40 + i);
	event_loop_quit(f->loop, 9);
}

static void test_quit_ends_run_after_the_callback(void **state)
{
	struct fixture *f = *state;

	watch(f, 1);
	watch(f, 2);
	poke(f, 1);
	poke(f, 2);
	f->during = quit_seven;
	assert_int_equal(event_loop_run(f->loop), 41);
	assert_string_equal(f->calls, "1");
	assert_int_equal(event_loop_run(f->loop), 42);
	assert_string_equal(f->calls, "12");
}

static void run_inside(struct fixture *f, int i)
{
	if (i == 0) {
		f->during = NULL;
		event_loop_once(f->loop, 0);
	}
}

static void test_a_round_inside_a_round(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		watch(f, i);
		poke(f, i);
	}
	f->during = run_inside;
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "001212");
}

static void test_many_watches(void **state)
{
	struct fixture *f = *state;
	int fds[100];

	for (int i = 0; i < 100; i++) {
		fds[i] = dup(f->rd[0]);
		assert_int_equal(event_loop_watch(f->loop, fds[i], POLLIN, on_other, f), 0);
	}
	poke(f, 0);
	event_loop_once(f->loop, 0); /* each forgets itself while the others are due */
	assert_int_equal(strlen(f->calls) % strlen("other"), 0);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	f->calls[0] = 0;
	event_loop_once(f->loop, 0);
	assert_string_equal(f->calls, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls_who_is_ready_in_order),
		TEST(test_forgotten_in_a_callback_is_not_called),
		TEST(test_watched_in_a_callback_is_called_next_round),
		TEST(test_reused_descriptor_gets_no_stale_event),
		TEST(test_rearming_does_not_starve),
		TEST(test_watching_again_replaces),
		TEST(test_hangup_is_told_though_not_asked),
		TEST(test_closed_descriptor_does_not_spin),
		TEST(test_quit_ends_run_after_the_callback),
		TEST(test_a_round_inside_a_round),
		TEST(test_many_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
