/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listens, opens a character device, or takes standard input and output; takes one gdb at a time, and feeds a
 * session. */
#ifndef GDBSTUB_SERVER_H
#define GDBSTUB_SERVER_H

#include "debug/debug.h"
#include "event_loop.h"
#include "gdbstub/session.h"
#include "net_address.h"

struct gdb_server;

enum on_disconnect { DISCONNECT_KEEP, DISCONNECT_CONTINUE, DISCONNECT_KILL };

struct gdb_server_config {
	struct net_address address;
	enum on_disconnect on_disconnect;
	enum gdb_arch arch;
	const struct gdb_file *files; /* see struct gdb_config; they outlive the server */
	unsigned file_count;
	void *monitor_ctx;
	void (*monitor)(void *ctx, const char *line,
			void (*write)(void *wctx, const char *text, size_t size), void *wctx);
	/* A gdb came or went. May be NULL. */
	void *attached_ctx;
	void (*attached)(void *ctx, bool attached);
};

/* Listens, or opens the device, at once; connections are taken by the event loop. */
int gdb_server_new(struct debug *debug, struct event_loop *loop,
		   const struct gdb_server_config *config, struct gdb_server **server,
		   struct error *err);
void gdb_server_free(struct gdb_server *server); /* closes; unlinks a unix socket it made */
/* As it was bound. */
const struct net_address *gdb_server_address(const struct gdb_server *server);
bool gdb_server_attached(const struct gdb_server *server); /* NULL: no */
/* Whether one is attached, or may come. NULL: no. */
bool gdb_server_reachable(const struct gdb_server *server);

#endif
