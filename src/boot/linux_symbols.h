/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vmlinux without symbols, and the names that the kernel carries with it, become a vmlinux with symbols. */
#ifndef BOOT_LINUX_SYMBOLS_H
#define BOOT_LINUX_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/* *file is malloc()'s: an ELF64 file as it was linked, of more than an ELF header. It grows by its section headers
 * anew, with a symbol table. -ENOENT: there are no names; -ENOMEM. The file is as it was then. */
int linux_add_symbols(uint8_t **file, size_t *size);

#endif
