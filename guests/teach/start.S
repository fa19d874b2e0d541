/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the boot loader comes in, and where a startup IPI does. */
#include "multiboot.inc"

#define KERNEL_CODE  0x08
#define KERNEL_DATA  0x10
#define CR0_PE	     0x00000001
#define CR0_CACHES   0x9fffffff /* CD and NW are set after INIT */
#define TRAMPOLINE   0x8000
#define HERE(x)	     (TRAMPOLINE + (x) - trampoline)

/* EAX = magic, EBX = information structure; flat segments, no paging, no stack. */
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined eip
	mov $boot_stack_top, %esp
	xor %ebp, %ebp
	cld
	sub $8, %esp
	push %ebx
	push %eax
	call kernel_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
	.size _start, . - _start

/* What the second CPU runs first: real mode, CS = the page that it was copied to. */
	.section .rodata
	.balign 16
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline
	mov %cr0, %eax
	and $CR0_CACHES, %eax
	or $CR0_PE, %eax
	mov %eax, %cr0
	ljmpl $KERNEL_CODE, $second_start
	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
trampoline_gdt_pointer:
	.word . - trampoline_gdt - 1
	.long HERE(trampoline_gdt)
trampoline_end:

	.code32
	.text
	.type second_start, @function
second_start:
	.cfi_startproc
	.cfi_undefined eip
	mov $KERNEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $second_stack_top, %esp
	xor %ebp, %ebp
	sub $12, %esp
	call second_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
	.size second_start, . - second_start

	.bss
	.balign 16
	.skip 16384
boot_stack_top:
	.skip 16384
second_stack_top:
