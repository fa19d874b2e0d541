/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that is the contents of a disk: whether it can be, and whether nobody else writes to it. */
#ifndef DISK_FILE_H
#define DISK_FILE_H

#include "devices/devices.h"
#include "error.h"

struct disk_file {
	char *path;
	bool readonly;
	int fd; /* -1: not open */
	uint64_t sectors;
};

/* Opens what path and readonly say; raw: what looks like another format is meant as it is. -EBUSY: somebody else has
 * it. -EINVAL: it is no disk. Or what opening it said. The fd is the caller's to close, failed or not. */
int disk_file_open(struct disk_file *file, bool raw, struct error *err);

#endif
