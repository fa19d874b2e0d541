/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "x86/cpu_state.h"

struct msr_desc {
	uint32_t index;
	const char *name;      /* as a register: "star", "lstar", "kernel_gs_base", … */
	const char *long_name; /* "MSR_LSTAR" */
	/* Writing the MSR by hand is refused. Time belongs to the machine's clock; and it goes on,
	 * so that what was written could not be read back. */
	bool clock;
	bool canonical;	   /* holds an address of 64 bits */
	uint64_t reserved; /* bits that must be 0 */
	/* For what a mask cannot say; or NULL. */
	bool (*valid)(uint64_t value);
};

extern const struct msr_desc msr_table[MSR_SLOT_COUNT]; /* indexed by enum cpu_msr */

/* Whether writing value would not raise #GP (SDM vol. 4). state: CPU_SYSTEM. */
bool msr_value_valid(enum cpu_msr slot, uint64_t value, const struct cpu_state *state);

/* "MSR_LSTAR". Knows some more numbers than the table has rows, those that guests use to find their
 * way. NULL for any other. */
const char *msr_name(uint32_t index);

/* By name, in any case, with or without "MSR_" or "IA32_" before it, or as the register table has it. False:
 * there is none such. */
bool msr_find(const char *name, uint32_t *index);
/* Every name that msr_name() knows: 0, 1, 2, …; NULL behind the last. */
const char *msr_name_at(unsigned i);

#endif
