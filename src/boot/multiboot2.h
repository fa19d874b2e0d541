/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 2 (Multiboot2 Specification 2.0). */
#ifndef BOOT_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_H

#include "boot/boot_private.h"

/* Types of information that the specification knows. */
#define MULTIBOOT2_LAST_TYPE 21

/* ---- multiboot2.c ---- */
/* Offset of a header with a right checksum in the first 32 KiB, or -ENOENT. */
long multiboot2_find(const struct loader *loader);
int multiboot2_load(struct loader *loader);

/* ---- multiboot2_info.c ---- */
/* Places modules and the information, whose address becomes *info. base: the image's lowest address. */
int multiboot2_place_info(struct loader *loader, uint32_t base, uint64_t *info);

/* ---- multiboot2_elf.c ---- */
/* What the tag of ELF sections holds behind its type and size, in bytes; 0: the file has none. */
size_t multiboot2_sections_size(const struct loader *loader);
/* Fills that. Sections that are in no segment are placed, and their headers say where. */
int multiboot2_place_sections(struct loader *loader, uint8_t *to);

#endif
