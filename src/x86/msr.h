/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "x86/cpu_state.h"

struct msr_desc {
	uint32_t index;
	const char *name; /* as a register: "star", "lstar", "kernel_gs_base", … */
};

extern const struct msr_desc msr_table[MSR_SLOT_COUNT]; /* indexed by enum cpu_msr */

/* "MSR_LSTAR" or NULL for a number that has no row. */
const char *msr_name(uint32_t index);

#endif
