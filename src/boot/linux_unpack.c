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
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The payload ends with the size of what is in it. */
#define SIZE_FIELD 4

/* No kernel is larger; init_size may say so anyway, but that is a field of the same file. */
#define UNPACKED_MAX (512u << 20)

static uint32_t le32_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

/* How much it will be; -EINVAL. */
static int unpacked_size(const struct boot_packed *p, size_t *size)
{
	*size = le32_at(p->payload + p->length - SIZE_FIELD);
	return *size < sizeof(Elf64_Ehdr) || *size > p->most ? -EINVAL : 0;
}

/* -ENOMEM: there are no bytes; -ENOTSUP: by nothing that vitrine knows; -EINVAL. */
static int unpack(const struct boot_packed *p, uint8_t *bytes, size_t size)
{
	if (!bytes)
		return -ENOMEM;
	return decompress(p->payload, p->length - SIZE_FIELD, bytes, size);
}

/* The section headers are the end of the ELF file. */
static bool find_elf_end(const uint8_t *bytes, size_t size, size_t *end)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)bytes;
	uint64_t sections = (uint64_t)h->e_shnum * h->e_shentsize;

	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff > size ||
	    sections > size - h->e_shoff)
		return false;
	*end = h->e_shoff + sections;
	return true;
}

static int tell(struct error *err, int rc)
{
	if (rc == -ENOMEM)
		return error_set(err, rc, "no memory to unpack the kernel");
	if (rc == -ENOEXEC)
		return error_set(err, rc, "is a bzImage that holds no 64-bit ELF file");
	return error_set(err, rc, "is a corrupted bzImage: the kernel in it cannot be unpacked");
}

void bzimage_note_payload(struct loader *loader, const struct bzimage *b)
{
	const uint8_t *payload = loader->file + b->offset + b->header.payload_offset;
	uint64_t length = b->header.payload_length, most = UNPACKED_MAX;

	if (b->knows_size && b->header.init_size < most)
		most = b->header.init_size;
	if (length > SIZE_FIELD && decompress_name(payload, length))
		loader->image->packed = (struct boot_packed){
			.payload = payload, .length = length, .most = most};
}

/* ---- starting it --------------------------------------------------------------------------- */

/* To packed.moved, which is NULL when it fails. */
static int unpack_pages(struct boot_packed *p)
{
	int rc = unpacked_size(p, &p->moved_size);

	if (rc < 0)
		return rc;
	p->moved = boot_pages(p->moved_size);
	rc = unpack(p, p->moved, p->moved_size);
	if (rc < 0) {
		boot_pages_free(p->moved, p->moved_size);
		p->moved = NULL;
	}
	return rc;
}

static int relocate(struct boot_packed *p, uint64_t slide)
{
	return kaslr_relocate(p->moved, p->moved_elf, p->moved + p->moved_elf,
			      p->moved_size - p->moved_elf, slide);
}

/* The vmlinux's headers, and nothing else of it, are the file from here on: the rest is given away.
 * elf_load_segments() has seen that they are there. */
static int keep_headers(struct loader *loader)
{
	Elf64_Ehdr header;
	size_t size;
	uint8_t *file;

	memcpy(&header, loader->file, sizeof(header));
	size = header.e_phnum * sizeof(Elf64_Phdr);
	file = boot_allocate(loader->image, sizeof(header) + size);
	if (!file)
		return -ENOMEM;
	memcpy(file + sizeof(header), loader->file + header.e_phoff, size);
	header.e_phoff = sizeof(header);
	header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
	memcpy(file, &header, sizeof(header));
	loader->file = file;
	loader->size = sizeof(header) + size;
	return 0;
}

static int load_elf(struct loader *loader, uint64_t *entry)
{
	const struct boot_packed *p = &loader->image->packed;
	bool is64;
	int rc;

	loader->file = p->moved;
	loader->size = p->moved_elf;
	rc = elf_load_segments(loader, entry, &is64);
	if (rc < 0)
		return rc;
	rc = boot_note_unpacked(loader->image);
	if (rc == 0)
		rc = keep_headers(loader);
	return rc < 0 ? tell(loader->err, rc) : 0;
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

int bzimage_load_unpacked(struct loader *loader, const struct bzimage *b)
{
	struct boot_image *image = loader->image;
	struct boot_packed *p = &image->packed;
	uint64_t entry = 0;
	int rc;

	bzimage_note_payload(loader, b);
	if (!p->payload)
		return leave("its compression is none that vitrine knows");
	rc = unpack_pages(p);
	if (rc < 0)
		return tell(loader->err, rc);
	if (!find_elf_end(p->moved, p->moved_size, &p->moved_elf))
		return leave("it holds no 64-bit ELF file");
	image->slide = kaslr_slide(loader->request->append, &b->header);
	if (relocate(p, image->slide) < 0)
		image->slide = 0;
	rc = load_elf(loader, &entry);
	return rc < 0 ? rc : start(loader, b, entry);
}

int bzimage_unpack_again(struct boot_image *image, struct error *err)
{
	struct boot_packed *p = &image->packed;
	int rc = unpack_pages(p);

	if (rc < 0)
		return tell(err, rc);
	if (image->slide)
		relocate(p, image->slide);
	boot_set_unpacked(image, p->moved);
	return 0;
}

/* ---- its symbols --------------------------------------------------------------------------- */

/* As it was before it was moved. */
static int unpack_file(const struct boot_packed *p, uint8_t **file, size_t *size)
{
	int rc = unpacked_size(p, size);

	if (rc < 0)
		return rc;
	*file = boot_memory(*size);
	rc = unpack(p, *file, *size);
	if (rc == 0 && !find_elf_end(*file, *size, size))
		rc = -ENOEXEC;
	if (rc < 0)
		free(*file);
	return rc;
}

int bzimage_make_symbols(struct boot_image *image, struct error *err)
{
	struct boot_packed *p = &image->packed;
	uint8_t *file = NULL;
	size_t size;
	int rc = unpack_file(p, &file, &size);

	if (rc < 0)
		return tell(err, rc);
	if (linux_add_symbols(&file, &size) < 0)
		log_info("boot", "the kernel has no names for its functions: it is built without "
				 "kallsyms");
	p->symbols = file;
	p->symbols_size = size;
	return 0;
}
