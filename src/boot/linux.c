// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * bzImage: a boot sector and setup code, which are left alone but for the header in them, and the
 * protected-mode part, which unpacks the kernel. It is entered at its start in protected mode, or 0x200
 * bytes behind it in long mode ("32-bit boot protocol", "64-bit boot protocol").
 */
#include "boot/linux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_OFFSET  0x1f1 /* struct setup_header; also where it is in the zero page */
#define BOOT_FLAG      0xaa55
#define MAGIC	       0x53726448 /* "HdrS" */
#define MAGIC_OFFSET   0x202
#define JUMP_OFFSET    0x201 /* a short jump over the header: its operand says how long that is */
#define SECTOR	       512
#define OLDEST	       0x206 /* cmdline_size; Linux 2.6.22, 2007 */
#define KNOWS_SIZE     0x20a /* pref_address, init_size */
#define KNOWS_ENTRY64  0x20c /* xloadflags */
#define ENTRY64_OFFSET 0x200
#define DEFAULT_BASE   0x100000
#define LOW_TOP	       0x90000 /* above it, the kernel's own unpacker has a trampoline */

static uint16_t u16_at(const struct loader *loader, uint64_t offset)
{
	return (uint16_t)boot_u32(loader, offset);
}

bool bzimage_recognised(const struct loader *loader)
{
	return loader->size >= MAGIC_OFFSET + 4 && boot_u32(loader, MAGIC_OFFSET) == MAGIC &&
	       u16_at(loader, MAGIC_OFFSET - 4) == BOOT_FLAG;
}

/* What the file's header does not have, because the protocol was younger, reads as zeros. */
static int read_header(struct loader *loader, struct setup_header *header)
{
	size_t end = MAGIC_OFFSET + loader->file[JUMP_OFFSET], most = sizeof(*header);
	size_t size = end - HEADER_OFFSET < most ? end - HEADER_OFFSET : most;

	memset(header, 0, sizeof(*header));
	if (!boot_take(loader, HEADER_OFFSET, header, size))
		return error_set(loader->err, -EINVAL,
				 "is a truncated bzImage: its setup header ends behind the %zu "
				 "bytes of the file",
				 loader->size);
	return 0;
}

static int check_version(struct loader *loader, const struct setup_header *h)
{
	if (h->version < OLDEST)
		return error_set(loader->err, -EOPNOTSUPP,
				 "has Linux boot protocol %u.%02u; vitrine boots 2.06 (Linux "
				 "2.6.22) and later",
				 h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADED_HIGH))
		return error_set(loader->err, -EOPNOTSUPP,
				 "is a zImage, which loads below 1 MiB; build a bzImage");
	return 0;
}

static int corrupted(struct loader *loader, const char *field, uint64_t value, const char *why)
{
	return error_set(loader->err, -EINVAL, "is a corrupted bzImage: %s 0x%llx %s", field,
			 (unsigned long long)value, why);
}

