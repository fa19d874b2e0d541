/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstration guest, symbols and all, for when no image is named. IMAGE comes from the Makefile. */
	.section .rodata
	.balign 4096
	.globl boot_embedded_image, boot_embedded_size
boot_embedded_image:
	.incbin IMAGE
1:	.balign 8
boot_embedded_size:
	.quad 1b - boot_embedded_image
	.section .note.GNU-stack, "", @progbits
