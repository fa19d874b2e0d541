// SPDX-License-Identifier: GPL-3.0-or-later
#include "fw_cfg_files.h"

#include "option_values.h"
#include "plain_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX (256ll << 20)

/* An option in parts, which point into copy. */
struct spec {
	char *copy;
	const char *name, *file, *string;
};

static int spelling(const char *option, struct error *err)
{
	return error_set(err, -EINVAL,
			 "-fw_cfg takes name=NAME,file=FILE or name=NAME,string=TEXT, not '%s'",
			 option);
}

/* The first part may be the name alone. */
static const char **field(struct spec *spec, const char *key)
{
	if (!strcmp(key, "name"))
		return &spec->name;
	if (!strcmp(key, "file"))
		return &spec->file;
	return strcmp(key, "string") ? NULL : &spec->string;
}

static int check(const struct spec *spec, const char *option, struct error *err)
{
	if (!spec->name || !*spec->name || !spec->file == !spec->string)
		return spelling(option, err);
	if (strlen(spec->name) >= FW_CFG_NAME_SIZE)
		return error_set(err, -EINVAL, "the name of a -fw_cfg has %d bytes at most: '%s'",
				 FW_CFG_NAME_SIZE - 1, spec->name);
	return 0;
}

static int parse(const char *option, struct spec *spec, struct error *err)
{
	char *rest, *key, *value;

	*spec = (struct spec){.copy = strdup(option)};
	if (!spec->copy)
		return error_set(err, -ENOMEM, "out of memory");
	for (rest = spec->copy; rest;) {
		bool first = rest == spec->copy;
		const char **to;

		rest = option_property(rest, &key, &value);
		if (first && !value) {
			value = key;
			key = "name";
		}
		to = field(spec, key);
		if (!to || !value || *to)
			return spelling(option, err);
		*to = value;
	}
	return check(spec, option, err);
}

int fw_cfg_files_check(const char *option, struct error *err)
{
	struct spec spec;
	int rc = parse(option, &spec, err);

	free(spec.copy);
	return rc;
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static int read_all(int fd, const char *path, struct fw_cfg_file *file, struct error *err)
{
	char *bytes = malloc(file->size ? file->size : 1);
	size_t done = 0;
	ssize_t n = 1;

	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for %s", path);
	file->bytes = bytes;
	while (done < file->size && n > 0) {
		n = read(fd, bytes + done, file->size - done);
		done += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	file->size = done;
	return 0;
}

static int read_file(const char *path, struct fw_cfg_file *file, struct error *err)
{
	off_t size;
	int fd = plain_file_open(path, &size), rc;

	if (fd == -EINVAL)
		return error_set(err, fd, "%s is not a file", path);
	if (fd < 0)
		return error_set(err, fd, "cannot open %s: %s", path, strerror(-fd));
	file->size = (size_t)size;
	rc = size <= FILE_SIZE_MAX
		     ? read_all(fd, path, file, err)
		     : error_set(err, -EFBIG, "%s is larger than 256 MiB: give it as -initrd",
				 path);
	close(fd);
	return rc;
}

/* Without a zero at its end, as QEMU has it. */
static int take_string(const char *text, struct fw_cfg_file *file, struct error *err)
{
	file->bytes = strdup(text);
	file->size = strlen(text);
	return file->bytes ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int fw_cfg_files_add(struct fw_cfg_files *files, const char *option, struct error *err)
{
	struct fw_cfg_file *file = &files->file[files->count];
	struct spec spec;
	int rc = parse(option, &spec, err);

	if (rc == 0 && files->count == FW_CFG_USER_FILES_MAX)
		rc = error_set(err, -E2BIG, "more than %d -fw_cfg", FW_CFG_USER_FILES_MAX);
	if (rc == 0) {
		files->count++;
		snprintf(file->name, sizeof(file->name), "%s", spec.name);
		rc = spec.file ? read_file(spec.file, file, err)
			       : take_string(spec.string, file, err);
		if (rc < 0)
			error_prefix(err, "-fw_cfg");
	}
	free(spec.copy);
	return rc;
}

void fw_cfg_files_free(struct fw_cfg_files *files)
{
	for (unsigned i = 0; i < files->count; i++)
		free((void *)files->file[i].bytes);
	*files = (struct fw_cfg_files){0};
}
