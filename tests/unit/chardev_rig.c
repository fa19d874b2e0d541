// SPDX-License-Identifier: GPL-3.0-or-later
#include "chardev_rig.h"
#include "chardev.h"
#include "log.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture the;

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

int chardev_setup(void **state)
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

void close_chardev(void)
{
	chardev_close(the.cd);
	the.cd = NULL;
}

int chardev_teardown(void **state)
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

void open_chardev(const char *spec)
{
	struct error err = {0};

	if (chardev_open(spec, the.loop, &the.cd, &err) < 0)
		fail_msg("%s: %s", spec, err.text);
	assert_int_equal(chardev_connect(the.cd, &user, &err), 0);
}

void chardev_spin(void)
{
	for (int i = 0; i < 20; i++)
		event_loop_once(the.loop, i < 3 ? 5 : 0);
}

void spin_ms(int ms)
{
	for (int i = 0; i < ms; i += 10)
		event_loop_once(the.loop, 10);
}

void chardev_say(const char *text)
{
	chardev_write(the.cd, text, strlen(text));
}

size_t chardev_drain(int fd, char *buf, size_t size)
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

void chardev_expect(int fd, const char *text)
{
	char buf[1000] = "";

	chardev_spin();
	chardev_drain(fd, buf, sizeof(buf) - 1);
	assert_string_equal(buf, text);
}

void expect_input(const char *text)
{
	chardev_spin();
	the.got[the.got_count] = 0;
	assert_string_equal(the.got, text);
}

void chardev_type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	chardev_spin();
}

void stdio_is_pipes(int *to_stdin, int *from_stdout)
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
