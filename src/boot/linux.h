/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux kernels, by the boot protocol of Documentation/arch/x86/boot.rst. The host is little endian, as
 * every host that runs x86 guests under KVM. */
#ifndef BOOT_LINUX_H
#define BOOT_LINUX_H

#include "boot/boot_private.h"

#include <asm/bootparam.h>

/* ---- linux.c: bzImage ---- */
/* Where the parts of the image are, all of them checked. */
struct bzimage {
	struct setup_header header;
	bool knows_size;	 /* header has pref_address and init_size */
	uint64_t offset, length; /* of the protected-mode part in the file */
	uint64_t base, size;	 /* of the memory that it needs */
};
int bzimage_examine(struct loader *loader, struct bzimage *b);
/* Unpacked, where that can be; otherwise by its own unpacker, in long mode if possible. */
int bzimage_load(struct loader *loader);
/* The setup header's signature is there. */
bool bzimage_recognised(const struct loader *loader);
/* ... and the kernel can be entered in long mode. */
bool bzimage_has_entry64(const struct loader *loader);
int bzimage_load64(struct loader *loader);
int bzimage_load32(struct loader *loader);

/* ---- linux_unpack.c ---- */
/* -ENOTSUP: only its own unpacker can do that; what has been placed so far is to be forgotten. */
int bzimage_load_unpacked(struct loader *loader, const struct bzimage *b);
/* Takes note of what boot_symbols() needs; the file has it. */
void bzimage_note_payload(struct loader *loader, const struct bzimage *b);
/* Unpacks and moves it again, for boot_prepare(). -errno with a sentence. */
int bzimage_unpack_again(struct boot_image *image, struct error *err);
/* Makes image->packed.symbols; -errno with a sentence. */
int bzimage_make_symbols(struct boot_image *image, struct error *err);

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
