/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A serial backend, its user, and whoever sits at the other end. */
#ifndef TESTS_CHARDEV_RIG_H
#define TESTS_CHARDEV_RIG_H

#include "chardev.h"
#include "log.h"

#include <stddef.h>

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

extern struct fixture the;

int chardev_setup(void **state);
void close_chardev(void);
int chardev_teardown(void **state);
void open_chardev(const char *spec);
/* Lets the loop do what there is to do; a little later than now, too. */
void chardev_spin(void);
void spin_ms(int ms);
void chardev_say(const char *text);
/* Reads what is there within a short while. */
size_t chardev_drain(int fd, char *buf, size_t size);
void chardev_expect(int fd, const char *text);
void expect_input(const char *text);
void chardev_type(int fd, const char *text);
/* stdin and stdout become the far ends of two pipes; ours come back. */
void stdio_is_pipes(int *to_stdin, int *from_stdout);

#endif
