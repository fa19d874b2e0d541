/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot 1 header, and the way from its protected mode into long mode: the first 4 GiB mapped one to one by
 * 2 MiB pages. EAX and EBX become the arguments of checks_main(). */
#define HEADER_MAGIC 0x1badb002
#define HEADER_FLAGS 0x00000003 /* modules on page boundaries, memory sizes */

#define CR0_PG	     (1 << 31)
#define CR4_PAE	     (1 << 5)
#define MSR_EFER     0xc0000080
#define EFER_LME     (1 << 8)
#define PRESENT_RW   3
#define LARGE	     0x80
#define DIRECTORIES  4
#define CODE	     0x08
#define DATA	     0x10

	.section .multiboot, "a"
	.balign 4
	.long HEADER_MAGIC
	.long HEADER_FLAGS
	.long -(HEADER_MAGIC + HEADER_FLAGS)

	.section .text.start, "ax"
	.code32
	.globl _start
	.type _start, @function
_start:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined 16 /* rip */
	cld
	mov %eax, %ebp
	movl $first_pdpt + PRESENT_RW, first_pml4
	mov $first_directories + PRESENT_RW, %eax
	xor %ecx, %ecx
1:	mov %eax, first_pdpt(,%ecx,8)
	add $4096, %eax
	inc %ecx
	cmp $DIRECTORIES, %ecx
	jb 1b
	mov $PRESENT_RW + LARGE, %eax
	xor %ecx, %ecx
2:	mov %eax, first_directories(,%ecx,8)
	add $0x200000, %eax
	inc %ecx
	cmp $DIRECTORIES * 512, %ecx
	jb 2b

	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $first_pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	lgdt first_gdtr
	ljmp $CODE, $in_long_mode
	.cfi_endproc
	.size _start, . - _start

	.code64
	.type in_long_mode, @function
in_long_mode:
	.cfi_startproc
	.cfi_undefined 16 /* rip */
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	lea stack_top(%rip), %rsp
	mov %ebp, %edi
	mov %ebx, %esi
	xor %ebp, %ebp
	call checks_main
3:	cli
	hlt
	jmp 3b
	.cfi_endproc
	.size in_long_mode, . - in_long_mode

	.section .rodata
	.balign 8
first_gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
first_gdtr:
	.word . - first_gdt - 1
	.long first_gdt

	.bss
	.balign 4096
first_pml4:
	.skip 4096
first_pdpt:
	.skip 4096
first_directories:
	.skip 4096 * DIRECTORIES
stack:	.skip 16384
	.globl stack_top
stack_top:
