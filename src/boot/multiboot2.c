// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 2 (Multiboot2 Specification 2.0, chapter 3.1): the header is a list of tags. There is no EFI here, so
 * its entries are not taken; the entry is always the one in protected mode. */
#include "boot/multiboot2.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAGIC	0xe85250d6u
#define LOADER_MAGIC	0x36d76289u
#define SEARCH_SIZE	32768
#define I386		0
#define HEADER_SIZE	16
#define TAG_SIZE	8
#define OPTIONAL	1u
#define FROM_FILE_START UINT32_MAX /* load_addr: the file is loaded whole */

struct header {
	uint32_t architecture, length;
};

/* What the tags of a header say. */
struct wishes {
	bool has_addresses, has_entry, movable;
	struct multiboot_addresses addresses; /* but for the entry */
	uint32_t entry;
	uint32_t lowest, highest; /* where a movable image may lie */
};

/* A tag: where it is in the file, and how long. */
struct tag {
	uint32_t at, type, size;
	bool optional;
};

long multiboot2_find(const struct loader *loader)
{
	size_t end = loader->size < SEARCH_SIZE ? loader->size : SEARCH_SIZE;

	for (size_t at = 0; at + HEADER_SIZE <= end; at += 8) {
		if (boot_u32(loader, at) == HEADER_MAGIC &&
		    boot_u32(loader, at) + boot_u32(loader, at + 4) + boot_u32(loader, at + 8) +
				    boot_u32(loader, at + 12) ==
			    0)
			return (long)at;
	}
	return -ENOENT;
}

/* ---- tags --------------------------------------------------------------------------------------- */

/* A type that the specification knows may have nothing to tell, and is left out then. */
static int take_request(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	(void)w;
	for (uint32_t at = TAG_SIZE; at + 4 <= tag->size; at += 4) {
		uint32_t type = boot_u32(loader, tag->at + at);

		if (type > MULTIBOOT2_LAST_TYPE && !tag->optional)
			return error_set(loader->err, -EOPNOTSUPP,
					 "multiboot 2 header: information of type %u is required, "
					 "and vitrine knows types up to %d",
					 type, MULTIBOOT2_LAST_TYPE);
	}
	return 0;
}

static int take_addresses(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	w->has_addresses = true;
	w->addresses = (struct multiboot_addresses){
		.header = boot_u32(loader, tag->at + 8),
		.load = boot_u32(loader, tag->at + 12),
		.load_end = boot_u32(loader, tag->at + 16),
		.bss_end = boot_u32(loader, tag->at + 20),
	};
	return 0;
}

static int take_entry(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	w->has_entry = true;
	w->entry = boot_u32(loader, tag->at + 8);
	return 0;
}

static int take_range(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	w->movable = true;
	w->lowest = boot_u32(loader, tag->at + 8);
	w->highest = boot_u32(loader, tag->at + 12);
	return 0;
}

/* What is so anyway: a text console, modules on page boundaries; and what is about EFI. */
static int take_nothing(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	(void)loader;
	(void)w;
	(void)tag;
	return 0;
}

static const struct tag_kind {
	uint32_t size; /* at least */
	int (*take)(struct loader *loader, struct wishes *w, const struct tag *tag);
} kinds[] = {
	[1] = {8, take_request},  [2] = {24, take_addresses}, [3] = {12, take_entry},
	[4] = {12, take_nothing}, /* console */
	[5] = {20, take_nothing}, /* frame buffer: it prefers a mode, and gets the text screen */
	[6] = {8, take_nothing},  /* modules on page boundaries */
	[7] = {8, take_nothing},  [8] = {12, take_nothing},   [9] = {12, take_nothing}, /* EFI */
	[10] = {24, take_range},
};

static int take_tag(struct loader *loader, struct wishes *w, const struct tag *tag)
{
	const struct tag_kind *kind = &kinds[0];

	if (tag->type < sizeof(kinds) / sizeof(kinds[0]))
		kind = &kinds[tag->type];
	if (!kind->take && tag->optional)
		return 0;
	if (!kind->take)
		return error_set(loader->err, -EOPNOTSUPP,
				 "multiboot 2 header: tag of type %u is required, and vitrine does "
				 "not know it; it can be made optional (flag bit 0)",
				 tag->type);
	if (tag->size < kind->size)
		return error_set(loader->err, -EINVAL,
				 "multiboot 2 header: tag of type %u has %u bytes; it needs %u",
				 tag->type, tag->size, kind->size);
	return kind->take(loader, w, tag);
}

static struct tag read_tag(const struct loader *loader, uint32_t at)
{
	uint32_t word = boot_u32(loader, at);

	return (struct tag){.at = at,
			    .type = word & 0xffff,
			    .optional = word >> 16 & OPTIONAL,
			    .size = boot_u32(loader, at + 4)};
}

static bool is_end(const struct tag *tag)
{
	return tag->type == 0 && tag->size == TAG_SIZE;
}

