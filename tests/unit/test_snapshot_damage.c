// SPDX-License-Identifier: GPL-3.0-or-later
/* Files of snapshots that are damaged, do not fit, or mean harm. */
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
#include "snapshot_file_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- bytes of a file ------------------------------------------------------------------------ */

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
	text = snapshot_file_refused(code);
	free(b->at);
	return text;
}

/* ---- damage --------------------------------------------------------------------------------------- */

/* Cut off anywhere. */
static void test_every_truncation(void **state)
{
	struct bytes b;

	(void)state;
	mem_write_phys(snapshot_file_rig.machine->memory, 0x20000, "text", 4);
	save_and_write("a");
	b = snapshot_file_load();
	for (size_t size = b.size - 1; size > 0; size -= size <= 4096 ? 1 : size % 61 + 1) {
		assert_int_equal(truncate(path, (off_t)size), 0);
		snapshot_file_refused(-EINVAL);
	}
	store(b.at, b.size - 1);
	snapshot_file_says(snapshot_file_refused(-EINVAL), "too early");
	b.at[b.size] = 0;
	store(b.at, b.size + 1);
	snapshot_file_says(snapshot_file_refused(-EINVAL), "behind its end");
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
	b = snapshot_file_load();
	file = fopen(path, "r+b");
	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	for (size_t bit = 0; bit < 8 * b.size; bit += bit < 8 * 3000 ? 1 : 1 + bit % 173) {
		uint8_t byte = b.at[bit / 8] ^ (uint8_t)(1u << bit % 8);

		fseek(file, (long)(bit / 8), SEEK_SET);
		fwrite(&byte, 1, 1, file);
		if (debug_snapshot_read(snapshot_file_rig.debug, path, "b", &err) == 0)
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
	b = snapshot_file_load();
	first = section(&b, SECTION_DEVICE, 0);
	second = section(&b, SECTION_DEVICE, 1);
	end = section(&b, SECTION_DEVICE, 2);
	memmove(b.at + first, b.at + second, b.size - second); /* the first one is lost */
	store(b.at, b.size - (second - first));
	snapshot_file_refused(-EINVAL);
	free(b.at);
	save_and_write("a");
	b = snapshot_file_load();
	{
		uint8_t *copy = malloc(end - first);

		memcpy(copy, b.at + second, end - second);
		memcpy(copy + (end - second), b.at + first, second - first);
		memcpy(b.at + first, copy, end - first);
		free(copy);
	}
	store(b.at, b.size);
	snapshot_file_refused(-EINVAL);
	free(b.at);
}

/* ---- what does not fit ------------------------------------------------------------------------------- */

static void other_machine(unsigned vcpus, uint64_t ram, enum irqchip irqchip)
{
	rig_stop(&snapshot_file_rig);
	snapshot_file_rig = (struct rig){.ram_size = ram};
	rig_start(&snapshot_file_rig, vcpus, irqchip);
	assert_int_equal(debug_snapshot_save(snapshot_file_rig.debug, "x", NULL), 0);
}

static void test_another_machine(void **state)
{
	(void)state;
	save_and_write("a");
	other_machine(1, 2 << 20, IRQCHIP_USER);
	snapshot_file_says(snapshot_file_refused(-EINVAL), "-m 1024K");
	other_machine(2, 1 << 20, IRQCHIP_KERNEL);
	snapshot_file_says(snapshot_file_refused(-EINVAL), "-smp 1");
	other_machine(1, 1 << 20, IRQCHIP_KERNEL);
	snapshot_file_says(snapshot_file_refused(-EINVAL), "-irqchip=user");
	other_machine(1, 1 << 20, IRQCHIP_USER);
	read_as("fits");
}

static void test_another_version(void **state)
{
	struct bytes b;

	(void)state;
	save_and_write("a");
	b = snapshot_file_load();
	((struct file_header *)b.at)->version = 2;
	snapshot_file_says(forged(&b, -EINVAL), "format 2");
	save_and_write("a");
	b = snapshot_file_load();
	strcpy(((struct file_header *)b.at)->accel, "kvm");
	snapshot_file_says(forged(&b, -EINVAL), "-accel kvm");
	save_and_write("a");
	b = snapshot_file_load();
	memset(((struct file_header *)b.at)->accel, 'k', 16); /* no end of it */
	snapshot_file_says(forged(&b, -EINVAL), "-accel kkkkkkkkkkkkkkkk,");
}

static void test_other_devices(void **state)
{
	struct bytes b;

	(void)state;
	save_and_write("a");
	b = snapshot_file_load();
	strcpy(head_at(&b, section(&b, SECTION_DEVICE, 0))->name, "floppy");
	snapshot_file_says(forged(&b, -EINVAL), "\"floppy\"");
	save_and_write("a");
	b = snapshot_file_load();
	strcpy(head_at(&b, section(&b, SECTION_VCPU, 0))->name, "nothing");
	snapshot_file_says(forged(&b, -EINVAL), "\"cpu\"");
}

/* ---- harm, with all sums right ------------------------------------------------------------------------- */

static struct bytes fresh(void)
{
	save_and_write("a");
	return snapshot_file_load();
}

static void test_pieces_of_ram_that_cannot_be(void **state)
{
	const uint64_t pages[] = {RIG_RAM / 4096, RIG_RAM / 4096 - 1, UINT64_MAX, UINT64_MAX / 4096,
				  0};
	uint64_t text[512] = {1};

	(void)state;
	mem_write_phys(snapshot_file_rig.machine->memory, 0x1000, text, sizeof(text));
	mem_write_phys(snapshot_file_rig.machine->memory, 0x2000, text, sizeof(text));
	mem_write_phys(snapshot_file_rig.machine->memory, 0x8000, text, sizeof(text));
	for (unsigned i = 0; i < 5; i++) {
		struct bytes b = fresh();
		/* The last one: behind a higher page. The second last page has two to carry. */
		size_t at = section(&b, SECTION_RAM, i < 4 ? 0 : 1);

		memcpy(b.at + at + sizeof(struct section_head), &pages[i], 8);
		snapshot_file_says(forged(&b, -EINVAL), "piece of RAM");
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
	snapshot_file_says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_DEVICE, 0))->kind = 6;
	snapshot_file_says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_DEVICE, 0))->kind = UINT32_MAX;
	snapshot_file_says(forged(&b, -EINVAL), "no known kind");
	b = fresh();
	head_at(&b, section(&b, SECTION_VCPU, 0))->index = 1;
	snapshot_file_says(forged(&b, -EINVAL), "more vCPUs");
	b = fresh();
	memset(head_at(&b, section(&b, SECTION_DEVICE, 0))->name, 'n', 24);
	forged(&b, -EINVAL);
	b = fresh();
	memcpy(head_at(&b, section(&b, SECTION_DEVICE, 0))->name,
	       head_at(&b, section(&b, SECTION_DEVICE, 1))->name, 24);
	snapshot_file_says(forged(&b, -EINVAL), "twice");
	b = fresh();
	b.at[section(&b, SECTION_END, 0) + sizeof(struct section_head)] ^= 1;
	snapshot_file_says(forged(&b, -EINVAL), "sections are missing");
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
	snapshot_file_says(forged(&many, -EINVAL), "too many");
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
		if (debug_snapshot_read(snapshot_file_rig.debug, path, "harm", &err) < 0)
			continue;
		picture_take(&before, snapshot_file_rig.machine);
		if (debug_snapshot_restore(snapshot_file_rig.debug, "harm", OWNER_CONSOLE, &err) <
		    0) {
			picture_take(&after, snapshot_file_rig.machine);
			picture_same(&before, &after);
			picture_free(&after);
		} else {
			restored++;
			assert_int_equal(debug_snapshot_restore(snapshot_file_rig.debug, "a",
								OWNER_CONSOLE, &err),
					 0);
		}
		picture_free(&before);
	}
	assert_true(restored > 0);
	free(good.at);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, snapshot_file_setup, snapshot_file_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_truncation),
		TEST(test_every_flipped_bit),
		TEST(test_sections_in_disorder),
		TEST(test_another_machine),
		TEST(test_another_version),
		TEST(test_other_devices),
		TEST(test_pieces_of_ram_that_cannot_be),
		TEST(test_sizes_that_cannot_be),
		TEST(test_kinds_and_numbers_that_cannot_be),
		TEST(test_too_many_parts),
		TEST(test_random_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
