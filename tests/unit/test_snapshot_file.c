// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots in files: what is written is read; what is damaged, does not fit, or means harm is refused with a
 * sentence, and changes nothing. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "picture.h"
#include "rig.h"

#include "debug/core.h"
#include "machine/checksum.h"
#include "machine/snapshot_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t spin[] = {0xeb, 0xfe};
static struct rig rig;
static char folder[64], path[96];

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/vitrine-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	rig = (struct rig){0};
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, spin, sizeof(spin));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_stop(&rig);
	unlink(path);
	return rmdir(folder); /* nothing is left behind */
}

static void save_and_write(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_save(rig.debug, name, &err) < 0 ||
	    debug_snapshot_write(rig.debug, name, path, &err) < 0)
		fail_msg("%s", err.text);
}

static void read_as(const char *name)
{
	struct error err = {0};

	if (debug_snapshot_read(rig.debug, path, name, &err) < 0)
		fail_msg("%s", err.text);
}

/* The sentence of a refusal; nothing was added. */
static const char *refused(int code)
{
	static struct error err;
	unsigned before = rig.debug->snapshots ? rig.debug->snapshots->count : 0;
	int rc;

	err = (struct error){0};
	rc = debug_snapshot_read(rig.debug, path, "refused", &err);
	if (rc != code)
		fail_msg("%d, not %d: %s", rc, code, err.text);
	assert_true(strlen(err.text) > strlen(path) + 5);
	assert_int_equal(rig.debug->snapshots->count, before);
	return err.text;
}

static void says(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("`%s' is not in: %s", wanted, text);
}

/* ---- bytes of a file ------------------------------------------------------------------------ */

struct bytes {
	uint8_t *at;
	size_t size;
};

static struct bytes load(void)
{
	struct bytes b = {0};
	struct stat st;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	b.size = (size_t)st.st_size;
	b.at = malloc(b.size + 4096);
	assert_int_equal(fread(b.at, 1, b.size, file), b.size);
	fclose(file);
	return b;
}

static void store(const uint8_t *at, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(at, 1, size, file), size);
	fclose(file);
}

static size_t padded(uint64_t size)
{
	return (size_t)((size + 7) & ~7ull);
}

static struct section_head *head_at(struct bytes *b, size_t at)
{
	assert_true(at + sizeof(struct section_head) <= b->size);
	return (struct section_head *)(b->at + at);
}

/* Where the n-th section of a kind begins. */
static size_t section(struct bytes *b, enum section_kind kind, unsigned n)
{
	size_t at = sizeof(struct file_header);

	while (head_at(b, at)->kind != kind || n-- > 0)
		at += sizeof(struct section_head) + padded(head_at(b, at)->size);
	return at;
}

/* Makes all sums right again: what a forger would do. */
static void sum_up(struct bytes *b)
{
	struct file_header *header = (struct file_header *)b->at;
	size_t at = sizeof(*header);
	uint64_t sum;

	header->sum = sum = checksum(0, header, offsetof(struct file_header, sum));
	while (at + sizeof(struct section_head) <= b->size) {
		struct section_head *head = head_at(b, at);

		if (head->size > b->size - at - sizeof(*head))
			return;
		head->sum = 0;
		sum = checksum(sum, head, sizeof(*head));
		sum = checksum(sum, head + 1, head->size);
		head->sum = sum;
		at += sizeof(*head) + padded(head->size);
	}
}

static const char *forged(struct bytes *b, int code)
{
	const char *text;

	sum_up(b);
	store(b->at, b->size);
	text = refused(code);
	free(b->at);
	return text;
}

/* ---- back and forth -------------------------------------------------------------------------- */

