// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A snapshot's file, by libFuzzer: it is read into a machine on the dummy accelerator, and what could be read is
 * restored; the machine then runs and stops again. The mutator knows the format, and puts the checksums right behind
 * its changes: without that nothing gets past the first of them.
 */
#include "input_file.h"
#include "machine/checksum.h"
#include "machine/snapshot_file.h"
#include "world.h"

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static const struct world_config config = {.vcpus = 1};
static struct world world;
static uint8_t fresh[1 << 16]; /* a snapshot as it should be, to begin with */
static size_t fresh_size;

static void drop(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

static void take_fresh(const char *path)
{
	struct error err = {0};
	FILE *file;

	world_open(&world, &config);
	if (debug_snapshot_save(world.debug, "fresh", &err) < 0 ||
	    debug_snapshot_write(world.debug, "fresh", path, &err) < 0)
		broken("%s", err.text);
	world_close(&world);
	file = fopen(path, "rb");
	if (!file)
		broken("%s cannot be read", path);
	fresh_size = fread(fresh, 1, sizeof(fresh), file);
	fclose(file);
	if (fresh_size == sizeof(fresh))
		broken("a snapshot of an empty machine takes %zu bytes", fresh_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *tmp = getenv("TMPDIR");
	char folder[200], path[220];

	(void)argc;
	(void)argv;
	log_set_sink(drop, NULL);
	snprintf(folder, sizeof(folder), "%s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		broken("%s cannot be made", folder);
	snprintf(path, sizeof(path), "%s/s", folder);
	take_fresh(path);
	unlink(path);
	rmdir(folder);
	return 0;
}

static void run_a_moment(void)
{
	if (debug_continue(world.debug, OWNER_CONSOLE, NULL) < 0)
		return;
	world_hear(&world, 0);
	world_pause(&world, OWNER_CONSOLE);
	world_hear(&world, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};

	world_open(&world, &config);
	if (debug_snapshot_read(world.debug, input_file(data, size), "s", &err) == 0) {
		if (debug_snapshot_restore(world.debug, "s", OWNER_CONSOLE, &err) == 0)
			run_a_moment();
		debug_snapshot_delete(world.debug, "s", NULL);
	} else if (!err.text[0]) {
		broken("a snapshot is refused without a word");
	}
	world_close(&world);
	return 0;
}

/* ---- mutations -------------------------------------------------------------------------- */

/* Writes the sums anew as far as the sections can be followed. */
static void seal(uint8_t *data, size_t size)
{
	struct file_header header;
	struct section_head head;
	size_t at = sizeof(header);
	uint64_t sum;

	if (size < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	sum = header.sum = checksum(0, &header, offsetof(struct file_header, sum));
	memcpy(data, &header, sizeof(header));
	while (at + sizeof(head) <= size) {
		memcpy(&head, data + at, sizeof(head));
		if (head.size > size - at - sizeof(head))
			return;
		head.sum = 0;
		sum = checksum(sum, &head, sizeof(head));
		sum = checksum(sum, data + at + sizeof(head), head.size);
		head.sum = sum;
		memcpy(data + at, &head, sizeof(head));
		at += sizeof(head) + head.size + -head.size % 8;
	}
}

/* The section that the n-th byte is in: where its bytes begin, and how many there are. */
static size_t find_section(const uint8_t *data, size_t size, size_t n, size_t *length)
{
	size_t at = sizeof(struct file_header);

	while (at + sizeof(struct section_head) <= size) {
		struct section_head head;

		memcpy(&head, data + at, sizeof(head));
		at += sizeof(head);
		if (head.size > size - at)
			break;
		*length = head.size;
		if (at + head.size > n)
			return at;
		at += head.size + -head.size % 8;
	}
	return 0;
}

/* What a part says changes, and the file stays whole. */
static bool change_part(uint8_t *data, size_t size, unsigned seed)
{
	static uint8_t part[RAM_SECTION_SIZE];
	size_t length, at = find_section(data, size, size ? seed % size : 0, &length);

	if (!at || !length || length > sizeof(part))
		return false;
	memcpy(part, data + at, length);
	LLVMFuzzerMutate(part, length, length);
	memcpy(data + at, part, length);
	return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	if (size < sizeof(struct file_header) && fresh_size <= max_size) {
		memcpy(data, fresh, fresh_size);
		size = fresh_size;
	}
	if (seed % 4 == 0 || !change_part(data, size, seed / 16))
		size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 16 != 5)
		seal(data, size);
	return size;
}
