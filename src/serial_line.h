/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A character device with somebody at its other end: a serial port, a pseudo-terminal, a virtio port. */
#ifndef SERIAL_LINE_H
#define SERIAL_LINE_H

#include "error.h"

#include <stdbool.h>
#include <termios.h>

struct serial_line {
	int fd;
	bool terminal; /* it has modes */
	struct termios before;
};

/* Opens it for reading and writing without waiting, as nobody's controlling terminal. A terminal's line
 * discipline is taken out of the way; its speed and the rest of how it is wired stay as stty has set them. -ENOTTY
 * for what is no character device. */
int serial_line_open(const char *path, struct serial_line *line, struct error *err);

/* Puts a terminal's modes back. Does nothing when fd is -1, and leaves it so. */
void serial_line_close(struct serial_line *line);

/* Whether nobody is there, as far as the device tells at all: most serial ports never do. */
bool serial_line_is_dead(const struct serial_line *line);

#endif
