/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving a kernel to another virtual address than it was linked at, as its own unpacker does. */
#ifndef BOOT_LINUX_KASLR_H
#define BOOT_LINUX_KASLR_H

#include <asm/bootparam.h>
#include <stddef.h>
#include <stdint.h>

/* By how much; by chance, or 0 where the command line (or NULL) says nokaslr, or where there is no room. */
uint64_t kaslr_slide(const char *command_line, const struct setup_header *header);

/* list: what stands behind the ELF file. Nothing has changed when it fails: -ENOTSUP, the list is missing, or none that
 * vitrine knows. */
int kaslr_relocate(uint8_t *elf, size_t size, const uint8_t *list, size_t list_size,
		   uint64_t slide);

#endif
