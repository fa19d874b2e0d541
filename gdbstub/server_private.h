/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the server: server.c listens, client.c talks to the one client, line.c does without
 * connections, stdio.c with the one that is there from the start.
 */
#ifndef GDBSTUB_SERVER_PRIVATE_H
#define GDBSTUB_SERVER_PRIVATE_H

#include "gdbstub/server.h"

struct gdb_line;

struct gdb_server {
	struct debug *debug;
	struct event_loop *loop;
	struct gdb_server_config config;
	int listener; /* -1: none, gdb comes over a line */
	struct gdb_line *line;

	/* The one client. On a line it is whoever is at the other end, in a session or not. */
	int client; /* -1: none */
	int client_out; /* where it is written to: the same, but for stdio; -1 before the first session on a line */
	bool plain_write; /* that is no socket */
	struct gdb_session *session;
	bool closing;  /* the session is over: close when all is sent */
	bool detached; /* it ended with a goodbye */
	bool leaving;  /* vitrine ends: nothing was lost, and nothing is to be done about it */
	bool broken;   /* the other side is gone, or does not read */
	char *out;
	size_t out_size, out_capacity;
	bool full; /* points that print for gdb wait */
};

/* ---- client.c */
/* Pauses the machine and begins a session with who is behind fd, which is watched from now on. -errno, and
 * nothing is begun, when the machine cannot be paused. */
int client_begin(struct gdb_server *server, int fd);
/* Ends the session: gdb's points go, and a loss without goodbye is told. The fd stays open. */
void client_end(struct gdb_server *server);
/* Reads once what there is, and obeys it. */
void client_receive(struct gdb_server *server);
void client_flush(struct gdb_server *server);
/* Sends all, if the other side reads on; some seconds at most. */
void client_drain(struct gdb_server *server);
int64_t client_now_ms(void); /* of a clock that nobody sets */
/* Sends, and closes or watches what there is to watch. After anything that may have produced output or ended the
 * session. */
void client_settle(struct gdb_server *server);
void client_close(struct gdb_server *server); /* ends the session and closes */

/* ---- stdio.c */
int stdio_new(struct gdb_server *server, struct error *err);

/* ---- line.c */
int line_new(struct gdb_server *server, struct error *err);
void line_free(struct gdb_server *server);
void line_feed(struct gdb_server *server, const void *bytes, size_t size);
void line_answers(struct gdb_server *server); /* something is about to be sent */
void line_hung_up(struct gdb_server *server); /* the session is over, the device is no use */

#endif
