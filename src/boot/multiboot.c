// SPDX-License-Identifier: GPL-3.0-or-later
/* Multiboot 1 (Multiboot Specification 0.6.96, chapter 3). */
#include "boot/boot_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAGIC   0x1badb002u
#define LOADER_MAGIC   0x2badb002u
#define SEARCH_SIZE    8192
#define FLAGS_REQUIRED 0x0000ffffu
#define FLAGS_KNOWN    0x00000007u /* page-aligned modules, memory sizes, a video mode's data */
#define FLAG_ADDRESSES 0x00010000u
#define HEADER_SIZE    12
#define ADDRESSES_SIZE 20

long multiboot_find(const struct loader *loader)
{
	size_t end = loader->size < SEARCH_SIZE ? loader->size : SEARCH_SIZE;

	for (size_t at = 0; at + HEADER_SIZE <= end; at += 4) {
		if (boot_u32(loader, at) == HEADER_MAGIC &&
		    boot_u32(loader, at) + boot_u32(loader, at + 4) + boot_u32(loader, at + 8) == 0)
			return (long)at;
	}
	return -ENOENT;
}

static int check_flags(struct loader *loader, uint32_t flags)
{
	uint32_t unknown = flags & FLAGS_REQUIRED & ~FLAGS_KNOWN;

	if (unknown)
		return error_set(loader->err, -EOPNOTSUPP,
				 "multiboot header: flags 0x%08x require what vitrine does not "
				 "offer (0x%04x); bits 0, 1, 2 and 16 can be set",
				 flags, unknown);
	return 0;
}

/* The fields behind the checksum; valid when FLAG_ADDRESSES is set. */
static int read_addresses(struct loader *loader, uint32_t header, struct multiboot_addresses *a)
{
	uint64_t at = header + HEADER_SIZE;

	if (at + ADDRESSES_SIZE > loader->size)
		return error_set(loader->err, -EINVAL,
				 "multiboot header at 0x%x: flag bit 16 announces address fields, "
				 "but the file ends before them",
				 header);
	a->header = boot_u32(loader, at);
	a->load = boot_u32(loader, at + 4);
	a->load_end = boot_u32(loader, at + 8);
	a->bss_end = boot_u32(loader, at + 12);
	a->entry = boot_u32(loader, at + 16);
	return 0;
}

/* Where the bytes for load_addr begin in the file, and how many there are. */
static int check_load(struct loader *loader, uint32_t header, const struct multiboot_addresses *a,
		      struct boot_segment *s)
{
	uint64_t before = a->header - a->load, offset, length;

	if (a->load > a->header || before > header)
		return error_set(
			loader->err, -EINVAL,
			"multiboot header at 0x%x: load_addr 0x%x and header_addr 0x%x put "
			"the start of the image before the start of the file",
			header, a->load, a->header);
	offset = header - before;
	length = loader->size - offset;
	if (a->load_end && a->load_end < a->load)
		return error_set(loader->err, -EINVAL,
				 "multiboot header: load_end_addr 0x%x is below load_addr 0x%x",
				 a->load_end, a->load);
	if (a->load_end && a->load_end - a->load > length)
		return error_set(
			loader->err, -EINVAL,
			"multiboot header: load_end_addr 0x%x wants 0x%x bytes of the file, "
			"which has 0x%llx; it is truncated",
			a->load_end, a->load_end - a->load, (unsigned long long)length);
	s->gpa = a->load;
	s->data = loader->file + offset;
	s->data_size = a->load_end ? a->load_end - a->load : length;
	return 0;
}

int multiboot_load_addresses(struct loader *loader, uint32_t header,
			     const struct multiboot_addresses *a)
{
	struct boot_segment segment = {.what = "multiboot image"};
	uint64_t end;
	int rc = check_load(loader, header, a, &segment);

	if (rc < 0)
		return rc;
	end = segment.gpa + segment.data_size;
	if (a->bss_end && a->bss_end < end)
		return error_set(
			loader->err, -EINVAL,
			"multiboot header: bss_end_addr 0x%x is below the end of the data, "
			"0x%llx",
			a->bss_end, (unsigned long long)end);
	segment.size = a->bss_end ? a->bss_end - segment.gpa : segment.data_size;
	if (a->entry < a->load || a->entry >= end)
		return error_set(loader->err, -EINVAL,
				 "multiboot header: entry_addr 0x%x is outside the image, "
				 "0x%x-0x%llx",
				 a->entry, a->load, (unsigned long long)end);
	return boot_add(loader, &segment);
}

static int load_by_addresses(struct loader *loader, uint32_t header, uint64_t *entry)
{
	struct multiboot_addresses a = {0};
	int rc = read_addresses(loader, header, &a);

	*entry = a.entry;
	return rc < 0 ? rc : multiboot_load_addresses(loader, header, &a);
}

static int load_image(struct loader *loader, uint32_t header, uint64_t *entry)
{
	uint32_t flags = boot_u32(loader, header + 4);
	bool is64;
	int rc = check_flags(loader, flags);

	if (rc < 0)
		return rc;
	if (flags & FLAG_ADDRESSES)
		return load_by_addresses(loader, header, entry);
	if (!elf_recognised(loader))
		return error_set(loader->err, -EINVAL,
				 "multiboot header at 0x%x: the file is not ELF, and flag bit 16 "
				 "(address fields) is not set in 0x%08x",
				 header, flags);
	return elf_load_segments(loader, entry, &is64);
}

int multiboot_load(struct loader *loader, uint32_t header)
{
	struct boot_image *image = loader->image;
	uint64_t entry = 0, info = 0;
	int rc = load_image(loader, header, &entry);

	if (rc == 0)
		rc = entry_protected_bare(loader, entry, ENTRY_CODE);
	if (rc == 0)
		rc = multiboot_place_info(loader, &info);
	if (rc < 0)
		return rc;
	image->start.general.gpr[GPR_RAX] = LOADER_MAGIC;
	image->start.general.gpr[GPR_RBX] = info;
	image->protocol = "multiboot 1";
	snprintf(image->why, sizeof(image->why),
		 "has a multiboot 1 header at 0x%x: protected mode at 0x%llx", header,
		 (unsigned long long)entry);
	return 0;
}
