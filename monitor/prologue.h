/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MONITOR_PROLOGUE_H
#define MONITOR_PROLOGUE_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of `[endbr] push %rbp; mov %rsp,%rbp` (or its 32-bit form) at the start of a function of
 * the image; 0 when it does not begin with that. */
size_t prologue_length(Elf *elf, uint64_t function);

#endif
