/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a function's registers to its caller's, by the call frame information that the compiler left in
 * .debug_frame or .eh_frame (DWARF 5, 6.4), read by elfutils. Registers have DWARF's numbers for x86-64, or for
 * i386 in an image of 32 bits.
 */
#ifndef MONITOR_FRAMES_H
#define MONITOR_FRAMES_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#define FRAME_REGISTERS 17 /* the last one is the return address: RIP */
#define FRAME_RIP	16

struct frame_registers {
	uint64_t value[FRAME_REGISTERS];
	bool known[FRAME_REGISTERS];
};

/* Reads a word of the guest's stack: linear; false when it is not there. */
typedef bool frame_read_fn(void *ctx, uint64_t address, unsigned size, uint64_t *value);

enum frame_result {
	FRAME_CALLER,	 /* the registers are the caller's now */
	FRAME_NO_RULES,	 /* nothing describes this code */
	FRAME_OUTERMOST, /* the rules say that nobody called */
	FRAME_LOST, /* the stack, or a register, that the rules want is not there; *place says which address */
};

struct frame_step {
	bool signal; /* the frame is an interrupt's: pc is the interrupted instruction itself */
	bool pushed; /* an interrupt's frame lies at rip_at, whether or not pc is exact */
	bool other_stack; /* the caller's may be anywhere */
	bool rip_saved;	  /* rip_at: where the stack holds the caller's RIP */
	uint64_t cfa, rip_at, place;
};

struct frames;

struct frames *
frames_new(Elf *elf); /* NULL: out of memory. Tables are read at the first question. */
void frames_free(struct frames *frames); /* NULL is fine */

/* The stack pointer, by its number here. */
unsigned frames_sp(const struct frames *frames);
unsigned frames_fp(const struct frames *frames);
/* The general register that has this number in instructions (x86/cpu_state.h's order). */
unsigned frames_number(const struct frames *frames, unsigned gpr);

/* One frame outwards. lookup: an address in the code that the registers belong to. */
enum frame_result frames_step(struct frames *frames, uint64_t lookup,
			      struct frame_registers *registers, frame_read_fn *read, void *ctx,
			      struct frame_step *step);

#endif