/* end: of the header, which lies in the file. */
static int read_tags(struct loader *loader, uint32_t header, uint32_t end, struct wishes *w)
{
	uint32_t at = header + HEADER_SIZE;

	while (at <= end && end - at >= TAG_SIZE) {
		struct tag tag = read_tag(loader, at);
		int rc;

		if (is_end(&tag))
			return 0;
		if (tag.size < TAG_SIZE || tag.size > end - at)
			return error_set(loader->err, -EINVAL,
					 "multiboot 2 header: tag of type %u at 0x%x has %u bytes, "
					 "and the header ends at 0x%x",
					 tag.type, at, tag.size, end);
		rc = take_tag(loader, w, &tag);
		if (rc < 0)
			return rc;
		at += (tag.size + 7) & ~7u;
	}
	return error_set(loader->err, -EINVAL,
			 "multiboot 2 header at 0x%x: its tags do not end with an end tag", header);
}

static int read_header(struct loader *loader, uint32_t header, struct wishes *w)
{
	uint32_t architecture = boot_u32(loader, header + 4);
	uint32_t length = boot_u32(loader, header + 8);

	if (architecture != I386)
		return error_set(loader->err, -EOPNOTSUPP,
				 "multiboot 2 header: it is for architecture %u; x86 is 0",
				 architecture);
	if (length < HEADER_SIZE || length > SEARCH_SIZE - header || length > loader->size - header)
		return error_set(loader->err, -EINVAL,
				 "multiboot 2 header at 0x%x: its %u bytes do not fit into the "
				 "file's first 32 KiB",
				 header, length);
	return read_tags(loader, header, header + length, w);
}

/* ---- loading ------------------------------------------------------------------------------------ */

static int load_by_addresses(struct loader *loader, uint32_t header, struct wishes *w)
{
	struct multiboot_addresses *a = &w->addresses;

	if (!w->has_entry)
		return error_set(loader->err, -EINVAL,
				 "multiboot 2 header: with an address tag it needs an entry "
				 "address tag");
	a->entry = w->entry;
	if (a->load == FROM_FILE_START)
		a->load = a->header - header;
	return multiboot_load_addresses(loader, header, a);
}

static int load_elf(struct loader *loader, const struct wishes *w, uint64_t *entry)
{
	bool is64;
	int rc;

	if (!elf_recognised(loader))
		return error_set(loader->err, -EINVAL,
				 "multiboot 2 header: the file is not ELF, and there is no address "
				 "tag");
	rc = elf_load_segments(loader, w->has_entry ? NULL : entry, &is64);
	if (rc < 0 || !w->has_entry)
		return rc;
	*entry = w->entry;
	if (boot_is_loaded(loader, *entry))
		return 0;
	return error_set(loader->err, -EINVAL,
			 "multiboot 2 header: entry address 0x%x is in no segment that the file "
			 "has bytes for",
			 w->entry);
}

/* The image stays where it was linked to, which is one of the places where it may be. */
static int check_range(struct loader *loader, const struct wishes *w)
{
	const struct boot_image *image = loader->image;

	for (unsigned i = 0; w->movable && i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];

		if (s->gpa < w->lowest || s->gpa + s->size - 1 > w->highest)
			return error_set(loader->err, -EINVAL,
					 "multiboot 2 header: %s is linked to 0x%llx-0x%llx, and "
					 "the image must be moved to 0x%x-0x%x, which vitrine does "
					 "not do",
					 s->what, (unsigned long long)s->gpa,
					 (unsigned long long)s->gpa + s->size, w->lowest,
					 w->highest);
	}
	return 0;
}

static uint32_t base_of(const struct boot_image *image)
{
	uint64_t base = UINT32_MAX;

	for (unsigned i = 0; i < image->segment_count; i++)
		if (image->segment[i].gpa < base)
			base = image->segment[i].gpa;
	return (uint32_t)base;
}

static int load_image(struct loader *loader, uint32_t header, struct wishes *w, uint64_t *entry)
{
	int rc = read_header(loader, header, w);

	if (rc < 0)
		return rc;
	if (w->has_addresses)
		rc = load_by_addresses(loader, header, w);
	else
		rc = load_elf(loader, w, entry);
	if (w->has_addresses)
		*entry = w->entry;
	return rc < 0 ? rc : check_range(loader, w);
}

int multiboot2_load(struct loader *loader)
{
	struct boot_image *image = loader->image;
	uint32_t header = (uint32_t)multiboot2_find(loader), base;
	uint64_t entry = 0, info = 0;
	struct wishes wishes = {0};
	int rc = load_image(loader, header, &wishes, &entry);

	base = base_of(image);
	if (rc == 0)
		rc = entry_protected_bare(loader, entry, ENTRY_CODE);
	if (rc == 0)
		rc = multiboot2_place_info(loader, base, &info);
	if (rc < 0)
		return rc;
	image->start.general.gpr[GPR_RAX] = LOADER_MAGIC;
	image->start.general.gpr[GPR_RBX] = info;
	image->protocol = "multiboot 2";
	snprintf(image->why, sizeof(image->why),
		 "has a multiboot 2 header at 0x%x: protected mode at 0x%llx", header,
		 (unsigned long long)entry);
	return 0;
}
