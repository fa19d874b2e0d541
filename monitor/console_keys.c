// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keys, from the terminal to readline. Ctrl-C makes the kernel throw away what was typed and not yet read, also when
 * poll(2) has told of it already. A read() that waits would then wait for the next key, and everything else in
 * the event loop with it. So reading never waits: the terminal answers with nothing (VMIN 0) where there is nothing.
 */
#include "monitor/console_private.h"

#include <errno.h>
#include <poll.h>
#include <readline/readline.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* The signal handler writes there; readline's hooks carry no context. */
static int ctrl_c_fd = -1;

static void prepare_terminal(int meta)
{
	struct termios modes;

	rl_prep_terminal(meta);
	if (tcgetattr(STDIN_FILENO, &modes))
		return;
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

static bool hung_up(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL));
}

int console_take_key(unsigned char *key)
{
	ssize_t done = read(STDIN_FILENO, key, 1);

	if (done > 0)
		return 1;
	if (done < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	return hung_up() ? -1 : 0;
}

/* The rest of what a key began. When Ctrl-C has thrown that away, what was begun is given up, too. */
static int next_key(FILE *stream)
{
	struct pollfd wait[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				{.fd = ctrl_c_fd, .events = POLLIN}};
	unsigned char key;
	int got;

	(void)stream;
	while (!(got = console_take_key(&key))) {
		if (poll(wait, 2, -1) > 0 && wait[1].revents)
			return ABORT_CHAR;
	}
	return got > 0 ? key : EOF;
}

bool console_keys_ready(void)
{
	unsigned char key;
	int got = console_take_key(&key);

	if (got > 0)
		rl_stuff_char(key);
	return got;
}

void console_keys_start(struct console *console)
{
	ctrl_c_fd = console->interrupt_fd;
	rl_prep_term_function = prepare_terminal;
	rl_getc_function = next_key;
}
