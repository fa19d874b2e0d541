/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text on its way from any thread to the main thread: what the guest prints to a console that only the
 * main thread may draw on, and log lines from vCPU threads.
 *
 * A writer never waits. It may hold the device lock, and the main thread may be waiting for that very
 * vCPU to park. When the box is full (the reader's terminal stands still), bytes are dropped, and counted.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "event_loop.h"

#include <stddef.h>
#include <stdint.h>

struct outbox;

typedef void outbox_fn(void *ctx, const char *text, size_t size);

/* fn is called in the main thread, from the loop. NULL when out of memory or descriptors. */
struct outbox *outbox_new(struct event_loop *loop, outbox_fn *fn, void *ctx);
/* Delivers what is left. No other thread may use the box any more. NULL is fine. */
void outbox_free(struct outbox *box);

void outbox_put(struct outbox *box, const void *text, size_t size); /* any thread */
void outbox_flush(struct outbox *box);				    /* main thread: deliver now */

#endif
