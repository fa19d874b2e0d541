/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disks of a machine: what -drive, -hda and -hdb say, and the images behind the IDE drives. */
#ifndef DRIVES_H
#define DRIVES_H

#include "devices/devices.h"
#include "error.h"

#include <limits.h>

#define MAX_DRIVES 2

struct machine;

struct drive_option {
	char path[PATH_MAX]; /* "": no such drive */
	bool readonly, raw;
};

/* "FILE[,readonly]" or QEMU's "file=FILE,format=raw,if=ide,index=0,media=disk,readonly=on", in any order; a comma
 * in a name is written twice. Without an index the first free drive is meant. -EINVAL, -EBUSY. */
int drive_option_parse(const char *text, struct drive_option drives[MAX_DRIVES], struct error *err);
/* -hda, -hdb: a name as it is. */
int drive_option_file(const char *path, unsigned index, struct drive_option drives[MAX_DRIVES],
		      struct error *err);

struct drives;

int drives_open(const struct drive_option options[MAX_DRIVES], struct drives **drives,
		struct error *err);
struct disk_backend drives_backend(struct drives *drives, unsigned index);
/* The machine that was made with the backends. It may run from here on. */
void drives_connect(struct drives *drives, struct machine *machine);
/* NULL is fine for both. Disconnect before the machine is destroyed, close behind it. */
void drives_disconnect(struct drives *drives);
void drives_close(struct drives *drives);

#endif