static void test_write_and_read(void **state)
{
	struct picture before, after;
	uint8_t pattern[3 * 4096];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + 1);
	mem_write_phys(rig.machine->memory, 0x30000, pattern, sizeof(pattern));
	mem_write_phys(rig.machine->memory, RIG_RAM - 1, "x", 1);
	machine_serial_input(rig.machine, 0, "abc", 3);
	rig_set_reg(&rig, 0, "rbx", 0x1234);
	picture_take(&before, rig.machine);
	save_and_write("a");
	mem_zero_phys(rig.machine->memory, 0xc0000, RIG_RAM - 0xc0000);
	mem_zero_phys(rig.machine->memory, 0x30000, 0x10000);
	mem_write_phys(rig.machine->memory, 0x50000, pattern, sizeof(pattern));
	rig_set_reg(&rig, 0, "rbx", 1);
	read_as("b");
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 1); /* reading changes nothing */
	assert_int_equal(debug_snapshot_restore(rig.debug, "b", OWNER_CONSOLE, NULL), 0);
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
}

/* In a machine that has no snapshot yet, as -loadvm does it; and written again it is the same file. */
static void test_a_fresh_machine(void **state)
{
	struct bytes first, second;
	struct picture before, after;

	(void)state;
	mem_write_phys(rig.machine->memory, 0x20000, "text", 4);
	save_and_write("a");
	picture_take(&before, rig.machine);
	first = load();
	rig_stop(&rig);
	rig = (struct rig){0};
	rig_start(&rig, 1, IRQCHIP_USER);
	mem_write_phys(rig.machine->memory, 0x70000, "other", 5);
	read_as("a");
	assert_int_equal(debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, NULL), 0);
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	assert_int_equal(debug_snapshot_write(rig.debug, "a", path, NULL), 0);
	second = load();
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.at, second.at, first.size);
	free(first.at);
	free(second.at);
	picture_free(&before);
	picture_free(&after);
}

static size_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void test_zeros_cost_nothing(void **state)
{
	size_t small;

	(void)state;
	save_and_write("a");
	small = file_size();
	assert_true(small < 80000); /* the text screen has 32 KiB */
	mem_write_phys(rig.machine->memory, 0x20000, "x", 1);
	mem_write_phys(rig.machine->memory, 0x40000, "x", 1);
	save_and_write("b");
	assert_int_equal(file_size(), small + 2 * (4096 + 8 + sizeof(struct section_head)));
}

/* More pages in a row than one section takes. */
static void test_long_runs(void **state)
{
	uint8_t *much = malloc(600 * 1024);
	struct picture before, after;

	(void)state;
	memset(much, 0x11, 600 * 1024);
	mem_write_phys(rig.machine->memory, 0x4000, much, 600 * 1024);
	free(much);
	save_and_write("a");
	picture_take(&before, rig.machine);
	mem_zero_phys(rig.machine->memory, 0, 0x90000);
	read_as("b");
	assert_int_equal(debug_snapshot_restore(rig.debug, "b", OWNER_CONSOLE, NULL), 0);
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
}

/* ---- the file itself --------------------------------------------------------------------------- */

