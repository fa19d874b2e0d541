/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One stub per vector: it pushes what struct frame starts with and calls exception_dispatch(). The
 * CFI lets a debugger unwind through an interrupt to the interrupted code. */
	.cfi_sections .debug_frame
	.text

	.macro stub vector, has_error
	.balign 16
	.type isr\vector, @function
isr\vector:
	.cfi_startproc
	.cfi_signal_frame
	.if \has_error
	.cfi_def_cfa rsp, 48
	.else
	.cfi_def_cfa rsp, 40
	.endif
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.if !\has_error
	push $0
	.cfi_adjust_cfa_offset 8
	.endif
	push $\vector
	.cfi_adjust_cfa_offset 8
	jmp isr_common
	.cfi_endproc
	.size isr\vector, . - isr\vector
	.endm

	.macro save register, from
	push \register
	.cfi_adjust_cfa_offset 8
	.cfi_offset \register, \from
	.endm

	.macro restore register
	pop \register
	.cfi_adjust_cfa_offset -8
	.cfi_restore \register
	.endm

	.type isr_common, @function
isr_common:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 56
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	save %rax, -64
	save %rbx, -72
	save %rcx, -80
	save %rdx, -88
	save %rsi, -96
	save %rdi, -104
	save %rbp, -112
	save %r8, -120
	save %r9, -128
	save %r10, -136
	save %r11, -144
	save %r12, -152
	save %r13, -160
	save %r14, -168
	save %r15, -176
	cld
	mov %rsp, %rdi
	xor %ebp, %ebp
	call exception_dispatch
	restore %r15
	restore %r14
	restore %r13
	restore %r12
	restore %r11
	restore %r10
	restore %r9
	restore %r8
	restore %rbp
	restore %rdi
	restore %rsi
	restore %rdx
	restore %rcx
	restore %rbx
	restore %rax
	add $16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
	.size isr_common, . - isr_common

	.altmacro
	.macro numbered vector
	/* These push an error code themselves (SDM vol. 3A, table 6-1). */
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17) || (\vector == 21)
	stub \vector, 1
	.else
	stub \vector, 0
	.endif
	.endm
	.set number, 0
	.rept 48
	numbered %number
	.set number, number + 1
	.endr
	stub 128, 0

	.section .rodata
	.balign 8
	.globl isr_table
isr_table:
	.macro address vector
	.quad isr\vector
	.endm
	.set number, 0
	.rept 48
	address %number
	.set number, number + 1
	.endr
	.quad isr128
