/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Locked read-modify-writes that come out of the guest in two halves. KVM's emulator reads the operand by
 * itself and hands only the write to vitrine, so another CPU may have written in between. What was
 * computed from the old value is thrown away here, and the instruction computed anew from what is in
 * memory now: whoever does that under a lock makes it atomic again.
 */
#ifndef X86_LOCKED_H
#define X86_LOCKED_H

#include "x86/instruction.h"

struct locked_result {
	bool writes;	/* false: a comparison failed, and memory stays as it is */
	uint64_t data;	/* to be written, as wide as the operand */
	bool registers; /* *state has other general registers or flags than before */
};

/* Whether insn is one of those below, with an operand in memory of 1, 2, 4 or 8 bytes:
 * add, or, adc, sbb, and, sub, xor, inc, dec, neg, not, xadd, xchg, cmpxchg, cmpxchg8b, bts, btr, btc. */
bool locked_known(const struct instruction *insn);

/* state: CPU_GENERAL as the instruction left it, given that it read some value and wrote `given`. Makes it
 * what it would be had the instruction read `now`. False, and nothing changed: not one of the above.
 * A comparison that failed has happened when its operand was read; it stays failed. */
bool locked_redo(const struct instruction *insn, struct cpu_state *state, uint64_t given,
		 uint64_t now, struct locked_result *result);

#endif
