// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct fake_snapshots list = {.current = -1};

struct fake_snapshots *fake_snapshots(void)
{
	return &list;
}

void fake_snapshots_clear(void)
{
	list = (struct fake_snapshots){.current = -1};
}

static int find(const char *name, struct error *err)
{
	for (unsigned i = 0; i < list.count; i++)
		if (!strcmp(list.name[i], name))
			return (int)i;
	return error_set(err, -ENOENT, "there is no snapshot \"%s\"", name);
}

int debug_snapshot_save(struct debug *debug, const char *name, struct error *err)
{
	int i = find(name, NULL);

	(void)debug;
	if (i < 0 && list.count == FAKE_SNAPSHOTS)
		return error_set(err, -ENOSPC, "there are too many snapshots already");
	if (i < 0)
		i = (int)list.count++;
	snprintf(list.name[i], sizeof(list.name[i]), "%s", name);
	list.current = i;
	return 0;
}

int debug_snapshot_restore(struct debug *debug, const char *name, enum debug_owner actor,
			   struct error *err)
{
	int i = find(name, err);

	(void)debug;
	list.actor = actor;
	if (i >= 0)
		list.current = i;
	return i < 0 ? i : 0;
}

int debug_snapshot_delete(struct debug *debug, const char *name, struct error *err)
{
	int i = find(name, err);

	(void)debug;
	if (i < 0)
		return i;
	list.count--;
	memmove(list.name[i], list.name[i + 1], (list.count - (unsigned)i) * sizeof(list.name[0]));
	list.current = -1;
	return 0;
}

bool debug_snapshot_next(struct debug *debug, unsigned index, struct snapshot_info *info)
{
	(void)debug;
	if (index >= list.count)
		return false;
	*info = (struct snapshot_info){.name = list.name[index],
				       .guest_time = 1500000000ull * (index + 1),
				       .saved_at = 1700000000,
				       .pages = index,
				       .bytes = index * 4096ull + 500,
				       .current = (int)index == list.current};
	return true;
}

int debug_snapshot_write(struct debug *debug, const char *name, const char *file, struct error *err)
{
	int i = find(name, err);

	(void)debug;
	snprintf(list.file, sizeof(list.file), "%s", file);
	return i < 0 ? i : 0;
}

int debug_snapshot_read(struct debug *debug, const char *file, const char *name, struct error *err)
{
	int rc = debug_snapshot_save(debug, name, err);

	snprintf(list.file, sizeof(list.file), "%s", file);
	list.current = -1;
	return rc;
}
