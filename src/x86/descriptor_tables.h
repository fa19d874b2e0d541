/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the entries of GDT, LDT, IDT and a TSS say, decoded for people: SDM vol. 3A, 3.4.5, 3.5, 5.8.3,
 * 6.11, 7.2 and 7.7. Nothing is judged here but what the bits mean. */
#ifndef X86_DESCRIPTOR_TABLES_H
#define X86_DESCRIPTOR_TABLES_H

#include "x86/cpu_state.h"

#include <stddef.h>

enum descriptor_kind {
	DESCRIPTOR_EMPTY, /* all bits are 0 */
	DESCRIPTOR_CODE,
	DESCRIPTOR_DATA,
	DESCRIPTOR_LDT,
	DESCRIPTOR_TSS,
	DESCRIPTOR_CALL_GATE,
	DESCRIPTOR_TASK_GATE,
	DESCRIPTOR_INTERRUPT_GATE,
	DESCRIPTOR_TRAP_GATE,
	DESCRIPTOR_RESERVED, /* a type that this mode does not have */
};

struct descriptor {
	enum descriptor_kind kind;
	unsigned bytes; /* 8, or 16 for what is twice as large in long mode */
	unsigned bits;	/* 16, 32 or 64: of a gate, of a TSS, of what code defaults to */
	bool long_code; /* code that has 64 bits in long mode, which this is not */
	uint8_t type;	/* the four bits, as they are */
	bool present;
	unsigned dpl;
	uint64_t base;	   /* segments */
	uint32_t limit;	   /* in bytes, scaled by G */
	uint16_t selector; /* gates: where they lead */
	uint64_t offset;
	unsigned
		stack; /* gates in long mode: IST, 0 for none; call gates outside: words that are copied */
};

/* An entry of the GDT or LDT, or, in_idt, of the IDT outside real mode. bytes: how many there are at
 * entry, 8 at least; with fewer than 16 the upper half of a large one is taken for 0. */
void descriptor_decode(const uint8_t *entry, size_t bytes, bool long_mode, bool in_idt,
		       struct descriptor *descriptor);

/* What a segment register keeps of the descriptor that it was loaded with. */
void descriptor_of_segment(const struct cpu_segment *segment, bool long_mode,
			   struct descriptor *descriptor);

/* "code, 64 bits, readable, accessed", "interrupt gate, 64 bits"; without what is a number. Returns
 * buf. */
char *descriptor_text(const struct descriptor *descriptor, char *buf, size_t size);

/* ---- the task state segment ----------------------------------------------------------------- */

struct tss_field {
	const char *name; /* "rsp0", "ist1", "ss0", "iomap" */
	unsigned offset, bytes;
};

/* The fields of a TSS of 16, 32 or 64 bits, and how many there are. */
const struct tss_field *tss_fields(unsigned bits, unsigned *count);
/* Of what is in TR: 64 in long mode, else by its type. */
unsigned tss_bits(const struct cpu_system *system);

#endif
