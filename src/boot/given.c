// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A kernel that was unpacked here is as large as what a small guest has of RAM. So its pages are not copied into
 * guest RAM but moved there, and gone from the image. What is left of them are fingerprints, which tell whether
 * RAM still holds what was loaded; and a reset unpacks again.
 */
#include "boot/linux.h"

#include <errno.h>
#include <string.h>

#define BLOCK	 64u /* bytes that have a fingerprint */
#define COMPARED 16u /* bytes that must be the image's where it has them all */
_Static_assert(2 * BLOCK <= BOOT_SAMPLE_MAX && COMPARED <= BLOCK, "a sample is two blocks");

/* ---- fingerprints ---------------------------------------------------------------------------- */

static uint64_t word_at(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Tens of megabytes go through here before the guest runs: a multiplication for each 16 bytes. */
static uint32_t print_of_block(const uint8_t at[BLOCK], uint64_t print)
{
	for (unsigned i = 0; i < BLOCK; i += 16) {
		print = (print ^ word_at(at + i)) * 0x9e3779b97f4a7c15ull + word_at(at + i + 8);
		print = print << 31 | print >> 33;
	}
	return (uint32_t)(print ^ print >> 32);
}

static uint32_t print_of(const uint8_t *at, size_t size)
{
	uint8_t padded[BLOCK] = {0};

	if (size == BLOCK)
		return print_of_block(at, size);
	memcpy(padded, at, size);
	return print_of_block(padded, size);
}

static size_t blocks_of(const struct boot_segment *s)
{
	return s->unpacked ? (s->data_size + BLOCK - 1) / BLOCK : 0;
}

/* The bytes of a block; the last one may be short. */
static size_t block_size(const struct boot_segment *s, size_t block)
{
	size_t left = s->data_size - block * BLOCK;

	return left < BLOCK ? left : BLOCK;
}

static void take_prints(struct boot_segment *s, uint32_t *prints)
{
	s->prints = prints;
	for (size_t block = 0; block < blocks_of(s); block++)
		prints[block] = print_of((const uint8_t *)s->data + block * BLOCK,
					 block_size(s, block));
}

/* ---- where they are -------------------------------------------------------------------------- */

static bool has(const struct boot_segment *s, uint64_t gpa)
{
	return gpa >= s->gpa && gpa - s->gpa < s->data_size;
}

bool boot_sample(const struct boot_image *image, uint64_t gpa, struct boot_sample *sample)
{
	const struct boot_segment *s = image->segment, *end = s + image->segment_count;
	uint64_t into, behind;

	while (s < end && !has(s, gpa))
		s++;
	if (s == end)
		return false;
	into = gpa - s->gpa;
	behind = s->data_size - into < COMPARED ? s->data_size : into + COMPARED;
	if (s->unpacked) {
		into -= into % BLOCK;
		behind = (behind + BLOCK - 1) / BLOCK * BLOCK;
		behind = behind < s->data_size ? behind : s->data_size;
	}
	*sample = (struct boot_sample){s, s->gpa + into, behind - into};
	return true;
}

bool boot_sample_is(const struct boot_sample *sample, const uint8_t *bytes)
{
	const struct boot_segment *s = sample->segment;
	uint64_t into = sample->gpa - s->gpa;

	if (!s->unpacked)
		return !memcmp(bytes, (const uint8_t *)s->data + into, sample->size);
	for (size_t at = 0; at < sample->size; at += BLOCK) {
		size_t block = (into + at) / BLOCK;

		if (print_of(bytes + at, block_size(s, block)) != s->prints[block])
			return false;
	}
	return true;
}

/* ---- the segments ---------------------------------------------------------------------------- */

static bool in_unpacked(const struct boot_packed *p, const struct boot_segment *s)
{
	const uint8_t *data = s->data;

	return data >= p->moved && data < p->moved + p->moved_size;
}

/* Whether no byte of it is another segment's as well. */
static bool is_alone(const struct boot_image *image, const struct boot_segment *s)
{
	const struct boot_segment *end = image->segment + image->segment_count;

	for (const struct boot_segment *other = image->segment; other < end; other++)
		if (other != s && other->unpacked && s->at < other->at + other->data_size &&
		    other->at < s->at + s->data_size)
			return false;
	return true;
}

int boot_note_unpacked(struct boot_image *image)
{
	struct boot_segment *end = image->segment + image->segment_count;
	size_t blocks = 0;
	uint32_t *prints;

	for (struct boot_segment *s = image->segment; s < end; s++) {
		s->unpacked = in_unpacked(&image->packed, s);
		if (s->unpacked)
			s->at = (size_t)((const uint8_t *)s->data - image->packed.moved);
		blocks += blocks_of(s);
	}
	prints = boot_allocate(image, blocks * sizeof(*prints));
	if (!prints)
		return -ENOMEM;
	for (struct boot_segment *s = image->segment; s < end; prints += blocks_of(s), s++) {
		s->movable = s->unpacked && is_alone(image, s);
		take_prints(s, prints);
	}
	return 0;
}

void boot_set_unpacked(struct boot_image *image, uint8_t *bytes)
{
	image->packed.moved = bytes;
	for (unsigned i = 0; i < image->segment_count; i++)
		if (image->segment[i].unpacked)
			image->segment[i].data = bytes ? bytes + image->segment[i].at : NULL;
}

int boot_prepare(struct boot_image *image, struct error *err)
{
	const struct boot_segment *s = image->segment, *end = s + image->segment_count;

	while (s < end && !s->unpacked)
		s++;
	return s < end && !image->packed.moved ? bzimage_unpack_again(image, err) : 0;
}

void boot_given(struct boot_image *image)
{
	struct boot_packed *p = &image->packed;

	boot_pages_free(p->moved, p->moved_size);
	boot_set_unpacked(image, NULL);
}
