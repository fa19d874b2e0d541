// SPDX-License-Identifier: GPL-3.0-or-later
/* Writing a snapshot: snapshot_file.h has the format. */
#include "machine/snapshot.h"

#include "machine/checksum.h"
#include "machine/snapshot_file.h"
#include "plain_file.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct writer {
	FILE *file;
	uint64_t sum;
	uint64_t sections;
	int error;

	/* Pages that lie together are collected here: the first one's number, and they. */
	const struct page_tree *ram;
	uint8_t *run;
	uint64_t run_first, run_pages;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
	if (!w->error && size && fwrite(bytes, 1, size, w->file) != size)
		w->error = errno ? -errno : -EIO;
}

static void put_section(struct writer *w, enum section_kind kind, uint32_t index, const char *name,
			const void *bytes, size_t size)
{
	static const uint8_t filling[8];
	struct section_head head = {.kind = kind, .index = index, .size = size};

	memcpy(head.name, name, strnlen(name, sizeof(head.name) - 1));
	w->sum = checksum(w->sum, &head, sizeof(head));
	w->sum = checksum(w->sum, bytes, size);
	head.sum = w->sum;
	put(w, &head, sizeof(head));
	put(w, bytes, size);
	put(w, filling, -size % 8);
	w->sections++;
}

static void put_header(struct writer *w, const struct machine *machine,
		       const struct snapshot *snapshot)
{
	struct file_header header = {.version = FILE_VERSION,
				     .size = sizeof(header),
				     .ram_size = memory_size(machine->memory),
				     .vcpus = machine->vcpu_count,
				     .user_irqchip = machine->config.irqchip == IRQCHIP_USER,
				     .guest_time = snapshot->parts.guest_time,
				     .saved_at = snapshot->saved_at};
	const char *accel = machine->vm->ops->name;

	memcpy(header.magic, FILE_MAGIC, sizeof(header.magic));
	memcpy(header.accel, accel, strnlen(accel, sizeof(header.accel) - 1));
	header.sum = checksum(0, &header, offsetof(struct file_header, sum));
	w->sum = header.sum;
	put(w, &header, sizeof(header));
}

static void put_parts(struct writer *w, enum section_kind kind, uint32_t index,
		      const struct parts *parts)
{
	for (unsigned i = 0; i < parts->count; i++)
		put_section(w, kind, index, parts->part[i].name, parts->part[i].bytes,
			    parts->part[i].size);
}

/* ---- RAM ------------------------------------------------------------------------------------ */

static void end_run(struct writer *w)
{
	if (w->run_pages)
		put_section(w, SECTION_RAM, 0, "", w->run,
			    sizeof(uint64_t) + w->run_pages * TREE_PAGE);
	w->run_pages = 0;
}

static int put_page(void *ctx, uint64_t index)
{
	struct writer *w = ctx;

	if (w->run_pages == 0 || index != w->run_first + w->run_pages ||
	    w->run_pages == RAM_SECTION_PAGES) {
		end_run(w);
		w->run_first = index;
		memcpy(w->run, &index, sizeof(index));
	}
	memcpy(w->run + sizeof(index) + w->run_pages++ * TREE_PAGE, page_tree_get(w->ram, index),
	       TREE_PAGE);
	return w->error;
}

static void put_ram(struct writer *w, const struct page_tree *ram)
{
	w->ram = ram;
	w->run = malloc(RAM_SECTION_SIZE);
	if (!w->run) {
		w->error = -ENOMEM;
		return;
	}
	page_tree_pages(ram, put_page, w);
	end_run(w);
	free(w->run);
}

/* ---- the file ------------------------------------------------------------------------------- */

static int put_all(FILE *file, const struct machine *machine, const struct snapshot *snapshot)
{
	struct writer w = {.file = file};

	put_header(&w, machine, snapshot);
	put_parts(&w, SECTION_VM, 0, &snapshot->parts.vm);
	for (uint32_t i = 0; i < snapshot->parts.vcpu_count; i++)
		put_parts(&w, SECTION_VCPU, i, &snapshot->parts.vcpu[i]);
	put_parts(&w, SECTION_DEVICE, 0, &snapshot->parts.devices);
	put_ram(&w, &snapshot->ram);
	put_section(&w, SECTION_END, 0, "", &w.sections, sizeof(w.sections));
	if (!w.error && fflush(file))
		w.error = -errno;
	return w.error;
}

static int put_into(int fd, const struct machine *machine, const struct snapshot *snapshot)
{
	FILE *file = fdopen(fd, "wb");
	int rc;

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	rc = put_all(file, machine, snapshot);
	return fclose(file) && rc == 0 ? -errno : rc;
}

/* Only a regular file can be replaced by another. */
static int check_target(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return error_set(err, -EINVAL, "%s is no regular file: choose another name", path);
}

int snapshots_write(struct snapshots *s, const char *name, const char *file, struct error *err)
{
	const struct snapshot *snapshot = snapshots_find(s, name);
	char *beside;
	int rc = check_target(file, err);

	if (!snapshot)
		return error_set(err, -ENOENT, "there is no snapshot \"%.*s\"", SNAPSHOT_NAME_SIZE,
				 name);
	if (rc < 0)
		return rc;
	rc = plain_file_new_beside(file, &beside);
	if (rc >= 0) {
		rc = put_into(rc, s->machine, snapshot);
		if (rc == 0 && rename(beside, file) < 0)
			rc = -errno;
		if (rc < 0)
			unlink(beside);
		free(beside);
	}
	return rc < 0 ? error_set(err, rc, "cannot write %s: %s", file, strerror(-rc)) : 0;
}
