/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server, and clients of all manners. */
#ifndef TESTS_SERVER_RIG_H
#define TESTS_SERVER_RIG_H

#include "gdbstub/server.h"
#include "peer.h"

struct place {
	struct debug *debug;
	struct event_loop *loop;
	struct gdb_server *server;
	char path[100];
	char log[4000];
};

extern struct place place;

void server_start(enum on_disconnect policy);
int server_setup(void **state);
int server_teardown(void **state);
/* Lets the server do what there is to do. */
void rounds(void);
int connect_quietly(void);
int connect_client(void);
void server_say(int fd, const char *bytes);
void server_expect(int fd, const char *bytes);

#endif
