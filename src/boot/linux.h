/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux kernels, by the boot protocol of Documentation/arch/x86/boot.rst. The host is little endian, as
 * every host that runs x86 guests under KVM. */
#ifndef BOOT_LINUX_H
#define BOOT_LINUX_H

#include "boot/boot_private.h"

#include <asm/bootparam.h>

/* ---- linux.c: bzImage ---- */
/* The setup header's signature is there. */
bool bzimage_recognised(const struct loader *loader);
/* ... and the kernel can be entered in long mode. */
bool bzimage_has_entry64(const struct loader *loader);
int bzimage_load64(struct loader *loader);
int bzimage_load32(struct loader *loader);

/* ---- linux_vmlinux.c: uncompressed, entered in long mode ---- */
/* ELF64 with a note of Linux's. */
bool vmlinux_recognised(const struct loader *loader);
int vmlinux_load(struct loader *loader);

/* ---- linux_params.c ---- */
/* __BOOT_CS; the data segments follow it. */
#define LINUX_CODE 0x10

/* Places initrd, command line and the zero page, which has a copy of header; the kernel itself has been
 * placed. *gpa is the zero page's. */
int linux_place_params(struct loader *loader, const struct setup_header *header, uint64_t *gpa);
/* -initrd's file, below limit: its place and size, or zeros when there is none. */
int linux_place_initrd(struct loader *loader, uint64_t limit, uint64_t *gpa, uint64_t *size);

#endif
