// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk_image.h"

#include "disk_file.h"
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* A request that outlives disk_request.bytes. */
struct job {
	struct disk_request request;
	uint8_t bytes[DISK_REQUEST_MAX * DISK_SECTOR];
};

struct disk_image {
	struct disk_file file;
	uint64_t run;
	pthread_t thread;
	bool thread_started;

	pthread_mutex_t lock; /* inside the device lock */
	pthread_cond_t news;  /* of what is below */
	bool waiting;	      /* next is to be done; a newer one replaces it */
	bool busy;	      /* the thread works on one, or tells of it */
	bool connected, quit;
	struct job next;
	disk_done_fn *done;
	void *ctx;

	/* The thread's. */
	struct job job;
	unsigned told; /* troubles that were, one bit each */
};

/* ---- trouble --------------------------------------------------------------------------------- */

enum trouble { CANNOT_READ, CANNOT_WRITE, CANNOT_FLUSH, TOO_SHORT, DELETED };

/* A guest repeats what fails; the user hears of it once. */
static bool is_new(struct disk_image *image, enum trouble trouble)
{
	bool told = image->told & 1u << trouble;

	image->told |= 1u << trouble;
	return !told;
}

static int failed(struct disk_image *image, enum trouble trouble, int rc)
{
	static const char *const words[] = {"read", "write to", "flush"};

	if (is_new(image, trouble))
		log_warn("disk", "cannot %s %s: %s; the guest gets an error", words[trouble],
			 image->file.path, strerror(-rc));
	return rc;
}

static int too_short(struct disk_image *image)
{
	if (is_new(image, TOO_SHORT))
		log_warn("disk",
			 "%s has shrunk since it was opened; the guest gets errors beyond its end",
			 image->file.path);
	return -ENODATA;
}

/* ---- requests: the thread's side -------------------------------------------------------------- */

