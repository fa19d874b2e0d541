/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file, or a block device, as the contents of a disk: sector n is at byte 512 n. It is locked with flock() against
 * anybody else who writes and locks. Sectors are written whole; what a flush has answered is on the host's disk.
 *
 * The guest never waits inside vitrine: what the host has at hand is read at once, everything else is done by
 * a thread of the image's own, one request after the other.
 */
#ifndef DISK_IMAGE_H
#define DISK_IMAGE_H

#include "devices/devices.h"
#include "error.h"

struct disk_image;

struct disk_image_config {
	const char *path;
	bool readonly;
	bool raw; /* what looks like another format is meant as it is */
};

/* -EBUSY: somebody else has it. -EINVAL: it is no disk. Or what opening it said. */
int disk_image_open(const struct disk_image_config *config, struct disk_image **image,
		    struct error *err);
/* NULL is fine. What was asked of it before is done first. */
void disk_image_close(struct disk_image *image);

/* Good as long as the image is. */
struct disk_backend disk_image_backend(struct disk_image *image);

/* Who hears how a request that was not done at once has ended: in the image's thread, no lock held. bytes as in
 * ide_done(). Before this nothing may be started. */
typedef void disk_done_fn(void *ctx, uint64_t ticket, int rc, const uint8_t *bytes);
void disk_image_connect(struct disk_image *image, disk_done_fn *done, void *ctx);
/* Behind this done is not called any more; requests that come have no end. */
void disk_image_disconnect(struct disk_image *image);

#endif
