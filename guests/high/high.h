/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the kernel is linked, and where it lies: high.ld has the same numbers. */
#ifndef GUEST_HIGH_H
#define GUEST_HIGH_H

#include <stdint.h>

#define KERNEL_BASE   0xffffffff80000000ul
#define KERNEL_LOADED 0x400000ul /* by the boot loader */
#define KERNEL_MOVED  0x800000ul
#define KERNEL_SIZE   0x4000ul /* at most */

/* The kernel's first bytes are its entry. */
typedef void kernel_entry_fn(unsigned long rounds, uint64_t place);

#endif
