// SPDX-License-Identifier: GPL-3.0-or-later
#include "disk_rig.h"
#include "disk_image.h"
#include "log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct image_user disk;

static void log_sink(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	disk.lines++;
	snprintf(disk.log, sizeof(disk.log), "%s", line);
}

void make_file(size_t size)
{
	FILE *file = fopen(disk.path, "wb");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		fputc((int)(i / DISK_SECTOR), file);
	assert_int_equal(fclose(file), 0);
}

int try_open(bool readonly, bool raw, struct disk_image **image, struct error *err)
{
	struct disk_image_config config = {.path = disk.path, .readonly = readonly, .raw = raw};

	*err = (struct error){0};
	return disk_image_open(&config, image, err);
}

int disk_setup(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	memset(&disk, 0, sizeof(disk));
	pthread_mutex_init(&disk.lock, NULL);
	pthread_cond_init(&disk.news, NULL);
	snprintf(disk.path, sizeof(disk.path), "%s/disk-%d.img", folder ? folder : "/tmp",
		 getpid());
	make_file((size_t)SECTORS * DISK_SECTOR);
	log_set_sink(log_sink, NULL);
	return 0;
}

int disk_teardown(void **state)
{
	(void)state;
	disk_image_close(disk.image);
	log_set_sink(NULL, NULL);
	unlink(disk.path);
	pthread_cond_destroy(&disk.news);
	pthread_mutex_destroy(&disk.lock);
	return 0;
}
