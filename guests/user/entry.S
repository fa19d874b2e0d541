/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ways between the rings. */
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define RFLAGS_IF 0x202

	.cfi_sections .debug_frame
	.text

/* enter_user(rip, rsp, rdi, rsi): never comes back. */
	.globl enter_user
	.type enter_user, @function
enter_user:
	.cfi_startproc
	mov $USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	push $USER_DATA
	push %rsi
	push $RFLAGS_IF
	push $USER_CODE
	push %rdi
	mov %rdx, %rdi
	mov %rcx, %rsi
	xor %ebp, %ebp
	iretq
	.cfi_endproc
	.size enter_user, . - enter_user

/* Where syscall leads: RCX = user's rip, R11 = its rflags, RSP still the user's, interrupts off. */
	.globl syscall_entry
	.type syscall_entry, @function
syscall_entry:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 0
	.cfi_register rip, rcx
	mov %rsp, user_rsp(%rip)
	lea stack_top(%rip), %rsp
	push user_rsp(%rip)
	push %r11
	push %rcx
	.cfi_def_cfa rsp, 24
	.cfi_offset rip, -24
	.cfi_offset rsp, -8
	push %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset rbp, -32
	xor %ebp, %ebp
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov %rax, %rdi
	call system_call
	pop %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	pop %rcx
	.cfi_register rip, rcx
	.cfi_adjust_cfa_offset -8
	pop %r11
	.cfi_adjust_cfa_offset -8
	pop %rsp
	.cfi_def_cfa rsp, 0
	sysretq
	.cfi_endproc
	.size syscall_entry, . - syscall_entry

	.bss
	.balign 8
user_rsp:
	.skip 8