/* syssize counts the protected-mode part; what follows it is a signature, and no part of the kernel. */
static int find_kernel(struct loader *loader, struct bzimage *b)
{
	const struct setup_header *h = &b->header;

	b->offset = ((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR;
	b->length = (uint64_t)h->syssize * 16;
	if (b->length <= ENTRY64_OFFSET)
		return corrupted(loader, "syssize", h->syssize, "leaves no room for a kernel");
	if (b->offset + b->length > loader->size + 15)
		return error_set(loader->err, -EINVAL,
				 "is a truncated bzImage: %llu bytes of setup code and %llu of "
				 "kernel are more than the %zu bytes of the file",
				 (unsigned long long)b->offset, (unsigned long long)b->length,
				 loader->size);
	if (b->offset + b->length > loader->size)
		b->length = loader->size - b->offset;
	if (h->payload_length && (uint64_t)h->payload_offset + h->payload_length > b->length)
		return corrupted(loader, "payload_offset", h->payload_offset,
				 "and payload_length reach beyond the kernel");
	return 0;
}

static int choose_place(struct loader *loader, struct bzimage *b)
{
	const struct setup_header *h = &b->header;
	uint64_t align = h->kernel_alignment;

	b->base = DEFAULT_BASE;
	b->size = b->length;
	b->knows_size = h->version >= KNOWS_SIZE;
	if (!b->knows_size)
		return 0;
	if (h->init_size < b->length)
		return corrupted(loader, "init_size", h->init_size, "is less than the kernel");
	b->size = h->init_size;
	if (!h->relocatable_kernel)
		return 0;
	if (align & (align - 1))
		return corrupted(loader, "kernel_alignment", align, "is no power of two");
	if (h->pref_address < DEFAULT_BASE || h->pref_address > UINT32_MAX ||
	    (align && h->pref_address & (align - 1)))
		return corrupted(loader, "pref_address", h->pref_address,
				 "is not between 1 MiB and 4 GiB, or not aligned");
	b->base = h->pref_address;
	return 0;
}

int bzimage_examine(struct loader *loader, struct bzimage *b)
{
	int rc = read_header(loader, &b->header);

	if (rc == 0)
		rc = check_version(loader, &b->header);
	if (rc == 0)
		rc = find_kernel(loader, b);
	return rc < 0 ? rc : choose_place(loader, b);
}

bool bzimage_has_entry64(const struct loader *loader)
{
	struct loader quiet = *loader;
	struct setup_header header;

	quiet.err = NULL;
	return bzimage_recognised(loader) && read_header(&quiet, &header) == 0 &&
	       header.version >= KNOWS_ENTRY64 && (header.xloadflags & XLF_KERNEL_64);
}

static int place_kernel(struct loader *loader, const struct bzimage *b)
{
	struct boot_segment segment = {.gpa = b->base,
				       .size = b->size,
				       .data = loader->file + b->offset,
				       .data_size = b->length,
				       .what = "the Linux kernel"};

	return boot_add(loader, &segment);
}

static int load(struct loader *loader, unsigned bits)
{
	struct boot_image *image = loader->image;
	struct bzimage b = {0};
	uint64_t entry;
	int rc = bzimage_examine(loader, &b);

	loader->low_top = LOW_TOP;
	if (rc == 0)
		rc = place_kernel(loader, &b);
	if (rc < 0)
		return rc;
	entry = bits == 64 ? b.base + ENTRY64_OFFSET : b.base;
	rc = bits == 64 ? entry_long_bare(loader, entry, LINUX_CODE)
			: entry_protected_bare(loader, entry, LINUX_CODE);
	bzimage_note_payload(loader, &b);
	b.header.code32_start = (uint32_t)b.base;
	if (rc == 0)
		rc = linux_place_params(loader, &b.header, &image->start.general.gpr[GPR_RSI]);
	image->protocol = bits == 64 ? "Linux, 64-bit" : "Linux, 32-bit";
	snprintf(image->why, sizeof(image->why),
		 "is a Linux bzImage, boot protocol %u.%02u: %s mode at 0x%llx",
		 b.header.version >> 8, b.header.version & 0xff, bits == 64 ? "long" : "protected",
		 (unsigned long long)entry);
	return rc;
}

int bzimage_load64(struct loader *loader)
{
	return load(loader, 64);
}

int bzimage_load32(struct loader *loader)
{
	return load(loader, 32);
}

int bzimage_load(struct loader *loader)
{
	struct boot_image *image = loader->image;
	const struct loader before = *loader;
	struct bzimage b = {0};
	int rc = bzimage_examine(loader, &b);

	if (rc < 0)
		return rc;
	loader->low_top = LOW_TOP;
	rc = bzimage_load_unpacked(loader, &b);
	if (rc != -ENOTSUP)
		return rc;
	*loader = before;
	image->segment_count = 0;
	image->slide = 0;
	boot_pages_free(image->packed.moved, image->packed.moved_size);
	image->packed = (struct boot_packed){0};
	return bzimage_has_entry64(loader) ? load(loader, 64) : load(loader, 32);
}
