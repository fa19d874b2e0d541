/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vmlinux without symbols, and the names that the kernel carries with it, become a vmlinux with symbols. */
#ifndef BOOT_LINUX_SYMBOLS_H
#define BOOT_LINUX_SYMBOLS_H

#include "boot/boot.h"

#include <stdint.h>

/* elf: an ELF64 file as it was linked, of more than an ELF header. The result belongs to image: elf's bytes, and
 * behind them its section headers anew, with a symbol table. NULL: there are no names, or no memory. */
const uint8_t *linux_add_symbols(struct boot_image *image, const uint8_t *elf, size_t size,
				 size_t *named_size);

#endif
