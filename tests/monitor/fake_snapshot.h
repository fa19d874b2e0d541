/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots of a machine that is not there: names alone, and an account of what was asked last. */
#ifndef TESTS_MONITOR_FAKE_SNAPSHOT_H
#define TESTS_MONITOR_FAKE_SNAPSHOT_H

#include "debug/debug.h"

#define FAKE_SNAPSHOTS 8

struct fake_snapshots {
	char name[FAKE_SNAPSHOTS][64];
	unsigned count;
	int current; /* index, or -1 */
	char file[256];
	enum debug_owner actor;
};

/* The one list; a test begins with an empty one. */
struct fake_snapshots *fake_snapshots(void);
void fake_snapshots_clear(void);

#endif
