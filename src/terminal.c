// SPDX-License-Identifier: GPL-3.0-or-later
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool claimed, at_exit;
	struct termios before;
	volatile sig_atomic_t raw; /* `before` is to be restored */
} the_terminal;

bool terminal_claim(void)
{
	if (the_terminal.claimed)
		return false;
	the_terminal.claimed = true;
	return true;
}

void terminal_release(void)
{
	terminal_restore();
	the_terminal.claimed = false;
}

void terminal_restore(void)
{
	int saved = errno;

	if (the_terminal.raw) {
		the_terminal.raw = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &the_terminal.before);
	}
	errno = saved;
}

/* TCSANOW throughout: what was typed ahead stays, and a terminal stopped by Ctrl-S makes nobody wait. */
int terminal_raw(bool signals)
{
	struct termios mode;

	if (tcgetattr(STDIN_FILENO, &mode) < 0)
		return errno == ENOTTY ? 0 : -errno;
	if (!the_terminal.raw)
		the_terminal.before = mode;
	if (!the_terminal.at_exit)
		the_terminal.at_exit = atexit(terminal_restore) == 0;
	mode.c_iflag &= ~(tcflag_t)(BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signals)
		mode.c_lflag &= ~(tcflag_t)ISIG;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	the_terminal.raw = 1;
	return tcsetattr(STDIN_FILENO, TCSANOW, &mode) < 0 ? -errno : 0;
}
