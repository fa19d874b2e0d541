/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot sector that walks through the modes of the processor, one named step after the other: real
 * mode, flat protected mode, long mode. At each station it prints a line on COM1, at the end it leaves
 * by the debug-exit port with value 0. There is no paging outside long mode: PAE, LME and PG come on
 * together.
 */
#define COM1        0x3f8
#define DEBUG_EXIT  0xf4
#define CR0_PE      0x00000001
#define CR0_PG      0x80000000
#define CR4_PAE     0x20
#define MSR_EFER    0xc0000080
#define EFER_LME    0x100
#define PML4        0x1000 /* four tables, one page each, below the boot sector */
#define PDPT        0x2000
#define DIRECTORY   0x3000
#define CODE32      0x08
#define CODE64      0x10
#define DATA        0x18

	.macro begin name
	.globl \name
	.type \name, @function
\name:
	.endm
	.macro end name
	.size \name, . - \name
	.endm

	.text
	.code16
begin real_start
	cli
	cld
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	ljmp $0, $real_main
end real_start

begin real_main
	mov $real_text, %si
	call real_print
	lgdt gdt_pointer
	mov %cr0, %eax
	or $CR0_PE, %al
	mov %eax, %cr0
	ljmp $CODE32, $prot_start
end real_main

begin real_print
	mov $COM1, %dx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
end real_print

	.code32
begin prot_start
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x7c00, %esp
	mov $prot_text, %esi
	call prot_print
	call prot_page_tables
	call prot_enable_pae
	call prot_enable_long
end prot_start
begin prot_enable_paging
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	ljmp $CODE64, $long_start
end prot_enable_paging

begin prot_print
	mov $COM1, %edx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
end prot_print

/* The first 2 MiB, in one large page. */
begin prot_page_tables
	mov $PML4, %edi
	xor %eax, %eax
	mov $(3 * 4096 / 4), %ecx
	rep stosl
	movl $(PDPT | 3), PML4
	movl $(DIRECTORY | 3), PDPT
	movl $0x83, DIRECTORY
	mov $PML4, %eax
	mov %eax, %cr3
	ret
end prot_page_tables

begin prot_enable_pae
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	ret
end prot_enable_pae

begin prot_enable_long
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	ret
end prot_enable_long

	.code64
begin long_start
	mov $0x7c00, %rsp
	lea long_text(%rip), %rsi
	call long_print
end long_start
begin long_exit
	xor %eax, %eax
	outb %al, $DEBUG_EXIT
1:	hlt
	jmp 1b
end long_exit

begin long_print
	mov $COM1, %edx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
end long_print

real_text:
	.asciz "real16: real mode\n"
prot_text:
	.asciz "real16: protected mode\n"
long_text:
	.asciz "real16: long mode\n"

	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.org 510
	.word 0xaa55
