/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bzImage with nothing wrong in it. */
#ifndef TESTS_LINUX_IMAGE_H
#define TESTS_LINUX_IMAGE_H

#include "boot_case.h"

#include <asm/bootparam.h>
#include <stdint.h>

#define SETUP_SECTORS 3
#define KERNEL	      ((SETUP_SECTORS + 1) * 512) /* where it is in the file */
#define KERNEL_SIZE   0x3000
#define BASE	      0x1000000ull
#define INIT_SIZE     0x800000u

extern uint8_t file[KERNEL + KERNEL_SIZE + 100];

struct setup_header *header(void);
/* As a kernel of today is made. */
void linux_make(void);
void linux_prepare(struct boot_case *c);
void linux_start(struct boot_case *c);
void params_of(struct boot_case *c, struct boot_params *params);

#endif
