// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A bzImage that is unpacked here, instead of by its own unpacker in the guest. What is in it is the vmlinux of that
 * kernel, an ELF file, and behind that, where the kernel can be moved, a list of the places that hold addresses.
 * It is entered where its unpacker would have entered it, at an address that vitrine has chosen: so the debugger
 * knows from the first instruction on where everything is.
 */
#include "boot/decompress.h"
#include "boot/linux.h"
#include "boot/linux_kaslr.h"
#include "boot/linux_symbols.h"

#include "log.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The payload ends with the size of what is in it. */
#define SIZE_FIELD 4

/* No kernel is larger; init_size says so anyway, but that is a field of the same file. */
#define UNPACKED_MAX (512u << 20)

struct unpacked {
	uint8_t *bytes;
	size_t size; /* of all of it */
	size_t elf;  /* of the ELF file */
};

static int unpack(struct loader *loader, const struct bzimage *b, struct unpacked *u)
{
	uint64_t at = b->offset + b->header.payload_offset;
	uint64_t length = b->header.payload_length;

	if (length <= SIZE_FIELD)
		return -ENOTSUP;
	u->size = boot_u32(loader, at + length - SIZE_FIELD);
	if (!decompress_name(loader->file + at, length))
		return -ENOTSUP;
	if (u->size < sizeof(Elf64_Ehdr) || u->size > b->header.init_size || u->size > UNPACKED_MAX)
		return -EINVAL;
	u->bytes = boot_allocate(loader->image, u->size);
	if (!u->bytes)
		return -ENOMEM;
	return decompress(loader->file + at, length - SIZE_FIELD, u->bytes, u->size);
}

/* The section headers are the end of the ELF file. */
static bool find_elf_end(struct unpacked *u)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)u->bytes;
	uint64_t sections = (uint64_t)h->e_shnum * h->e_shentsize;

	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff > u->size ||
	    sections > u->size - h->e_shoff)
		return false;
	u->elf = h->e_shoff + sections;
	return true;
}

/* From here on the file is the vmlinux. */
static int load_elf(struct loader *loader, const struct unpacked *u, uint64_t *entry)
{
	bool is64;

	loader->file = u->bytes;
	loader->size = u->elf;
	return elf_load_segments(loader, entry, &is64);
}

static int start(struct loader *loader, const struct bzimage *b, uint64_t entry)
{
	struct boot_image *image = loader->image;
	struct setup_header header = b->header;
	int rc = entry_long_bare(loader, entry, LINUX_CODE);

	if (image->slide)
		header.loadflags |= KASLR_FLAG;
	header.code32_start = 0;
	if (rc == 0)
		rc = linux_place_params(loader, &header, &image->start.general.gpr[GPR_RSI]);
	image->protocol = "Linux, unpacked";
	snprintf(image->why, sizeof(image->why),
		 "is a Linux bzImage, boot protocol %u.%02u, unpacked: long mode at 0x%llx, slide "
		 "0x%llx",
		 header.version >> 8, header.version & 0xff, (unsigned long long)entry,
		 (unsigned long long)image->slide);
	return rc;
}

/* Why it is left to the kernel's own unpacker. */
static int leave(const char *why)
{
	log_info("boot", "the bzImage is left to its own unpacker: %s", why);
	return -ENOTSUP;
}

static int prepare(struct loader *loader, const struct bzimage *b, struct unpacked *u)
{
	struct loader inner = *loader;
	int rc = unpack(loader, b, u);

	if (rc == -ENOTSUP)
		return leave("its compression is none that vitrine knows");
	if (rc == -EINVAL)
		return error_set(loader->err, rc,
				 "is a corrupted bzImage: the kernel in it cannot be unpacked");
	if (rc < 0)
		return error_set(loader->err, rc, "no memory to unpack the kernel");
	inner.file = u->bytes;
	inner.size = u->size;
	if (!elf_is64(&inner) || !find_elf_end(u))
		return leave("it holds no 64-bit ELF file");
	return 0;
}

/* From here on the file is the one with symbols, as it was linked. */
static void take_file(struct loader *loader, const uint8_t *file, size_t size)
{
	if (!file)
		return;
	loader->file = file;
	loader->size = size;
}

int bzimage_load_unpacked(struct loader *loader, const struct bzimage *b)
{
	struct boot_image *image = loader->image;
	struct unpacked u = {0};
	const uint8_t *named;
	size_t named_size;
	uint64_t entry = 0;
	int rc = prepare(loader, b, &u);

	if (rc < 0)
		return rc;
	named = linux_add_symbols(image, u.bytes, u.elf, &named_size);
	image->slide = kaslr_slide(loader->request->append, &b->header);
	if (kaslr_relocate(u.bytes, u.size, u.elf, image->slide) < 0)
		image->slide = 0;
	rc = load_elf(loader, &u, &entry);
	if (rc < 0)
		return rc;
	take_file(loader, named, named_size);
	return start(loader, b, entry);
}

void bzimage_take_symbols(struct loader *loader, const struct bzimage *b)
{
	struct loader quiet = *loader;
	struct unpacked u = {0};
	const uint8_t *named;
	size_t named_size;

	quiet.err = NULL;
	if (prepare(&quiet, b, &u) < 0)
		return;
	named = linux_add_symbols(loader->image, u.bytes, u.elf, &named_size);
	take_file(loader, named, named_size);
}
