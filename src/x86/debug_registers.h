/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DR7 and DR6, SDM vol. 3B, 18.2. */
#ifndef X86_DEBUG_REGISTERS_H
#define X86_DEBUG_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

enum dr_type { DR_EXEC = 0, DR_WRITE = 1, DR_IO = 2, DR_ACCESS = 3 };

#define DR_SLOTS 4
#define DR6_HIT	 0xfull
#define DR6_BS	 (1ull << 14)

/* DR7 with one more slot enabled, globally and exactly (GE); what the slot was before is forgotten.
 * slot: 0 … 3. length: 1, 2, 4, 8 bytes, ignored for DR_EXEC, which always takes 1. dr7 comes back
 * unchanged for a slot or a length that does not exist: ask dr_can_watch() first. */
uint64_t dr7_enable(uint64_t dr7, unsigned slot, enum dr_type type, unsigned length);

/* Whether a slot can watch these bytes: length a power of two up to 8, address aligned to it. */
bool dr_can_watch(uint64_t address, uint64_t length);

#endif
