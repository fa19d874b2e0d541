/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot header without wishes, and the way from flat protected mode, where a loader leaves us, to long mode with
 * the first gigabyte mapped to itself (SDM vol. 3A, 9.8.5). */
#define MAGIC	0x1badb002
#define CR0_PG	(1 << 31)
#define CR4_PAE (1 << 5)
#define EFER	0xc0000080
#define LME	(1 << 8)
#define TABLE	0x003 /* present, writable */
#define LARGE	0x083 /* and a page of 2 MiB */

	.section .text.start, "ax"
	.balign 4
	.long MAGIC, 0, -MAGIC

	.globl _start
	.code32
_start:
	mov $stack_end, %esp
	mov $directory, %edi
	mov $LARGE, %eax
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	cmp $directory + 512 * 8, %edi
	jb 1b
	movl $directory + TABLE, pointers
	movl $pointers + TABLE, pml4
	mov $pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $EFER, %ecx
	rdmsr
	or $LME, %eax
	wrmsr
	lgdt gdt_pointer
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	ljmp $8, $2f
	.code64
2:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %ebp, %ebp
	push %rbp
	jmp run

	.section .rodata
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.bss
	.balign 4096
pml4:	  .skip 4096
pointers: .skip 4096
directory: .skip 4096
	.skip 16384
stack_end:
