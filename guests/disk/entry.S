/* SPDX-License-Identifier: GPL-3.0-or-later */
	.text
	.globl disk_entry
	.type disk_entry, @function
disk_entry:
	pusha
	cld
	call disk_interrupt
	popa
	iret
	.size disk_entry, . - disk_entry