static void test_files_that_cannot_be(void **state)
{
	struct error err = {0};
	char missing[160];

	(void)state;
	assert_int_equal(debug_snapshot_write(rig.debug, "none", path, &err), -ENOENT);
	assert_int_equal(debug_snapshot_read(rig.debug, path, "a", &err), -ENOENT);
	says(err.text, path);
	assert_int_equal(debug_snapshot_save(rig.debug, "a", &err), 0);
	snprintf(missing, sizeof(missing), "%s/no/such", folder);
	assert_int_equal(debug_snapshot_write(rig.debug, "a", missing, &err), -ENOENT);
	assert_int_equal(debug_snapshot_write(rig.debug, "a", folder, &err), -EINVAL);
	assert_int_equal(debug_snapshot_read(rig.debug, folder, "b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_write(rig.debug, "a", "/dev/null", &err), -EINVAL);
	assert_int_equal(debug_snapshot_write(rig.debug, "none", path, &err), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(debug_snapshot_read(rig.debug, path, "b", &err), -EINVAL);
	assert_int_equal(debug_snapshot_write(rig.debug, "a", path, &err), -EINVAL);
}

/* A write that fails leaves what was there. */
static void test_a_failed_write_keeps_the_old_file(void **state)
{
	struct error err = {0};
	struct bytes before, after;

	(void)state;
	save_and_write("a");
	before = load();
	assert_int_equal(chmod(folder, 0500), 0);
	if (access(folder, W_OK) == 0) /* the superuser may write anywhere */
		assert_int_equal(debug_snapshot_write(rig.debug, "a", path, &err), 0);
	else
		assert_int_equal(debug_snapshot_write(rig.debug, "a", path, &err), -EACCES);
	assert_int_equal(chmod(folder, 0700), 0);
	after = load();
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.at, after.at, before.size);
	free(before.at);
	free(after.at);
}

static void test_what_is_no_snapshot(void **state)
{
	struct bytes b;

	(void)state;
	assert_int_equal(debug_snapshot_save(rig.debug, "a", NULL), 0);
	store((const uint8_t *)"", 0);
	refused(-EINVAL);
	store((const uint8_t *)"#!/bin/sh\n", 10);
	refused(-EINVAL);
	store(spin, sizeof(spin));
	refused(-EINVAL);
	save_and_write("a");
	b = load();
	b.at[0] = 'v';
	store(b.at, b.size);
	says(refused(-EMEDIUMTYPE), "no snapshot");
	free(b.at);
}

/* ---- damage --------------------------------------------------------------------------------------- */

/* Cut off anywhere. */
static void test_every_truncation(void **state)
{
	struct bytes b;

	(void)state;
	mem_write_phys(rig.machine->memory, 0x20000, "text", 4);
	save_and_write("a");
	b = load();
	for (size_t size = b.size - 1; size > 0; size -= size <= 4096 ? 1 : size % 61 + 1) {
		assert_int_equal(truncate(path, (off_t)size), 0);
		refused(-EINVAL);
	}
	store(b.at, b.size - 1);
	says(refused(-EINVAL), "too early");
	b.at[b.size] = 0;
	store(b.at, b.size + 1);
	says(refused(-EINVAL), "behind its end");
	free(b.at);
}

/* Any bit, anywhere: each one of the heads and of the small parts, and some of every byte else. */
static void test_every_flipped_bit(void **state)
{
	struct bytes b;
	struct error err;
	FILE *file;

	(void)state;
	save_and_write("a");
	b = load();
	file = fopen(path, "r+b");
	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	for (size_t bit = 0; bit < 8 * b.size; bit += bit < 8 * 3000 ? 1 : 1 + bit % 173) {
		uint8_t byte = b.at[bit / 8] ^ (uint8_t)(1u << bit % 8);

		fseek(file, (long)(bit / 8), SEEK_SET);
		fwrite(&byte, 1, 1, file);
		if (debug_snapshot_read(rig.debug, path, "b", &err) == 0)
			fail_msg("bit %zu of byte %zu is not missed", bit % 8, bit / 8);
		fseek(file, (long)(bit / 8), SEEK_SET);
		fwrite(&b.at[bit / 8], 1, 1, file);
	}
	fclose(file);
	read_as("b"); /* and without damage it is good */
	free(b.at);
}

/* Sections lost, doubled, or in another order, each of them sound. */
static void test_sections_in_disorder(void **state)
{
	struct bytes b;
	size_t first, second, end;

	(void)state;
	save_and_write("a");
	b = load();
	first = section(&b, SECTION_DEVICE, 0);
	second = section(&b, SECTION_DEVICE, 1);
	end = section(&b, SECTION_DEVICE, 2);
	memmove(b.at + first, b.at + second, b.size - second); /* the first one is lost */
	store(b.at, b.size - (second - first));
	refused(-EINVAL);
	free(b.at);
	save_and_write("a");
	b = load();
	{
		uint8_t *copy = malloc(end - first);

		memcpy(copy, b.at + second, end - second);
		memcpy(copy + (end - second), b.at + first, second - first);
		memcpy(b.at + first, copy, end - first);
		free(copy);
	}
	store(b.at, b.size);
	refused(-EINVAL);
	free(b.at);
}

/* ---- what does not fit ------------------------------------------------------------------------------- */

static void other_machine(unsigned vcpus, uint64_t ram, enum irqchip irqchip)
{
	rig_stop(&rig);
	rig = (struct rig){.ram_size = ram};
	rig_start(&rig, vcpus, irqchip);
	assert_int_equal(debug_snapshot_save(rig.debug, "x", NULL), 0);
}

static void test_another_machine(void **state)
{
	(void)state;
	save_and_write("a");
	other_machine(1, 2 << 20, IRQCHIP_USER);
	says(refused(-EINVAL), "-m 1024K");
	other_machine(2, 1 << 20, IRQCHIP_KERNEL);
	says(refused(-EINVAL), "-smp 1");
	other_machine(1, 1 << 20, IRQCHIP_KERNEL);
	says(refused(-EINVAL), "-irqchip=user");
	other_machine(1, 1 << 20, IRQCHIP_USER);
	read_as("fits");
}

static void test_another_version(void **state)
{
	struct bytes b;

	(void)state;
	save_and_write("a");
	b = load();
	((struct file_header *)b.at)->version = 2;
	says(forged(&b, -EINVAL), "format 2");
	save_and_write("a");
	b = load();
	strcpy(((struct file_header *)b.at)->accel, "kvm");
	says(forged(&b, -EINVAL), "-accel kvm");
	save_and_write("a");
	b = load();
	memset(((struct file_header *)b.at)->accel, 'k', 16); /* no end of it */
	says(forged(&b, -EINVAL), "-accel kkkkkkkkkkkkkkkk,");
}

static void test_other_devices(void **state)
{
	struct bytes b;

	(void)state;
	save_and_write("a");
	b = load();
	strcpy(head_at(&b, section(&b, SECTION_DEVICE, 0))->name, "floppy");
	says(forged(&b, -EINVAL), "\"floppy\"");
	save_and_write("a");
	b = load();
	strcpy(head_at(&b, section(&b, SECTION_VCPU, 0))->name, "nothing");
	says(forged(&b, -EINVAL), "\"cpu\"");
}

/* ---- harm, with all sums right ------------------------------------------------------------------------- */

static struct bytes fresh(void)
{
	save_and_write("a");
	return load();
}

static void test_pieces_of_ram_that_cannot_be(void **state)
{
	const uint64_t pages[] = {RIG_RAM / 4096, RIG_RAM / 4096 - 1, UINT64_MAX, UINT64_MAX / 4096,
				  0};
	uint64_t text[512] = {1};

	(void)state;
	mem_write_phys(rig.machine->memory, 0x1000, text, sizeof(text));
	mem_write_phys(rig.machine->memory, 0x2000, text, sizeof(text));
	mem_write_phys(rig.machine->memory, 0x8000, text, sizeof(text));
	for (unsigned i = 0; i < 5; i++) {
		struct bytes b = fresh();
		/* The last one: behind a higher page. The second last page has two to carry. */
		size_t at = section(&b, SECTION_RAM, i < 4 ? 0 : 1);

		memcpy(b.at + at + sizeof(struct section_head), &pages[i], 8);
		says(forged(&b, -EINVAL), "piece of RAM");
	}
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t sizes[] = {0, 8, 4097};
		struct bytes b = fresh();
		size_t at = section(&b, SECTION_RAM, 0);

		head_at(&b, at)->size = sizes[i];
		forged(&b, -EINVAL);
	}
}

static void test_sizes_that_cannot_be(void **state)
{
	static const uint64_t sizes[] = {UINT64_MAX, UINT64_MAX - 7, 1ull << 40,
					 (1ull << 20) + 4097, 1ull << 63};
	static const enum section_kind kinds[] = {SECTION_DEVICE, SECTION_VCPU, SECTION_RAM,
						  SECTION_END};

	(void)state;
	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < 5; i++) {
			struct bytes b = fresh();

			head_at(&b, section(&b, kinds[k], 0))->size = sizes[i];
			forged(&b, -EINVAL);
		}
}

