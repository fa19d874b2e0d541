/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots in files, and the bytes of these. */
#ifndef TESTS_SNAPSHOT_FILE_RIG_H
#define TESTS_SNAPSHOT_FILE_RIG_H

#include "rig.h"

#include <stddef.h>

static const uint8_t snapshot_file_spin[] = {0xeb, 0xfe};
extern struct rig snapshot_file_rig;
extern char folder[64], path[96];

int snapshot_file_setup(void **state);
int snapshot_file_teardown(void **state);
void save_and_write(const char *name);
void read_as(const char *name);
/* The sentence of a refusal; nothing was added. */
const char *snapshot_file_refused(int code);
void snapshot_file_says(const char *text, const char *wanted);

struct bytes {
	uint8_t *at;
	size_t size;
};

struct bytes snapshot_file_load(void);
void store(const uint8_t *at, size_t size);

#endif
