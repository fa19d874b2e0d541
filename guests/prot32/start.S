/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entered in flat protected mode: EDI = bytes of RAM, ESI = command line. */
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
	push %esi
	push %edi
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
