/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk's image, and its user. */
#ifndef TESTS_DISK_RIG_H
#define TESTS_DISK_RIG_H

#include "disk_image.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTORS 64

struct image_user {
	char path[200];
	struct disk_image *image;
	struct disk_backend backend;
	/* What the image told. */
	pthread_mutex_t lock;
	pthread_cond_t news;
	unsigned told;
	uint64_t ticket;
	int rc;
	uint8_t bytes[DISK_REQUEST_MAX * DISK_SECTOR];
	bool hold, held; /* it is kept telling */
	char log[1000];
	unsigned lines;
};

extern struct image_user disk;

/* Sector n is full of n. */
void make_file(size_t size);
int try_open(bool readonly, bool raw, struct disk_image **image, struct error *err);
int disk_setup(void **state);
int disk_teardown(void **state);

#endif