static void test_kinds_and_numbers_that_cannot_be(void **state)
{
	struct bytes b = fresh();

	(void)state;
	head_at(&b, section(&b, SECTION_DEVICE, 0))->kind = 0;
	says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_DEVICE, 0))->kind = 6;
	says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_DEVICE, 0))->kind = UINT32_MAX;
	says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_VCPU, 0))->index = 1;
	says(forged(&b, -EINVAL), "more vCPUs");
	b = fresh();
	memset(head_at(&b, section(&b, SECTION_DEVICE, 0))->name, 'n', 24);
	forged(&b, -EINVAL);
	b = fresh();
	memcpy(head_at(&b, section(&b, SECTION_DEVICE, 0))->name,
	       head_at(&b, section(&b, SECTION_DEVICE, 1))->name, 24);
	says(forged(&b, -EINVAL), "twice");
	b = fresh();
	b.at[section(&b, SECTION_END, 0) + sizeof(struct section_head)] ^= 1;
	says(forged(&b, -EINVAL), "sections are missing");
}

/* More parts than there can be: bounded. */
static void test_too_many_parts(void **state)
{
	struct bytes b = fresh(), many = {0};
	size_t at = section(&b, SECTION_DEVICE, 0), count = 400, each = sizeof(struct section_head);

	(void)state;
	many.at = calloc(1, b.size + count * each);
	memcpy(many.at, b.at, at);
	for (size_t i = 0; i < count; i++) {
		struct section_head head = {.kind = SECTION_DEVICE};

		snprintf(head.name, sizeof(head.name), "d%zu", i);
		memcpy(many.at + at + i * each, &head, each);
	}
	memcpy(many.at + at + count * each, b.at + at, b.size - at);
	many.size = b.size + count * each;
	free(b.at);
	says(forged(&many, -EINVAL), "too many");
}

