// SPDX-License-Identifier: GPL-3.0-or-later
#include "drives.h"

#include "disk_image.h"
#include "machine/machine.h"

#include <errno.h>
#include <stdlib.h>

struct drive {
	struct drives *drives;
	unsigned index;
	struct disk_image *image; /* NULL: none */
};

struct drives {
	struct machine *machine;
	struct drive drive[MAX_DRIVES];
};

int drives_open(const struct drive_option options[MAX_DRIVES], struct drives **out,
		struct error *err)
{
	struct drives *drives = calloc(1, sizeof(*drives));
	int rc = 0;

	if (!drives)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; rc == 0 && i < MAX_DRIVES; i++) {
		struct disk_image_config config = {.path = options[i].path,
						   .readonly = options[i].readonly,
						   .raw = options[i].raw};

		drives->drive[i] = (struct drive){.drives = drives, .index = i};
		if (options[i].path[0])
			rc = disk_image_open(&config, &drives->drive[i].image, err);
	}
	if (rc == 0)
		*out = drives;
	else
		drives_close(drives);
	return rc;
}

struct disk_backend drives_backend(struct drives *drives, unsigned index)
{
	struct disk_image *image = drives->drive[index].image;

	return image ? disk_image_backend(image) : (struct disk_backend){0};
}

static void done(void *ctx, uint64_t ticket, int rc, const uint8_t *bytes)
{
	const struct drive *drive = ctx;

	machine_disk_done(drive->drives->machine, drive->index, ticket, rc, bytes);
}

void drives_connect(struct drives *drives, struct machine *machine)
{
	drives->machine = machine;
	for (unsigned i = 0; i < MAX_DRIVES; i++)
		if (drives->drive[i].image)
			disk_image_connect(drives->drive[i].image, done, &drives->drive[i]);
}

void drives_disconnect(struct drives *drives)
{
	for (unsigned i = 0; drives && i < MAX_DRIVES; i++)
		if (drives->drive[i].image)
			disk_image_disconnect(drives->drive[i].image);
}

void drives_close(struct drives *drives)
{
	for (unsigned i = 0; drives && i < MAX_DRIVES; i++)
		disk_image_close(drives->drive[i].image);
	free(drives);
}
