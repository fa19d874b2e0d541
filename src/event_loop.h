/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One poll(2) loop, run by the main thread. Everything that is not a vCPU happens in its callbacks:
 * gdb's socket, the console, serial input, timers, and the debugger core's news.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include "error.h"

struct event_loop;

/* revents as poll(2) gives them. A callback may watch and forget any fd, its own too. */
typedef void event_fn(void *ctx, int fd, short revents);

struct event_loop *event_loop_new(void); /* NULL when out of memory */
void event_loop_free(struct event_loop *loop);

/* Calls fn while fd has one of events (POLLIN, POLLOUT). Watching an fd again replaces what was
 * said of it. The fd stays the caller's. -ENOMEM. */
int event_loop_watch(struct event_loop *loop, int fd, short events, event_fn *fn, void *ctx);
void event_loop_forget(struct event_loop *loop, int fd);

/* Runs until event_loop_quit(), whose status it returns, or -errno when poll fails. */
int event_loop_run(struct event_loop *loop);

/* One round: waits at most timeout_ms (-1: for ever) and calls what is ready. 0, or -errno. */
int event_loop_once(struct event_loop *loop, int timeout_ms);

/* Ends event_loop_run() after the running callback. The first status counts. Loop thread only; status >= 0. */
void event_loop_quit(struct event_loop *loop, int status);

#endif
