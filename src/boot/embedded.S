/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstration guest, symbols and all, for when no image is named. IMAGE comes from the Makefile. */
	.section .rodata
	.balign 4096
	.globl boot_embedded_start, boot_embedded_end
boot_embedded_start:
	.incbin IMAGE
boot_embedded_end:
	.section .note.GNU-stack, "", @progbits
