/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Saved state in named parts. A part's bytes belong to who saved it: opaque to everybody else, and
 * comparable. Snapshots are made of them, in memory and in files.
 */
#ifndef ACCEL_PARTS_H
#define ACCEL_PARTS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

#define PART_NAME_SIZE 24
#define PARTS_MAX      256 /* in one list */
#define PART_SIZE_MAX  (1u << 20)

struct named_part {
	char name[PART_NAME_SIZE];
	size_t size;
	uint8_t *bytes;
};

struct parts {
	struct named_part *part;
	unsigned count, room;
	int error; /* the first failure while saving: -ENOMEM, -E2BIG, -EEXIST (the name is taken) */
};

/* Copies bytes. A failure is remembered in parts->error, and everything behind it is ignored. */
void parts_put(struct parts *parts, const char *name, const void *bytes, size_t size);
/* NULL: there is none such. */
const struct named_part *parts_find(const struct parts *parts, const char *name);
/* Copies a part of exactly this size; -EINVAL when it is not there or has another. */
int parts_get(const struct parts *parts, const char *name, void *bytes, size_t size);
/* 0, or -EINVAL with a sentence, when the part is missing or has another size. */
int parts_check(const struct parts *parts, const char *name, size_t size, struct error *err);
size_t parts_size(const struct parts *parts); /* bytes in all parts */
void parts_free(struct parts *parts);	      /* leaves an empty list */

#endif
