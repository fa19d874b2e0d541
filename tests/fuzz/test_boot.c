// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is given as a guest's image, by libFuzzer: the loaders choose between multiboot, ELF, boot sectors and raw
 * bytes by what is in it. The first byte of the input is about the command line: RAM, arguments, modules, vCPUs.
 * Whatever is accepted must be an image whose pieces lie in RAM, apart from each other, and are there.
 */
#include "boot/boot.h"
#include "input_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiboot Specification 0.6.96, 3.1.1 */
#define MULTIBOOT_MAGIC 0x1badb002u
/* Multiboot2 Specification 2.0, 3.1.1 */
#define MULTIBOOT2_MAGIC 0xe85250d6u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "vitrine: an image was accepted, but %s\n", what);
	abort();
}

static bool in_ram(const struct ram_layout *ram, const struct boot_segment *segment)
{
	uint64_t end = segment->gpa + segment->size;
	uint64_t high = 0x100000000ull;

	return end >= segment->gpa &&
	       (end <= ram->below_4g || (segment->gpa >= high && end <= high + ram->above_4g));
}

static bool apart(const struct boot_segment *a, const struct boot_segment *b)
{
	return a->gpa + a->size <= b->gpa || b->gpa + b->size <= a->gpa || !a->size || !b->size;
}

/* Whatever lies there is read, so that the sanitizer looks at it. */
static uint64_t sum_of(const struct boot_segment *segment)
{
	const uint8_t *byte = segment->data;
	uint64_t sum = 0;

	for (size_t i = 0; i < segment->data_size; i++)
		sum = sum * 31 + byte[i];
	return 2 * sum;
}

static void check(const struct boot_image *image, uint64_t ram_size)
{
	struct ram_layout ram = ram_layout(ram_size);
	uint64_t sum = 0;

	must(image->protocol && image->why[0], "nobody knows why");
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *segment = &image->segment[i];

		must(segment->data_size <= segment->size, "a segment is smaller than its data");
		must(in_ram(&ram, segment), "a segment is not in RAM");
		for (unsigned k = 0; k < i; k++)
			must(apart(segment, &image->segment[k]), "two segments overlap");
		sum += sum_of(segment);
	}
	must(sum != 1, "its bytes add up to one"); /* so that they are read */
	must(!image->elf || image->elf_size, "its ELF file is empty");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = {1 << 20, 2 << 20, 64 << 20, 0x140000000};
	unsigned how = size ? data[0] : 0;
	const char *path = input_file(data + (size > 0), size - (size > 0));
	char modules[120];
	struct boot_request request = {
		.kernel = path,
		.ram_size = sizes[how & 3],
		.append = how & 4 ? "a few words" : NULL,
		.initrd = how & 8 ? modules : NULL,
		.has_load = how & 16,
		.has_entry = how & 32,
		.load = 0x8000,
		.entry = how & 64 ? 0x9000 : 0x100000,
		.vcpus = how & 128 ? 2 : 0,
		.apic = true,
	};
	struct boot_image image;
	struct error err = {0};

	snprintf(modules, sizeof(modules), "%s words,%s", path, path);
	if (boot_load(&request, &image, &err) == 0) {
		check(&image, request.ram_size);
		boot_free(&image);
	} else {
		must(err.text[0], "no: it was refused without a word");
	}
	return 0;
}

/* Of so many words, the last makes the sum 0. */
static void put_sum_right(uint8_t *at, unsigned words)
{
	uint32_t header[4], sum = 0;

	memcpy(header, at, words * sizeof(header[0]));
	for (unsigned i = 0; i + 1 < words; i++)
		sum += header[i];
	header[words - 1] = 0 - sum;
	memcpy(at, header, words * sizeof(header[0]));
}

/* A multiboot header is looked for by its magic, and believed by its sum. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 == 0)
		return size;
	for (size_t at = 1; at + 12 <= size; at += 4) {
		uint32_t magic;

		memcpy(&magic, data + at, sizeof(magic));
		if (magic == MULTIBOOT_MAGIC)
			put_sum_right(data + at, 3);
		else if (magic == MULTIBOOT2_MAGIC && at + 16 <= size)
			put_sum_right(data + at, 4);
	}
	return size;
}
