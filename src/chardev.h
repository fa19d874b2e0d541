/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's side of a serial line, as -serial spells it: `stdio`, `mon:stdio`, `stderr`, `pty`, `file:PATH`,
 * `unix:PATH`, `tcp:HOST:PORT` (both listen; `,server,nowait` may follow), `none` or `null`.
 *
 * Output never makes a vCPU wait. What the other side does not take at once is kept, and from 64 KiB on
 * chardev_has_room() is false: a UART then shows a busy transmitter, and a guest that looks at it waits by
 * itself, without losing anything, and can be stopped and debugged meanwhile. A guest that does not look
 * may run ahead by 1 MiB; what comes then is dropped, with one line in the log. With nobody connected (a
 * pty that is not open, a socket without a peer) output is dropped silently. Standard error makes no guest wait:
 * who reads it may do so now and then.
 *
 * Input that its user refuses is kept too, and no more is read until chardev_ready().
 *
 * SIGPIPE must be ignored by the process.
 */
#ifndef CHARDEV_H
#define CHARDEV_H

#include "devices/devices.h"
#include "error.h"
#include "event_loop.h"

#include <stdbool.h>
#include <stddef.h>

struct chardev;

/* Who is on the machine's side. All are called in the loop's thread with no lock held, and must not close
 * the chardev. Any but input may be NULL. */
struct chardev_user {
	void *ctx;
	size_t (*input)(void *ctx, const void *bytes, size_t size); /* how many were taken */
	void (*room)(void *ctx); /* there is room again, after chardev_has_room() said no */

	/* mon:stdio. The user has typed Ctrl-A c: the terminal is as vitrine found it, and stdin is not
	 * read until chardev_set_active(). */
	void (*switch_to_console)(void *ctx);
	void (*quit)(void *ctx); /* Ctrl-A x */
	/* Output while the console has the terminal; NULL: it is written all the same. */
	void (*console_output)(void *ctx, const char *text, size_t size);
};

/* Whether this spells a kind that there is: 0 or -EINVAL with a sentence. Opens nothing. */
int chardev_check(const char *spec, struct error *err);

/* On success *cd is open: output goes out, input waits for chardev_connect(). -EINVAL for a spelling that
 * is none of the above, -EBUSY when stdin is taken, or what opening said. */
int chardev_open(const char *spec, struct event_loop *loop, struct chardev **cd, struct error *err);
/* Once. Sets the terminal's modes, if it has it: plain stdio leaves Ctrl-C to kill vitrine, mon:stdio hands
 * it to the guest. */
int chardev_connect(struct chardev *cd, const struct chardev_user *user, struct error *err);
/* Gives the other side a second to take what is left, as long as it takes anything; restores the terminal,
 * removes the socket. No other thread may use cd any more. NULL is fine. */
void chardev_close(struct chardev *cd);

/* Any thread. */
void chardev_write(struct chardev *cd, const void *bytes, size_t size);
bool chardev_has_room(struct chardev *cd);
void chardev_ready(struct chardev *cd); /* input refused before may be offered again */

/* These four together, for serial_init(). */
struct serial_backend chardev_serial_backend(struct chardev *cd);

/* Where a user finds it: "/dev/pts/5", "unix:/tmp/com1", ":4444"; NULL when there is nothing to find. */
const char *chardev_where(const struct chardev *cd);
bool chardev_uses_stdin(const struct chardev *cd);
bool chardev_has_console(const struct chardev *cd); /* mon:stdio */

/* mon:stdio: who has the terminal, this or the console. It starts with this. Who gives it away is told
 * first: the console is made inactive before this is made active. */
void chardev_set_active(struct chardev *cd, bool active);

/* The loop's thread: waits until all output is out, or nothing has moved for idle_ms (-1: as long as the
 * reader is there), or a blocked SIGINT, SIGTERM or SIGHUP waits to be taken. -ETIMEDOUT, -EINTR. When the
 * guest has ended the run, this with -1 is what keeps `vitrine | less` from losing the last pages. */
int chardev_flush(struct chardev *cd, int idle_ms);

#endif
