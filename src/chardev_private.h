/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kinds of chardev share. Everything is for the loop's thread, but what stands under the lock. */
#ifndef CHARDEV_PRIVATE_H
#define CHARDEV_PRIVATE_H

#include "chardev.h"
#include "net_address.h"

#include <pthread.h>
#include <stdint.h>

#define CHARDEV_PENDING 4096
#define CHARDEV_RING	(1u << 20)

/* How to write without waiting, depending on what was opened. */
enum chardev_out {
	OUT_NONBLOCK, /* the open file description is ours and non-blocking, or never blocks */
	OUT_SOCKET,
	OUT_POLL /* somebody else's description: small pieces, after poll() */
};

struct chardev {
	struct event_loop *loop;
	struct chardev_user user;
	bool connected; /* user is known */
	char where[160];

	int in_fd; /* -1: no input, now */
	bool eof;  /* in_fd has no more to read; it is kept for its hang-up */
	bool in_watched, out_watched;
	int wake;   /* eventfd: other threads want the loop's attention */
	int listen; /* a socket's; a pty's master while nobody has it open; -1 */
	int timer;  /* a pty's, for a look at it; mon:stdio's, for diverted output; -1 */
	struct net_address address;

	bool is_stdio, terminal; /* terminal: stdin is one */
	bool lossy;		 /* the guest is never made to wait for its reader */
	bool mux, escape;	 /* mon:stdio; Ctrl-A was the last key */
	bool inactive;		 /* the console has the terminal */

	/* The other side has gone: input at its end, or failing output. */
	void (*lost)(struct chardev *cd, bool input);
	void (*destroy)(struct chardev *cd);

	uint8_t pending[CHARDEV_PENDING]; /* read, and not taken by the user yet */
	size_t pending_count;
	bool refused; /* the user has no room for it now */

	pthread_mutex_t lock;
	/* lock: */
	int out_fd; /* -1: output is dropped */
	enum chardev_out out;
	bool divert;	    /* output goes to the console instead */
	uint8_t *ring;	    /* CHARDEV_RING bytes */
	size_t head, count; /* oldest byte; how many */
	bool stalled;	    /* chardev_has_room() said no */
	bool dropping;	    /* and it was logged */
	int out_error;	    /* errno of a write that failed for good; the loop is to call lost() */
};

/* The kinds: open() fills in fds, lost, destroy, where. arg: what follows the kind's prefix. */
int chardev_open_stdio(struct chardev *cd, const char *arg, struct error *err);
int chardev_open_stderr(struct chardev *cd, const char *arg, struct error *err);
int chardev_open_mux(struct chardev *cd, const char *arg, struct error *err);
int chardev_open_file(struct chardev *cd, const char *path, struct error *err);
int chardev_open_pty(struct chardev *cd, const char *arg, struct error *err);
int chardev_open_socket(struct chardev *cd, const char *spec, struct error *err);

/* Make a new end known; -1: there is none. The old one is forgotten, not closed; what it had not taken of
 * the output is dropped. */
void chardev_set_input(struct chardev *cd, int fd);
void chardev_set_output(struct chardev *cd, int fd, enum chardev_out out);
void chardev_set_peer(struct chardev *cd, int fd, enum chardev_out out); /* both ends are one fd */
/* Watches what there is to watch now. Call it when anything that it depends on has changed. */
void chardev_rearm(struct chardev *cd);

/* ---- chardev_output.c */
void chardev_output_step(struct chardev *cd); /* writes what can be written now */
void chardev_tell_room(struct chardev *cd);
size_t chardev_waiting(struct chardev *cd); /* bytes in the ring; any thread */
void chardev_wake(struct chardev *cd);	    /* any thread */
void chardev_divert(struct chardev *cd, bool on);
/* The ring's content is dropped; chardev_set_output() is this and the watches. */
void chardev_replace_output(struct chardev *cd, int fd, enum chardev_out out);

/* ---- chardev_stdio.c */
/* One byte from the terminal of mon:stdio: true when it is the guest's. */
bool chardev_mux_key(struct chardev *cd, uint8_t byte);

#endif