/* Random bytes over a good file, with sums made right: read or refused, and never a crash; and what was read
 * is restored or refused, and then the machine is as it was. */
static void test_random_harm(void **state)
{
	struct bytes good = fresh();
	unsigned seed = 11, restored = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct bytes b = {malloc(good.size + 4096), good.size};
		struct picture before, after;
		struct error err;

		memcpy(b.at, good.at, good.size);
		for (unsigned n = 0; n < 1 + round % 4; n++) {
			size_t at = (size_t)rand_r(&seed) % (round % 2 ? good.size : 3000);

			b.at[at] = (uint8_t)rand_r(&seed);
		}
		sum_up(&b);
		store(b.at, b.size);
		free(b.at);
		if (debug_snapshot_read(rig.debug, path, "harm", &err) < 0)
			continue;
		picture_take(&before, rig.machine);
		if (debug_snapshot_restore(rig.debug, "harm", OWNER_CONSOLE, &err) < 0) {
			picture_take(&after, rig.machine);
			picture_same(&before, &after);
			picture_free(&after);
		} else {
			restored++;
			assert_int_equal(
				debug_snapshot_restore(rig.debug, "a", OWNER_CONSOLE, &err), 0);
		}
		picture_free(&before);
	}
	assert_true(restored > 0);
	free(good.at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_and_read),	 TEST(test_a_fresh_machine),
		TEST(test_zeros_cost_nothing),	 TEST(test_long_runs),
		TEST(test_files_that_cannot_be), TEST(test_a_failed_write_keeps_the_old_file),
		TEST(test_what_is_no_snapshot),	 TEST(test_every_truncation),
		TEST(test_every_flipped_bit),	 TEST(test_sections_in_disorder),
		TEST(test_another_machine),	 TEST(test_another_version),
		TEST(test_other_devices),	 TEST(test_pieces_of_ram_that_cannot_be),
		TEST(test_sizes_that_cannot_be), TEST(test_kinds_and_numbers_that_cannot_be),
		TEST(test_too_many_parts),	 TEST(test_random_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
