/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A multiboot 2 header, and the entry: EAX = magic, EBX = information. */
#define HEADER_MAGIC 0xe85250d6
#define I386	     0
#define REQUEST	     1
#define MODULE_ALIGN 6

	.section .multiboot, "a"
	.balign 8
header:
	.long HEADER_MAGIC
	.long I386
	.long header_end - header
	.long -(HEADER_MAGIC + I386 + (header_end - header))
	.balign 8
request:
	.word REQUEST, 0
	.long request_end - request
	.long 1, 3, 6, 9, 15 /* command line, modules, memory map, ELF sections, RSDP */
request_end:
	.balign 8
	.word MODULE_ALIGN, 0
	.long 8
	.balign 8
	.word 0, 0
	.long 8
header_end:

#define FIRST  %eax
#define SECOND %ebx
#include "entry32.inc"
