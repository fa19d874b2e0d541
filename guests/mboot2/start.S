/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot 2 header, and the entry: EAX = magic, EBX = information. */
#define HEADER_MAGIC 0xe85250d6
#define I386	     0
#define REQUEST	     1
#define MODULE_ALIGN 6

	.section .multiboot, "a"
	.balign 8
header:
	.long HEADER_MAGIC
	.long I386
	.long header_end - header
	.long -(HEADER_MAGIC + I386 + (header_end - header))
	.balign 8
request:
	.word REQUEST, 0
	.long request_end - request
	.long 1, 3, 6, 9, 15 /* command line, modules, memory map, ELF sections, RSDP */
request_end:
	.balign 8
	.word MODULE_ALIGN, 0
	.long 8
	.balign 8
	.word 0, 0
	.long 8
header_end:

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
