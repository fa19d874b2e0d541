// SPDX-License-Identifier: GPL-3.0-or-later
#include "multiboot2_case.h"

#include <string.h>

#define MAGIC 0xe85250d6u

struct header header_begin(void)
{
	return (struct header){.word = {MAGIC}, .count = 4};
}

void header_tag(struct header *h, uint32_t type, unsigned count, const uint32_t *words)
{
	h->word[h->count] = type;
	h->word[h->count + 1] = 8 + 4 * count;
	for (unsigned i = 0; i < count; i++)
		h->word[h->count + 2 + i] = words[i];
	h->count += (2 + count + 1) & ~1u;
}

void header_end(struct header *h)
{
	header_tag(h, 0, 0, NULL);
	h->word[2] = 4 * h->count;
	h->word[3] = -(h->word[0] + h->word[1] + h->word[2]);
}

struct header header_with_addresses(void)
{
	struct header h = header_begin();

	header_tag(&h, ADDRESSES, 4, (uint32_t[]){LOAD + HEADER_AT, LOAD, 0, 0});
	header_tag(&h, ENTRY, 1, (uint32_t[]){LOAD + 0x200});
	return h;
}

void multiboot2_case(struct boot_case *c, uint8_t image[IMAGE_MAX], const struct header *h,
		     size_t at, size_t size)
{
	memset(image, 0xf4, IMAGE_MAX);
	memcpy(image + at, h->word, 4 * h->count);
	boot_case_init(c, image, size);
}
