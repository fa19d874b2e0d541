/* SPDX-License-Identifier: GPL-3.0-or-later */
/* high.elf's kernel as data; -DKERNEL names the file. */
	.section .rodata
	.balign 8
	.globl packed, packed_size
packed:
	.incbin KERNEL
packed_end:
	.balign 8
packed_size:
	.quad packed_end - packed
