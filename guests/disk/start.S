/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot 1 header, and the entry: EAX = magic, EBX = information structure. */
#define HEADER_MAGIC 0x1badb002
#define HEADER_FLAGS 0x00000003 /* modules on page boundaries, memory sizes */

	.section .multiboot, "a"
	.balign 4
	.long HEADER_MAGIC
	.long HEADER_FLAGS
	.long -(HEADER_MAGIC + HEADER_FLAGS)

	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined eip
	mov $stack_top, %esp
	xor %ebp, %ebp
	cld
	sub $8, %esp
	push %ebx
	push %eax
	call guest_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
	.size _start, . - _start

	.bss
	.balign 16
stack:	.skip 16384
stack_top:
