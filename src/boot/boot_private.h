/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the loaders share: a file in memory with bounded reads, places in guest RAM, start states.
 */
#ifndef BOOT_BOOT_PRIVATE_H
#define BOOT_BOOT_PRIVATE_H

#include "boot/boot.h"

struct loader {
	const struct boot_request *request;
	struct boot_image *image;
	struct error *err;
	const uint8_t *file; /* belongs to image */
	size_t size;
};

/* ---- file.c ---- */
/* Reads a regular file whole; *bytes belongs to image. -errno with the reason, without the path. */
int boot_read_file(struct boot_image *image, const char *path, const uint8_t **bytes, size_t *size,
		   struct error *err);
/* Zeroed memory that lives as long as the image; NULL when there is none. */
void *boot_allocate(struct boot_image *image, size_t size);
/* Copies size bytes at offset of the file; false when the file does not hold them all. */
bool boot_take(const struct loader *loader, uint64_t offset, void *to, size_t size);
/* The 32 bits at offset, little endian; the caller knows that they are there. */
uint32_t boot_u32(const struct loader *loader, uint64_t offset);

/* ---- place.c ---- */
/* Adds a segment after checking that it lies in RAM and on no other one. what is copied. */
int boot_add(struct loader *loader, const struct boot_segment *segment);
/* Finds room that nothing uses yet, below 640 KiB if possible, otherwise above 1 MiB; always below
 * 4 GiB. align: a power of two. */
int boot_find_low(struct loader *loader, uint64_t size, uint64_t align, const char *what,
		  uint64_t *gpa);
/* The same, but above 1 MiB only: for what a guest keeps. */
int boot_find_high(struct loader *loader, uint64_t size, uint64_t align, const char *what,
		   uint64_t *gpa);
/* boot_find_low() and boot_add() of data (belongs to image, or constant) in one go. */
int boot_put(struct loader *loader, const void *data, size_t size, uint64_t align, const char *what,
	     uint64_t *gpa);

/* ---- entry.c ---- */
/* Start states. Each places what the state needs (GDT, page tables, stack, command line). */
/* Below 1 MiB. -EINVAL with a command line: nothing takes one there. */
int entry_real(struct loader *loader, uint64_t entry);
int entry_protected(struct loader *loader, uint64_t entry);
int entry_long(struct loader *loader, uint64_t entry);
/* Flat protected mode without a stack or arguments; multiboot's. */
int entry_protected_bare(struct loader *loader, uint64_t entry);

/* ---- elf.c ---- */
bool elf_recognised(const struct loader *loader);
/* Checks the headers and adds the PT_LOAD segments by p_paddr. *entry: physical. */
int elf_load_segments(struct loader *loader, uint64_t *entry, bool *is64);
int elf_load(struct loader *loader);

/* ---- multiboot.c, multiboot_info.c ---- */
/* Offset of a valid header, or -ENOENT. */
long multiboot_find(const struct loader *loader);
int multiboot_load(struct loader *loader, uint32_t header);
/* Places modules, command line, memory map and the information structure: *info is its address. */
int multiboot_place_info(struct loader *loader, uint64_t *info);

/* ---- flat.c ---- */
/* Where firmware puts a boot sector, and whether these bytes are one: 0xaa55 at byte 510. */
#define BOOT_SECTOR 0x7c00ull
bool boot_is_sector(const uint8_t *bytes, size_t size);
int flat_load(struct loader *loader);
/* -load or -entry was given: the file is raw, whatever it looks like. */
bool boot_wants_raw(const struct boot_request *request);

#endif