static int read_image(struct disk_image *image, const struct disk_request *r)
{
	size_t size = (size_t)r->count * DISK_SECTOR, done = 0;

	while (done < size) {
		ssize_t n = pread(image->file.fd, r->bytes + done, size - done,
				  (off_t)(r->sector * DISK_SECTOR + done));

		if (n < 0 && errno != EINTR)
			return failed(image, CANNOT_READ, -errno);
		if (n == 0)
			return too_short(image);
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Writing behind the end would make a file that has shrunk look whole, with holes in it. */
static int check_file(struct disk_image *image, const struct disk_request *r)
{
	uint64_t end = (r->sector + r->count) * DISK_SECTOR;
	struct stat st;

	if (fstat(image->file.fd, &st) < 0)
		return failed(image, CANNOT_WRITE, -errno);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_nlink == 0 && is_new(image, DELETED))
		log_warn("disk", "%s was deleted: what the guest writes is lost when vitrine ends",
			 image->file.path);
	return (uint64_t)st.st_size < end ? too_short(image) : 0;
}

static int write_image(struct disk_image *image, const struct disk_request *r)
{
	size_t size = (size_t)r->count * DISK_SECTOR, done = 0;
	int rc = check_file(image, r);

	while (rc == 0 && done < size) {
		ssize_t n = pwrite(image->file.fd, r->bytes + done, size - done,
				   (off_t)(r->sector * DISK_SECTOR + done));

		if (n < 0 && errno != EINTR)
			rc = failed(image, CANNOT_WRITE, -errno);
		done += n > 0 ? (size_t)n : 0;
	}
	return rc;
}

static int flush_image(struct disk_image *image, const struct disk_request *r)
{
	(void)r;
	if (image->file.readonly || fdatasync(image->file.fd) == 0)
		return 0;
	return failed(image, CANNOT_FLUSH, -errno);
}

static int perform(struct disk_image *image, const struct disk_request *r)
{
	static int (*const ops[])(struct disk_image *, const struct disk_request *) = {
		[DISK_READ] = read_image, [DISK_WRITE] = write_image, [DISK_FLUSH] = flush_image};

	return ops[r->op](image, r);
}

/* Called and left with the lock held. */
static void do_next(struct disk_image *image)
{
	struct job *job = &image->job;
	bool connected;
	int rc;

	*job = image->next;
	job->request.bytes = job->bytes;
	image->waiting = false;
	image->busy = true;
	pthread_mutex_unlock(&image->lock);
	rc = perform(image, &job->request);
	pthread_mutex_lock(&image->lock);
	connected = image->connected;
	pthread_mutex_unlock(&image->lock);
	if (connected)
		image->done(image->ctx, job->request.ticket, rc, job->bytes);
	pthread_mutex_lock(&image->lock);
	image->busy = false;
	pthread_cond_broadcast(&image->news);
}

static void *work(void *arg)
{
	struct disk_image *image = arg;

	pthread_mutex_lock(&image->lock);
	while (image->waiting || !image->quit) {
		if (image->waiting)
			do_next(image);
		else
			pthread_cond_wait(&image->news, &image->lock);
	}
	pthread_mutex_unlock(&image->lock);
	return NULL;
}

/* ---- requests: the drive's side --------------------------------------------------------------- */

/* Only what the host has in memory, and never while the thread may be writing. */
static bool read_at_once(struct disk_image *image, const struct disk_request *r)
{
	struct iovec to = {r->bytes, (size_t)r->count * DISK_SECTOR};

	return r->op == DISK_READ && !image->busy && !image->waiting &&
	       preadv2(image->file.fd, &to, 1, (off_t)(r->sector * DISK_SECTOR), RWF_NOWAIT) ==
		       (ssize_t)to.iov_len;
}

static int start(void *ctx, const struct disk_request *request)
{
	struct disk_image *image = ctx;
	int rc = -EINPROGRESS;

	pthread_mutex_lock(&image->lock);
	if (read_at_once(image, request)) {
		rc = 0;
	} else if (image->connected) {
		image->next.request = *request;
		if (request->op == DISK_WRITE)
			memcpy(image->next.bytes, request->bytes,
			       (size_t)request->count * DISK_SECTOR);
		image->waiting = true;
		pthread_cond_broadcast(&image->news);
	}
	pthread_mutex_unlock(&image->lock);
	return rc;
}

static void version(void *ctx, uint64_t *run, uint64_t *changed)
{
	const struct disk_image *image = ctx;
	struct stat st = {0};

	fstat(image->file.fd, &st);
	*run = image->run;
	*changed = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
}

struct disk_backend disk_image_backend(struct disk_image *image)
{
	return (struct disk_backend){.ctx = image,
				     .sectors = image->file.sectors,
				     .readonly = image->file.readonly,
				     .start = start,
				     .version = version};
}

void disk_image_connect(struct disk_image *image, disk_done_fn *done, void *ctx)
{
	pthread_mutex_lock(&image->lock);
	image->done = done;
	image->ctx = ctx;
	image->connected = true;
	pthread_mutex_unlock(&image->lock);
}

void disk_image_disconnect(struct disk_image *image)
{
	pthread_mutex_lock(&image->lock);
	image->connected = false;
	while (image->busy || image->waiting)
		pthread_cond_wait(&image->news, &image->lock);
	pthread_mutex_unlock(&image->lock);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Signals are for others to take. */
static int start_thread(struct disk_image *image, struct error *err)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&image->thread, NULL, work, image);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	image->thread_started = rc == 0;
	return rc ? error_set(err, -rc, "cannot start a thread: %s", strerror(rc)) : 0;
}

static int prepare(struct disk_image *image, bool raw, struct error *err)
{
	int rc = disk_file_open(&image->file, raw, err);

	if (rc == 0 && getrandom(&image->run, sizeof(image->run), 0) != sizeof(image->run))
		rc = error_set(err, -EIO, "the host has no random numbers");
	return rc < 0 ? rc : start_thread(image, err);
}

int disk_image_open(const struct disk_image_config *config, struct disk_image **out,
		    struct error *err)
{
	struct disk_image *image = calloc(1, sizeof(*image));
	int rc;

	if (!image)
		return error_set(err, -ENOMEM, "out of memory");
	image->file.fd = -1;
	image->file.readonly = config->readonly;
	pthread_mutex_init(&image->lock, NULL);
	pthread_cond_init(&image->news, NULL);
	image->file.path = strdup(config->path);
	rc = image->file.path ? prepare(image, config->raw, err)
			      : error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		*out = image;
	else
		disk_image_close(image);
	return rc;
}

static void end_thread(struct disk_image *image)
{
	pthread_mutex_lock(&image->lock);
	image->quit = true;
	pthread_cond_broadcast(&image->news);
	pthread_mutex_unlock(&image->lock);
	pthread_join(image->thread, NULL);
}

void disk_image_close(struct disk_image *image)
{
	if (!image)
		return;
	if (image->thread_started)
		end_thread(image);
	if (image->file.fd >= 0)
		close(image->file.fd);
	pthread_cond_destroy(&image->news);
	pthread_mutex_destroy(&image->lock);
	free(image->file.path);
	free(image);
}
