/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry of the guests in long mode: RDI = bytes of RAM, RSI = command line. They go on unchanged as the
 * arguments of guest_main(). The return address is undefined here, so that a backtrace ends. */
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined rip
	lea stack_top(%rip), %rsp
	xor %ebp, %ebp
	cld
	call guest_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
	.size _start, . - _start

	.bss
	.balign 16
	.type stack, @object
stack:	.skip 16384
	.size stack, . - stack
	.globl stack_top
stack_top:
