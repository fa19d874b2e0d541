// SPDX-License-Identifier: GPL-3.0-or-later
#include "accel/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct parts *parts)
{
	unsigned room = parts->room ? 2 * parts->room : 16;
	struct named_part *part;

	if (parts->count < parts->room)
		return 0;
	part = realloc(parts->part, room * sizeof(*part));
	if (!part)
		return -ENOMEM;
	parts->part = part;
	parts->room = room;
	return 0;
}

static int add(struct parts *parts, const char *name, const void *bytes, size_t size)
{
	struct named_part part = {.size = size};
	int rc;

	if (parts->count == PARTS_MAX || size > PART_SIZE_MAX || strlen(name) >= PART_NAME_SIZE)
		return -E2BIG;
	if (parts_find(parts, name))
		return -EEXIST;
	rc = make_room(parts);
	if (rc < 0)
		return rc;
	memcpy(part.name, name, strlen(name));
	part.bytes = malloc(size ? size : 1);
	if (!part.bytes)
		return -ENOMEM;
	if (size)
		memcpy(part.bytes, bytes, size);
	parts->part[parts->count++] = part;
	return 0;
}

void parts_put(struct parts *parts, const char *name, const void *bytes, size_t size)
{
	if (!parts->error)
		parts->error = add(parts, name, bytes, size);
}

const struct named_part *parts_find(const struct parts *parts, const char *name)
{
	for (unsigned i = 0; i < parts->count; i++)
		if (!strcmp(parts->part[i].name, name))
			return &parts->part[i];
	return NULL;
}

int parts_get(const struct parts *parts, const char *name, void *bytes, size_t size)
{
	const struct named_part *part = parts_find(parts, name);

	if (!part || part->size != size)
		return -EINVAL;
	memcpy(bytes, part->bytes, size);
	return 0;
}

int parts_check(const struct parts *parts, const char *name, size_t size, struct error *err)
{
	const struct named_part *part = parts_find(parts, name);

	if (!part)
		return error_set(err, -EINVAL, "the snapshot lacks \"%s\", which this host keeps",
				 name);
	if (part->size != size)
		return error_set(err, -EINVAL,
				 "\"%s\" has %zu bytes in the snapshot and %zu on this host", name,
				 part->size, size);
	return 0;
}

size_t parts_size(const struct parts *parts)
{
	size_t size = 0;

	for (unsigned i = 0; i < parts->count; i++)
		size += parts->part[i].size;
	return size;
}

void parts_free(struct parts *parts)
{
	for (unsigned i = 0; i < parts->count; i++)
		free(parts->part[i].bytes);
	free(parts->part);
	*parts = (struct parts){0};
}
