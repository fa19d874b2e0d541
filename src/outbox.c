// SPDX-License-Identifier: GPL-3.0-or-later
#include "outbox.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OUTBOX_SIZE (1u << 20)

struct outbox {
	struct event_loop *loop;
	outbox_fn *fn;
	void *ctx;
	int fd;

	pthread_mutex_t lock; /* guards what follows */
	char *text, *spare;   /* being filled; being delivered or empty */
	size_t size;
	uint64_t lost;
};

/* The two buffers change places, so that delivering holds no lock. */
static size_t take(struct outbox *box, char **text, uint64_t *lost)
{
	size_t size;

	pthread_mutex_lock(&box->lock);
	*text = box->text;
	size = box->size;
	*lost = box->lost;
	box->text = box->spare;
	box->spare = *text;
	box->size = 0;
	box->lost = 0;
	pthread_mutex_unlock(&box->lock);
	return size;
}

void outbox_flush(struct outbox *box)
{
	char *text, note[80];
	uint64_t lost;
	size_t size = take(box, &text, &lost);

	if (size > 0)
		box->fn(box->ctx, text, size);
	if (lost == 0)
		return;
	snprintf(note, sizeof(note), "\n[%llu bytes of output were lost here]\n",
		 (unsigned long long)lost);
	box->fn(box->ctx, note, strlen(note));
}

static void on_ready(void *ctx, int fd, short revents)
{
	uint64_t count;

	(void)revents;
	if (read(fd, &count, sizeof(count)) == sizeof(count))
		outbox_flush(ctx);
}

struct outbox *outbox_new(struct event_loop *loop, outbox_fn *fn, void *ctx)
{
	struct outbox *box = calloc(1, sizeof(*box));

	if (!box)
		return NULL;
	*box = (struct outbox){
		.loop = loop, .fn = fn, .ctx = ctx, .lock = PTHREAD_MUTEX_INITIALIZER};
	box->text = malloc(OUTBOX_SIZE);
	box->spare = malloc(OUTBOX_SIZE);
	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->text && box->spare && box->fd >= 0 &&
	    event_loop_watch(loop, box->fd, POLLIN, on_ready, box) == 0)
		return box;
	box->size = 0;
	outbox_free(box);
	return NULL;
}

void outbox_free(struct outbox *box)
{
	if (!box)
		return;
	if (box->size > 0)
		outbox_flush(box);
	if (box->fd >= 0) {
		event_loop_forget(box->loop, box->fd);
		close(box->fd);
	}
	free(box->text);
	free(box->spare);
	free(box);
}

void outbox_put(struct outbox *box, const void *text, size_t size)
{
	uint64_t one = 1;
	size_t room;

	pthread_mutex_lock(&box->lock);
	room = OUTBOX_SIZE - box->size;
	if (size > room) {
		box->lost += size - room;
		size = room;
	}
	memcpy(box->text + box->size, text, size);
	box->size += size;
	pthread_mutex_unlock(&box->lock);
	/* Cannot fail: the counter would have to overflow. */
	if (write(box->fd, &one, sizeof(one)) < 0)
		return;
}
