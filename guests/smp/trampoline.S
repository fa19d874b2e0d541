/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a startup IPI puts an application processor: real mode, CS = the vector's page. This piece is
 * copied to TRAMPOLINE, so what it names of itself is computed from there. From real mode it goes to
 * long mode in one step, with the page tables of the first CPU; the copier fills in page_tables.
 */
#define TRAMPOLINE 0x8000
#define HERE(x)    (TRAMPOLINE + (x) - trampoline)
#define CR0_PE_PG  0x80000001
#define CR4_PAE    0x20
#define MSR_EFER   0xc0000080
#define EFER_LME_NXE 0x900
#define CODE       0x08
#define DATA       0x10
#define CPU_MAX    4
#define STACK_SIZE 8192

	.section .rodata
	.balign 16
	.globl trampoline, trampoline_size, trampoline_cr3
	.code16
trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	movl page_tables - trampoline, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME_NXE, %eax
	wrmsr
	lgdtl trampoline_gdt_pointer - trampoline
	mov %cr0, %eax
	or $CR0_PE_PG, %eax
	and $0x9fffffff, %eax /* caches on: CD and NW are set after INIT */
	mov %eax, %cr0
	ljmpl $CODE, $HERE(trampoline_long)

	.code64
trampoline_long:
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $ap_entry, %eax
	jmp *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
trampoline_gdt_pointer:
	.word . - trampoline_gdt - 1
	.long HERE(trampoline_gdt)
page_tables:
	.long 0
trampoline_end:
trampoline_size:
	.long trampoline_end - trampoline
trampoline_cr3:
	.long page_tables - trampoline

/* In the image itself. Every processor takes the next number, and the stack of that number. */
	.text
	.globl ap_entry
	.type ap_entry, @function
ap_entry:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined rip
	mov $1, %edi
	lock xadd %edi, cpus_numbered(%rip)
	cmp $CPU_MAX, %edi
	jae 1f
	lea 1(%rdi), %eax
	imul $STACK_SIZE, %eax, %eax
	lea stacks(%rax), %rsp
	xor %ebp, %ebp
	call ap_main
1:	cli
	hlt
	jmp 1b
	.cfi_endproc
	.size ap_entry, . - ap_entry
