/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the reset vector to C, by the steps that every PC takes: real mode, protected mode, long mode. The
 * second CPU comes the same way; it is told to begin at real_start.
 *
 * .low lies at 0x8000: a startup IPI can only name a page below 1 MiB, and real mode sees no more.
 */
#define COM1	 0x3f8
#define CR0_PE	 0x00000001
#define CR0_PG	 0x80000000
#define CR0_CACHES 0x9fffffff /* CD and NW are set after INIT */
#define CR4_PAE	 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define PML4	 0x1000 /* the first page tables, one page each */
#define PDPT	 0x2000
#define DIRECTORY 0x3000
#define TABLE	 0x003 /* present, write */
#define PAGE_2M	 0x083 /* and no table below */
#define CODE64	 0x08  /* selectors, the same as those of the kernel's own GDT later */
#define DATA	 0x10
#define CODE32	 0x18
#define SMALL_STACK 0x7c00
#define STACK_SIZE 8192 /* with its guard page: struct stack in main.c */

	.macro begin name
	.globl \name
	.type \name, @function
\name:
	.endm
	.macro end name
	.size \name, . - \name
	.endm

/* ---- 16 bits ------------------------------------------------------------------------------------ */

	.section .reset, "ax"
	.code16
begin reset_vector
	ljmp $0, $real_start
end reset_vector

	.section .low, "ax"
begin real_start
	cli
	cld
	ljmp $0, $real_main
end real_start

begin real_main
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $SMALL_STACK, %sp
	mov $real_text, %si
	call real_print
end real_main
begin real_leave
	lgdtl boot_gdt_pointer
	mov %cr0, %eax
	and $CR0_CACHES, %eax
	or $CR0_PE, %eax
	mov %eax, %cr0
	ljmpl $CODE32, $prot_start
end real_leave

/* SI = text */
begin real_print
	mov $COM1, %dx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
end real_print

/* ---- 32 bits ------------------------------------------------------------------------------------ */

	.code32
begin prot_start
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $SMALL_STACK, %esp
	mov $prot_text, %esi
	call prot_print
	call prot_tables
end prot_start
begin prot_leave
	mov $PML4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	ljmp $CODE64, $long_start
end prot_leave

/* ESI = text */
begin prot_print
	mov $COM1, %edx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
end prot_print

/* The first 2 MiB to themselves, in one large page. */
begin prot_tables
	mov $PML4, %edi
	xor %eax, %eax
	mov $(3 * 4096 / 4), %ecx
	rep stosl
	movl $(PDPT | TABLE), PML4
	movl $(DIRECTORY | TABLE), PDPT
	movl $PAGE_2M, DIRECTORY
	ret
end prot_tables

/* ---- 64 bits ------------------------------------------------------------------------------------ */

/* Whoever comes first is CPU 0. Each gets a stack of its own; there is nowhere to return to. */
	.code64
	.cfi_sections .debug_frame
begin long_start
	.cfi_startproc
	.cfi_undefined rip
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $1, %edi
	lock xadd %edi, cpus_started(%rip)
	lea 1(%rdi), %eax
	imul $STACK_SIZE, %eax, %eax
	lea stacks(%rax), %rsp
	xor %ebp, %ebp
	call lesson_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
end long_start

real_text:
	.asciz "lesson: real mode\n"
prot_text:
	.asciz "lesson: protected mode\n"

	.balign 8
boot_gdt:	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cf9b000000ffff
boot_gdt_pointer:
	.word . - boot_gdt - 1
	.long boot_gdt
