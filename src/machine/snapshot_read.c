// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reading a snapshot: snapshot_file.h has the format. A file may be damaged, or made to do harm: every
 * number in it is checked before it is used, nothing larger than one section is believed at a time, and
 * RAM is taken in ascending order, so that no file costs more memory than this machine has RAM. What the
 * parts say is for those to judge who load them.
 */
#include "machine/snapshot.h"

#include "machine/checksum.h"
#include "machine/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
	FILE *file;
	const char *path;
	struct machine *machine;
	struct snapshot *snapshot;
	struct error *err;
	uint64_t sum;
	uint64_t sections;
	uint64_t next_page; /* pages below this one have been */
	struct section_head head;
	uint8_t *bytes; /* of the present section; room for the largest */
};

static int damaged(struct reader *r, const char *why)
{
	return error_set(r->err, -EINVAL, "%s is damaged: %s", r->path, why);
}

static int get(struct reader *r, void *bytes, size_t size)
{
	if (fread(bytes, 1, size, r->file) == size)
		return 0;
	if (ferror(r->file))
		return error_set(r->err, -EIO, "cannot read %s: %s", r->path, strerror(errno));
	return damaged(r, "it ends too early");
}

/* ---- the header ----------------------------------------------------------------------------- */

static int check_magic(struct reader *r, const struct file_header *header)
{
	if (memcmp(header->magic, FILE_MAGIC, sizeof(header->magic)) != 0)
		return error_set(r->err, -EMEDIUMTYPE, "%s is no snapshot", r->path);
	if (header->version != FILE_VERSION || header->size != sizeof(*header))
		return error_set(r->err, -EINVAL,
				 "%s has format %u, and this vitrine reads format %u: use the one "
				 "that wrote it",
				 r->path, header->version, FILE_VERSION);
	if (header->sum != checksum(0, header, offsetof(struct file_header, sum)))
		return damaged(r, "its header is not what was written");
	return 0;
}

static int check_machine(struct reader *r, const struct file_header *header)
{
	const struct machine *machine = r->machine;
	uint64_t ram = memory_size(machine->memory);
	bool user = machine->config.irqchip == IRQCHIP_USER;

	if (strncmp(header->accel, machine->vm->ops->name, sizeof(header->accel)) != 0)
		return error_set(r->err, -EINVAL, "%s was made with -accel %.*s, and this is %s",
				 r->path, (int)sizeof(header->accel), header->accel,
				 machine->vm->ops->name);
	if (header->ram_size != ram)
		return error_set(r->err, -EINVAL,
				 "%s is of a machine with %llu KiB of RAM, and this one has %llu "
				 "KiB: start vitrine with -m %lluK",
				 r->path, (unsigned long long)header->ram_size >> 10,
				 (unsigned long long)ram >> 10,
				 (unsigned long long)header->ram_size >> 10);
	if (header->vcpus != machine->vcpu_count)
		return error_set(r->err, -EINVAL,
				 "%s is of a machine with %llu vCPUs, and this one has %u: start "
				 "vitrine with -smp %llu",
				 r->path, (unsigned long long)header->vcpus, machine->vcpu_count,
				 (unsigned long long)header->vcpus);
	if (header->user_irqchip != user)
		return error_set(r->err, -EINVAL, "%s was made with -irqchip=%s: start vitrine so",
				 r->path, user ? "kernel" : "user");
	return 0;
}

static int read_header(struct reader *r)
{
	struct file_header header;
	int rc = get(r, &header, sizeof(header));

	if (rc == 0)
		rc = check_magic(r, &header);
	if (rc == 0)
		rc = check_machine(r, &header);
	if (rc < 0)
		return rc;
	r->sum = header.sum;
	r->snapshot->parts.guest_time = header.guest_time;
	r->snapshot->saved_at = header.saved_at;
	return 0;
}

/* ---- sections ------------------------------------------------------------------------------- */

static int take_part(struct reader *r, struct parts *parts)
{
	parts_put(parts, r->head.name, r->bytes, r->head.size);
	if (parts->error == -ENOMEM)
		return error_set(r->err, -ENOMEM, "not enough memory for %s", r->path);
	return parts->error < 0 ? damaged(r, "a part comes twice, or there are too many") : 0;
}

static int take_vm(struct reader *r)
{
	return take_part(r, &r->snapshot->parts.vm);
}

static int take_vcpu(struct reader *r)
{
	if (r->head.index >= r->snapshot->parts.vcpu_count)
		return damaged(r, "it has more vCPUs than it says");
	return take_part(r, &r->snapshot->parts.vcpu[r->head.index]);
}

static int take_device(struct reader *r)
{
	return take_part(r, &r->snapshot->parts.devices);
}

static int take_ram(struct reader *r)
{
	uint64_t first, count, limit = r->snapshot->ram.pages;

	if (r->head.size < sizeof(first) + TREE_PAGE || (r->head.size - sizeof(first)) % TREE_PAGE)
		return damaged(r, "a piece of RAM has no proper size");
	memcpy(&first, r->bytes, sizeof(first));
	count = (r->head.size - sizeof(first)) / TREE_PAGE;
	if (first < r->next_page || first >= limit || count > limit - first)
		return damaged(r, "a piece of RAM lies where none can");
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *page = r->bytes + sizeof(first) + i * TREE_PAGE;

		if (page_tree_set(&r->snapshot->ram, first + i, page) < 0)
			return error_set(r->err, -ENOMEM, "not enough memory for %s", r->path);
	}
	r->snapshot->pages += count;
	r->next_page = first + count;
	return 0;
}

static int take_end(struct reader *r)
{
	uint64_t sections;

	if (r->head.size != sizeof(sections))
		return damaged(r, "its end is not what was written");
	memcpy(&sections, r->bytes, sizeof(sections));
	if (sections != r->sections)
		return damaged(r, "sections are missing");
	if (fgetc(r->file) != EOF)
		return damaged(r, "it goes on behind its end");
	return 0;
}

static const struct {
	int (*take)(struct reader *r);
	size_t limit;
} kinds[] = {
	[SECTION_VM] = {take_vm, PART_SIZE_MAX},
	[SECTION_VCPU] = {take_vcpu, PART_SIZE_MAX},
	[SECTION_DEVICE] = {take_device, PART_SIZE_MAX},
	[SECTION_RAM] = {take_ram, RAM_SECTION_SIZE},
	[SECTION_END] = {take_end, sizeof(uint64_t)},
};
#define KINDS	     (sizeof(kinds) / sizeof(kinds[0]))
#define LARGEST_SIZE (RAM_SECTION_SIZE + 8)

_Static_assert(PART_SIZE_MAX <= RAM_SECTION_SIZE, "a section fits into the buffer");

/* The head may be damaged too: its size is believed as far as the buffer goes, and no further. */
static int read_section(struct reader *r)
{
	struct section_head *head = &r->head;
	uint64_t sum, size;
	int rc = get(r, head, sizeof(*head));

	if (rc < 0)
		return rc;
	if (head->kind >= KINDS || !kinds[head->kind].take || head->size > kinds[head->kind].limit)
		return damaged(r, "a section is of no known kind, or too large");
	size = head->size + -head->size % 8;
	rc = get(r, r->bytes, size);
	if (rc < 0)
		return rc;
	sum = head->sum;
	head->sum = 0;
	r->sum = checksum(r->sum, head, sizeof(*head));
	r->sum = checksum(r->sum, r->bytes, head->size);
	for (uint64_t i = head->size; i < size; i++)
		sum += r->bytes[i]; /* the filling is zeros */
	if (sum != r->sum || head->name[sizeof(head->name) - 1])
		return damaged(r, "what it says is not what was written");
	return 0;
}

static int read_sections(struct reader *r)
{
	int rc;

	do {
		rc = read_section(r);
		if (rc == 0)
			rc = kinds[r->head.kind].take(r);
		r->sections++;
	} while (rc == 0 && r->head.kind != SECTION_END);
	return rc;
}

static int read_all(struct reader *r)
{
	int rc = machine_parts_init(&r->snapshot->parts, r->machine->vcpu_count);

	r->bytes = malloc(LARGEST_SIZE);
	if (rc < 0 || !r->bytes)
		return error_set(r->err, -ENOMEM, "out of memory");
	rc = read_header(r);
	if (rc == 0)
		rc = read_sections(r);
	if (rc < 0)
		return rc;
	rc = machine_parts_fit(r->machine, &r->snapshot->parts, r->err);
	return rc < 0 ? error_prefix(r->err, "%s does not fit", r->path) : 0;
}

/* Opening must not wait for the other end of a pipe. */
static FILE *open_regular(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *file;

	if (fd < 0) {
		error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		error_set(err, -EINVAL, "%s is no regular file", path);
		close(fd);
		return NULL;
	}
	file = fdopen(fd, "rb");
	if (!file) {
		error_set(err, -ENOMEM, "out of memory");
		close(fd);
	}
	return file;
}

int snapshots_read(struct snapshots *s, const char *file, const char *name, struct error *err)
{
	struct error own = {0};
	struct reader r = {.path = file, .machine = s->machine, .err = err ? err : &own};
	int rc = snapshot_new(s, name, &r.snapshot, r.err);

	if (rc < 0)
		return rc;
	r.file = open_regular(file, r.err);
	rc = r.file ? read_all(&r) : r.err->code;
	if (r.file)
		fclose(r.file);
	free(r.bytes);
	if (rc < 0)
		snapshot_free(r.snapshot);
	else
		snapshots_add(s, r.snapshot);
	return rc;
}
