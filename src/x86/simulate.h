/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Executes one simple instruction on a CPU's state, exactly as the processor would, or not at all:
 * a debugger that does so need not run the guest to get past an instruction whose first byte it has
 * replaced, and so need not put that byte back for others to miss.
 *
 * What is known: moves, arithmetic, logic and shifts on general registers and memory, push, pop, lea,
 * setcc, cmovcc, near jumps, calls and returns, nop and endbr, in 64-, 32- and 16-bit code. Everything
 * else is refused, and so is everything that would fault or that a fault, a trap, an interrupt or a
 * shadow stack could have a part in. Atomic instructions are refused: another CPU could see them half done.
 */
#ifndef X86_SIMULATE_H
#define X86_SIMULATE_H

#include "x86/cpu_state.h"

/* Linear memory, as this CPU may access it now in its ring. Each is called with 1, 2, 4 or 8 bytes, moves
 * all of them in one access, or refuses and changes nothing: where the access would fault, or would do
 * anything besides moving these bytes (a device, an accessed or dirty bit, a watched page). */
struct simulate_memory {
	void *ctx;
	bool (*read)(void *ctx, uint64_t linear, uint64_t *value, unsigned size);
	bool (*write)(void *ctx, uint64_t linear, uint64_t value, unsigned size);
};

/* Executes the instruction that these bytes begin with; length: how many are at hand. They are what RIP
 * points to; the caller has checked that this CPU may execute them. state: CPU_GENERAL, CPU_SYSTEM and
 * CPU_EVENTS. True: done, and *changed has the groups of state that are new. False: nothing has changed,
 * in state or in memory. Memory is written at most once, and last. */
bool simulate_instruction(struct cpu_state *state, const struct simulate_memory *memory,
			  const uint8_t *bytes, unsigned length, unsigned *changed);

#endif
