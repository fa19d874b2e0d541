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
	uint64_t low_top; /* boot_find_low() keeps below it; 0: as high as there is room */
};

/* ---- file.c ---- */
/* Reads a regular file whole; *bytes belongs to image. -errno with the reason, without the path. */
int boot_read_file(struct boot_image *image, const char *path, const uint8_t **bytes, size_t *size,
		   struct error *err);
/* Zeroed memory; NULL when there is none. free() takes it back. */
void *boot_memory(size_t size);
/* The same, for as long as the image lives. */
void *boot_allocate(struct boot_image *image, size_t size);
/* Zeroed pages, large ones where the host has them, that may be moved into guest RAM; NULL when there are none. */
uint8_t *boot_pages(size_t size);
void boot_pages_free(uint8_t *pages, size_t size); /* NULL is fine */
/* Copies size bytes at offset of the file; false when the file does not hold them all. */
bool boot_take(const struct loader *loader, uint64_t offset, void *to, size_t size);
/* The 32 bits at offset, little endian; the caller knows that they are there. */
uint32_t boot_u32(const struct loader *loader, uint64_t offset);

/* ---- given.c ---- */
/* Segments whose data lies in packed.moved are known as such from here on. -ENOMEM. */
int boot_note_unpacked(struct boot_image *image);
/* packed.moved is elsewhere, or nowhere. */
void boot_set_unpacked(struct boot_image *image, uint8_t *bytes);

/* ---- place.c ---- */
/* Adds a segment after checking that it lies in RAM and on no other one. what is copied. */
int boot_add(struct loader *loader, const struct boot_segment *segment);
/* Whether no segment has any of these bytes. */
bool boot_is_free(const struct loader *loader, uint64_t gpa, uint64_t size);
/* Whether a segment has a byte of the file there. */
bool boot_is_loaded(const struct loader *loader, uint64_t gpa);
/* Finds room that nothing uses yet, below 640 KiB if possible, otherwise above 1 MiB; always below
 * 4 GiB. align: a power of two. */
int boot_find_low(struct loader *loader, uint64_t size, uint64_t align, const char *what,
		  uint64_t *gpa);
/* The highest place above 1 MiB that ends below limit. */
int boot_find_below(struct loader *loader, uint64_t limit, uint64_t size, uint64_t align,
		    const char *what, uint64_t *gpa);
/* The lowest place above 1 MiB: for what a guest keeps. */
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
/* The same without a stack or arguments. CS is the selector code, the other segments are the one behind
 * it. */
#define ENTRY_CODE 8
int entry_protected_bare(struct loader *loader, uint64_t entry, uint16_t code);
int entry_long_bare(struct loader *loader, uint64_t entry, uint16_t code);

/* ---- elf.c ---- */
bool elf_recognised(const struct loader *loader);
bool elf_is64(const struct loader *loader);
/* Checks the headers and adds the PT_LOAD segments by p_paddr. *entry: physical; NULL for who has another
 * one. */
int elf_load_segments(struct loader *loader, uint64_t *entry, bool *is64);
/* The first note of this name and type in a PT_NOTE segment; false: there is none, or the file is none that
 * boots. */
#define ELF_NOTE_ANY UINT32_MAX
struct elf_note {
	const uint8_t *bytes; /* the file's own */
	size_t size;
};
bool elf_find_note(const struct loader *loader, const char *name, uint32_t type,
		   struct elf_note *found);
int elf_load(struct loader *loader);

/* ---- modules.c ---- */
#define BOOT_MODULES_MAX 32
struct boot_module {
	uint32_t start, end;
	const char *text; /* "FILE ARGS", as the user wrote it */
};
struct boot_modules {
	struct boot_module module[BOOT_MODULES_MAX];
	unsigned count;
};
/* Places what -initrd names, above 1 MiB, on page boundaries. */
int boot_place_modules(struct loader *loader, struct boot_modules *modules);

/* ---- multiboot.c, multiboot_info.c ---- */
/* Offset of a valid header, or -ENOENT. */
long multiboot_find(const struct loader *loader);
int multiboot_load(struct loader *loader, uint32_t header);
/* Loads the file as the address fields of the header at this offset say; all of them are checked. */
struct multiboot_addresses {
	uint32_t header, load, load_end, bss_end, entry;
};
int multiboot_load_addresses(struct loader *loader, uint32_t header,
			     const struct multiboot_addresses *a);
/* Places modules, command line, memory map and the information structure: *info is its address. */
int multiboot_place_info(struct loader *loader, uint64_t *info);

/* ---- pvh.c ---- */
/* ELF with Xen's note that names an entry for PVH. */
bool pvh_recognised(const struct loader *loader);
int pvh_load(struct loader *loader);

/* ---- flat.c ---- */
/* Where firmware puts a boot sector, and whether these bytes are one: 0xaa55 at byte 510. */
#define BOOT_SECTOR 0x7c00ull
/* f000:fff0: where an 8086 begins, and where the ROM of later processors shows itself, too. */
#define RESET_VECTOR 0xffff0ull
bool boot_is_sector(const uint8_t *bytes, size_t size);
int flat_load(struct loader *loader);
/* -load or -entry was given: the file is raw, whatever it looks like. */
bool boot_wants_raw(const struct boot_request *request);

#endif
