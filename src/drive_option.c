// SPDX-License-Identifier: GPL-3.0-or-later
#include "drives.h"
#include "option_values.h"

#include <errno.h>
#include <string.h>

struct parsing {
	struct drive_option drive;
	int index; /* -1: the first that is free */
	struct error *err;
};

/* ---- keys ------------------------------------------------------------------------------------ */

typedef int key_fn(struct parsing *p, const char *value);

static int take_path(struct parsing *p, const char *value)
{
	if (p->drive.path[0] || !*value || strlen(value) >= sizeof(p->drive.path))
		return error_set(p->err, -EINVAL, "-drive takes the name of one image, not '%s'",
				 value);
	memcpy(p->drive.path, value, strlen(value) + 1);
	return 0;
}

static int take_format(struct parsing *p, const char *value)
{
	p->drive.raw = true;
	return strcmp(value, "raw") == 0 ? 0
					 : error_set(p->err, -EINVAL,
						     "vitrine takes raw images, not '%s': "
						     "`qemu-img convert -O raw` makes "
						     "one",
						     value);
}

static int take_interface(struct parsing *p, const char *value)
{
	return strcmp(value, "ide") == 0
		       ? 0
		       : error_set(p->err, -EINVAL, "vitrine's disks are IDE's: if=ide, not '%s'",
				   value);
}

static int take_media(struct parsing *p, const char *value)
{
	return strcmp(value, "disk") == 0
		       ? 0
		       : error_set(p->err, -EINVAL, "vitrine has disks alone: media=disk, not '%s'",
				   value);
}

static int take_index(struct parsing *p, const char *value)
{
	uint64_t number;
	int rc = option_whole("drive index", value, MAX_DRIVES - 1, &number, p->err);

	if (rc == 0)
		p->index = (int)number;
	return rc;
}

static int take_readonly(struct parsing *p, const char *value)
{
	static const struct choice switches[] = {{"", true}, {"on", true}, {"off", false}, {0}};
	int on = false, rc = option_choice("drive readonly", value, switches, &on, p->err);

	p->drive.readonly = on;
	return rc;
}

static const struct {
	const char *name;
	key_fn *take;
} keys[] = {
	{"file", take_path},	     {"format", take_format},	   {"if", take_interface},
	{"media", take_media},	     {"index", take_index},	   {"unit", take_index},
	{"readonly", take_readonly}, {"read-only", take_readonly},
};

static int take(struct parsing *p, const char *text)
{
	size_t size = strcspn(text, "=");

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i].name) == size && strncmp(keys[i].name, text, size) == 0)
			return keys[i].take(p, text[size] ? text + size + 1 : "");
	return error_set(
		p->err, -EINVAL,
		"-drive knows file, format=raw, if=ide, media=disk, index and readonly, not "
		"'%.60s'",
		text);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Copies up to a single comma; two are one. Returns what is behind it, or NULL when that was the last part or
 * there is no room. */
static const char *next_part(const char *text, char *part, size_t room)
{
	size_t used = 0;

	while (*text && (*text != ',' || text[1] == ',') && used + 1 < room) {
		text += *text == ',';
		part[used++] = *text++;
	}
	part[used] = '\0';
	return *text == ',' ? text + 1 : NULL;
}

static int free_index(const struct drive_option drives[MAX_DRIVES])
{
	int index = 0;

	while (index < MAX_DRIVES && drives[index].path[0])
		index++;
	return index;
}

static int put(const struct parsing *p, struct drive_option drives[MAX_DRIVES])
{
	int index = p->index < 0 ? free_index(drives) : p->index;

	if (!p->drive.path[0])
		return error_set(p->err, -EINVAL, "-drive names no image: -drive FILE[,readonly]");
	if (index == MAX_DRIVES)
		return error_set(p->err, -EINVAL, "there are %d drives, and both are taken",
				 MAX_DRIVES);
	if (drives[index].path[0])
		return error_set(p->err, -EINVAL, "drive %d has an image already", index);
	drives[index] = p->drive;
	return 0;
}

int drive_option_parse(const char *text, struct drive_option drives[MAX_DRIVES], struct error *err)
{
	struct parsing p = {.index = -1, .err = err};
	char part[PATH_MAX + 16];
	bool first = true;
	int rc = 0;

	while (rc == 0 && text) {
		text = next_part(text, part, sizeof(part));
		rc = first && !strchr(part, '=') ? take_path(&p, part) : take(&p, part);
		first = false;
	}
	return rc < 0 ? rc : put(&p, drives);
}

int drive_option_file(const char *path, unsigned index, struct drive_option drives[MAX_DRIVES],
		      struct error *err)
{
	struct parsing p = {.index = (int)index, .err = err};
	int rc = take_path(&p, path);

	return rc < 0 ? rc : put(&p, drives);
}
