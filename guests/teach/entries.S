/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way in and out for exceptions, interrupts and system calls: struct frame (kernel.h), bottom up. The call frame
 * information is that of a trap from ring 3, where the CPU has pushed ESP and SS.
 */
#define TRAPS 64

	.cfi_sections .debug_frame
	.text
	.altmacro

.macro trap vector
	.cfi_startproc simple
	.cfi_signal_frame
	.balign 16
	/* The CPU pushes an error code for these. */
	.if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
	.cfi_def_cfa esp, 24
	.cfi_offset eip, -20
	.cfi_offset esp, -8
	.else
	.cfi_def_cfa esp, 20
	.cfi_offset eip, -20
	.cfi_offset esp, -8
	push $0
	.cfi_adjust_cfa_offset 4
	.endif
	push $\vector
	.cfi_adjust_cfa_offset 4
	jmp trap_common
	.cfi_endproc
.endm

	.balign 16
	.globl trap_entries
	.type trap_entries, @function
trap_entries: /* 16 bytes each */
	.set vector, 0
	.rept TRAPS
	trap %vector
	.set vector, vector + 1
	.endr
	.balign 16
	.size trap_entries, . - trap_entries

	.globl trap_system
	.type trap_system, @function
trap_system:
	trap 0x80
	.size trap_system, . - trap_system

	.type trap_common, @function
trap_common:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa esp, 28
	.cfi_offset eip, -20
	.cfi_offset esp, -8
	pusha
	.cfi_adjust_cfa_offset 32
	.cfi_offset eax, -32
	.cfi_offset ecx, -36
	.cfi_offset edx, -40
	.cfi_offset ebx, -44
	.cfi_offset ebp, -52
	.cfi_offset esi, -56
	.cfi_offset edi, -60
	cld
	mov %esp, %eax
	sub $12, %esp
	.cfi_adjust_cfa_offset 12
	push %eax
	.cfi_adjust_cfa_offset 4
	call trap
	mov %eax, %esp /* the frame of whoever goes on */
	.cfi_def_cfa_offset 60
	popa
	.cfi_adjust_cfa_offset -32
	add $8, %esp
	.cfi_adjust_cfa_offset -8
	iret
	.cfi_endproc
	.size trap_common, . - trap_common
